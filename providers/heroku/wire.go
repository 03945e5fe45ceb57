package heroku

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
)

// What Heroku answers, as far as it is read: definitions app, formation and dyno of v6/schema.json
// of heroku/heroku-go. A field that has become another than it was is no reason to do anything:
// what would be done by it is an error, and the rest stays as it was last read.

// app is one that the account may see.
type app struct {
	id, name    string
	url         string // https:// and a host; empty: it has none
	maintenance bool
	team        string
	released    bool   // there is something that could run
	deployed    string // when it was released, changed or archived; a text that only is compared
	archived    bool
	created     time.Time // zero: it was not said
	// odd are the fields that could not be read, comma separated.
	odd string
}

// rawApp is an app as it comes.
type rawApp struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	WebURL      json.RawMessage `json:"web_url"`
	Maintenance json.RawMessage `json:"maintenance"`
	Team        json.RawMessage `json:"team"`
	Released    json.RawMessage `json:"released_at"`
	Archived    json.RawMessage `json:"archived_at"`
	Created     json.RawMessage `json:"created_at"`
}

// readApp reads an app. It is an error if it is not known which it is.
func readApp(raw json.RawMessage) (app, error) {
	var r rawApp
	if err := json.Unmarshal(raw, &r); err != nil || r.ID == "" || r.Name == "" {
		return app{}, fmt.Errorf("%w: an app without id or name", paas.ErrForm)
	}
	a := app{id: r.ID, name: paas.Line(r.Name), released: true}
	var address, released, archived *string
	var team *struct {
		Name string `json:"name"`
	}
	for _, field := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{{"web_url", r.WebURL, &address}, {"maintenance", r.Maintenance, &a.maintenance}, {"team", r.Team, &team}, {"released_at", r.Released, &released}, {"archived_at", r.Archived, &archived}, {"created_at", r.Created, &a.created}} {
		if len(field.raw) > 0 && json.Unmarshal(field.raw, field.into) != nil {
			a.odd = strings.TrimPrefix(a.odd+", "+field.name, ", ")
		}
	}
	a.deployed = string(bytes.Join([][]byte{r.Released, r.Archived}, []byte(" ")))
	a.released, a.archived = !bytes.Equal(r.Released, []byte("null")), archived != nil
	a.created = a.created.UTC() // so that it is the same each time
	if address != nil {
		a.url = paas.AppURL(*address)
	}
	if team != nil {
		a.team = paas.Line(team.Name)
	}
	return a, nil
}

// fill has fields that could not be read be as they were.
func (a *app) fill(was app) {
	if a.odd == "" || was.id == "" {
		return
	}
	a.url, a.maintenance, a.team = cmp.Or(a.url, was.url), a.maintenance || was.maintenance, cmp.Or(a.team, was.team)
	a.created = cmp.Or(a.created, was.created)
}

// process is a process type of an app, and how many dynos of what size it is to have.
type process struct {
	Type     string
	Quantity int
	Size     string // empty: it was not said
}

// rawProcess is a process as it comes.
type rawProcess struct {
	Type     string `json:"type"`
	Quantity *int   `json:"quantity"`
	Size     string `json:"size"`
	DynoSize *struct {
		Name string `json:"name"`
	} `json:"dyno_size"`
}

// formation are the process types of an app, in the order of their names.
type formation []process

// readFormation reads a formation as it comes. Without a type or a quantity it is an error: 0 dynos
// and a number that is not known are not the same.
func readFormation(raw []rawProcess) (formation, error) {
	f := formation{}
	for _, r := range raw {
		if r.Type == "" || r.Quantity == nil || *r.Quantity < 0 {
			return nil, fmt.Errorf("%w: a process type without its name or its quantity", paas.ErrForm)
		}
		p := process{Type: r.Type, Quantity: *r.Quantity, Size: r.Size}
		if r.DynoSize != nil && r.DynoSize.Name != "" {
			p.Size = r.DynoSize.Name
		}
		f = append(f, p)
	}
	return f.sorted(), nil
}

// dyno is one that there is: it runs, is about to, has crashed, or is idle.
type dyno struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	State   string    `json:"state"`
	Size    string    `json:"size"`
	Created time.Time `json:"created_at"`
}

// The states of a dyno.
const (
	stateUp       = "up"
	stateStarting = "starting"
	stateIdle     = "idle"
	stateCrashed  = "crashed"
	stateDown     = "down"
)

// change is what is to become of a process type. A size that is nil stays.
type change struct {
	Type     string `json:"type"`
	Quantity int    `json:"quantity"`
	Size     *sized `json:"dyno_size,omitempty"`
}

type sized struct {
	Name string `json:"name"`
}

package scalingo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
)

// This is what Scalingo's API says, as far as it is read
// (https://developers.scalingo.com, github.com/Scalingo/go-scalingo).

// appInfo is an app in a list.
type appInfo struct {
	ID     text `json:"id"`
	Name   text `json:"name"`
	Status text `json:"status"`
	// BaseURL is the one that Scalingo has made. URL may be a canonical domain of the owner's,
	// which may lead to Traefik, and from there back to here.
	BaseURL   text `json:"base_url"`
	CreatedAt text `json:"created_at"`
}

// text is a text of an answer. What is something else there is empty: of one app nothing must keep
// the others from being read.
type text string

// UnmarshalJSON reads a text, and leaves it empty if it is none.
func (t *text) UnmarshalJSON(value []byte) error {
	var s string
	switch {
	case len(value) < 2 || value[0] != '"':
	case !bytes.ContainsRune(value, '\\'): // nearly all
		*t = text(paas.Line(string(value[1 : len(value)-1])))
	case json.Unmarshal(value, &s) == nil:
		*t = text(paas.Line(s))
	}
	return nil
}

// appList is all apps of a region.
type appList struct {
	Apps []appInfo `json:"apps"`
}

// check is an error if the answer has no list, or an app without a name: of these it would be said
// that they are gone.
func (l appList) check() error {
	if l.Apps == nil {
		return errors.New(`the answer has no "apps"`)
	}
	if slices.ContainsFunc(l.Apps, func(a appInfo) bool { return a.ID == "" || a.Name == "" }) {
		return errors.New("the answer has an app without id and name")
	}
	return nil
}

// part is a type of containers, and how many there are of what size.
type part struct {
	Name   string `json:"name"`
	Amount int    `json:"amount"`
	// Size is empty where it is to stay as it is.
	Size string `json:"size,omitempty"`
}

// formation is what an app is scaled to. The API answers with all types, also those with 0.
type formation struct {
	Containers *[]partInfo `json:"containers"`
}

// partInfo is a part as it is told: what is missing is not 0.
type partInfo struct {
	Name   string `json:"name"`
	Amount *int   `json:"amount"`
	Size   string `json:"size"`
}

// parts are those of an answer.
func (f formation) parts() ([]part, error) {
	if f.Containers == nil {
		return nil, errors.New(`the answer has no "containers"`)
	}
	var parts []part
	for _, c := range *f.Containers {
		if c.Name == "" || c.Amount == nil || *c.Amount < 0 {
			return nil, errors.New("the answer has containers without name and amount")
		}
		parts = append(parts, part{Name: c.Name, Amount: *c.Amount, Size: c.Size})
	}
	return parts, nil
}

// operation is what becomes of an order.
type operation struct {
	Operation struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Error  string `json:"error"`
	} `json:"operation"`
}

// ended reports whether the operation has, and why it failed. Empty: it did not.
func (o operation) ended() (ended bool, fault string) {
	switch o.Operation.Status {
	case "done":
		return true, ""
	case "error":
		if o.Operation.Error == "" {
			return true, "the operation failed"
		}
		return true, o.Operation.Error
	default:
		return false, ""
	}
}

// autoscalers are those of an app.
type autoscalers struct {
	Autoscalers *[]autoscaler `json:"autoscalers"`
}

type autoscaler struct {
	ID            string    `json:"id"`
	ContainerType string    `json:"container_type"`
	Disabled      bool      `json:"disabled"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// all are those of an answer.
func (a autoscalers) all() ([]autoscaler, error) {
	if a.Autoscalers == nil {
		return nil, errors.New(`the answer has no "autoscalers"`)
	}
	return *a.Autoscalers, nil
}

// page is a page of events, the newest first.
type page struct {
	Events *[]event `json:"events"`
	Meta   struct {
		Pagination struct {
			NextPage *int `json:"next_page"`
		} `json:"pagination"`
	} `json:"meta"`
}

// event is something that somebody did.
type event struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	AppID     string          `json:"app_id"`
	CreatedAt time.Time       `json:"created_at"`
	TypeData  json.RawMessage `json:"type_data"`
}

// isOfRoles reports whether an event is of who may do what with an app.
func (e event) isOfRoles() bool {
	switch e.Type {
	case "change_collaborator_role", "accept_collaborator", "transfer_app":
		return true
	default:
		return false
	}
}

// scaling is what an event of the type "scale" tells.
type scaling struct {
	Previous   spelled `json:"previous_containers"`
	Containers spelled `json:"containers"`
}

// scaling is what the event tells. False: it is no scale, or cannot be read.
func (e event) scaling() (s scaling, ok bool) {
	if e.Type != "scale" || json.Unmarshal(e.TypeData, &s) != nil {
		return scaling{}, false
	}
	return s, s.Previous != nil && s.Containers != nil
}

// spelled is a formation as events tell it. The documentation has numbers, the vendor's client
// reads texts that have the size as well: "2:L".
type spelled []part

// UnmarshalJSON reads both.
func (s *spelled) UnmarshalJSON(text []byte) error {
	var told map[string]any
	if err := json.Unmarshal(text, &told); err != nil {
		return fmt.Errorf("read a formation: %w", err)
	}
	parts := spelled{}
	for name, value := range told {
		p, err := spelledPart(name, value)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	sortParts(parts)
	*s = parts
	return nil
}

package scalingotest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Type is one of the types of containers that an app has, by its Procfile.
type Type struct {
	Name   string `json:"name"`
	Amount int    `json:"amount"`
	Size   string `json:"size"`
}

// app is one of the account's. Guarded by the platform's lock.
type app struct {
	id, name, region string
	status           string // as the API tells it: new, stopped, running, crashed, scaling, …
	formation        []Type // what it is scaled to; types at 0 keep their size
	domain           string // canonical; empty: none
	operation        *operation
	operations       []*operation
	autoscalers      []*autoscaler
	oneOffs          int
	limited          bool   // the account is a limited collaborator of it
	quarantined      bool   // its containers are, at the routers
	broken           string // why operations that start it fail; empty: they do not
	failNext         string // likewise, the next one of any kind
	boot             time.Duration
	created          time.Time
	visits           []time.Time
	lines            []string     // of its log
	answers          http.Handler // Config.Answers' for it; nil: not made yet
}

// operation is one that was begun. Guarded by the platform's lock.
type operation struct {
	id, kind                  string
	created, begins, finishes time.Time // by the platform's clock
	status                    string    // pending, running, done, error
	fault                     string    // empty: it goes well
	before                    []Type
	was                       string // the app's status before
}

// autoscaler is one of an app. Guarded by the platform's lock.
type autoscaler struct {
	ID            string    `json:"id"`
	AppID         string    `json:"app_id"`
	ContainerType string    `json:"container_type"`
	Metric        string    `json:"metric"`
	Target        float64   `json:"target"`
	MinContainers int       `json:"min_containers"`
	MaxContainers int       `json:"max_containers"`
	Disabled      bool      `json:"disabled"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// settled reports whether an operation may be ordered.
func (a *app) settled() bool {
	switch a.status {
	case "scaling", "restarting", "booting":
		return false
	default:
		return true
	}
}

// at is where a type is in the formation; -1: the Procfile does not have it.
func (a *app) at(name string) int {
	return slices.IndexFunc(a.formation, func(t Type) bool { return t.Name == name })
}

// wanted reports whether the app is scaled to anything.
func (a *app) wanted() bool {
	return slices.ContainsFunc(a.formation, func(t Type) bool { return t.Amount > 0 })
}

// rest is the status of the app while nothing is done to it.
func (a *app) rest() string {
	if a.wanted() {
		return "running"
	}
	return "stopped"
}

// host is that of the app's base_url.
func (a *app) host() string { return a.name + "." + a.region + ".scalingo.io" }

// url is what the API calls the app's url: its canonical domain's if it has one.
func (a *app) url() string {
	if a.domain != "" {
		return "https://" + a.domain
	}
	return "https://" + a.host()
}

// text is the formation for people, as the vendor's CLI takes it.
func (a *app) text() string {
	var parts []string
	for _, t := range a.formation {
		parts = append(parts, fmt.Sprintf("%s:%d:%s", t.Name, t.Amount, t.Size))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// inFlight is how many apps are being scaled. Called with the lock held.
func (p *Platform) inFlight() int {
	n := 0
	for _, a := range p.apps {
		if a.operation != nil {
			n++
		}
	}
	return n
}

// order begins an operation that scales an app. Called with the lock held.
func (p *Platform) order(a *app, to []Type) *operation {
	before := slices.Clone(a.formation)
	for _, t := range to {
		at := a.at(t.Name)
		a.formation[at].Amount = t.Amount
		if t.Size != "" {
			a.formation[at].Size = t.Size
		}
	}
	o := p.begin(a, "scale")
	o.before = before
	a.status = "scaling"
	p.disableAutoscalers(a, func(kind string) bool {
		return slices.ContainsFunc(to, func(t Type) bool { return t.Name == kind })
	})
	p.note(a, "scale", map[string]any{"previous_containers": p.spell(before), "containers": p.spell(a.formation)})
	return o
}

// begin begins an operation of an app. Called with the lock held.
func (p *Platform) begin(a *app, kind string) *operation {
	now, takes := p.now(), p.cfg.Down
	if a.wanted() {
		takes = max(p.cfg.Boot, a.boot)
	}
	o := &operation{
		id: p.id("op-"), kind: kind, created: now, begins: now.Add(time.Second), finishes: now.Add(time.Second + takes),
		status: "pending", before: slices.Clone(a.formation), was: a.status, fault: a.failNext,
	}
	a.failNext = ""
	if o.fault == "" && a.wanted() {
		o.fault = a.broken
	}
	if p.inFlight() >= p.cfg.InFlight {
		o.fault = "the quota of simultaneous operations of the account is exceeded"
	}
	a.operation = o
	a.operations = append(a.operations, o)
	return o
}

// disableAutoscalers turns off those of some types of containers (https://doc.scalingo.com, "Scaling").
func (p *Platform) disableAutoscalers(a *app, of func(kind string) bool) {
	for _, s := range a.autoscalers {
		if !s.Disabled && of(s.ContainerType) {
			s.Disabled, s.UpdatedAt = true, p.now()
		}
	}
}

// settle lets happen to an app what is due. Called with the lock held.
func (p *Platform) settle(a *app) {
	o, now := a.operation, p.now()
	switch {
	case o == nil:
	case now.Before(o.begins):
	case now.Before(o.finishes):
		o.status = "running"
	case o.fault != "":
		o.status, a.operation, a.status, a.formation = "error", nil, o.was, o.before
	default:
		o.status, a.operation, a.status = "done", nil, a.rest()
	}
}

// spell is a formation as events tell it. Called with the lock held.
func (p *Platform) spell(formation []Type) map[string]any {
	told := map[string]any{}
	for _, t := range formation {
		told[t.Name] = t.Amount
		if p.cfg.WithSizes {
			told[t.Name] = fmt.Sprintf("%d:%s", t.Amount, t.Size)
		}
	}
	return told
}

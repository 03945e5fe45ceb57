package herokutest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ecoPatience is how long after the last visit an app on an eco dyno sleeps
// (help.heroku.com/Q8OBM85C: "no web traffic in a 30-minute period").
const ecoPatience = 30 * time.Minute

// usualSize is that of dynos of which nobody says otherwise.
const usualSize = "Standard-1X"

// coolOff is after what time a crashed dyno is started again.
const coolOff = 20 * time.Minute

// App is an app as people make it. The zero value of all but Name is a deployed app of the
// account, with a web type that is scaled to none.
type App struct {
	Name string
	// Formation are its process types. Nil: web, scaled to none, Standard-1X.
	Formation []Type
	// Boot is how long a dyno is starting. Zero: 5 seconds.
	Boot time.Duration
	// Crashes has its web dynos crash after that.
	Crashes bool
	// Undeployed has no process type at all, and no page of its own.
	Undeployed bool
	// Maintenance shows Heroku's own page to all visitors.
	Maintenance bool
	// Team and Space are those that it is in. Empty: none.
	Team, Space string
	// Fir is an app of the second generation, of which there are in Spaces alone.
	Fir bool
	// NoURL has no web URL; PlainURL one without 12 characters, as those have that are older than
	// 2023-06-14, until they are renamed.
	NoURL, PlainURL bool
	// ReadOnly may be seen by the account, and not scaled.
	ReadOnly bool
	// Suspended is what Heroku has suspended; Delinquent has an owner who does not pay.
	Suspended, Delinquent bool
	// Log is what its dynos wrote.
	Log []string
	// Lag is how long after an order its dynos are not listed yet, Linger how long those that end
	// still are, as up: they have 30 s for it. Zero: not at all.
	Lag, Linger time.Duration
}

// Type is a process type.
type Type struct {
	Name     string // "web"
	Quantity int
	Size     string // "Standard-1X", "Eco"; empty: Standard-1X
}

// app is an App on the platform.
type app struct {
	App
	id, suffix string
	types      []*process
	created    time.Time
	updated    time.Time
	released   time.Time // zero: never
	visited    time.Time // by a request
	oneOffs    []*dyno
	leaving    []*dyno // that end
	asleep     bool    // its eco dynos are idle
}

// process is a process type with its dynos.
type process struct {
	Type
	id      string
	updated time.Time
	dynos   []*dyno // in the order of their numbers
}

// dyno is one container.
type dyno struct {
	id, kind string
	number   int
	size     string
	created  time.Time
	crashed  time.Time // by somebody; zero: it has not
	ended    time.Time // when it was told to end; zero: it was not
}

// is reports whether a size is of that name, however it is written.
func is(size, name string) bool { return strings.EqualFold(size, name) }

// process is that of a type. Nil: the app has none.
func (a *app) process(kind string) *process {
	i := slices.IndexFunc(a.types, func(p *process) bool { return p.Name == kind || p.id == kind })
	if i < 0 {
		return nil
	}
	return a.types[i]
}

// isEco reports whether Heroku puts the app to sleep: it has an eco web dyno.
func (a *app) isEco() bool {
	web := a.process("web")
	return web != nil && web.Quantity > 0 && is(web.Size, "eco")
}

// settle lets come true what time alone does.
func (a *app) settle(now time.Time) {
	if a.isEco() && !a.asleep && a.upSince(now).Before(now.Add(-ecoPatience)) && a.visited.Before(now.Add(-ecoPatience)) {
		a.asleep = true
	}
	for _, p := range a.types {
		for _, d := range p.dynos {
			if since := a.crashedSince(d); !since.IsZero() && now.Sub(since) >= coolOff {
				d.created, d.crashed = since.Add(coolOff), time.Time{}
			}
		}
	}
}

// upSince is when its web dyno was there last that was started first.
func (a *app) upSince(now time.Time) time.Time {
	since := now
	if web := a.process("web"); web != nil {
		for _, d := range web.dynos {
			if d.created.Before(since) {
				since = d.created
			}
		}
	}
	return since
}

// crashedSince is when a dyno crashed. Zero: it has not.
func (a *app) crashedSince(d *dyno) time.Time {
	if !d.crashed.IsZero() {
		return d.crashed
	}
	if a.Crashes && d.kind == "web" {
		return d.created.Add(a.Boot)
	}
	return time.Time{}
}

// state is that of a dyno: starting, up, idle or crashed.
func (a *app) state(d *dyno, now time.Time) string {
	crashed := a.crashedSince(d)
	switch {
	case a.asleep && d.kind != "run":
		return "idle"
	case !crashed.IsZero() && !now.Before(crashed):
		return "crashed"
	case now.Before(d.created.Add(a.Boot)):
		return "starting"
	default:
		return "up"
	}
}

// best is the best state of its web dynos: up, starting, crashed, idle. Empty: it has none.
func (a *app) best(now time.Time) string {
	states := map[string]bool{}
	if web := a.process("web"); web != nil {
		for _, d := range web.dynos {
			states[a.state(d, now)] = true
		}
	}
	for _, s := range []string{"up", "starting", "crashed", "idle"} {
		if states[s] {
			return s
		}
	}
	return ""
}

// restart starts all dynos of a type anew.
func (p *process) restart(h *Heroku) {
	for i, d := range p.dynos {
		p.dynos[i] = h.newDyno(p.Name, d.number, p.Size)
	}
}

// scale gives a type so many dynos of a size; empty: that which it has.
func (a *app) scale(h *Heroku, p *process, quantity int, size string) {
	if size != "" && !is(size, p.Size) {
		p.Size = proper(size)
		p.restart(h)
	}
	for n := len(p.dynos) + 1; n <= quantity; n++ {
		p.dynos = append(p.dynos, h.newDyno(p.Name, n, p.Size))
	}
	for _, d := range p.dynos[quantity:] {
		d.ended = h.now()
		a.leaving = append(a.leaving, d)
	}
	p.dynos = p.dynos[:quantity]
	p.Quantity, p.updated = quantity, h.now()
	if quantity == 0 && h.dropping {
		p.Size = usualSize // it is made anew when it is scaled again
	}
}

// proper is a size as the API tells it.
func proper(size string) string {
	parts := strings.Split(size, "-")
	for i, part := range parts {
		if part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "-")
}

// newDyno makes a dyno that starts now. Called with the lock held.
func (h *Heroku) newDyno(kind string, number int, size string) *dyno {
	return &dyno{id: h.id(), kind: kind, number: number, size: size, created: h.now()}
}

// name is "web.1".
func (d *dyno) name() string { return fmt.Sprintf("%s.%d", d.kind, d.number) }

// host is the app's own name. Empty: it has none.
func (a *app) host() string {
	switch {
	case a.NoURL:
		return ""
	case a.PlainURL:
		return a.Name + ".herokuapp.com"
	default:
		return a.Name + "-" + a.suffix + ".herokuapp.com"
	}
}

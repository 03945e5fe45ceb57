package herokutest

import (
	"fmt"
	"strings"
	"time"
)

// What people do with the apps, by the CLI, the dashboard or a deployment.

// Create makes an app.
func (h *Heroku) Create(a App) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.named(a.Name) != nil {
		panic("herokutest: there is an app " + a.Name)
	}
	if a.Boot == 0 {
		a.Boot = 5 * time.Second
	}
	if a.Formation == nil && !a.Undeployed {
		a.Formation = []Type{{Name: "web"}}
	}
	made := &app{App: a, id: h.id(), created: h.now(), updated: h.now(), visited: h.now()}
	made.suffix = fmt.Sprintf("%012x", 0xa1b2c3d4e5f6+int64(h.ids)*0x1234567)[:12]
	if !a.Undeployed {
		made.released = h.now()
	}
	for _, t := range a.Formation {
		made.add(h, t)
	}
	h.apps[made.id] = made
}

// add gives an app a type.
func (a *app) add(h *Heroku, t Type) {
	quantity := t.Quantity
	if t.Size == "" {
		t.Size = usualSize
	}
	t.Quantity = 0
	p := &process{Type: t, id: h.id()}
	a.types = append(a.types, p)
	a.scale(h, p, quantity, "")
}

// Delete removes an app.
func (h *Heroku) Delete(name string) {
	h.change(name, func(a *app) { delete(h.apps, a.id) })
}

// Rename gives an app another name, and another URL: one with 12 characters.
func (h *Heroku) Rename(name, another string) {
	h.change(name, func(a *app) { a.Name, a.PlainURL = another, false })
}

// Scale has somebody scale a type; without a size it keeps its own.
func (h *Heroku) Scale(name, kind string, quantity int, size ...string) {
	h.change(name, func(a *app) {
		a.asleep = false
		a.scale(h, a.process(kind), quantity, strings.Join(size, ""))
	})
}

// Deploy puts a version live that has these types: of those that are new none runs, those that
// are not among them are gone, and the others start anew.
func (h *Heroku) Deploy(name string, kinds ...string) {
	h.change(name, func(a *app) {
		before := a.types
		a.types, a.released = nil, h.now()
		for _, kind := range kinds {
			a.add(h, Type{Name: kind})
			for _, p := range before {
				if p.Name == kind {
					a.types[len(a.types)-1] = p
					p.restart(h)
				}
			}
		}
	})
}

// Crash ends all dynos of a type by a fault of their own.
func (h *Heroku) Crash(name, kind string) {
	h.change(name, func(a *app) {
		for _, d := range a.process(kind).dynos {
			d.crashed = h.now()
		}
	})
}

// RunOneOff starts a one-off dyno, as `heroku run` does, and returns its name.
func (h *Heroku) RunOneOff(name string) (dyno string) {
	h.change(name, func(a *app) {
		d := h.newDyno("run", 1000+len(a.oneOffs)*37, usualSize)
		a.oneOffs = append(a.oneOffs, d)
		dyno = d.name()
	})
	return dyno
}

// EndOneOffs ends all of them.
func (h *Heroku) EndOneOffs(name string) { h.change(name, func(a *app) { a.oneOffs = nil }) }

// Alter changes what else an app is.
func (h *Heroku) Alter(name string, how func(*App)) {
	h.change(name, func(a *app) { how(&a.App) })
}

// change does something to an app of that name.
func (h *Heroku) change(name string, how func(*app)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.named(name)
	if a == nil {
		panic("herokutest: there is no app " + name)
	}
	a.settle(h.now())
	how(a)
	a.updated = h.now()
}

// named is an app by its name, or its id. Nil: there is none. Called with the lock held.
func (h *Heroku) named(name string) *app {
	if a := h.apps[name]; a != nil {
		return a
	}
	for _, a := range h.apps {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Formation is how an app is scaled, as a text: "web: 2 × Standard-1X, worker: 1 × Standard-2X".
func (h *Heroku) Formation(name string) (text string) {
	h.look(name, func(a *app) {
		var parts []string
		for _, p := range a.types {
			parts = append(parts, fmt.Sprintf("%s: %d × %s", p.Name, p.Quantity, p.Size))
		}
		text = strings.Join(parts, ", ")
	})
	return text
}

// Runs is how many dynos of an app there are, crashed and idle ones too, without one-offs.
func (h *Heroku) Runs(name string) (dynos int) {
	h.look(name, func(a *app) {
		for _, p := range a.types {
			dynos += p.Quantity
		}
	})
	return dynos
}

// State is the best state of an app's web dynos: up, starting, crashed or idle. Empty: it has
// none.
func (h *Heroku) State(name string) (state string) {
	h.look(name, func(a *app) { state = a.best(h.now()) })
	return state
}

// IDOf is what the API calls an app, whatever its name is.
func (h *Heroku) IDOf(name string) (id string) {
	h.look(name, func(a *app) { id = a.id })
	return id
}

// URL is the address of an app. Empty: it has none.
func (h *Heroku) URL(name string) (url string) {
	h.look(name, func(a *app) { url = a.url() })
	return url
}

// look has a look at an app.
func (h *Heroku) look(name string, how func(*app)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.named(name)
	if a == nil {
		panic("herokutest: there is no app " + name)
	}
	a.settle(h.now())
	how(a)
}

// url is https:// and its host, and a slash. Empty: it has none.
func (a *app) url() string {
	if a.host() == "" {
		return ""
	}
	return "https://" + a.host() + "/"
}

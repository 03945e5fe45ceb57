package scalingotest

import (
	"slices"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
)

// What people do with apps, by the dashboard or the vendor's CLI. An app is named as at Scalingo;
// with "." and its region where another one has its name. One that is not there is a panic.

// Create makes an app that is deployed: it runs if any of its types has an amount. Without types
// it has a "web" of size M that sleeps.
func (p *Platform) Create(region, name string, types ...Type) {
	p.lock()
	defer p.mu.Unlock()
	if types == nil {
		types = []Type{{Name: "web", Size: "M"}}
	}
	a := &app{id: p.id(""), name: name, region: region, formation: slices.Clone(types), created: p.now()}
	a.status = a.rest()
	p.apps = append(p.apps, a)
	p.note(a, "new_app", nil)
}

// CreateUndeployed makes an app that nothing was deployed to.
func (p *Platform) CreateUndeployed(region, name string) {
	p.Create(region, name)
	p.SetStatus(name, "new")
}

// Deploy gives an app another Procfile: types that it had keep their amounts and sizes, new ones
// have what is said of them.
func (p *Platform) Deploy(name string, types ...Type) {
	p.change(name, func(a *app) {
		next := slices.Clone(types)
		for i, t := range next {
			if at := a.at(t.Name); at >= 0 {
				next[i] = a.formation[at]
			}
		}
		a.formation = next
		a.status = a.rest()
		p.note(a, "deployment", map[string]any{"status": "success"})
	})
}

// Scale scales an app, which has come about when it returns.
func (p *Platform) Scale(name string, types ...Type) {
	p.change(name, func(a *app) {
		p.order(a, types)
		o := a.operation
		o.fault, o.begins, o.finishes = "", p.now(), p.now()
		p.settle(a)
	})
}

// Order scales an app, which takes its time.
func (p *Platform) Order(name string, types ...Type) {
	p.change(name, func(a *app) { p.order(a, types) })
}

// Start scales an app to what it has of each type, at least one web.
func (p *Platform) Start(name string) { p.Scale(name, Type{Name: "web", Amount: 1}) }

// Stop scales all types of an app to 0.
func (p *Platform) Stop(name string) {
	var types []Type
	p.change(name, func(a *app) {
		for _, t := range a.formation {
			types = append(types, Type{Name: t.Name})
		}
	})
	p.Scale(name, types...)
}

// Crash lets an app have crashed so often that the platform gives up.
func (p *Platform) Crash(name string) {
	p.change(name, func(a *app) {
		a.status = "crashed"
		p.note(a, "repeated_crash", map[string]any{"container_type": "web"})
	})
}

// Rename gives an app another name, and so another base_url.
func (p *Platform) Rename(name, to string) {
	p.change(name, func(a *app) {
		p.note(a, "rename_app", map[string]any{"old_name": a.name, "new_name": to})
		a.name = to
	})
}

// Delete deletes an app.
func (p *Platform) Delete(name string) {
	p.change(name, func(a *app) {
		p.note(a, "delete_app", nil)
		p.apps = slices.DeleteFunc(p.apps, func(one *app) bool { return one == a })
	})
}

// SetStatus is the status of an app from now on, such as one that nobody knows.
func (p *Platform) SetStatus(name, status string) {
	p.change(name, func(a *app) { a.status = status })
}

// SetDomain gives an app a canonical domain, to which its base_url redirects. Empty: none.
func (p *Platform) SetDomain(name, domain string) {
	p.change(name, func(a *app) { a.domain = domain })
}

// Limit makes the account a limited collaborator of an app, which may see it and not scale it.
// Promote ends that.
func (p *Platform) Limit(name string) { p.change(name, func(a *app) { a.limited = true }) }

// Promote makes the account a collaborator of an app, which may scale it.
func (p *Platform) Promote(name string) {
	p.change(name, func(a *app) {
		a.limited = false
		p.note(a, "change_collaborator_role", nil)
	})
}

// Quarantine lets the routers leave an app alone, or ends that.
func (p *Platform) Quarantine(name string, on bool) {
	p.change(name, func(a *app) { a.quarantined = on })
}

// RunOneOffs lets so many one-off containers run in an app.
func (p *Platform) RunOneOffs(name string, n int) {
	p.change(name, func(a *app) {
		a.oneOffs = n
		if n > 0 {
			p.note(a, "run", map[string]any{"command": "bash"})
		}
	})
}

// Visit lets so many requests come to an app by its own URL.
func (p *Platform) Visit(name string, n int) { p.change(name, func(a *app) { p.visited(a, n) }) }

// Log adds a line to an app's log.
func (p *Platform) Log(name, line string) {
	p.change(name, func(a *app) { a.lines = append(a.lines, line) })
}

// Boots is how long an app takes to come up, at least.
func (p *Platform) Boots(name string, d time.Duration) { p.change(name, func(a *app) { a.boot = d }) }

// Break lets all operations fail that start an app, with a text; empty: it ends that.
func (p *Platform) Break(name, text string) { p.change(name, func(a *app) { a.broken = text }) }

// FailNextOperation lets the next operation of an app fail, with a text.
func (p *Platform) FailNextOperation(name, text string) {
	p.change(name, func(a *app) { a.failNext = text })
}

// AddAutoscaler gives an app one, which is enabled, and returns its ID.
func (p *Platform) AddAutoscaler(name, containerType string, least, most int) (id string) {
	p.change(name, func(a *app) {
		id = p.id("au-")
		a.autoscalers = append(a.autoscalers, &autoscaler{
			ID: id, AppID: a.id, ContainerType: containerType, Metric: "rpm_per_container", Target: 100,
			MinContainers: least, MaxContainers: most, CreatedAt: p.now(), UpdatedAt: p.now(),
		})
	})
	return id
}

// Disable disables all autoscalers of an app.
func (p *Platform) Disable(name string) {
	p.change(name, func(a *app) { p.disableAutoscalers(a, func(string) bool { return true }) })
}

// LoseEvents lets nothing become an event any more.
func (p *Platform) LoseEvents() {
	p.lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// Formation is that of an app, sorted: "web:2:L worker:1:M".
func (p *Platform) Formation(name string) (text string) {
	p.change(name, func(a *app) { text = a.text() })
	return text
}

// Status is that of an app.
func (p *Platform) Status(name string) (status string) {
	p.change(name, func(a *app) { status = a.status })
	return status
}

// Autoscaling is how many autoscalers of an app are enabled.
func (p *Platform) Autoscaling(name string) (n int) {
	p.change(name, func(a *app) {
		for _, s := range a.autoscalers {
			if !s.Disabled {
				n++
			}
		}
	})
	return n
}

// InFlight is how many apps are being scaled.
func (p *Platform) InFlight() int {
	p.lock()
	defer p.mu.Unlock()
	return p.inFlight()
}

// change does something to an app with the lock held.
func (p *Platform) change(name string, what func(*app)) {
	p.lock()
	a := p.must(name)
	defer p.mu.Unlock()
	what(a)
}

// Hold holds back what is called by a route, before it is carried out and before it is answered.
func (p *Platform) Hold(route string, before, after time.Duration) (release func()) {
	return p.Faults.Add(paastest.Fault{Route: route, Delay: before, Late: after})
}

package registry

import (
	"context"
	"slices"
	"time"
)

// stopLimit bounds a stop that its provider never ends.
const stopLimit = 10 * time.Minute

// rest looks whether an app that is awake may sleep, and whether its requests pass.
func (p *pass) rest(k *Keeper) {
	if k.state == Failed && !k.alive() {
		return
	}
	p.admit(k)
	d := Decide(p.snapshot(k), p.now)
	if !d.Again.IsZero() {
		p.at(d.Again)
	}
	if d.Sleep && !k.busy {
		p.set(k, Draining, d.Reason)
		return
	}
	if k.state == Ready {
		k.reason = d.Reason
	}
}

// admit opens a ready app for requests, or closes it while an app that it needs is
// down, and tells which. Called with the lock held.
func (r *Registry) admit(k *Keeper) bool {
	open := k.state == Ready && r.needsUp(k)
	if k.open.Swap(open) != open {
		k.notify()
	}
	return open
}

// needsUp tells whether all that a ready app cannot do without runs. A job that has
// run its course does.
func (r *Registry) needsUp(k *Keeper) bool {
	for _, n := range r.inventory.Load().needs(k.Entry()) {
		t := n.to.keeper
		if n.Optional || !n.to.Managed || t.alive() || r.meets(n, k) {
			continue
		}
		return false
	}
	return true
}

// drain looks once more at an app that is closed already, and orders its stop if
// nobody came.
func (p *pass) drain(k *Keeper) {
	d := Decide(p.snapshot(k), p.now)
	if !d.Sleep {
		p.set(k, Ready, d.Reason)
		return
	}
	p.set(k, Stopping, d.Reason)
	k.busy = true
	name, method := k.app.Name, k.Entry().StopMethod
	p.todo = append(p.todo, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		app, err := k.provider.Stop(ctx, name, method)
		p.Registry.stopped(k, app, err)
	})
}

// stopped takes in how a stop went.
func (r *Registry) stopped(k *Keeper, app App, err error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	k.busy = false
	if err == nil {
		r.refresh(k, app)
	}
	if k.gone {
		return
	}
	switch {
	case err != nil && k.alive():
		r.log.Error("stop failed", "app", k.Name(), "error", err)
		k.stopAfter = now.Add(k.backOff())
		k.idleFrom = now.Add(-k.Entry().MaxIdleTime)
		r.set(k, Ready, "It could not be stopped: "+visible(err)+".", now)
	case k.again:
		k.stopAfter = time.Time{}
		r.set(k, Asleep, "", now)
		r.call(k, "asked for while it stopped", now)
	default:
		k.stopAfter = time.Time{}
		r.set(k, Asleep, "", now)
	}
	r.stir()
}

// snapshot is what the idle decision looks at: the app's circle as one.
func (p *pass) snapshot(k *Keeper) Snapshot {
	inv := p.inventory.Load()
	circle := inv.Graph.Component(k.Name())
	s := Snapshot{MaxIdle: k.Entry().MaxIdleTime, LastUse: p.used(circle), NotBefore: k.stopAfter}
	var needing []*Entry
	for _, name := range circle {
		e := inv.names[name]
		if m := e.keeper; m != k && m.awake() && e.Managed {
			s.MaxIdle = max(s.MaxIdle, e.MaxIdleTime)
			if m.state == Starting {
				s.Waking = m.Name()
			}
		}
		needing = append(needing, inv.needing(e, circle)...)
	}
	s.NeededBy = sortedNames(needing)
	return s
}

// needing are the awake apps outside its circle that need an app.
func (inv *Inventory) needing(e *Entry, circle []string) []*Entry {
	var needing []*Entry
	for _, name := range inv.Graph.Dependents(e.Name) {
		if d := inv.names[name]; d.keeper.awake() && (!slices.Contains(circle, name) || !d.Managed) {
			needing = append(needing, d)
		}
	}
	return needing
}

// used is when a circle of apps was last of use, to its own visitors or to those of
// the apps that need it.
func (p *pass) used(circle []string) time.Time {
	if last, ok := p.lastUse[circle[0]]; ok {
		return last
	}
	inv := p.inventory.Load()
	var last time.Time
	for _, name := range circle {
		if t := inv.names[name].keeper.lastUse(); t.After(last) {
			last = t
		}
	}
	p.lastUse[circle[0]] = last
	for _, name := range circle {
		for _, dependent := range inv.Graph.Dependents(name) {
			if slices.Contains(circle, dependent) {
				continue
			}
			if t := p.used(inv.Graph.Component(dependent)); t.After(last) {
				last = t
			}
		}
	}
	p.lastUse[circle[0]] = last
	return last
}

package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/paastis/paastis/rules"
)

// Wake asks for an app and what it needs. It does not block, and the wake goes on
// when whoever asked has left. A failed app is started again when its back-off is
// over, or at once if the caller insists (a person's retry).
func (r *Registry) Wake(k *Keeper, insist bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.gone {
		return
	}
	r.recall(k)
	switch k.state {
	case Asleep:
		r.call(k, "asked for", now)
	case Starting:
		k.wanted = true
	case Ready:
		r.reopen(k, now)
	case Draining:
		r.set(k, Ready, "asked for in time", now)
		r.reopen(k, now)
	case Stopping:
		k.again = true
	case Failed:
		if insist {
			r.forgiveAll(k)
		}
		if !now.Before(k.retryAt) {
			r.call(k, "tried again", now)
		}
	}
	r.stir()
}

// reopen lets requests pass to a ready app again, or wakes what it needs first.
func (r *Registry) reopen(k *Keeper, now time.Time) {
	if !r.admit(k) {
		r.call(k, "asked for, and an app that it needs is down", now)
	}
}

// forgiveAll lets an app and all that it needs be started at once.
func (r *Registry) forgiveAll(k *Keeper) {
	inv := r.inventory.Load()
	k.forgive()
	for _, name := range inv.Graph.Closure(k.Name()) {
		inv.names[name].keeper.forgive()
	}
}

// Await blocks until requests pass to the app, until it has failed, has fallen asleep
// again or is ours no more, or until ctx ends, and returns its state; Ready means that
// requests pass.
func (r *Registry) Await(ctx context.Context, k *Keeper) State {
	for {
		state, changed := r.peek(k)
		if state == Failed || state == Ready || state == Asleep || !k.Entry().Managed {
			return state
		}
		select {
		case <-ctx.Done():
			return state
		case <-changed:
		}
	}
}

// peek is an app's state for somebody who waits, and a channel that is closed at the
// next change. A ready app whose needs are down is on its way.
func (r *Registry) peek(k *Keeper) (State, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.state == Ready && !k.open.Load() {
		return Starting, k.next()
	}
	return k.state, k.next()
}

// call begins a wake that somebody asked for.
func (r *Registry) call(k *Keeper, reason string, now time.Time) {
	r.renew(k, now)
	k.wanted = true
	r.set(k, Starting, reason, now)
}

// renew clears what the last wake has left. Called with the lock held.
func (r *Registry) renew(k *Keeper, now time.Time) {
	k.startedAt, k.deadline = now, now.Add(k.Entry().StartTimeout)
	k.ordered, k.probed, k.completed, k.again = false, false, false, false
	k.queued, k.unprovable = false, false
	k.doomed = Failure{}
	k.formerUse = latest(k.formerUse, k.seenAt)
	k.healthyAt, k.provenAt, k.seenAt = time.Time{}, time.Time{}, time.Time{}
	k.found, k.led, k.weighed = false, false, false
	if !k.alive() {
		k.looks = nil
		k.streams.Store(false)
	}
	for _, n := range r.inventory.Load().needs(k.Entry()) {
		if t := n.to.keeper; t.completed {
			t.completed = false
		}
	}
}

// raise takes an app one step up: its needs, its start, its health, its hand-over.
func (p *pass) raise(k *Keeper) {
	if !k.wanted && !k.alive() {
		p.set(k, Asleep, "stopped again")
		return
	}
	if k.loops(p.now) && !k.busy {
		p.breakLoop(k)
		return
	}
	if p.waits(k) {
		k.deadline = p.now.Add(k.Entry().StartTimeout)
	}
	if !p.now.Before(k.deadline) {
		p.miss(k)
		return
	}
	p.at(k.deadline)
	met := p.needsMet(k)
	switch {
	case k.state != Starting || k.busy:
	case k.restarting():
		// Its provider starts it again by itself.
	case !k.up() && k.ordered:
		p.end(k)
	case !k.up() && met && p.circleMet(k) && k.startedOften():
		p.fail(k, k.crashLoop(), p.now)
		k.retryAt = k.starts[0].Add(time.Minute)
		p.moved = true
	case !k.up() && met && p.circleMet(k) && p.turn(k):
		p.start(k)
	case k.up() && p.answers(k) && met:
		p.handOver(k)
	}
}

// up tells that all of the app runs, or that some of it does and nobody asked for more.
func (k *Keeper) up() bool {
	return k.running() || !k.wanted && k.alive() && !k.restarting()
}

// needsMet tells whether the apps that this one needs are as far as its links ask for.
// It wakes those that sleep, and fails the app if one that it cannot do without failed.
func (p *pass) needsMet(k *Keeper) bool {
	met := true
	for _, n := range p.inventory.Load().needs(k.Entry()) {
		if p.meets(n, k) && !(n.to.Managed && n.to.keeper.state == Ready && !p.needsUp(n.to.keeper)) {
			continue
		}
		p.rouse(n.to, k)
		switch t := n.to.keeper; {
		case n.Optional && (k.up() || t.state == Failed):
			// It works without.
		case !n.to.Managed:
			// Nobody's to start; it waits for one that is on its way.
			met = met && !t.alive()
		case t.state == Failed:
			p.failFor(k, t)
			return false
		case p.sameCircle(k, t) && !k.up():
			// They start together; whether both are healthy is asked later.
		default:
			met = false
		}
	}
	return met
}

// sameCircle tells that two apps need each other.
func (p *pass) sameCircle(a, b *Keeper) bool {
	g := p.inventory.Load().Graph
	return g.Component(a.Name())[0] == g.Component(b.Name())[0]
}

// rouse wakes an app because another one needs it, if Paastis may.
func (p *pass) rouse(e *Entry, by *Keeper) {
	k := e.keeper
	if !e.Managed {
		return
	}
	switch k.state {
	case Asleep:
		if !k.completed {
			p.call(k, fmt.Sprintf("needed by %q", by.Name()), p.now)
			p.moved = true
		}
	case Starting:
		k.wanted = true
	case Ready:
		if !p.needsUp(k) {
			p.call(k, "an app that it needs is down", p.now)
			p.moved = true
		}
	case Stopping:
		k.again = true
	case Failed:
		if !p.now.Before(k.retryAt) {
			p.call(k, "tried again", p.now)
			p.moved = true
		}
	}
}

// meets tells whether a linked app is as far as the link asks for.
func (r *Registry) meets(n need, by *Keeper) bool {
	k := n.to.keeper
	switch {
	case !n.to.Managed:
		return k.alive() && !k.restarting() && k.health() != HealthStarting
	case n.Condition == rules.Started:
		return k.healthy() || k.running() && k.state != Stopping || k.completed
	case n.Condition == rules.Completed:
		return k.completed || by.running()
	default:
		return k.healthy()
	}
}

// start orders the app's start.
func (p *pass) start(k *Keeper) {
	k.ordered, k.busy = true, true
	k.startedAt, k.deadline = p.now, p.now.Add(k.Entry().StartTimeout)
	k.starts = append(k.starts, p.now)
	k.reason = ""
	k.notify()
	p.moved = true
	name := k.app.Name
	p.todo = append(p.todo, func(ctx context.Context) {
		app, err := k.provider.Start(ctx, name)
		p.Registry.started(k, app, err)
	})
}

// started takes in how a start went.
func (r *Registry) started(k *Keeper, app App, err error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	k.busy = false
	if err == nil {
		r.refresh(k, app)
	}
	if err != nil && k.state == Starting {
		r.log.Error("start failed", "app", k.Name(), "error", err)
		r.fail(k, refusedBy(err), now)
	}
	k.notify()
	r.stir()
}

// refresh stores the look at an app that came with our own order.
func (r *Registry) refresh(k *Keeper, app App) {
	if k.gone || app.Version < k.app.Version {
		return
	}
	if _, redefined := r.keep(k.provider, app); redefined {
		r.resolve()
	}
	k.sick = !k.running()
}

// answers tells whether a running app is healthy and, if Paastis probes it, answers.
func (p *pass) answers(k *Keeper) bool {
	if h := k.health(); h == HealthStarting || h == Unhealthy {
		k.unheal()
		p.at(k.deadline)
		return false
	}
	if targets := p.targets(k); len(targets) > 0 && !k.probed {
		p.knock(k, targets)
		p.at(k.deadline)
		return false
	}
	if k.healthyAt.IsZero() {
		k.healthyAt = p.now
		p.moved = true
		k.notify()
	}
	return true
}

// unheal takes in that the app is not healthy, or no longer.
func (k *Keeper) unheal() {
	if !k.healthyAt.IsZero() {
		k.healthyAt = time.Time{}
		k.notify()
	}
}

// circleMet tells that what the other apps of the circle need outside it is there.
func (p *pass) circleMet(k *Keeper) bool {
	inv := p.inventory.Load()
	for _, name := range inv.Graph.Component(k.Name()) {
		for _, n := range inv.needs(inv.names[name]) {
			t := n.to.keeper
			if !p.sameCircle(k, t) && n.to.Managed && !n.Optional && inv.names[name].Managed && !p.meets(n, inv.names[name].keeper) {
				return false
			}
		}
	}
	return true
}

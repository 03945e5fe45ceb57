package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// stopLimit bounds a stop that its provider never ends.
const stopLimit = 10 * time.Minute

// rest looks whether an app that is awake may sleep, and whether its requests pass.
func (p *pass) rest(k *Keeper) {
	if k.state == Failed && !k.alive() {
		return
	}
	p.admit(k)
	k.believe(p.now)
	switch {
	case k.busy:
		return
	case k.doomed.Kind != "" && p.now.Before(k.stopAfter):
		p.at(k.stopAfter)
		return
	case k.doomed.Kind != "" || k.loops(p.now):
		p.breakLoop(k)
		return
	}
	s := p.snapshot(k)
	d := Decide(s, p.now)
	if p.givesUp(k, s, d) {
		s.Dismissed = time.Time{}
		d = Decide(s, p.now)
	}
	if !d.Again.IsZero() {
		p.at(d.Again)
	}
	switch {
	case d.Sleep && k.state == Failed:
		p.stop(k, d.Reason) // nobody is let through: there is no door to close first
		return
	case d.Sleep:
		p.set(k, Draining, d.Reason)
		return
	case d.Look:
		p.examine(k, p.now.Sub(s.LastUse) >= s.MaxIdle || s.dismissed())
	case d.Glance:
		p.examine(k, false)
	}
	if k.state == Ready {
		k.reason = d.Reason
		p.tellWhy(k, s, d.Reason)
	}
}

// tellWhy logs why an app stays awake that nobody has asked for in its idle time: once
// for each kind of reason, whatever its figures are.
func (p *pass) tellWhy(k *Keeper, s Snapshot, reason string) {
	kind := ""
	if p.now.Sub(s.LastUse) >= s.MaxIdle && reason != beingWatched {
		kind = kindOf(reason)
	}
	if kind != k.told && kind != "" {
		p.log.Info("app stays awake", "app", k.Name(), "reason", reason)
	}
	k.told = kind
}

// kindOf is a reason without its figures.
func kindOf(reason string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == '.' {
			return -1
		}
		return r
	}, reason)
}

// admit opens a ready app for requests, or closes it while an app that it needs is
// down, and tells which. Called with the lock held.
func (r *Registry) admit(k *Keeper) bool {
	open := k.state == Ready && r.needsUp(k)
	if r.turn(k, open) {
		k.notify()
	}
	return open
}

// needsUp tells whether all that a ready app cannot do without runs. A job that has
// run its course does.
func (r *Registry) needsUp(k *Keeper) bool { return r.allUp(k, map[*Keeper]bool{k: true}) }

func (r *Registry) allUp(k *Keeper, seen map[*Keeper]bool) bool {
	for _, n := range r.inventory.Load().needs(k.Entry()) {
		t := n.to.keeper
		if n.Optional || !n.to.Managed || seen[t] {
			continue
		}
		seen[t] = true
		if (t.state != Stopping && t.alive() || r.meets(n, k)) && (t.completed || r.allUp(t, seen)) {
			continue
		}
		return false
	}
	return true
}

// drain looks once more at an app that is closed already, and orders its stop if
// nobody came and nothing speaks for its use.
func (p *pass) drain(k *Keeper) {
	s := p.snapshot(k)
	s.Looked = p.now // it is looked at anyway, below
	d := Decide(s, p.now)
	switch {
	case !d.Sleep:
		k.looks = k.looks[max(len(k.looks)-1, 0):] // it has to be seen quiet anew
		p.set(k, Ready, d.Reason)
	case !p.handedBack(k):
		// Traefik still leads requests to it.
	case k.measures() && !k.lookedSince(k.closedAt()):
		p.examine(k, true)
	case !p.circleLooked(k):
		p.at(p.now.Add(time.Second))
	default:
		k.forgive()
		p.stop(k, d.Reason)
	}
}

// circleLooked tells that the other apps of the circle, which share its sleep, have had
// their last look as well.
func (p *pass) circleLooked(k *Keeper) bool {
	inv := p.inventory.Load()
	for _, name := range inv.Graph.Component(k.Name()) {
		m := inv.names[name].keeper
		if m != k && inv.names[name].Managed && (m.state == Ready || m.state == Draining && !p.watched(m)) {
			return false
		}
	}
	return true
}

// watched tells that a draining app was looked at after the last request went to it
// without Paastis's knowledge.
func (p *pass) watched(k *Keeper) bool {
	return (!p.direct(k) || !k.backAt.IsZero()) && (!k.measures() || k.lookedSince(k.closedAt()))
}

// closedAt is since when no request can have gone to a draining app unseen.
func (k *Keeper) closedAt() time.Time { return latest(k.since, k.backAt) }

// stop orders an app's stop. Nobody is let through from now on until it is ready again.
func (p *pass) stop(k *Keeper, reason string) {
	p.set(k, Stopping, reason)
	k.busy, k.downFrom = true, p.now
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
	if err == nil || app.Name != "" {
		r.refresh(k, app)
	}
	if k.gone {
		return
	}
	if err != nil && k.alive() {
		r.log.Error("stop failed", "app", k.Name(), "error", err)
		if k.stopTries == nil {
			k.stopTries = newBackOff(firstRetry, lastRetry)
		}
		k.stopAfter = now.Add(k.stopTries.NextBackOff())
		r.keepUp(k, err, now)
		r.stir()
		return
	}
	again := k.again
	k.stopAfter, k.again, k.stopTries = time.Time{}, false, nil
	switch {
	case k.doomed.Kind != "":
		r.fail(k, k.doomed, now)
		k.doomed = Failure{}
		k.retryAt = now.Add(lastRetry)
	case again:
		r.set(k, Asleep, "", now)
		r.call(k, "asked for while it stopped", now)
	default:
		r.set(k, Asleep, "", now)
	}
	r.stir()
}

// keepUp is what becomes of an app that could not be stopped: it stays as it was, and
// one of which a part was stopped is started again. Called with the lock held.
func (r *Registry) keepUp(k *Keeper, err error, now time.Time) {
	k.again = false
	switch {
	case k.doomed.Kind != "":
		r.fail(k, k.doomed, now)
	case !k.running():
		r.call(k, "a part of it was stopped: "+visible(err), now)
	default:
		k.idleFrom = now.Add(-k.Entry().MaxIdleTime)
		r.set(k, Ready, "It could not be stopped: "+visible(err)+".", now)
	}
}

// snapshot is what the idle decision looks at: the app's circle as one.
func (p *pass) snapshot(k *Keeper) Snapshot {
	inv := p.inventory.Load()
	circle := inv.Graph.Component(k.Name())
	s := Snapshot{
		MaxIdle: k.Entry().MaxIdleTime, LastUse: p.used(circle), NotBefore: k.stopAfter,
		Watched: k.measures(), Quiet: k.quiet(), Dismissed: k.dismissed, Forced: k.forced,
	}
	if p.direct(k) {
		s.Every = k.lookEvery()
	}
	if n := len(k.looks); n > 0 {
		s.Looked = k.looks[n-1].ended
	}
	s.Use.Quiet = true
	var needing []*Entry
	for _, name := range circle {
		e := inv.names[name]
		needing = append(needing, inv.needing(e, circle)...)
		if m := e.keeper; m == k || m.awake() && e.Managed {
			p.include(&s, k, m)
		}
	}
	s.NeededBy = sortedNames(needing)
	return s
}

// include adds an awake app of the circle to k's snapshot.
func (p *pass) include(s *Snapshot, k, m *Keeper) {
	s.MaxIdle = max(s.MaxIdle, m.Entry().MaxIdleTime)
	if m != k && m.state == Starting {
		s.Waking = m.Name()
	}
	s.Open += int(m.using.Load())
	s.keep(m.kept(p.now))
	s.keep(p.unturnable(m))
	if !m.measures() || !m.alive() {
		return
	}
	quiet := m.quiet()
	use := m.looks.use(m.Entry().Properties, quiet)
	if use.Reason != "" && m != k {
		use.Reason = fmt.Sprintf("%s: %s", m.Name(), use.Reason)
	}
	if s.Use.Reason == "" {
		s.Use.Reason = use.Reason
	}
	s.Use.Quiet = s.Use.Quiet && use.Quiet
	s.Watched = true
	s.Quiet = max(s.Quiet, quiet)
}

// keep adds what keeps the app awake until a time: what does so the longest counts.
func (s *Snapshot) keep(why string, until time.Time) {
	if until.After(s.KeptUntil) {
		s.Kept, s.KeptUntil = why, until
	}
}

// needing are the awake apps outside its circle that need an app, also by way of one
// that somebody has stopped.
func (inv *Inventory) needing(e *Entry, circle []string) []*Entry {
	var needing []*Entry
	seen := map[string]bool{}
	for queue := []string{e.Name}; len(queue) > 0; queue = queue[1:] {
		for _, name := range inv.Graph.Dependents(queue[0]) {
			d := inv.names[name]
			outside := !slices.Contains(circle, name) || !d.Managed
			switch {
			case seen[name] || !outside:
			case d.keeper.awake():
				needing = append(needing, d)
			default:
				queue = append(queue, name)
			}
			seen[name] = true
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
	if len(circle) == 1 && len(inv.Graph.Dependents(circle[0])) == 0 {
		return inv.names[circle[0]].keeper.lastUse()
	}
	var last time.Time
	for _, name := range circle {
		last = latest(last, inv.names[name].keeper.lastUse())
	}
	p.lastUse[circle[0]] = last
	for _, name := range circle {
		for _, dependent := range inv.Graph.Dependents(name) {
			if slices.Contains(circle, dependent) {
				continue
			}
			last = latest(last, p.used(inv.Graph.Component(dependent)))
		}
	}
	p.lastUse[circle[0]] = last
	return last
}

package registry

import (
	"fmt"
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
)

// met reports whether a linked app is as far as the link asks for. On the way up, for the
// door and while awake it is the same question. Called with the lock held.
func (n need) met(by *Keeper) bool {
	k := n.to.keeper
	switch {
	case !n.to.Managed:
		// Nobody's to start: only one that is on its way is waited for.
		return !k.alive() || !k.restarting() && k.health() != HealthStarting
	case n.to.job:
		// Its good end is all that anybody wants of it; who runs has had it.
		return by.alive() || k.endedWellSince(by.wakeBegan) || n.Condition != rules.Completed && k.healthy()
	case n.Condition == rules.Started:
		return k.healthy() || k.up() && k.state != Stopping || k.endedWellSince(by.wakeBegan)
	default:
		return k.healthy()
	}
}

// holds reports whether a need is met and what the linked app needs itself is up. Called
// with the lock held.
func (r *Registry) holds(n need, by *Keeper) bool {
	return n.met(by) && (!n.to.Managed || n.to.job || r.supplied(n.to.keeper))
}

// supplied reports whether all is up that the app cannot do without, and all that this
// needs, and so on: there is no other notion of it. Called with the lock held.
func (r *Registry) supplied(k *Keeper) bool {
	e := k.Entry()
	r.supply(e.component)
	return !e.component.remembered.lacking[e.place]
}

// suppliedOutside reports whether all is up that the apps of a component need outside it.
// Called with the lock held.
func (r *Registry) suppliedOutside(c *component) bool {
	r.supply(c)
	return c.remembered.outside
}

// supply finds which members of a component lack something, unless nothing has changed
// since it was last found. It begins with what each member lacks itself, and goes on to
// those that need it: that the others of a circle are well does not make one of them well.
func (r *Registry) supply(c *component) {
	if c.remembered.supply == r.epoch {
		return
	}
	c.remembered.supply, c.remembered.outside, c.remembered.moves = r.epoch, true, false
	c.remembered.rises = slices.ContainsFunc(c.members, func(m *Entry) bool {
		return m.Managed && m.keeper.moves() && !m.keeper.healthy()
	})
	if c.remembered.lacking == nil {
		c.remembered.lacking = make([]bool, len(c.members))
	}
	lacking := c.remembered.lacking
	var queue []int
	for place, m := range c.members {
		outside, inside := r.lacks(m)
		lacking[place] = outside || inside
		if lacking[place] {
			queue = append(queue, place)
		}
		if outside && m.Managed && !m.job { // what a job needs comes before that alone
			c.remembered.outside = false
			c.remembered.moves = c.remembered.moves || slices.ContainsFunc(m.needs, r.outsideMove)
		}
	}
	spread := func(places []int) {
		for _, place := range places {
			if !lacking[place] {
				lacking[place] = true
				queue = append(queue, place)
			}
		}
	}
	grouped := false
	for ; len(queue) > 0; queue = queue[1:] {
		place := queue[0]
		if m := c.members[place]; m.job || !m.Managed {
			continue // what it lacks is no lack of others
		}
		if c.inside != nil {
			spread(c.inside[place])
		}
		if !grouped {
			grouped = c.spreadInGroups(place, spread)
		}
	}
}

// outsideMove reports whether an app at the end of a link out of a component is on its way.
func (r *Registry) outsideMove(n need) bool {
	return !n.inside && !n.Optional && n.to.Managed && n.to.keeper.moves()
}

// spreadInGroups lets those know that need a member by a group, and reports whether there
// is one and it is the only group.
func (c *component) spreadInGroups(place int, spread func([]int)) bool {
	for _, g := range c.groups {
		if slices.Contains(g.members, c.members[place]) {
			spread(g.needing)
			return len(c.groups) == 1
		}
	}
	return false
}

// lacks reports whether something that an app needs itself is not up, outside its component
// or inside. Called with the lock held.
func (r *Registry) lacks(e *Entry) (outside, inside bool) {
	for _, n := range e.needs {
		switch {
		case n.Optional:
		case n.inside:
			inside = inside || !n.met(e.keeper)
		default:
			outside = outside || !r.holds(n, e.keeper)
		}
	}
	if e.group != nil && !inside {
		inside = r.lacksInGroup(e)
	}
	return outside, inside
}

// lacksInGroup reports whether another app of its group, to which it has no link of its
// own, is not up.
func (r *Registry) lacksInGroup(e *Entry) bool {
	return slices.ContainsFunc(r.waitingIn(e.group), func(m *Entry) bool {
		return e.needsByGroup(m) && !need{to: m, inside: true}.met(e.keeper)
	})
}

// needsByGroup reports whether the app needs another one of its group for being there.
func (e *Entry) needsByGroup(m *Entry) bool {
	return m != e && !slices.ContainsFunc(e.needs, func(n need) bool { return n.to == m })
}

// waitingIn are the members of a group that are not healthy, or jobs.
func (r *Registry) waitingIn(g *group) []*Entry {
	r.lookAt(g)
	return g.remembered.waiting
}

// specialIn are those of waitingIn that failed, are held down, or are jobs.
func (r *Registry) specialIn(g *group) []*Entry {
	r.lookAt(g)
	return g.remembered.special
}

// lookAt finds them, unless nothing has changed since they were last found.
func (r *Registry) lookAt(g *group) {
	if g.remembered.epoch == r.epoch {
		return
	}
	g.remembered.epoch = r.epoch
	g.remembered.waiting, g.remembered.special = nil, nil // others may still go through them
	for _, m := range g.members {
		if !m.job && (need{to: m, inside: true}).met(nil) {
			continue
		}
		g.remembered.waiting = append(g.remembered.waiting, m)
		if m.job || m.keeper.state == Failed || m.keeper.isHeldDown() {
			g.remembered.special = append(g.remembered.special, m)
		}
	}
}

// touch ends what is remembered of components: a keeper has changed. Called with the lock
// held.
func (r *Registry) touch() { r.epoch++ }

// unmetNeeds are the names of the apps that this one still waits for.
func (r *Registry) unmetNeeds(k *Keeper) []string {
	e := k.Entry()
	var names []string
	for _, n := range e.needs {
		if !n.Optional && !r.holds(n, k) {
			names = append(names, n.to.Name)
		}
	}
	if e.group != nil {
		for _, m := range r.waitingIn(e.group) {
			if e.needsByGroup(m) && !(need{to: m, inside: true}).met(k) {
				names = append(names, m.Name)
			}
		}
	}
	if names == nil {
		names = r.unsuppliedNeeds(k)
	}
	if names == nil {
		return []string{"its turn"}
	}
	slices.Sort(names)
	return names
}

// unsuppliedNeeds are the names of the apps that one waits for though it could do without
// them, or that are healthy themselves: optional ones that come before it, and those of its
// group that lack something.
func (r *Registry) unsuppliedNeeds(k *Keeper) []string {
	e := k.Entry()
	var names []string
	for _, n := range e.needs {
		if n.Optional && n.before() && n.to.Managed && n.to.keeper.state != Failed && !n.met(k) {
			names = append(names, n.to.Name)
		}
	}
	if e.group != nil {
		for _, m := range e.group.members {
			if e.needsByGroup(m) && !r.holds(need{to: m, inside: true}, k) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// wakeNeeds wakes what the app needs and is not up, and fails it if one failed, or is held
// down, that it cannot do without.
func (p *pass) wakeNeeds(k *Keeper) {
	e := k.Entry()
	for _, n := range e.needs {
		if p.reg.holds(n, k) {
			continue
		}
		p.wakeNeed(n.to, k, n.Optional)
		if t := n.to.keeper; !n.Optional && n.to.Managed && (t.state == Failed || p.isHeldUp(t)) {
			p.failFor(k, t)
			return
		}
	}
	if e.group != nil {
		p.wakeGroup(k, e.group)
	}
}

// wakeGroup is wakeNeeds for the apps of its group. The first that asks wakes all but the
// jobs, which run anew for each that was not up.
func (p *pass) wakeGroup(k *Keeper, g *group) {
	e := k.Entry()
	if g.remembered.asked != p.reg.epoch {
		for _, m := range g.members {
			if m != e && !m.job && !p.reg.holds(need{to: m, inside: true}, k) {
				p.wakeNeed(m, k, false)
			}
		}
		g.remembered.asked = p.reg.epoch
	}
	for _, m := range p.reg.specialIn(g) {
		if !m.Managed || !e.needsByGroup(m) {
			continue
		}
		if m.job && !(need{to: m, inside: true}).met(k) {
			p.wakeNeed(m, k, false)
		}
		if (m.keeper.state == Failed || p.isHeldUp(m.keeper)) && !(need{to: m, inside: true}).met(k) {
			p.failFor(k, m.keeper)
			return
		}
	}
}

// wakeNeed wakes an app because another one needs it, if Paastis may.
func (p *pass) wakeNeed(e *Entry, by *Keeper, optional bool) {
	k := e.keeper
	if !e.Managed {
		return
	}
	optional = optional || by.optional
	if k.optional && !optional {
		k.optional = false
		p.reg.touch()
	}
	switch k.state {
	case Asleep:
		if !k.isHeldDown() && (!e.mayEnd() || !k.endedWellSince(by.wakeBegan)) {
			p.wakeFor(k, fmt.Sprintf("needed by %q", by.Name()), by.wakeBegan, optional)
		}
	case Starting:
		if !k.wanted {
			k.wanted = true
			p.move(k)
		}
	case Ready:
		if !e.job && !p.reg.supplied(k) {
			p.wakeFor(k, "an app that it needs is down", by.wakeBegan, optional)
		}
	case Stopping:
		if k.again.IsZero() {
			k.again = by.wakeBegan
			p.move(k)
		}
	case Failed:
		if !p.now.Before(k.retryAt) && !k.overdue(p.now) {
			p.wakeFor(k, "tried again", by.wakeBegan, optional)
		}
	}
}

// wakeFor is wake for an app that may be only optional.
func (p *pass) wakeFor(k *Keeper, reason string, since time.Time, optional bool) {
	p.wake(k, reason, since)
	k.optional = optional
}

// wake begins a wake within a pass.
func (p *pass) wake(k *Keeper, reason string, since time.Time) {
	p.reg.beginWake(k, reason, since, p.now)
	p.move(k)
}

// optionalMoment is how long an app waits for an optional one that comes before it: most are
// up by then, and none is worth more.
const optionalMoment = 2 * time.Second

// mayStart reports whether all is up that has to be before the app is started: what its
// component needs outside, and what comes before it inside.
func (p *pass) mayStart(k *Keeper) bool {
	e := k.Entry()
	if !p.reg.suppliedOutside(e.component) {
		return false
	}
	return !slices.ContainsFunc(e.needs, func(n need) bool {
		return n.before() && !n.met(k) && !(n.Optional && p.goesWithout(n, k))
	})
}

// goesWithout reports whether an app starts without an optional one that is not up: nobody
// starts that, it failed, or the moment is over. The end of an optional job is waited for.
func (p *pass) goesWithout(n need, k *Keeper) bool {
	t := n.to.keeper
	switch {
	case !n.to.Managed, t.state == Failed, t.isHeldDown():
		return true
	case n.Condition == rules.Completed:
		return false
	}
	over := k.startedAt.Add(optionalMoment)
	p.at(over)
	return !p.now.Before(over)
}

// awaits reports whether an app is not as far as it could be because of one that is on its
// way: outside its component, before its own start, or, once it is healthy itself, in its
// component. That one's time runs meanwhile.
func (p *pass) awaits(k *Keeper) bool {
	e := k.Entry()
	started := k.ordered || k.alive()
	switch {
	case !started && (k.queued || p.reg.outsideMoves(e.component)):
		return true
	case k.healthy() && (!p.reg.supplied(k) && e.component.remembered.rises || p.awaitsBooting(k)):
		return true
	}
	return slices.ContainsFunc(e.needs, func(n need) bool {
		if n.Optional && (started || !n.before() || p.goesWithout(n, k)) {
			return false
		}
		if !n.to.Managed || !n.to.keeper.moves() {
			return false
		}
		if n.inside { // it comes before the app's start, and not after what both need
			return n.Ordered && !started && !n.met(k)
		}
		return !p.reg.holds(n, k)
	})
}

// outsideMoves reports whether something is on its way that the apps of a component need
// outside it.
func (r *Registry) outsideMoves(c *component) bool {
	r.supply(c)
	return c.remembered.moves
}

// moves reports whether an app is between two states, or a job on its way to its end.
func (k *Keeper) moves() bool {
	return k.state == Starting || k.state == Stopping || k.runsToItsEnd(time.Now())
}

// runsToItsEnd reports whether the app is a job that runs, and for no longer than it may.
func (k *Keeper) runsToItsEnd(now time.Time) bool {
	return k.Entry().job && k.alive() && now.Before(k.jobDeadline())
}

// overdue reports whether the app is a job that runs for longer than it may.
func (k *Keeper) overdue(now time.Time) bool {
	return k.Entry().job && k.running() && !now.Before(k.jobDeadline())
}

// failOverdue fails a job that did not end in time, so that nobody waits for it any longer,
// and reports whether it did.
func (p *pass) failOverdue(k *Keeper) bool {
	if !k.Entry().job || !k.running() {
		return false
	}
	p.at(k.jobDeadline())
	if !k.overdue(p.now) {
		return false
	}
	p.reg.fail(k, Failure{Kind: Late, Reason: fmt.Sprintf("It did not end within %s.", k.Entry().JobTimeout)}, p.now)
	p.move(k)
	return true
}

// stopOverdue stops such a job once it has had its idle time to end all the same, whoever
// asks for it meanwhile: the next of them has it run anew. One that runs and needs it keeps it.
func (p *pass) stopOverdue(k *Keeper) {
	e := k.Entry()
	over := k.failure.At.Add(max(e.MaxIdleTime, shortestStay))
	switch {
	case e.MaxIdleTime == rules.Never, slices.ContainsFunc(e.component.needing(), func(d *Entry) bool { return d.keeper.alive() }):
	case p.now.Before(latest(over, k.stopAfter)):
		p.at(latest(over, k.stopAfter))
	case k.measures() && !k.lookedSince(p.now.Add(-k.quiet())):
		p.examine(k, false)
	case p.summary(e.component).open > 0, p.summary(e.component).use.Reason != "":
		p.at(p.now.Add(k.quiet())) // somebody uses it all the same
	default:
		p.stop(k, "it did not end in time")
	}
}

// jobDeadline is until when a job that runs may do so.
func (k *Keeper) jobDeadline() time.Time {
	began := k.startedAt // one that was paused has started long before
	for _, i := range k.app.Instances {
		began = latest(began, i.StartedAt)
	}
	if began.IsZero() {
		began = k.idleFrom // its provider does not tell
	}
	return began.Add(k.Entry().JobTimeout)
}

// endedWellSince reports whether a job, or what may end, has done so in a wake that began
// at a time.
func (k *Keeper) endedWellSince(wakeBegan time.Time) bool {
	return !k.completedAt.IsZero() && !k.completedAt.Before(wakeBegan)
}

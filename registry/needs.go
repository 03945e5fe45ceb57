package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// needWaker wakes what apps need, and knows when one waits for that.
type needWaker struct {
	*schedule
	supply      *supply
	transitions *transitions
}

// met reports whether a linked app is as far as the link asks for. On the way up, for the
// door and while awake it is the same question. Called with the lock held.
func met(n inventory.Need, by *Keeper) bool {
	k := KeeperOf(n.To)
	switch {
	case !n.To.Managed:
		// Nobody's to start: only one that is on its way is waited for.
		return !k.app.Alive() || !k.app.Restarting() && k.app.Health() != inventory.HealthStarting
	case n.To.Job:
		// Its good end is all that anybody wants of it; who runs has had it.
		return by.app.Alive() || k.endings.wellSince(by.attempt.wakeBegan) || n.Condition != rules.Completed && k.healthy()
	case n.Condition == rules.Started:
		return k.healthy() || k.app.Up() && k.state != Stopping || k.endings.wellSince(by.attempt.wakeBegan)
	default:
		return k.healthy()
	}
}

// wakeNeeds wakes what the app needs and is not up, and fails it if one failed, or is held
// down, that it cannot do without.
func (d *needWaker) wakeNeeds(k *Keeper) {
	e := k.Definition()
	for _, n := range e.Needs {
		if d.supply.holds(n, k) {
			continue
		}
		d.wakeFor(n.To, k, n.Optional)
		if t := KeeperOf(n.To); !n.Optional && n.To.Managed && (t.state == Failed || d.needHeldDown(t)) {
			d.failFor(k, t)
			return
		}
	}
	if e.Group != nil {
		d.wakeGroup(k, e.Group)
	}
}

// wakeGroup is wakeNeeds for the apps of its group. The first that asks wakes all but the
// jobs, which run anew for each that was not up.
func (d *needWaker) wakeGroup(k *Keeper, g *inventory.Group) {
	e := k.Definition()
	if d.supply.ofGroup(g).asked != d.supply.epoch {
		for _, m := range g.Members {
			if m != e && !m.Job && !d.supply.holds(inventory.Need{To: m, Inside: true}, k) {
				d.wakeFor(m, k, false)
			}
		}
		d.supply.ofGroup(g).asked = d.supply.epoch
	}
	for _, m := range d.supply.specialIn(g) {
		if !m.Managed || !e.NeedsByGroup(m) {
			continue
		}
		if m.Job && !met(inventory.Need{To: m, Inside: true}, k) {
			d.wakeFor(m, k, false)
		}
		if (KeeperOf(m).state == Failed || d.needHeldDown(KeeperOf(m))) && !met(inventory.Need{To: m, Inside: true}, k) {
			d.failFor(k, KeeperOf(m))
			return
		}
	}
}

// wakeFor wakes an app because another one needs it, if Paastis may.
func (d *needWaker) wakeFor(e *inventory.Definition, by *Keeper, optional bool) {
	k := KeeperOf(e)
	if !e.Managed {
		return
	}
	optional = optional || by.attempt.optional
	if k.attempt.optional && !optional {
		k.attempt.setOptional(false)
		d.supply.touch()
	}
	switch k.state {
	case Asleep:
		if !k.isHeldDown() && (!e.MayEnd() || !k.endings.wellSince(by.attempt.wakeBegan)) {
			d.wakeOptional(k, reason.Reason{Kind: reason.NeededBy, Apps: []string{by.Name()}}, by.attempt.wakeBegan, optional)
		}
	case Starting:
		if !k.attempt.wanted {
			k.attempt.join()
			d.noteChange(k)
		}
	case Ready:
		if !e.Job && !d.supply.supplied(k) {
			d.wakeOptional(k, reason.Reason{Kind: reason.NeedDown}, by.attempt.wakeBegan, optional)
		}
	case Stopping:
		if k.attempt.startAgain(by.attempt.wakeBegan) {
			d.noteChange(k)
		}
	case Failed:
		if !d.now.Before(k.failures.retryAt) && !k.jobRun().isOverdue(d.now) {
			d.wakeOptional(k, reason.Reason{Kind: reason.TriedAgain}, by.attempt.wakeBegan, optional)
		}
	}
}

// wakeOptional is wake for an app that may be only optional.
func (d *needWaker) wakeOptional(k *Keeper, reason reason.Reason, since time.Time, optional bool) {
	d.wake(k, reason, since)
	k.attempt.setOptional(optional)
}

// wake begins a wake within a pass.
func (d *needWaker) wake(k *Keeper, reason reason.Reason, since time.Time) {
	d.transitions.beginWake(k, reason, since, d.now)
	d.noteChange(k)
}

// optionalMoment is how long an app waits for an optional one that comes before it: most are
// up by then, and none is worth more.
const optionalMoment = 2 * time.Second

// mayStart reports whether all is up that has to be before the app is started: what its
// component needs outside, and what comes before it inside.
func (d *needWaker) mayStart(k *Keeper) bool {
	e := k.Definition()
	if !d.supply.suppliedOutside(e.Component) {
		return false
	}
	return !slices.ContainsFunc(e.Needs, func(n inventory.Need) bool {
		return n.Before() && !met(n, k) && !(n.Optional && d.goesWithout(n, k))
	})
}

// goesWithout reports whether an app starts without an optional one that is not up: nobody
// starts that, it failed, or the moment is over. The end of an optional job is waited for.
func (d *needWaker) goesWithout(n inventory.Need, k *Keeper) bool {
	t := KeeperOf(n.To)
	switch {
	case !n.To.Managed, t.state == Failed, t.isHeldDown():
		return true
	case n.Condition == rules.Completed:
		return false
	}
	over := k.attempt.startedAt.Add(optionalMoment)
	d.at(over)
	return !d.now.Before(over)
}

// awaits reports whether an app is not as far as it could be because of one that is on its
// way: outside its component, before its own start, or, once it is healthy itself, in its
// component. That one's time runs meanwhile.
func (d *needWaker) awaits(k *Keeper) bool {
	e := k.Definition()
	started := k.attempt.startSent || k.app.Alive()
	switch {
	case !started && (k.attempt.queued() || d.supply.outsideInTransition(e.Component)):
		return true
	case k.healthy() && (!d.supply.supplied(k) && d.supply.of(e.Component).rises || d.awaitsBooting(k)):
		return true
	}
	return slices.ContainsFunc(e.Needs, func(n inventory.Need) bool {
		if n.Optional && (started || !n.Before() || d.goesWithout(n, k)) {
			return false
		}
		if !n.To.Managed || !KeeperOf(n.To).inTransition() {
			return false
		}
		if n.Inside { // it comes before the app's start, and not after what both need
			return n.Ordered && !started && !met(n, k)
		}
		return !d.supply.holds(n, k)
	})
}

// inTransition reports whether an app is between two states, or a job on its way to its end.
func (k *Keeper) inTransition() bool {
	return k.state == Starting || k.state == Stopping || k.jobRun().goesOn(time.Now())
}

package registry

import (
	"context"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// Wake asks for an app and what it needs. It does not block, and the wake goes on
// when whoever asked has left. A failed app is started again when its back-off is
// over, or at once if the caller insists (a person's retry).
func (r *Registry) Wake(k *Keeper, insist bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.unlock()
	if k.removal.gone {
		return
	}
	r.control.cancelSleep(k)
	switch k.state {
	case Asleep:
		if !k.isHeldDown() {
			r.transitions.beginWake(k, reason.Reason{Kind: reason.Asked}, now, now)
		}
	case Starting:
		k.attempt.ask()
		r.supply.touch()
	case Ready:
		r.transitions.reopen(k, now)
	case Draining:
		r.transitions.setState(k, Ready, reason.Reason{Kind: reason.AskedInTime}, now)
		r.transitions.reopen(k, now)
	case Stopping:
		k.attempt.startAgain(now)
	case Failed:
		if insist {
			r.transitions.forgiveAll(k)
		}
		if !now.Before(k.failures.retryAt) {
			r.transitions.beginWake(k, reason.Reason{Kind: reason.TriedAgain}, now, now)
		}
	}
	r.nudge()
}

// Await blocks until requests pass to the app, until it has failed, has fallen asleep
// again or is ours no more, or until ctx ends, and returns its state; Ready means that
// requests pass. What somebody else has just stopped or removed may be on its way up again; see
// Successor.
func (r *Registry) Await(ctx context.Context, k *Keeper) State {
	for {
		state, settles, changed := r.viewer.peek(k)
		if (state == Failed || state == Ready || state == Asleep) && settles == 0 || !k.Definition().Managed {
			return state
		}
		limited, cancel := ctx, context.CancelFunc(func() {})
		if settles > 0 {
			limited, cancel = context.WithTimeout(ctx, settles)
		}
		select {
		case <-limited.Done():
		case <-changed:
		}
		cancel()
		if ctx.Err() != nil {
			return state
		}
	}
}

// peek is an app's state for somebody who waits, in how long that is settled, and a channel
// that is closed at the next change. A ready app whose needs are down is on its way.
func (v *viewer) peek(k *Keeper) (State, time.Duration, <-chan struct{}) {
	v.mu.Lock()
	defer v.unlock()
	if k.state == Ready && !k.open.Load() {
		return Starting, 0, k.next()
	}
	now := time.Now()
	if until := k.removal.at.Add(updateMoment); k.removal.gone && k.removal.successor == nil && now.Before(until) {
		return Failed, until.Sub(now), k.next()
	}
	if until := k.settles(now); k.state == Asleep && !until.IsZero() {
		return Asleep, until.Sub(now), k.next()
	}
	return k.state, 0, k.next()
}

// stepStarting takes an app one step up: its needs, its start, its health, its hand-over.
func (p *pass) stepStarting(k *Keeper) {
	if p.transitions.followManualStop(k, p.now) {
		p.noteChange(k)
		return
	}
	if !k.attempt.wanted && !k.app.Alive() {
		p.changeState(k, Asleep, reason.Reason{Kind: reason.StoppedAgain})
		return
	}
	if k.failures.loop(k.app, p.now) && !k.busy {
		p.descent.breakLoop(k)
		return
	}
	if !k.attempt.isAdopted() {
		p.needs.wakeNeeds(k)
	}
	if k.state != Starting {
		return
	}
	if p.needs.awaits(k) {
		k.attempt.limit(p.now.Add(k.Definition().StartTimeout))
	}
	k.attempt.extend(p.prober.verdictDue(k))
	if !p.now.Before(k.attempt.deadline) {
		p.timeOut(k)
		return
	}
	p.at(k.attempt.deadline)
	switch {
	case k.busy, k.app.Restarting(), p.descent.restartCutOff(k):
		// Its provider starts it again by itself, or there is something to wait for.
	case k.attempt.found && !k.attempt.startSent && !k.resume.isZero():
		p.start(k) // what of it is there already is no error
	case k.app.Up() && (k.app.Running() || k.app.IsGoingDown() || !k.attempt.wanted || k.attempt.startSent || k.failures.startedOften(k.app) || !p.needs.mayStart(k)):
		p.finish(k)
	case k.attempt.startSent && !p.isAwaited(k):
		p.end(k)
	case k.attempt.startSent: // its provider has taken the order, and shows nothing of it yet
	case p.needs.mayStart(k):
		p.tryStart(k)
	}
}

// finish makes an app ready that runs, once it answers, what it needs is up, and Traefik
// reaches it. A job has nobody to wait for and nothing to answer: it runs for its end, and
// its health check, if any, is that of the app whose image it has. What was found running is
// ready for itself: it is closed while it lacks something.
func (p *pass) finish(k *Keeper) {
	switch {
	case k.Definition().Job:
		k.usage.begin(p.now)
		p.changeState(k, Ready, reason.Reason{})
	case p.answers(k) && (k.attempt.isAdopted() || p.supply.supplied(k) && !p.needs.awaitsBooting(k)):
		p.handover.handOver(k)
	}
}

// tryStart starts an app unless it was started too often, or too many others are.
func (p *pass) tryStart(k *Keeper) {
	if k.failures.startedOften(k.app) {
		p.transitions.fail(k, k.failures.crashLoop(k.app), p.now)
		k.failures.retry(k.failures.startsAgain())
		p.noteChange(k)
		return
	}
	if p.slots.acquire(k) {
		p.start(k)
	}
}

// isAwaited reports whether its provider has no instance of the app, and had none in this wake.
func (p *pass) isAwaited(k *Keeper) bool {
	return len(k.app.Instances) == 0 && k.endings.endedAt.Before(k.attempt.startedAt)
}

// start orders the app's start.
func (p *pass) start(k *Keeper) {
	k.attempt.sendStart(p.now, k.Definition().StartTimeout)
	k.followAvoided(p.now)
	k.failures.started(p.now)
	k.setReason(reason.Reason{})
	k.notify()
	p.noteChange(k)
	p.orders.start(k)
}

// unheal takes in that the app is not healthy, or no longer.
func (p *pass) unheal(k *Keeper) {
	if !k.attempt.healthyAt.IsZero() {
		k.attempt.unheal()
		p.noteChange(k)
		k.notify()
	}
}

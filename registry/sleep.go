package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/reason"
)

// descent is the way of apps from ready to their end: to sleep, or to a start anew.
type descent struct {
	*schedule
	summaries   *summaries
	handover    *handOvers
	publisher   *Publisher
	transitions *transitions
	orders      *orders
	sampler     *sampler
	prober      *prober
	control     *control
}

// stepReady looks whether an app that is awake may sleep, and whether its requests pass.
func (o *descent) stepReady(k *Keeper) {
	if k.state == Failed && !k.app.Alive() || o.restartCutOff(k) {
		return
	}
	o.transitions.admit(k)
	k.believe(o.now)
	switch {
	case k.busy:
		return
	case k.attempt.hasPendingFailure() && o.now.Before(k.failures.stopAfter):
		o.at(k.failures.stopAfter)
		return
	case k.attempt.hasPendingFailure() || k.failures.loop(k.app, o.now):
		o.breakLoop(k)
		return
	}
	if k.state == Ready {
		o.probeLate(k)
		if o.mend(k) {
			return
		}
	}
	if k.state == Failed && k.jobRun().isOverdue(o.now) {
		o.stopOverdue(k)
		return
	}
	s := o.summaries.snapshot(k)
	d := idle.Decide(s, o.now)
	if o.cancelsSleep(k, s, d) {
		s.SleepAsked = time.Time{}
		d = idle.Decide(s, o.now)
	}
	if !d.Again.IsZero() {
		o.at(d.Again)
	}
	switch {
	case d.Sleep && k.state == Failed:
		o.stop(k, d.Reason) // nobody is let through: there is no door to close first
		return
	case d.Sleep:
		o.changeState(k, Draining, d.Reason)
		return
	case d.Sample:
		o.sampler.begin(k, o.now.Sub(s.LastUse) >= s.MaxIdle || s.SleepIsAsked(), s.LastUse)
	case d.SampleCounters:
		o.sampler.begin(k, false, s.LastUse)
	}
	if k.state == Ready {
		k.setReason(d.Reason)
		o.tellWhy(k, s, d.Reason)
	}
}

// stepDraining looks once more at an app that is closed already, and orders its stop if
// nobody came and nothing speaks for its use.
func (o *descent) stepDraining(k *Keeper) {
	s := o.summaries.snapshot(k)
	s.SampledAt = o.now // it is looked at anyway, below
	d := idle.Decide(s, o.now)
	switch {
	case !d.Sleep:
		k.usage.doubt()
		o.changeState(k, Ready, d.Reason)
	case !o.handover.isWithdrawn(k):
		// Traefik still leads requests to it.
	case o.isToBeSampled(k):
		o.sampler.begin(k, true, s.LastUse)
	case !o.othersLooked(k), o.dependentStopsFirst(k):
		o.at(o.now.Add(time.Second))
	default:
		k.failures.forgive()
		o.stop(k, d.Reason)
	}
}

// stop orders an app's stop. Nobody is let through from now on until it is ready again.
func (o *descent) stop(k *Keeper, reason reason.Reason) {
	o.changeState(k, Stopping, reason)
	k.manual.passStops(k.app)
	k.endings.down(o.now)
	o.orders.stop(k)
}

// cancelsSleep reports whether an app that was to sleep does not: it was used since, or the looks
// found something that speaks for its use.
func (o *descent) cancelsSleep(k *Keeper, s idle.Snapshot, d idle.Decision) bool {
	if !k.manual.asksSleep() || s.SleepIsAsked() && (d.Sleep || d.Reason.Kind == reason.CheckingUse || o.now.Before(s.NotBefore)) {
		return false
	}
	o.control.cancelSleep(k)
	if s.SleepIsAsked() {
		o.journal.say(slog.LevelInfo, "app was to sleep, and stays awake", "app", k.Name(), "reason", d.Reason.String())
	}
	return true
}

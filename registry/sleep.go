package registry

import (
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// stepReady looks whether an app that is awake may sleep, and whether its requests pass.
func (p *pass) stepReady(k *Keeper) {
	if k.state == Failed && !k.app.Alive() || p.restartCutOff(k) {
		return
	}
	p.reg.transitions.admit(k)
	k.believe(p.now)
	switch {
	case k.busy:
		return
	case k.attempt.isDoomed() && p.now.Before(k.failures.stopAfter):
		p.at(k.failures.stopAfter)
		return
	case k.attempt.isDoomed() || k.failures.loop(k.app, p.now):
		p.breakLoop(k)
		return
	}
	if k.state == Ready {
		p.probeLate(k)
		if p.mend(k) {
			return
		}
	}
	if k.state == Failed && k.overdue(p.now) {
		p.stopOverdue(k)
		return
	}
	s := p.summaries.snapshot(k)
	d := idle.Decide(s, p.now)
	if p.cancelsSleep(k, s, d) {
		s.SleepAsked = time.Time{}
		d = idle.Decide(s, p.now)
	}
	if !d.Again.IsZero() {
		p.at(d.Again)
	}
	switch {
	case d.Sleep && k.state == Failed:
		p.stop(k, d.Reason) // nobody is let through: there is no door to close first
		return
	case d.Sleep:
		p.enter(k, Draining, d.Reason)
		return
	case d.Sample:
		p.reg.sampler.begin(k, p.now.Sub(s.LastUse) >= s.MaxIdle || s.SleepIsAsked())
	case d.SampleCounters:
		p.reg.sampler.begin(k, false)
	}
	if k.state == Ready {
		k.explain(d.Reason)
		p.tellWhy(k, s, d.Reason)
	}
}

// stepDraining looks once more at an app that is closed already, and orders its stop if
// nobody came and nothing speaks for its use.
func (p *pass) stepDraining(k *Keeper) {
	s := p.summaries.snapshot(k)
	s.SampledAt = p.now // it is looked at anyway, below
	d := idle.Decide(s, p.now)
	switch {
	case !d.Sleep:
		k.usage.doubt()
		p.enter(k, Ready, d.Reason)
	case !p.isWithdrawn(k):
		// Traefik still leads requests to it.
	case k.isSampled() && !k.usage.sampledSince(k.closedAt()):
		p.reg.sampler.begin(k, true)
	case !p.othersLooked(k), p.leads(k):
		p.at(p.now.Add(time.Second))
	default:
		k.failures.forgive()
		p.stop(k, d.Reason)
	}
}

// othersLooked reports whether the other apps of the component, which share the app's sleep,
// have had their last look as well.
func (p *pass) othersLooked(k *Keeper) bool {
	for m := range managed(k.Entry().Component) {
		if m != k && (m.state == Ready || m.state == Draining && !p.watched(m)) {
			return false
		}
	}
	return true
}

// leads reports whether an app of the component runs that was started after this one, so
// that it stops before.
func (p *pass) leads(k *Keeper) bool {
	c := k.Entry().Component
	for m := range managed(c) {
		if m != k && m.app.Alive() && slices.ContainsFunc(m.Entry().Needs, func(n inventory.Need) bool {
			return n.Ordered && KeeperOf(n.To) == k && !n.To.Job
		}) {
			return true
		}
	}
	return false
}

// watched tells that a draining app was looked at after the last request went to it
// without Paastis's knowledge.
func (p *pass) watched(k *Keeper) bool {
	return (!p.reg.publisher.direct(k) || !k.routing.withdrawnAt.IsZero()) && (!k.isSampled() || k.usage.sampledSince(k.closedAt()))
}

// closedAt is since when no request can have gone to a draining app unseen.
func (k *Keeper) closedAt() time.Time { return latest(k.since, k.routing.withdrawnAt) }

// stop orders an app's stop. Nobody is let through from now on until it is ready again.
func (p *pass) stop(k *Keeper, reason reason.Reason) {
	p.enter(k, Stopping, reason)
	k.manual.passStops(k.app)
	k.endings.down(p.now)
	p.reg.orders.stop(k)
}

// cancelsSleep tells that an app that was to sleep does not: it was used since, or the looks
// found something that speaks for its use.
func (p *pass) cancelsSleep(k *Keeper, s idle.Snapshot, d idle.Decision) bool {
	if !k.manual.asksSleep() || s.SleepIsAsked() && (d.Sleep || d.Reason.Kind == reason.CheckingUse || p.now.Before(s.NotBefore)) {
		return false
	}
	p.reg.people.cancelSleep(k)
	if s.SleepIsAsked() {
		p.reg.journal.say(slog.LevelInfo, "app was to sleep, and stays awake", "app", k.Name(), "reason", d.Reason.String())
	}
	return true
}

package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// jobRun is a run of a job, which has a time to come to its end. The zero value is of an app that
// is none, or does not run.
type jobRun struct {
	alive    bool      // some of it runs, or is started again
	running  bool      // all of it does
	deadline time.Time // until when it may
}

// jobRun is the one of the app, if it is a job.
func (k *Keeper) jobRun() jobRun {
	if !k.Definition().Job || !k.app.Alive() {
		return jobRun{}
	}
	began := k.attempt.startedAt // one that was paused has started long before
	for _, i := range k.app.Instances {
		began = latest(began, i.StartedAt)
	}
	if began.IsZero() {
		began = k.usage.idleFrom // its provider does not tell
	}
	return jobRun{alive: true, running: k.app.Running(), deadline: began.Add(k.Definition().JobTimeout)}
}

// goesOn reports whether the job runs, and for no longer than it may.
func (r jobRun) goesOn(now time.Time) bool { return r.alive && now.Before(r.deadline) }

// isOverdue reports whether it runs for longer than it may.
func (r jobRun) isOverdue(now time.Time) bool { return r.running && !now.Before(r.deadline) }

// failOverdue fails a job that did not end in time, so that nobody waits for it any longer,
// and reports whether it did.
func (o *descent) failOverdue(k *Keeper) bool {
	run := k.jobRun()
	if !run.running {
		return false
	}
	o.at(run.deadline)
	if !run.isOverdue(o.now) {
		return false
	}
	why := reason.Reason{Kind: reason.NotEnded, Limit: k.Definition().JobTimeout}
	if lost := o.orders.contacts.lost(k.provider); lost != nil {
		why = reason.Of(lost) // whether it did is not known
	}
	o.transitions.fail(k, failureOf(why), o.now)
	o.noteChange(k)
	return true
}

// stopOverdue stops such a job once it has had its idle time to end all the same, whoever
// asks for it meanwhile: the next of them has it run anew. One that runs and needs it keeps it.
func (o *descent) stopOverdue(k *Keeper) {
	e := k.Definition()
	over := k.failures.last.get().At.Add(max(e.MaxIdleTime, idle.ShortestStay))
	switch {
	case e.MaxIdleTime == rules.Never, slices.ContainsFunc(needing(e.Component), func(d *inventory.Definition) bool { return KeeperOf(d).app.Alive() }):
	case o.now.Before(latest(over, k.failures.stopAfter)):
		o.at(latest(over, k.failures.stopAfter))
	case samplingOf(k).isOn() && !k.usage.sampledSince(o.now.Add(-samplingOf(k).quiet())):
		o.sampler.begin(k, false, o.summaries.used(e.Component))
	case o.summaries.of(e.Component).open > 0, o.summaries.of(e.Component).use.Reason.Kind != "":
		o.at(o.now.Add(samplingOf(k).quiet())) // somebody uses it all the same
	default:
		o.stop(k, reason.Reason{Kind: reason.Overdue})
	}
}

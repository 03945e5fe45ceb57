package registry

import (
	"context"
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// orders are what providers are told to do with apps. Its methods are called with the registry's
// lock held.
type orders struct {
	*core
	tasks       *tasks
	contacts    *contacts
	intake      *intake
	transitions *transitions
	saver       *saver
}

// start has the app's provider start what of it does not run, or bring it back as it was.
func (o *orders) start(k *Keeper) {
	give, kept := k.startOrResume()
	found := k.attempt.found
	o.tasks.doLocked(k, task{alone: true, work: func(ctx context.Context) func() {
		app, err := o.contacts.order(ctx, k.provider, give)
		return func() {
			k.resume.use(kept, err == nil, found)
			o.started(k, app, err, time.Now())
		}
	}})
}

// started takes in how a start went. It is called with r.mu held.
func (o *orders) started(k *Keeper, app inventory.App, err error, now time.Time) {
	if err == nil || app.Name != "" {
		o.intake.refreshLocked(k, app)
	}
	switch {
	case err == nil:
	case k.state == Ready, k.state == Starting && k.app.Up() && app.Name != "":
		o.journal.say(slog.LevelWarn, "a part of the app could not be started", "app", k.Name(), "error", err)
	case k.state == Starting:
		o.journal.say(slog.LevelError, "start failed", "app", k.Name(), "error", err)
		o.transitions.fail(k, failureOf(reason.Of(err)), now)
	}
	k.notify()
}

// stopped takes in how a stop went. It is called with r.mu held.
func (o *orders) stopped(k *Keeper, app inventory.App, err error, now time.Time) {
	if err == nil || app.Name != "" {
		o.intake.refreshLocked(k, app)
	}
	if err != nil && k.app.Alive() {
		o.journal.say(slog.LevelError, "stop failed", "app", k.Name(), "error", err)
		k.failures.refuseStop(now)
		o.keepUp(k, err, now)
		return
	}
	again, why := k.attempt.takeAgain()
	if why.IsZero() {
		why = reason.Reason{Kind: reason.AskedWhileStopping}
	}
	k.failures.forgetStops()
	switch {
	case k.attempt.hasPendingFailure():
		o.transitions.fail(k, k.attempt.pendingFailure.get(), now)
		k.attempt.setPendingFailure(Failure{})
		k.failures.retry(now.Add(lastRetry))
	case !again.IsZero():
		o.transitions.setState(k, Asleep, reason.Reason{}, now)
		o.transitions.beginWake(k, why, again, now)
	default:
		o.transitions.setState(k, Asleep, reason.Reason{}, now)
	}
}

// keepUp is what becomes of an app that could not be stopped: it stays as it was, and
// one of which a part was stopped is started again. Called with the lock held.
func (o *orders) keepUp(k *Keeper, err error, now time.Time) {
	k.attempt.takeAgain()
	why := reason.Of(err)
	switch {
	case k.attempt.hasPendingFailure():
		o.transitions.fail(k, k.attempt.pendingFailure.get(), now)
	case !k.app.Running():
		o.transitions.beginWake(k, reason.Reason{Kind: reason.PartStopped, Because: &why}, now, now)
	default:
		k.usage.begin(now.Add(-k.Definition().MaxIdleTime))
		o.transitions.setState(k, Ready, reason.Reason{Kind: reason.StopRefused, Because: &why}, now)
	}
}

package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/reason"
)

// transitions are the ways of an app from one state to another, whoever takes it there. Its
// methods are called with the registry's lock held.
type transitions struct {
	*core
	inForce   *inForce
	keepers   *keeperSet
	supply    *supply
	publisher *Publisher
	archive   *history.Archive
	news      *news
	tasks     *tasks
	unpriced  map[string]bool // :: provider/size → it was told that there is no price
}

// setState changes an app's state. Called with the lock held.
func (t *transitions) setState(k *Keeper, s State, reason reason.Reason, now time.Time) {
	k.remember(s, reason, now)
	if k.state == Stopping && s == Asleep {
		t.beginAvoided(k, now)
	}
	since := k.setStage(s, reason, now)
	if s == Asleep || s == Starting || s == Failed {
		k.manual.cancelSleep()
	}
	if s == Ready {
		k.resume.finish()
	}
	k.live(now)
	t.supply.touch()
	t.archive.MarkUnsaved()
	t.keepers.file(k)
	t.setOpen(k, t.mayOpen(k))
	t.show(k, reason, since, now)
	k.notify()
	t.news.markChanged(k)
}

// show tells of an app's state, in one line that has both sides and as an event, unless it
// was told. An app is called ready when it is open: while something that it needs is down
// it is on its way. Called with the lock held.
func (t *transitions) show(k *Keeper, why reason.Reason, since, now time.Time) {
	s := k.state
	if s == Ready && !k.open.Load() {
		s, why = Starting, why.And(reason.Reason{Kind: reason.NeedsDown, Apps: t.supply.unmetNeeds(k)})
	}
	attrs := []any{"state", s.String(), "was", k.shown.String(), "app", k.Name()}
	e := Event{At: now, Kind: StateEvent, App: k.Name(), State: s, Was: k.shown, Reason: why}
	k.show(s)
	if !since.IsZero() {
		e.Took = now.Sub(since)
		attrs = append(attrs, "took", reason.Short(e.Took))
	}
	if !why.IsZero() {
		attrs = append(attrs, "reason", why.String())
	}
	level := slog.LevelInfo
	switch {
	case !k.Definition().Managed:
		level = slog.LevelDebug
	case s == Failed:
		level = slog.LevelError
	}
	t.journal.say(level, "app", attrs...)
	if k.Definition().Managed {
		t.news.emit(e)
	}
}

// setOpen opens or closes an app for requests, which turns its routes. Called with the lock
// held. It tells whether that is a change.
func (t *transitions) setOpen(k *Keeper, open bool) bool {
	if !k.setOpen(open) {
		return false
	}
	t.publisher.changedLocked()
	k.routing.turn(t.publisher.version)
	t.news.markChanged(k)
	return true
}

// mayOpen reports whether requests may pass to the app. A job has nobody to wait for: it runs
// for its end. Called with the lock held.
func (t *transitions) mayOpen(k *Keeper) bool {
	return k.state == Ready && (k.Definition().Job || t.supply.supplied(k))
}

// admit opens a ready app for requests, or closes it while an app that it needs is
// down, and tells which. Called with the lock held.
func (t *transitions) admit(k *Keeper) bool {
	open := t.mayOpen(k)
	if t.setOpen(k, open) {
		t.show(k, reason.Reason{}, time.Time{}, time.Now())
		k.notify()
	}
	return open
}

// reopen lets requests pass to a ready app again, or wakes what it needs first.
func (t *transitions) reopen(k *Keeper, now time.Time) {
	if !t.admit(k) {
		t.beginWake(k, reason.Reason{Kind: reason.AskedNeedDown}, now, now)
	}
}

// beginWake begins a wake that somebody asked for, as part of one that began since. Called
// with the lock held.
func (t *transitions) beginWake(k *Keeper, reason reason.Reason, since, now time.Time) {
	t.beginAttempt(k, now)
	k.attempt.askFor(since)
	t.setState(k, Starting, reason, now)
}

// beginAttempt begins another attempt. Called with the lock held.
func (t *transitions) beginAttempt(k *Keeper, now time.Time) {
	t.endManualStop(k, now)
	k.past.Use(k.routing.trafficSeenAt)
	k.routing.begin()
	k.tryAnew(now)
	if !k.app.Alive() {
		k.usage.forget()
		k.forgetStreams()
	}
}

// forgiveAll lets an app and all that it needs be started at once.
func (t *transitions) forgiveAll(k *Keeper) {
	inv := t.inForce.inventory.Load()
	k.failures.forgive()
	for _, name := range inv.Graph.Closure(k.Name()) {
		KeeperOf(inv.ByName[name]).failures.forgive()
	}
}

// switchManaged begins anew with an app that is managed from now on: one that runs gets a
// full idle period. Whoever waits for one that is no longer managed is let go.
func (t *transitions) switchManaged(k *Keeper) {
	now := time.Now()
	switch {
	case !k.Definition().Managed:
		k.notify()
		t.news.emit(Event{
			At: now, Kind: GoneEvent, App: k.Name(), State: k.state, Was: k.state,
			Reason: reason.Reason{Kind: reason.NoLongerManaged, Because: new(k.Definition().Why)},
		})
	case k.busy && (k.state == Stopping || k.state == Starting):
		// What was ordered before goes on, and tells of itself.
	case k.app.Alive():
		k.usage.forget()
		k.usage.begin(now)
		t.setState(k, Ready, reason.Reason{Kind: reason.ManagedNow}, now)
	case k.state != Asleep:
		t.setState(k, Asleep, reason.Reason{Kind: reason.ManagedNow}, now)
	}
}

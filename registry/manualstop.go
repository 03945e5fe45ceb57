package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

const (
	// manualStopSettles is for how long a stop by somebody else may be the first half of a
	// restart or of an update: until then, who waits for the app goes on waiting.
	manualStopSettles = 3 * time.Second
	// shutdownMoment is within what time a machine or a stack that goes down takes Paastis with
	// it: what was stopped just before was stopped for that.
	shutdownMoment = 3 * time.Second
	// engineShutdown is how long a provider may take to stop its apps before its own end.
	engineShutdown = 30 * time.Second
)

// isHeldDown reports whether somebody has stopped the app who wants it to stay so: no request,
// no link and no window wakes it.
func (k *Keeper) isHeldDown() bool {
	return k.manual.stopped() && k.Definition().ManualStop == rules.StayStopped
}

// settles is until when it may turn out that the app was stopped only to be started again.
// Zero: it was not stopped by hand, or is to stay so.
func (k *Keeper) settles(now time.Time) time.Time {
	if until := k.manual.stoppedAt.Add(manualStopSettles); k.isHeldDown() && now.Before(until) {
		return until
	}
	return time.Time{}
}

// followManualStop takes in that somebody else has stopped an app, and reports whether
// somebody has. It is no failure, whatever the exit code. Called with the lock held.
func (t *transitions) followManualStop(k *Keeper, now time.Time) bool {
	at := k.app.ManualStop()
	switch {
	case !k.Definition().Managed: // nobody asks Paastis for it, and it is taken as it is later
		k.manual.seeStop(at)
		return false
	case !at.After(k.manual.stopSeen), k.state == Stopping, k.state == Starting && k.busy:
		return false
	}
	k.manual.seeStop(at)
	k.manual.stop(now)
	k.endings.down(now)
	k.failures.forgive()
	t.archive.MarkUnsaved()
	why := reason.Reason{Kind: reason.StoppedManually}
	if k.isHeldDown() {
		why = reason.Reason{Kind: reason.HeldDown}
	}
	if k.state != Asleep {
		t.setState(k, Asleep, why, now)
	} else if k.isHeldDown() {
		k.setTransitionReason(why)
		t.supply.touch()
		t.journal.say(slog.LevelInfo, "app stays down", "app", k.Name(), "reason", why.String())
		k.notify()
		t.news.markChanged(k)
	}
	return true
}

// endManualStop lets an app be woken again, and who has failed for the lack of it be tried at
// once. Called with the lock held.
func (t *transitions) endManualStop(k *Keeper, now time.Time) {
	k.manual.seeStop(k.app.ManualStop())
	if !k.manual.stopped() {
		return
	}
	k.manual.endStop()
	t.archive.MarkUnsaved()
	for _, d := range t.keepers.byID {
		if d.state == Failed && d.failures.last.get().root == k {
			d.failures.forgive()
			d.notify()
			t.news.markChanged(d)
		}
	}
}

// WakeManually is Wake for a person who may overrule who has stopped the app, or what it
// needs.
func (r *Registry) WakeManually(k *Keeper, insist bool) {
	r.mu.Lock()
	now, inv := time.Now(), r.inForce.inventory.Load()
	r.transitions.endManualStop(k, now)
	for _, name := range inv.Graph.Closure(k.Name()) {
		if e := inv.ByName[name]; e != nil && e.Managed {
			r.transitions.endManualStop(KeeperOf(e), now)
		}
	}
	r.supply.touch()
	r.unlock()
	r.Wake(k, insist)
}

// doubtManualStops forgets those of the last moments: it was not the apps that somebody wanted
// to stop, but their provider, or the machine. p nil: of all providers. Called with the lock
// held.
func (t *transitions) doubtManualStops(p provider.Provider, moment time.Duration, now time.Time) {
	for _, k := range t.keepers.byID {
		if (p == nil || k.provider == p) && k.manual.stopped() && now.Sub(k.manual.stoppedAt) < moment {
			t.endManualStop(k, now)
			k.setTransitionReason(reason.Reason{Kind: reason.StoppedWithProvider})
			t.supply.touch()
			k.notify()
			t.news.markChanged(k)
		}
	}
}

// needHeldDown reports whether an app cannot come up for one that it needs is held down. While
// that may turn out to be a restart, it waits. Called with the lock held.
func (d *needWaker) needHeldDown(needed *Keeper) bool {
	if until := needed.settles(d.now); !until.IsZero() {
		d.at(until)
		return false
	}
	return needed.isHeldDown()
}

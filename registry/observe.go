package registry

import (
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// crashMoment is how soon after it became ready the end of an app counts as a crash rather
// than as somebody's wish.
const crashMoment = time.Minute

// observeLocked lets an app follow what its provider says of it. The way up and the way down
// are left to the next pass; here is what others did to the app. Called with the lock
// held.
func (i *intake) observeLocked(k *Keeper, now time.Time) {
	i.publisher.rerouteLocked(k)
	unhealthy := k.app.Unwell(k.Definition().Probe.Kind == rules.AutoProbe)
	switch {
	case k.removal.gone:
		return
	case i.transitions.followManualStop(k, now):
	case k.state == Asleep && k.app.Alive(), k.state == Failed && k.failures.unhealthy && !unhealthy && !k.attempt.hasPendingFailure():
		i.adoptLocked(k, now)
	case (k.state == Ready || k.state == Draining) && !k.app.Alive():
		i.ended(k, now)
	case k.state == Starting && (k.app.Restarting() || k.endings.restarted):
		k.attempt.restart(now)
		i.supply.touch()
	case k.state == Ready && (k.app.Restarting() || k.endings.restarted):
		i.transitions.beginAttempt(k, now)
		i.transitions.setState(k, Starting, reason.Reason{Kind: reason.Restarting}, now)
	}
	k.followAvoided(now)
	if i.loaded[k.provider] {
		k.avoided.hear()
	}
	k.endings.follow()
	k.failures.see(unhealthy)
	if len(k.Definition().Routes) > 0 {
		i.publisher.changedLocked() // it may run elsewhere
	}
	k.notify()
}

// ended follows an app that stopped by itself or was stopped by someone else.
func (i *intake) ended(k *Keeper, now time.Time) {
	last := k.app.LastInstance()
	failed := last.OOMKilled || last.Crashed() && (now.Sub(k.usage.idleFrom) < crashMoment || k.Definition().MayEnd())
	switch {
	case failed && !i.keepers.loading: // else it is not known when that was
		i.transitions.fail(k, failureOfInstance(last), now)
	default:
		if e := k.Definition(); len(k.app.Instances) > 0 && last.Status == inventory.Exited && last.ExitCode == 0 && e.MayEnd() && (e.Job || now.Sub(k.usage.idleFrom) < crashMoment) {
			k.endings.complete(now)
		}
		k.endings.down(now)
		if !last.Crashed() {
			k.failures.forgive() // somebody has ended it, or it is done: that is no crash
		}
		i.transitions.setState(k, Asleep, reason.Reason{Kind: reason.EndedOutside, Code: last.ExitCode}, now)
	}
}

// failureOfInstance says why an instance ended.
func failureOfInstance(i inventory.Instance) Failure {
	switch {
	case i.OOMKilled:
		return failureOf(reason.Reason{Kind: reason.OutOfMemory})
	case i.Fault != "":
		return failureOf(reason.Reason{Kind: i.Fault})
	default:
		return failureOf(reason.Reason{Kind: reason.Exited, Code: i.ExitCode})
	}
}

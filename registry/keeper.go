package registry

import (
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Keeper is the one owner of one app's state. The request path reads its atomics;
// all else is guarded by the registry's lock.
type Keeper struct {
	// open tells that requests may pass: the app is ready and so are its needs.
	open atomic.Bool
	// activity is when a request last came, in Unix nanoseconds; 0: never.
	activity atomic.Int64

	// entry is what the app is, by labels and rules; swapped whole. Nil until the first
	// inventory that has the app.
	entry atomic.Pointer[Entry]

	id       string // :: provider/name
	provider Provider
	app      App // what its provider last said

	state   State
	since   time.Time     // of the state
	reason  string        // why it is in that state, for people
	changed chan struct{} // closed and replaced at every change that people could see

	busy      bool      // a call to the provider, or a probe, is under way
	wanted    bool      // somebody asked for it; not merely found running
	ordered   bool      // this wake's start was ordered
	sick      bool      // as last seen, it did not run or was not healthy
	probed    bool      // this wake's probe has passed
	healthyAt time.Time // when it ran and was healthy in this wake; zero: not yet
	deadline  time.Time // of the wake
	wokeAt    time.Time // when the wake began
	idleFrom  time.Time // start of the idle clock: when it became ready, or was found
	completed bool      // it ran and ended well, as a job does
	again     bool      // start it again once it is stopped
	gone      bool      // its provider no longer knows it

	retryAt   time.Time                   // when a failed app may be started again
	retries   *backoff.ExponentialBackOff // nil: no failure so far
	stopAfter time.Time                   // no stop before this, after one that failed
}

// Name is the name by which the app is known.
func (k *Keeper) Name() string { return k.Entry().Name }

// Entry is what the app is, by its labels and the rules.
func (k *Keeper) Entry() *Entry { return k.entry.Load() }

// Pass counts a request as activity and tells whether it may go to the app. It
// neither locks nor allocates. The order matters: who turns the app towards sleep
// closes first and then looks at the activity, so one of both always sees the other.
func (k *Keeper) Pass(now time.Time) bool {
	k.activity.Store(now.UnixNano())
	return k.open.Load()
}

// Open tells whether requests pass, without counting as activity.
func (k *Keeper) Open() bool { return k.open.Load() }

// lastRequest is when a request last came; zero if never.
func (k *Keeper) lastRequest() time.Time {
	if n := k.activity.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// lastUse is when the app itself was last of use: a request, or getting ready.
func (k *Keeper) lastUse() time.Time {
	if last := k.lastRequest(); last.After(k.idleFrom) {
		return last
	}
	return k.idleFrom
}

// running tells that every instance runs.
func (k *Keeper) running() bool {
	for _, i := range k.app.Instances {
		if i.Status != Running {
			return false
		}
	}
	return len(k.app.Instances) > 0
}

// alive tells that at least one instance runs.
func (k *Keeper) alive() bool {
	for _, i := range k.app.Instances {
		if i.Status == Running || i.Status == Restarting {
			return true
		}
	}
	return false
}

// restarting tells that no instance runs, and that its provider starts one again.
func (k *Keeper) restarting() bool {
	restarting := false
	for _, i := range k.app.Instances {
		if i.Status == Running {
			return false
		}
		restarting = restarting || i.Status == Restarting
	}
	return restarting
}

// health is the worst that an instance's health check says.
func (k *Keeper) health() Health {
	worst := NoHealth
	for _, i := range k.app.Instances {
		switch {
		case i.Health == Unhealthy:
			return Unhealthy
		case i.Health == HealthStarting:
			worst = HealthStarting
		case i.Health == Healthy && worst == NoHealth:
			worst = Healthy
		}
	}
	return worst
}

// healthy tells that the app has been found running and healthy in this wake.
func (k *Keeper) healthy() bool {
	return k.state == Ready || k.state == Draining || k.state == Starting && !k.healthyAt.IsZero()
}

// awake tells that what the app needs must stay awake.
func (k *Keeper) awake() bool {
	if !k.Entry().Managed {
		return k.alive()
	}
	return k.state != Asleep && (k.state != Failed || k.alive())
}

// notify wakes all who wait for a change.
func (k *Keeper) notify() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// forgive forgets the failures so far: the app is not what it was.
func (k *Keeper) forgive() {
	k.retries, k.retryAt = nil, time.Time{}
}

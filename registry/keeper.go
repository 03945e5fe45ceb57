package registry

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/paastis/paastis/rules"
)

// Keeper is the one owner of one app's state. The request path reads its atomics;
// all else is guarded by the registry's lock.
type Keeper struct {
	// open tells that requests may pass: the app is ready and so are its needs.
	open atomic.Bool
	// activity is when a request last came, in Unix nanoseconds; 0: never.
	activity atomic.Int64
	// lasting tells what was let through in this wake that may go on for long, and be alive
	// while it is silent: lastingMaybe, lastingStream, or 0: nothing.
	lasting atomic.Uint32

	// presence says why Traefik has the app's routers.
	presence atomic.Uint32

	// heard is when a question about the app was last looked at while nobody manages it.
	heard atomic.Int64
	// using is how many requests Paastis itself has open to the app.
	using atomic.Int64

	// entry is what the app is, by labels and rules; swapped whole. Nil until the first
	// inventory that has the app.
	entry atomic.Pointer[Entry]

	id       string // :: provider/name
	provider Provider
	app      App      // what its provider last said
	without  []string // the needs that it is known to do without; see learnWithout
	asked    string   // the router that Traefik is known to ask about; see Router.asked

	state   State
	since   time.Time     // of the state
	reason  string        // why it is in that state, or what it waits for there, for who waits
	changed chan struct{} // closed at the next change that people could see; nil: nobody waits

	run       int       // counts wakes, and restarts on the way up: what was begun before one proves nothing
	busy      bool      // a call to the provider, or a proof, is under way
	wanted    bool      // somebody asked for it; not merely found running
	ordered   bool      // this wake's start was ordered
	sick      bool      // as last seen, it did not run or was not healthy
	ready     readiness // what was found in this wake
	hearing   hearing   // whether it listens where its image alone says that it does
	healthyAt time.Time // when it ran and was healthy in this wake; zero: not yet
	deadline  time.Time // of the wake
	queued    bool      // it could start, but too many others do
	optional  bool      // in this wake nobody has asked for it but by optional links
	startedAt time.Time // when its start was ordered, or found
	provenAt  time.Time // when Traefik listed its servers in this wake; zero: not yet
	// unprovable tells that Traefik's API could not be asked in this wake.
	unprovable bool
	idleFrom   time.Time // start of the idle clock: when it became ready, or was found
	// completedAt is when it last ended well, as a job does; zero: it never did.
	completedAt time.Time
	// wakeBegan is when the visitor came whose wake its own is part of.
	wakeBegan time.Time
	again     time.Time // start it again once it is stopped, for a wake that began then; zero: do not
	restart   string    // why it is stopped only to be started again; empty: it is not
	found     bool      // it ran before Paastis did
	gone      bool      // its provider no longer knows it

	lostAt    time.Time // when it was removed; zero: it is there
	successor *Keeper   // of the app that has come in its place; nil: none

	endedAt  time.Time    // when it was last found to have ended, or been restarted
	formerly []netip.Addr // the addresses that it had then
	renewed  bool         // it was restarted by someone else, unseen

	turned uint64    // the version of the routes in which its own turned last
	backAt time.Time // when all Traefiks lead its requests to Paastis again; zero: not known
	led    bool      // Traefik may lead requests to it by routes that are published no more
	seenAt time.Time // when traffic was last seen that Paastis was not asked about

	looks   looks     // what was seen of its use in this wake
	looking bool      // a look is under way
	unseen  bool      // requests may reach it without Paastis's knowledge
	pinned  time.Time // no sleep before this

	dismissed time.Time // when somebody said that it may sleep whatever its idle time; zero: nobody
	forced    bool      // the same, whatever its use

	stoppedManually time.Time // when somebody else was found to have stopped it; zero: nobody has, since it was last started or woken
	manualStopSeen  time.Time // the last manual stop that was followed, by its provider's clock

	failure   Failure                     // the last one
	doomed    Failure                     // what it will have failed of once it is stopped; no Kind: nothing
	restarts  int                         // as its provider last counted them
	starts    []time.Time                 // the last ones, ours and its provider's, within a minute
	retryAt   time.Time                   // when a failed app may be started again
	retries   *backoff.ExponentialBackOff // nil: no failure so far
	stopAfter time.Time                   // no stop before this, after one that failed
	stopTries *backoff.ExponentialBackOff // nil: no stop failed since the last that did not
	wakes     []Wake                      // the last ones, oldest first
	history   history                     // what it did before, and since when it does what it does
	weighed   bool                        // its memory was asked for in this wake
	memory    uint64                      // bytes that it took when that was last measured; 0: not known
	formerUse time.Time                   // when it was last of use, in a wake before or before Paastis started; zero: not known
	cause     string                      // why it came into its state, for its owner; of one that sleeps, why it was stopped
	downFrom  time.Time                   // when its last stop was ordered, or it was found to have ended
	blind     bool                        // that nobody can tell when it answers was logged
	mending   mending                     // how what of it does not run is started again
	told      map[string]bool             // kinds of reasons why it stays awake though nobody asks for it, as logged; nil: none
	shown     State                       // its state as last told; it is called ready when it is open
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

// Enter counts a request that Paastis itself is to carry to the app, and tells whether it
// may; if so, Leave is to be called at its end. A request that counts is activity. The
// order matters, as for Pass: who stops the app closes first and counts then.
func (k *Keeper) Enter(now time.Time, counts bool) bool {
	k.using.Add(1)
	if counts {
		k.activity.Store(now.UnixNano())
	}
	if k.open.Load() {
		return true
	}
	k.using.Add(-1)
	return false
}

// Leave ends what Enter began.
func (k *Keeper) Leave(now time.Time, counts bool) {
	if counts {
		k.activity.Store(now.UnixNano())
	}
	k.using.Add(-1)
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

// believe takes a request that is still to come for one of now: the clock was put back, and
// the app would stay awake until it comes by that time again.
func (k *Keeper) believe(now time.Time) {
	if n := k.activity.Load(); n > now.Add(time.Minute).UnixNano() {
		k.activity.CompareAndSwap(n, now.UnixNano())
	}
}

// lastUse is when the app itself was last of use: a request, or getting ready.
func (k *Keeper) lastUse() time.Time { return latest(k.idleFrom, k.lastRequest(), k.seenAt) }

// latest is the last of some times.
func latest(times ...time.Time) time.Time {
	last := times[0]
	for _, t := range times[1:] {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// lookedSince tells that a look at the app's use began after a time.
func (k *Keeper) lookedSince(t time.Time) bool {
	return len(k.looks) > 0 && !k.looks[len(k.looks)-1].at.Before(t)
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

// health is the best that the health check of an instance says that runs: one that is well
// is enough.
func (k *Keeper) health() Health {
	best := NoHealth
	order := [...]Health{Healthy, NoHealth, HealthStarting, Unhealthy}
	for n, i := range slices.DeleteFunc(slices.Clone(k.app.Instances), func(i Instance) bool { return i.Status != Running }) {
		if n == 0 || slices.Index(order[:], i.Health) < slices.Index(order[:], best) {
			best = i.Health
		}
	}
	return best
}

// unwell reports whether no instance runs whose health check, if it counts, has passed.
func (k *Keeper) unwell() bool {
	return !slices.ContainsFunc(k.app.Instances, func(i Instance) bool {
		return i.Status == Running && (i.Health == NoHealth || i.Health == Healthy || k.Entry().Probe.Kind != rules.AutoProbe)
	})
}

// healthy tells that the app has been found running and healthy in this wake, and has not
// ended since on its way up.
func (k *Keeper) healthy() bool {
	return k.state == Ready || k.state == Draining || k.state == Starting && !k.healthyAt.IsZero() && k.alive()
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
	if k.changed != nil {
		close(k.changed)
		k.changed = nil
	}
}

// next is closed at the next change.
func (k *Keeper) next() <-chan struct{} {
	if k.changed == nil {
		k.changed = make(chan struct{})
	}
	return k.changed
}

// forgive forgets the failures so far: the app is not what it was.
func (k *Keeper) forgive() {
	k.retries, k.retryAt, k.starts = nil, time.Time{}, nil
}

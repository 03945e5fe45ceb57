package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// Keeper is the one owner of one app's state. The request path reads its gate; all else is
// guarded by the registry's lock. Each of its parts has a file of its own, with the only
// methods that write it.
type Keeper struct {
	gate

	id       string // :: provider/name
	provider provider.Provider
	app      *inventory.App // what its provider last said; nobody changes it
	version  uint64         // of the last report that has it

	state   State
	since   time.Time           // of the state
	reason  rare[reason.Reason] // why it is in that state, or what it waits for there, for who waits
	cause   rare[reason.Reason] // why it came into its state, for its owner; of one that sleeps, why it was stopped
	changed chan struct{}       // closed at the next change that people could see; nil: nobody waits
	busy    bool                // a call to the provider, or a proof, is under way

	attempt  attempt
	routing  routing
	usage    usage
	failures failures
	manual   manual
	past     history.Past
	endings  endings
	removal  removal
	learned  learned
	resume   rare[resumption]

	told  toldReasons // of why it stays awake though nobody asks for it
	shown State       // its state as last told; it is called ready when it is open
}

// newKeeper is the keeper of an app that was never seen.
func newKeeper(id string, p provider.Provider, app inventory.App) *Keeper {
	return &Keeper{id: id, provider: p, app: &app, version: app.Version}
}

// take notes what the app's provider says of it now. Of a report that says nothing new nothing
// is kept: the app's definition has the one before as well. Redefined tells that it differs in more
// than its status.
func (k *Keeper) take(app inventory.App, redefined bool) {
	k.version = app.Version
	if !redefined && slices.EqualFunc(app.Instances, k.app.Instances, inventory.Instance.Equal) {
		return
	}
	kept := app // what is not kept takes no room
	if !redefined {
		kept.ShareDefinition(k.app)
	}
	k.app = &kept
}

// enter notes that the app is in another state, and returns since when it was in the one before.
// A cause is kept while it sleeps: one that was stopped sleeps for the reason of the stop.
func (k *Keeper) enter(s State, why reason.Reason, now time.Time) (before time.Time) {
	before = k.since
	k.state, k.since = s, now
	k.reason.set(why)
	if !why.IsZero() || s != Asleep {
		k.cause.set(why)
	}
	return before
}

// end notes that the app is no more.
func (k *Keeper) end(why reason.Reason) {
	k.state = Failed
	k.reason.set(why)
}

// explain notes why it is in its state, or what it waits for there; justify, why it came into it.
func (k *Keeper) explain(why reason.Reason)   { k.reason.set(why) }
func (k *Keeper) justify(cause reason.Reason) { k.cause.set(cause) }

// setBusy notes whether a task goes on that no other may begin beside.
func (k *Keeper) setBusy(busy bool) { k.busy = busy }

// tryAnew begins another attempt, in the place of the one before.
func (k *Keeper) tryAnew(now time.Time) {
	k.attempt = k.attempt.next(now, k.Definition().StartTimeout)
}

// show notes in which state the app is told to be.
func (k *Keeper) show(s State) { k.shown = s }

// Name is the name by which the app is known.
func (k *Keeper) Name() string { return k.Definition().Name }

// lastUse is when the app itself was last of use: a request, or getting ready.
func (k *Keeper) lastUse() time.Time {
	return latest(k.usage.idleFrom, k.lastRequest(), k.routing.trafficSeenAt)
}

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

// healthy tells that the app has been found running and healthy in this wake, and has not
// ended since on its way up.
func (k *Keeper) healthy() bool {
	return k.state == Ready || k.state == Draining || k.state == Starting && !k.attempt.healthyAt.IsZero() && k.app.Alive()
}

// awake tells that what the app needs must stay awake.
func (k *Keeper) awake() bool {
	if !k.Definition().Managed {
		return k.app.Alive()
	}
	return k.state != Asleep && (k.state != Failed || k.app.Alive())
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

// KeeperOf is the keeper of an app. Nil only if its inventory is one that no registry has made.
func KeeperOf(e *inventory.Definition) *Keeper {
	k, _ := e.Live.(*Keeper)
	return k
}

// KeeperOfRoute is that of the app behind a route.
func KeeperOfRoute(rt *inventory.Route) *Keeper { return KeeperOf(rt.Definition) }

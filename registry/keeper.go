package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// Keeper is the one owner of one app's state. The request path reads its gate; all else is
// guarded by the registry's lock. Each of its parts has a file of its own, with the only
// methods that write it.
type Keeper struct {
	gate
	stage
	waiters

	id       string // :: provider/name
	provider provider.Provider
	app      *inventory.App // what its provider last said; nobody changes it
	version  uint64         // of the last report that has it

	busy bool // a call to the provider, or a proof, is under way

	attempt  attempt
	routing  routing
	usage    usage
	failures failures
	manual   manual
	past     history.Past
	avoided  avoided
	endings  endings
	removal  removal
	learned  learned
	resume   resume

	told toldReasons // of why it stays awake though nobody asks for it
}

// newKeeper is the keeper of an app that was never seen.
func newKeeper(id string, p provider.Provider, app inventory.App) *Keeper {
	return &Keeper{id: id, provider: p, app: &app, version: app.Version}
}

// take notes what the app's provider says of it now. Of a report that says nothing new nothing
// is kept: the app's definition has the one before as well. Redefined reports whether it differs
// in more than its status.
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

// setBusy notes whether a task goes on that no other may begin beside.
func (k *Keeper) setBusy(busy bool) { k.busy = busy }

// tryAnew begins another attempt, in the place of the one before.
func (k *Keeper) tryAnew(now time.Time) {
	k.attempt = k.attempt.next(now, k.Definition().StartTimeout)
}

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

// healthy reports whether the app has been found running and healthy in this wake, and has not
// ended since on its way up.
func (k *Keeper) healthy() bool {
	return k.state == Ready || k.state == Draining || k.state == Starting && !k.attempt.healthyAt.IsZero() && k.app.Alive()
}

// awake reports whether what the app needs must stay awake.
func (k *Keeper) awake() bool {
	if !k.Definition().Managed {
		return k.app.Alive()
	}
	return k.state != Asleep && (k.state != Failed || k.app.Alive())
}

// KeeperOf is the keeper of an app. Nil only if its inventory is one that no registry has made.
func KeeperOf(e *inventory.Definition) *Keeper {
	k, _ := e.Live.(*Keeper)
	return k
}

// KeeperOfRoute is that of the app behind a route.
func KeeperOfRoute(rt *inventory.Route) *Keeper { return KeeperOf(rt.Definition) }

package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// Apps stop in the reverse of the order in which they start. Between components the decision to
// sleep sees to that: nothing sleeps that an awake app needs. Within one all decide alike, and
// who needs goes first, as here. The way up is needWaker.mayStart.

// othersLooked reports whether the other apps of the component, which share the app's sleep,
// have had their last look as well.
func (o *descent) othersLooked(k *Keeper) bool {
	for m := range managed(k.Definition().Component) {
		if m != k && (m.state == Ready || m.state == Draining && !o.watched(m)) {
			return false
		}
	}
	return true
}

// dependentStopsFirst reports whether an app of the component still runs that was started after
// this one, for it needs it: so it stops before.
func (o *descent) dependentStopsFirst(k *Keeper) bool {
	c := k.Definition().Component
	for m := range managed(c) {
		if m != k && m.app.Alive() && slices.ContainsFunc(m.Definition().Needs, func(n inventory.Need) bool {
			return n.Ordered && KeeperOf(n.To) == k && !n.To.Job
		}) {
			return true
		}
	}
	return false
}

// watched reports whether a draining app was looked at after the last request went to it
// without Paastis's knowledge.
func (o *descent) watched(k *Keeper) bool {
	return (!o.publisher.pollers.direct(k) || !k.routing.withdrawnAt.IsZero()) && !o.isToBeSampled(k)
}

// isToBeSampled reports whether a draining app has to be looked at once more: something may have
// gone to it meanwhile that only a look tells of. What tells of the time before, at a price, was
// asked a moment ago.
func (o *descent) isToBeSampled(k *Keeper) bool {
	sampling := samplingOf(k)
	return sampling.isOn() && sampling.pause() == 0 && !k.usage.sampledSince(o.closedAt(k))
}

// closedAt is since when no request can have gone to a draining app unseen.
func (o *descent) closedAt(k *Keeper) time.Time { return latest(k.since, k.routing.withdrawnAt) }

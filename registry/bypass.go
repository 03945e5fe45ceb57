package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// bypass is the way past Paastis: by published routes Traefik leads the requests of an awake app
// straight to it, unless Paastis has to carry them to know of its use. Its methods are called with
// the registry's lock held.
type bypass struct{ pollers *pollers }

// isOpen reports whether a route leads past Paastis while its app is awake: the app's use is seen all
// the same, by its traffic, or nobody gets there otherwise.
func (b bypass) isOpen(rt *inventory.Route) bool {
	return samplingOf(KeeperOfRoute(rt)).follows() || pastPaastis(rt)
}

// isShut reports whether Paastis carries all requests of an app, whatever state that is in: its
// provider has nothing by which its use could be followed otherwise.
func (b bypass) isShut(k *Keeper) bool {
	is := samplingOf(k)
	return (!is.hasMeter() || is.pause() > 0) && !b.isOnlyWay(k)
}

// hides reports whether requests may get to an awake app without Paastis's knowledge: by its routes,
// which lead past Paastis.
func (b bypass) hides(k *Keeper) bool {
	return b.pollers.direct(k) && (samplingOf(k).follows() || b.isOnlyWay(k))
}

// unseen says why an app has to stay awake whose requests Paastis does not carry and whose
// traffic is not looked at, and until when to wait for a change. Zero: its use is seen, or
// its owner lets it sleep all the same.
func (b bypass) unseen(k *Keeper, now time.Time) (why reason.Reason, until time.Time) {
	if samplingOf(k).follows() || k.Definition().Unseen == rules.UnseenSleep || !b.isOnlyWay(k) || !b.pollers.direct(k) {
		return reason.Reason{}, time.Time{}
	}
	return reason.Reason{Kind: reason.UseUnseen, Text: "Traefik alone gets to it, and its traffic is not looked at; set paastis.traffic_floor"}, now.Add(time.Hour)
}

// isOnlyWay reports whether an app has a route by which nobody gets to it but past Paastis.
func (b bypass) isOnlyWay(k *Keeper) bool {
	return slices.ContainsFunc(k.Definition().Routes, pastPaastis)
}

// pastPaastis reports whether a route leads past Paastis while its app is awake, whatever is seen
// of its use: by Paastis nobody would get there.
func pastPaastis(rt *inventory.Route) bool { return rt.Definition.Apart || leadsElsewhere(rt) }

package registry

import (
	"cmp"
	"slices"
	"strings"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
)

// Two apps may have routers with one rule: the old and the new one of a shop, or blue and
// green. Of what the labels give, Traefik has the router of the app that runs. What Paastis
// publishes is there in every state, and of routers with one priority Traefik takes any. So
// that what runs has the requests, the others yield.

// yielding are the routes that stand back behind another one: those of apps that are closed
// while another app of the tie is open; if none is, all but that of the app that was open
// last. Called with the lock held.
func yielding(d *handover.Destination) map[*inventory.Route]bool {
	yields := map[*inventory.Route]bool{}
	for _, tie := range d.Ties {
		first := slices.MinFunc(tie, func(a, b *inventory.Route) int { return KeeperOfRoute(a).before(KeeperOfRoute(b)) })
		for _, rt := range tie {
			if k := KeeperOfRoute(rt); k != KeeperOfRoute(first) && !k.open.Load() {
				yields[rt] = true
			}
		}
	}
	return yields
}

// before is below zero if requests that are for either of two apps are for the first.
func (k *Keeper) before(other *Keeper) int {
	if open := k.open.Load(); open != other.open.Load() {
		if open {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(other.routing.version, k.routing.version), other.lastActivity().Compare(k.lastActivity()), strings.Compare(k.id, other.id))
}

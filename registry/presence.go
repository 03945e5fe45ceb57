package registry

import "github.com/paastis/paastis/registry/inventory"

// Which routers there are depends on what runs: Traefik's Docker provider forgets those of
// a container that does not run or is not healthy, and those of one that it finds no
// server in (keepContainer and build in pkg/provider/docker/config.go of 3.6.12). A router
// that Traefik does not have takes no request, whatever its rule says. What Paastis
// publishes is there in every state.

// rerouteLocked takes in that the app's routers may be there now, or be gone. Called with the
// lock held.
func (pub *Publisher) rerouteLocked(k *Keeper) {
	var why inventory.Presence
	if k.Definition().KeptAs(k.app) {
		why |= inventory.Kept
	}
	if pub.pollers.direct(k) {
		why |= inventory.Published
	}
	k.setPresence(why)
}

// rerouteAllLocked takes in that the routes of all apps in direct mode are there from now on.
// Called with the lock held.
func (pub *Publisher) rerouteAllLocked() {
	for _, k := range pub.keepers.byID {
		pub.rerouteLocked(k)
	}
}

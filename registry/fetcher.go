package registry

import (
	"context"
	"net/netip"
	"time"

	"github.com/paastis/paastis/handover"
)

// recogniseLimit bounds a look for a Traefik's container. Traefik itself waits 5 s for its
// routes.
const recogniseLimit = 2 * time.Second

// destinationLocked is what is known now of the Traefik that fetches. Called with the lock held.
func (pub *Publisher) destinationLocked(who handover.Fetcher) *handover.Destination {
	inv := pub.inForce.inventory.Load()
	t := handover.Traefik{Endpoint: who.Endpoint, Set: pub.inForce.settings.Traefik, Elsewhere: pub.listed[who.Endpoint].elsewhere}
	if who.Endpoint != "" {
		t.Set = pub.inForce.settings.Endpoints[who.Endpoint]
	}
	t.Static = t.Set
	keeper := pub.keepers.at(who.Address)
	if keeper != nil {
		t.App, t.Provider, t.Live = keeper.app, keeper.provider.ID(), keeper
	}
	read := keeper
	if read == nil {
		read = pub.keepers.onlyOnHost()
	}
	switch {
	case read != nil:
		t.Read(read.app)
	case pub.keepers.hasTraefik():
		t.Static = t.Static.AsUnread("it is in none of the containers that Paastis knows, beside others that are")
	}
	d := handover.Begin(inv, t)
	if before := pub.destinations[who]; before != nil && before.Same(d) {
		return before
	}
	d.Choose()
	pub.keepDestinationLocked(who, d)
	return d
}

// Recognise looks for the container of a Traefik that asks for the routes, if no app is known
// to have its address: it may have started just now. It blocks for the providers' answers,
// once for each Traefik.
func (pub *Publisher) Recognise(ctx context.Context, address netip.Addr) {
	pub.mu.Lock()
	known := pub.keepers.at(address) != nil || pub.strangers[address]
	if !known {
		if len(pub.strangers) >= mostReady {
			clear(pub.strangers)
		}
		pub.strangers[address] = true
	}
	pub.mu.Unlock()
	if known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recogniseLimit)
	defer cancel()
	for _, p := range pub.intake.providers {
		pub.intake.list(ctx, p)
	}
}

// HasEndpoint reports whether the settings have an endpoint of that name.
func (pub *Publisher) HasEndpoint(name string) bool {
	pub.mu.Lock()
	defer pub.unlock()
	_, has := pub.inForce.settings.Endpoints[name]
	return has
}

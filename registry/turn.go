package registry

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
)

// Apart is an app that Paastis does not reach: it is on no network that Paastis is on. Then
// Paastis can neither probe it nor carry requests to it. Traefik may reach it all the same.

// turnPause is how often it is looked whether Traefik has fetched a turn of a route.
const turnPause = 250 * time.Millisecond

// AwaitTurn blocks until every Traefik that leads requests by a route must have taken its last
// turn, and reports whether that turn led to the app, so that who is sent there again gets to
// it. It reports false at once if the route leads nowhere but to Paastis, and if ctx ends.
func (pub *Publisher) AwaitTurn(ctx context.Context, rt *inventory.Route) bool {
	for ctx.Err() == nil {
		fetched, leads := pub.turned(rt, time.Now())
		switch {
		case !leads:
			return false
		case fetched:
			pub.mu.Lock()
			pause := pub.inForce.settings.Throttle + noticeSlack
			pub.mu.Unlock()
			sleep(ctx, pause)
			_, leads = pub.turned(rt, time.Now())
			return leads && ctx.Err() == nil
		}
		sleep(ctx, turnPause)
	}
	return false
}

// turned tells whether all Traefiks have fetched the last turn of a route, and whether it
// leads them to the app.
func (pub *Publisher) turned(rt *inventory.Route, now time.Time) (fetched, leads bool) {
	pub.mu.Lock()
	defer pub.unlock()
	k := KeeperOfRoute(rt)
	leading := pub.pollers.leading(k, now)
	elsewhere := slices.ContainsFunc(leading, func(p *handover.Poller) bool { return !pub.publicationLocked(rt, p.To()).Awake })
	return handover.Have(leading, k.routing.version), len(leading) > 0 && !elsewhere
}

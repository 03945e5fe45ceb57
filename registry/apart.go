package registry

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// Apart is an app that Paastis does not reach: it is on no network that Paastis is on. Then
// Paastis can neither probe it nor carry requests to it. Traefik may reach it all the same.

// turnPause is how often it is looked whether Traefik has fetched a turn of a route.
const turnPause = 250 * time.Millisecond

// findApart finds the apps that are apart. Where no app is Paastis it runs on the host, or
// nobody knows where: then none is.
func (inv *Inventory) findApart() {
	own := slices.IndexFunc(inv.Entries, func(e *Entry) bool { return e.App.Protected == inventory.IsPaastis })
	if own < 0 || slices.Contains(inv.Entries[own].App.Networks, "host") {
		return
	}
	at := inv.Entries[own]
	for _, e := range inv.Entries {
		e.Apart = e.App.Mapping() == nil && e.reported.Provider == at.reported.Provider && !slices.ContainsFunc(e.App.Networks, func(n string) bool {
			return slices.Contains(at.App.Networks, n)
		})
	}
}

// isBetterAsked reports whether the app is one that Paastis cannot carry requests to, and
// that has all that ForwardAuth needs: then a held request gets there all the same.
func (e *Entry) isBetterAsked() bool {
	return e.Apart && e.Mode != rules.Direct && e.AllowNonRunning && len(e.Routers) > 0 &&
		!slices.ContainsFunc(e.Routers, func(r Router) bool { return !r.Paastis || r.Own })
}

// AwaitTurn blocks until every Traefik that leads requests by a route must have taken its last
// turn, and reports whether that turn led to the app, so that who is sent there again gets to
// it. It reports false at once if the route leads nowhere but to Paastis, and if ctx ends.
func (pub *Publisher) AwaitTurn(ctx context.Context, rt *Route) bool {
	for ctx.Err() == nil {
		fetched, leads := pub.turned(rt, time.Now())
		switch {
		case !leads:
			return false
		case fetched:
			pub.reg.mu.Lock()
			pause := pub.reg.definitions.settings.Throttle + noticeSlack
			pub.reg.mu.Unlock()
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
func (pub *Publisher) turned(rt *Route, now time.Time) (fetched, leads bool) {
	pub.reg.mu.Lock()
	defer pub.reg.unlock()
	k := KeeperOfRoute(rt)
	leading := pub.leading(k, now)
	elsewhere := slices.ContainsFunc(leading, func(p *poller) bool { return !pub.publication(rt, p.to).Awake })
	return have(leading, k.routing.version), len(leading) > 0 && !elsewhere
}

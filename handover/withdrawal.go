package handover

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/dynamic"
)

// ErrNotWithdrawn reports that Traefik does not lead requests to Paastis yet.
var ErrNotWithdrawn = errors.New("a route does not lead to Paastis yet")

// Withdrawal is a route, and the Traefik that tells where it leads.
type Withdrawal struct {
	Gateway Gateway
	Route   string
}

// Withdrawals are what shows that no Traefik leads requests to the app any more that somebody
// keeps. None: it cannot be shown, for one of those that may (see Leading) has no API, shares it
// with another, or may still use a route that it does not get any more. gatewayOf is that of the
// Traefik at an endpoint; nil if it has none.
func (l *Pollers) Withdrawals(live any, stale bool, gatewayOf func(endpoint string) Gateway, now time.Time) []Withdrawal {
	var all []Withdrawal
	asked := map[string]bool{}
	for _, p := range l.Leading(live, stale, now) {
		gateway := gatewayOf(p.Endpoint)
		if gateway == nil || asked[p.Endpoint] || l.shares(p, now) || !p.to.Leads(live) || p.had != nil && p.had.Inventory != p.to.Inventory {
			return nil
		}
		asked[p.Endpoint] = true
		for _, rt := range p.to.Routes {
			if rt.Definition.Live == live {
				all = append(all, Withdrawal{gateway, rt.Name})
			}
		}
	}
	return all
}

// shares reports whether another Traefik fetches at the same endpoint: which of both answers is
// not known.
func (l *Pollers) shares(p *Poller, now time.Time) bool {
	return slices.ContainsFunc(l.Live(now), func(o *Poller) bool { return o != p && o.Endpoint == p.Endpoint })
}

// Withdrawn is nil if the service of each route has Paastis for its only server, as it was
// published in a version of the routes, and ErrNotWithdrawn if not. It blocks for the answers.
func Withdrawn(ctx context.Context, all []Withdrawal, version uint64) error {
	for _, w := range all {
		servers, err := w.Gateway.Servers(ctx, dynamic.ServiceName(w.Route))
		if err != nil && !errors.Is(err, api.ErrNoService) {
			return err
		}
		if len(servers) != 1 || !dynamic.IsRouteVersion(servers[0].URL, version) {
			return ErrNotWithdrawn
		}
	}
	return nil
}

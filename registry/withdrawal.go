package registry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/dynamic"
)

// withdrawalLimit is how long Traefik may take to lead an app's requests to Paastis again, once
// it has fetched the routes. Then the app goes on as it was, and is tried again after the
// same time.
const withdrawalLimit = 30 * time.Second

// isWithdrawn tells that no Traefik leads requests to the app any more: either its API
// says so of this very turn of the routes, or all have fetched it and must use it by now.
// Only then is every request that still comes known.
func (p *pass) isWithdrawn(k *Keeper) bool {
	limit := p.turnLimit(k)
	switch {
	case !p.reg.publisher.direct(k):
		return true
	case !k.routing.withdrawnAt.IsZero():
		p.at(k.routing.withdrawnAt)
		return !p.now.Before(k.routing.withdrawnAt)
	case k.manual.sleepForced && len(p.reg.publisher.leading(k, p.now)) == 0:
		k.routing.withdraw(p.now) // nobody is there to turn them
		return true
	case p.now.Sub(k.since) >= limit:
		k.failures.holdStop(p.now.Add(withdrawalLimit))
		p.reg.journal.say(slog.LevelWarn, "app stays awake, for Traefik does not take its routes from Paastis", "app", k.Name())
		p.enter(k, Ready, reason.Reason{Kind: reason.RoutesKept})
		return false
	case !k.attempt.unprovable && len(p.proofs(k)) > 0:
		p.proveWithdrawal(k)
		return false
	}
	p.at(k.since.Add(limit))
	if !have(p.reg.publisher.leading(k, p.now), k.routing.version) {
		p.at(p.now.Add(time.Second)) // one that does not fetch it may count as gone then
		return false
	}
	k.routing.withdraw(p.now.Add(p.reg.definitions.settings.Throttle + noticeSlack))
	p.at(k.routing.withdrawnAt)
	return !p.now.Before(k.routing.withdrawnAt)
}

// turnLimit is the limit from the moment in which the routes turn: the Traefik that
// fetches them the most seldom does so meanwhile.
func (p *pass) turnLimit(k *Keeper) time.Duration {
	limit := withdrawalLimit
	for _, poller := range p.reg.publisher.leading(k, p.now) {
		limit = max(limit, withdrawalLimit+poller.every)
	}
	return limit
}

// proveWithdrawal asks Traefik's API until it says that it leads the app's requests to Paastis.
func (p *pass) proveWithdrawal(k *Keeper) {
	if k.busy {
		return
	}
	r, deadline, proofs, version := p.reg, k.since.Add(p.turnLimit(k)), p.proofs(k), k.routing.version
	turned := func() bool { return k.state == Draining && k.routing.version == version && !k.removal.gone }
	r.jobs.do(k, job{alone: true, current: turned, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		err := errNotWithdrawn
		for errors.Is(err, errNotWithdrawn) && ctx.Err() == nil && r.jobs.still(turned) {
			if err = withdrawn(ctx, proofs, version); err != nil {
				sleep(ctx, provePause)
			}
		}
		return func() { r.transitions.withdrawalProved(k, err) }
	}})
}

// errNotWithdrawn tells that Traefik does not lead requests to Paastis yet.
var errNotWithdrawn = errors.New("a route does not lead to Paastis yet")

// withdrawalProof is a route, and the Traefik that tells where it leads.
type withdrawalProof struct {
	gateway Gateway
	route   string
}

// proofs are what shows that no Traefik leads requests to the app any more. None: it cannot
// be shown, for one of them has no API, shares it with another, or may still use a route
// that it does not get any more.
func (p *pass) proofs(k *Keeper) []withdrawalProof {
	var all []withdrawalProof
	asked := map[string]bool{}
	for _, poller := range p.reg.publisher.leading(k, p.now) {
		gateway := p.reg.traefik.gatewayOf(poller.endpoint)
		if gateway == nil || asked[poller.endpoint] || p.others(poller) || !poller.to.apps[k] || poller.had != nil && poller.had.inventory != poller.to.inventory {
			return nil
		}
		asked[poller.endpoint] = true
		for _, rt := range poller.to.routes {
			if KeeperOfRoute(rt.Route) == k {
				all = append(all, withdrawalProof{gateway, rt.Name})
			}
		}
	}
	return all
}

// others tells that another Traefik fetches at the same endpoint: which of both answers is
// not known.
func (p *pass) others(than *poller) bool {
	return slices.ContainsFunc(p.reg.publisher.live(p.now), func(o *poller) bool { return o != than && o.endpoint == than.endpoint })
}

// withdrawn is nil if the service of each route has Paastis for its only server, as it was
// published in that turn.
func withdrawn(ctx context.Context, proofs []withdrawalProof, turned uint64) error {
	for _, proof := range proofs {
		servers, err := proof.gateway.Servers(ctx, dynamic.ServiceName(proof.route))
		if err != nil && !errors.Is(err, api.ErrNoService) {
			return err
		}
		if len(servers) != 1 || !dynamic.IsTurn(servers[0].URL, turned) {
			return errNotWithdrawn
		}
	}
	return nil
}

// withdrawalProved takes in how the proof went. Requests that are on their way through Traefik
// in that moment have a little time to arrive. It is called with r.mu held.
func (t *transitions) withdrawalProved(k *Keeper, err error) {
	switch {
	case err == nil:
		k.routing.withdraw(time.Now().Add(switchSlack))
	case !errors.Is(err, errNotWithdrawn) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		t.doubt(k, err)
	}
}

// unturnable says why an app's routes could not be turned to Paastis now, so that it has
// to stay awake, and until when to wait for a change. Zero: they could.
func (pub *Publisher) unturnable(k *Keeper, now time.Time) (why reason.Reason, until time.Time) {
	switch {
	case len(k.Entry().Routes) == 0 && !k.routing.stale:
		return reason.Reason{}, time.Time{}
	case !pub.direct(k):
		// A Traefik that has fetched them from the Paastis before may not be back yet.
		if end := pub.loadedAt.Add(pollGrace); k.attempt.found && k.lastRequest().IsZero() && now.Before(end) {
			return reason.Reason{Kind: reason.RoutesUnknown}, end
		}
		return reason.Reason{}, time.Time{}
	case len(pub.leading(k, now)) > 0:
		return reason.Reason{}, time.Time{}
	}
	if !pub.missing {
		pub.missing = true
		pub.reg.journal.say(slog.LevelWarn, "no Traefik fetches its routes any more: apps in direct mode stay awake; if that is for good, start Paastis anew")
	}
	return reason.Reason{Kind: reason.NobodyFetches}, now.Add(pollPatience)
}

package registry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/paastis/paastis/traefik"
)

// handBackLimit is how long Traefik may take to lead an app's requests to Paastis again, once
// it has fetched the routes. Then the app goes on as it was, and is tried again after the
// same time.
const handBackLimit = 30 * time.Second

// handedBack tells that no Traefik leads requests to the app any more: either its API
// says so of this very turn of the routes, or all have fetched it and must use it by now.
// Only then is every request that still comes known.
func (p *pass) handedBack(k *Keeper) bool {
	limit := p.turnLimit()
	switch {
	case !p.direct(k):
		return true
	case !k.backAt.IsZero():
		p.at(k.backAt)
		return !p.now.Before(k.backAt)
	case k.forced && len(p.live(p.now)) == 0:
		k.backAt = p.now // nobody is there to turn them
		return true
	case p.now.Sub(k.since) >= limit:
		k.stopAfter = p.now.Add(handBackLimit)
		p.say(slog.LevelWarn, "app stays awake, for Traefik does not take its routes from Paastis", "app", k.Name())
		p.set(k, Ready, "Traefik does not take its routes from Paastis")
		return false
	case p.gateway != nil && !k.unprovable && len(p.live(p.now)) == 1 && len(k.Entry().Routes) > 0:
		p.proveBack(k)
		return false
	}
	p.at(k.since.Add(limit))
	if !p.fetched(k.turned, p.now) {
		p.at(p.now.Add(time.Second)) // one that does not fetch it may count as gone then
		return false
	}
	k.backAt = p.now.Add(p.settings.Throttle + noticeSlack)
	p.at(k.backAt)
	return !p.now.Before(k.backAt)
}

// turnLimit is the limit from the moment in which the routes turn: the Traefik that
// fetches them the most seldom does so meanwhile.
func (p *pass) turnLimit() time.Duration {
	limit := handBackLimit
	for _, poller := range p.live(p.now) {
		limit = max(limit, handBackLimit+poller.every)
	}
	return limit
}

// proveBack asks Traefik's API until it says that it leads the app's requests to Paastis.
func (p *pass) proveBack(k *Keeper) {
	if k.busy {
		return
	}
	k.busy = true
	deadline, routes, turned := k.since.Add(p.turnLimit()), k.Entry().Routes, k.turned
	p.todo = append(p.todo, func(ctx context.Context) {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		err := errNotBack
		for errors.Is(err, errNotBack) && ctx.Err() == nil && p.Registry.stillTurned(k, turned) {
			if err = p.Registry.leadBack(ctx, routes, turned); err != nil {
				sleep(ctx, provePause)
			}
		}
		p.Registry.provedBack(k, turned, err)
	})
}

// errNotBack tells that Traefik does not lead requests to Paastis yet.
var errNotBack = errors.New("a route does not lead to Paastis yet")

// leadBack is nil if the service of each route has Paastis for its only server, as it was
// published in that turn.
func (r *Registry) leadBack(ctx context.Context, routes []*Route, turned uint64) error {
	for _, rt := range routes {
		servers, err := r.gateway.Servers(ctx, traefik.PublishedService(rt.Name))
		if err != nil && !errors.Is(err, traefik.ErrNoService) {
			return err
		}
		if len(servers) != 1 || !traefik.IsTurn(servers[0].URL, turned) {
			return errNotBack
		}
	}
	return nil
}

func (r *Registry) stillTurned(k *Keeper, turned uint64) bool {
	r.mu.Lock()
	defer r.unlock()
	return k.state == Draining && k.turned == turned && !k.gone
}

// provedBack takes in how the proof went. Requests that are on their way through Traefik
// in that moment have a little time to arrive.
func (r *Registry) provedBack(k *Keeper, turned uint64, err error) {
	r.mu.Lock()
	defer r.unlock()
	k.busy = false
	switch {
	case k.state != Draining || k.turned != turned:
	case err == nil:
		k.backAt = time.Now().Add(switchSlack)
	case !errors.Is(err, errNotBack) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		r.doubt(k, err)
	}
	r.stir()
}

package registry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/reason"
)

// withdrawalLimit is how long Traefik may take to lead an app's requests to Paastis again, once
// it has fetched the routes. Then the app goes on as it was, and is tried again after the
// same time.
const withdrawalLimit = 30 * time.Second

// turnSlack is how much longer than its throttle Traefik may take to use routes that it has
// fetched, where only the time tells: on a machine that is starved of CPU it was seen to take
// five seconds. An app that runs some seconds longer costs less than one that stops under a
// request.
const turnSlack = 10 * time.Second

// isWithdrawn reports whether no Traefik leads requests to the app any more: either its API
// says so of this very turn of the routes, or all have fetched it and must use it by now.
// Only then is every request that still comes known.
func (h *handOvers) isWithdrawn(k *Keeper) bool {
	limit := h.turnLimit(k)
	switch {
	case !h.publisher.pollers.direct(k):
		return true
	case !k.routing.withdrawnAt.IsZero():
		h.at(k.routing.withdrawnAt)
		return !h.now.Before(k.routing.withdrawnAt)
	case h.publisher.bypass.isShut(k):
		k.routing.withdraw(h.now) // there is nothing to turn
		return true
	case k.manual.sleepForced && len(h.publisher.pollers.leading(k, h.now)) == 0:
		k.routing.withdraw(h.now) // nobody is there to turn them
		return true
	case h.now.Sub(k.since) >= limit:
		k.failures.holdStop(h.now.Add(withdrawalLimit))
		h.journal.say(slog.LevelWarn, "app stays awake, for Traefik does not take its routes from Paastis", "app", k.Name())
		h.changeState(k, Ready, reason.Reason{Kind: reason.RoutesKept})
		return false
	case !k.attempt.unprovable && len(h.proofs(k)) > 0:
		h.proveWithdrawal(k)
		return false
	}
	h.at(k.since.Add(limit))
	if !handover.Have(h.publisher.pollers.leading(k, h.now), k.routing.version) {
		h.at(h.now.Add(time.Second)) // one that does not fetch it may count as gone then
		return false
	}
	k.routing.withdraw(h.now.Add(h.inForce.settings.Throttle + turnSlack))
	h.at(k.routing.withdrawnAt)
	return !h.now.Before(k.routing.withdrawnAt)
}

// turnLimit is the limit from the moment in which the routes turn: the Traefik that
// fetches them the most seldom does so meanwhile.
func (h *handOvers) turnLimit(k *Keeper) time.Duration {
	limit := withdrawalLimit
	for _, poller := range h.publisher.pollers.leading(k, h.now) {
		limit = max(limit, withdrawalLimit+poller.Every())
	}
	return limit
}

// proveWithdrawal asks Traefik's API until it says that it leads the app's requests to Paastis.
func (h *handOvers) proveWithdrawal(k *Keeper) {
	if k.busy {
		return
	}
	deadline, proofs, version := k.since.Add(h.turnLimit(k)), h.proofs(k), k.routing.version
	turned := func() bool { return k.state == Draining && k.routing.version == version && !k.removal.gone }
	h.tasks.doLocked(k, task{alone: true, current: turned, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		err := handover.ErrNotWithdrawn
		for errors.Is(err, handover.ErrNotWithdrawn) && ctx.Err() == nil && h.tasks.still(turned) {
			if err = handover.Withdrawn(ctx, proofs, version); err != nil {
				sleep(ctx, handover.ProvePause)
			}
		}
		return func() { h.transitions.withdrawalProved(k, err) }
	}})
}

// proofs are what shows that no Traefik leads requests to the app any more. None: it cannot be
// shown.
func (h *handOvers) proofs(k *Keeper) []handover.Withdrawal {
	return h.publisher.pollers.Withdrawals(k, k.routing.stale, h.traefik.gatewayOf, h.now)
}

// withdrawalProved takes in how the proof went. Requests that are on their way through Traefik
// in that moment have a little time to arrive. It is called with r.mu held.
func (t *transitions) withdrawalProved(k *Keeper, err error) {
	switch {
	case err == nil:
		k.routing.withdraw(time.Now().Add(switchSlack))
	case !errors.Is(err, handover.ErrNotWithdrawn) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		t.doubt(k, err)
	}
}

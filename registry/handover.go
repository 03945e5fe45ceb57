package registry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// noticeSlack is how much later than its throttle Traefik may publish what happened
	// to a container: it lists and inspects all of them first, for one event after the
	// other. Where nobody can be asked, the throttle and this have to pass.
	noticeSlack = 2 * time.Second
	// switchSlack is for requests that are on their way through Traefik in the moment
	// in which it learns the app's address: they go on with what it knew before.
	switchSlack = 100 * time.Millisecond
	// longKnown is for how long an app must have run before Paastis did for Traefik to know it
	// for certain.
	longKnown = time.Minute
)

// handOvers lead the requests of apps to them, and back to Paastis, and know when that is so.
type handOvers struct {
	*schedule
	inForce     *inForce
	traefik     *traefikView
	publisher   *Publisher
	prober      *prober
	transitions *transitions
	tasks       *tasks
}

// handOver makes a healthy app ready once Traefik can reach it.
func (h *handOvers) handOver(k *Keeper) {
	reachable := h.reachable(k)
	if h.now.Before(reachable) || reachable.IsZero() {
		h.at(k.attempt.deadline)
		h.at(later(reachable, k.attempt.deadline))
		return
	}
	k.usage.begin(h.now)
	h.changeState(k, Ready, reason.Reason{})
	h.transitions.admit(k)
}

// reachable is when Traefik can reach the app. Zero: not known yet.
func (h *handOvers) reachable(k *Keeper) time.Time {
	switch {
	case h.publisher.pollers.direct(k), !h.unsure(k):
		// Paastis carries the requests until Traefik leads them to the app.
		return k.attempt.healthyAt
	case k.attempt.found && k.app.RanFor(longKnown, h.now):
		return k.attempt.healthyAt // Traefik has known it for long
	case !k.attempt.provenAt.IsZero():
		return k.attempt.provenAt.Add(switchSlack)
	case h.traefik.gateway == nil || k.attempt.unprovable:
		return k.attempt.healthyAt.Add(h.inForce.settings.Throttle + noticeSlack)
	default:
		h.prove(k)
		return time.Time{}
	}
}

// unsure reports whether Traefik may not reach the app as soon as it answers. An app that
// visitors ask for without a router in its labels has one that somebody else provides,
// a file for example: only Traefik knows it.
func (h *handOvers) unsure(k *Keeper) bool {
	e := k.Definition()
	return len(e.Unproven()) > 0 || len(e.Routers) == 0 && h.traefik.gateway != nil && !k.lastRequest().IsZero()
}

// prove asks Traefik's API again and again until it lists the app's servers.
func (h *handOvers) prove(k *Keeper) {
	deadline, during := k.attempt.deadline, k.during()
	proof := handover.Proof{
		Definition: k.Definition(), Gateway: h.traefik.gateway, Middleware: h.inForce.settings.Middleware,
		Services: k.Definition().Unproven(), Addresses: inventory.AddressesOf(h.prober.serving(k)),
		Certain: k.attempt.healthyAt.Add(h.inForce.settings.Throttle + noticeSlack),
		Ended:   k.attempt.startedAt.Add(h.inForce.settings.Throttle + turnSlack),
	}
	if len(k.app.Instances) > 1 {
		proof.Whole = k.attempt.healthyAt.Add(laggardGrace)
	}
	for _, i := range k.app.Instances {
		if i.Mapped != nil {
			proof.Mapped = append(proof.Mapped, i.Mapped)
		}
	}
	if len(k.Definition().Routers) == 0 {
		proof.Names = k.app.Hosts()
	}
	if k.attempt.startedAt.Before(k.endings.endedAt.Add(h.inForce.settings.Throttle + noticeSlack)) {
		proof.Stale = k.endings.formerAddresses
		if k.endings.formerAddresses == nil {
			proof.Stale = proof.Addresses // it ended before Paastis saw it
		}
	}
	h.tasks.doLocked(k, task{alone: true, current: during, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		var err error
		for done := false; !done; {
			done, err = proof.Try(ctx)
			if done || ctx.Err() != nil || !h.tasks.still(func() bool { return during() && h.transitions.needsProof(k) }) {
				break
			}
			sleep(ctx, proof.Pause())
		}
		return func() { h.transitions.proved(k, err) }
	}})
}

// needsProof reports whether the app runs and is still on its way up, and no Traefik has begun
// to fetch its route meanwhile: then it need not be one that its labels tell. It is called
// with r.mu held.
func (t *transitions) needsProof(k *Keeper) bool {
	return k.state == Starting && !k.removal.gone && k.app.Up() && !t.publisher.pollers.direct(k)
}

// proved takes in how a proof went. Without an answer from Traefik's API the app waits
// as if there were none. It is called with r.mu held.
func (t *transitions) proved(k *Keeper, err error) {
	switch {
	case err == nil:
		k.attempt.prove(time.Now())
	case errors.Is(err, handover.ErrNotListed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !time.Now().Before(k.attempt.deadline):
	default:
		t.doubt(k, err)
	}
}

// doubt notes that nothing can be proven in this wake. Called with the lock held.
func (t *transitions) doubt(k *Keeper, err error) {
	k.attempt.doubt()
	t.journal.say(slog.LevelWarn, "Traefik's API does not answer: waiting for its throttle instead; check traefik.api_url", "app", k.Name(), "error", err)
}

// later is t, or other if t is zero.
func later(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

package registry

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// Labels do not always tell whether a router uses the middleware: it may stand in a chain
// of a file, or on an entry point. Then Traefik does: by its API, or by asking about a
// request of the router.

// hearEvery is how often a question about an app that is not managed is looked at: where it
// proves nothing, it must cost nothing.
const hearEvery = time.Second

// Lister is a handover.Gateway that tells what Traefik has, too.
type Lister interface {
	// Middlewares are all that are in force. It blocks for the answer.
	Middlewares(ctx context.Context) (traefik.Catalog, error)
	// Version is that of Traefik, "3.7.1". It blocks for the answer.
	Version(ctx context.Context) (string, error)
}

// Heard takes notice that somebody at an address has asked about a request, which FindFor has
// not found an app of ours for. If that is a Traefik, and a router of the labels takes the
// request, the router uses the middleware, whatever the labels tell. It returns the app if
// it is to be woken: one that runs has served the request so far.
func (r *Registry) Heard(req *traefik.Request, by netip.Addr) *Keeper {
	e, router := r.inForce.inventory.Load().RouteFor(req, r.callers.traefikAt(by))
	if e == nil || router.Own {
		return nil
	}
	return r.traefik.hear(e, router.Question(), by)
}

// HeardName is Heard for a middleware's address that names the app.
func (r *Registry) HeardName(name string, by netip.Addr) *Keeper {
	e := r.inForce.inventory.Load().Named(name)
	if e == nil {
		return nil
	}
	return r.traefik.hear(e, inventory.AskedByName, by)
}

func (v *traefikView) hear(e *inventory.Definition, what string, by netip.Addr) *Keeper {
	k, now := KeeperOf(e), time.Now()
	if !e.Excluded().IsZero() || !k.hear(now) {
		return nil
	}
	v.mu.Lock()
	defer v.unlock()
	if k.removal.gone || !v.runsTraefikLocked(by) {
		return nil
	}
	v.noteAskedLocked(map[*Keeper]string{k: what})
	if !k.Definition().Managed || k.state == Ready {
		return nil
	}
	return k
}

// runsTraefikLocked reports whether a Traefik that Paastis knows has the address. Called with
// the lock held.
func (v *traefikView) runsTraefikLocked(address netip.Addr) bool {
	for p := range v.publisher.pollers.All() {
		if p.Address == address {
			return true
		}
	}
	for _, k := range v.keepers.byID {
		if k.app.Protected == inventory.RunsTraefik && slices.Contains(k.app.Addresses(), address) {
			return true
		}
	}
	return false
}

// noteAskedLocked remembers what Traefik asks about. Called with the lock held.
func (v *traefikView) noteAskedLocked(asked map[*Keeper]string) {
	changed := false
	for k, what := range asked {
		changed = k.learned.ask(what) || changed
	}
	if !changed {
		return
	}
	v.archive.MarkUnsaved()
	v.resolver.resolve()
	v.nudge()
}

// ask asks its API which routers use the middleware, at each audit and whenever
// apps have changed, until ctx ends. What it cannot tell now stays as it was known.
func (v *traefikView) ask(ctx context.Context, list Lister) {
	for ctx.Err() == nil {
		if err := v.list(ctx, list); err != nil {
			v.log.Debug("Traefik does not tell its routers", "error", err)
		}
		v.awaitRedefinition(ctx)
	}
}

func (v *traefikView) list(ctx context.Context, list Lister) error {
	version, err := list.Version(ctx)
	if err != nil {
		return err
	}
	catalog, err := list.Middlewares(ctx)
	if err != nil {
		return err
	}
	routers, err := v.gateway.Routers(ctx)
	if err != nil {
		return err
	}
	v.listTimeouts(ctx, list)
	v.takeRouters(version, routers, catalog)
	v.takeListed("", routers)
	return nil
}

// awaitRedefinition waits until it is time to ask Traefik again.
func (v *traefikView) awaitRedefinition(ctx context.Context) {
	ticking, cancel := context.WithTimeout(ctx, v.audit)
	defer cancel()
	select {
	case <-ticking.Done():
	case <-v.redefined:
		v.mu.Lock()
		pause := v.inForce.settings.Throttle + noticeSlack
		v.mu.Unlock()
		sleep(ctx, pause) // Traefik learns of it, too
	}
}

// takeRouters takes in what Traefik's API tells.
func (v *traefikView) takeRouters(version string, routers []api.Router, catalog traefik.Catalog) {
	v.mu.Lock()
	defer v.unlock()
	if v.inForce.hear(version, catalog) {
		v.resolver.resolve()
	}
	inv := v.inForce.inventory.Load()
	asked := map[*Keeper]string{}
	for id, what := range inv.AskedAbout(routers, v.inForce.settings) {
		asked[v.keepers.byID[id]] = what
	}
	v.noteAskedLocked(asked)
}

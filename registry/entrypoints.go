package registry

import (
	"context"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// An entry point of Traefik's cuts off the body of a request that nobody has read by its
// readTimeout, and the answer that comes after its writeTimeout. Whoever is held must have an
// answer before, and time for the rest of its body.

// listTimeouts asks Traefik's API for the timeouts of its entry points, if it is one that tells
// them. What it cannot tell now stays as it was known.
func (v *traefikView) listTimeouts(ctx context.Context, list Lister) {
	api, is := list.(interface {
		EntryPoints(context.Context) ([]traefik.EntryPoint, error)
	})
	if !is {
		return
	}
	entryPoints, err := api.EntryPoints(ctx)
	if err != nil {
		v.log.Debug("Traefik does not tell its entry points", "error", err)
		return
	}
	told := inventory.TimeoutsOf(entryPoints)
	v.mu.Lock()
	defer v.unlock()
	if v.inForce.hearTimeouts(told) {
		v.resolver.resolve()
	}
}

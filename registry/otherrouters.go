package registry

import (
	"context"
	"reflect"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/traefik/api"
)

// listed is what the API of a Traefik that fetches the routes tells of its routers.
type listed struct {
	// elsewhere are those of providers that Paastis does not see, such as files.
	elsewhere []api.Router
	// names are of all others, with "@" and the provider.
	names map[string]bool
}

// keep reports whether there are the same elsewhere as before, and then keeps those.
func (is *listed) keep(was listed) bool {
	same := reflect.DeepEqual(was.elsewhere, is.elsewhere)
	if same {
		is.elsewhere = was.elsewhere
	}
	return same
}

// askEndpoint asks the API of the Traefik of an endpoint for its routers, at each audit,
// until ctx ends. What it cannot tell now stays as it was known.
func (v *traefikView) askEndpoint(ctx context.Context, endpoint string, gateway handover.Gateway) {
	for ctx.Err() == nil {
		if routers, err := gateway.Routers(ctx); err != nil {
			v.log.Debug("Traefik does not tell its routers", "endpoint", endpoint, "error", err)
		} else {
			v.takeListed(endpoint, routers)
		}
		sleep(ctx, min(v.audit, listInterval))
	}
}

// listInterval is the longest time between two questions for the routers of an endpoint.
const listInterval = 30 * time.Second

// takeListed takes in the routers of the Traefik that fetches at an endpoint.
func (v *traefikView) takeListed(endpoint string, routers []api.Router) {
	v.mu.Lock()
	defer v.unlock()
	is := listed{names: map[string]bool{}}
	known := v.knownRouters()
	for _, router := range routers {
		switch {
		case router.Status == "disabled", router.Provider == "internal", router.Provider == "http":
		case known[router.Name]:
			is.names[router.Name] = true
		default:
			is.elsewhere = append(is.elsewhere, router)
		}
	}
	v.publisher.listLocked(endpoint, is)
	v.problems.refresh(time.Now())
	v.nudge()
}

// knownRouters are the names in Traefik's API of the routers that it has from labels.
func (v *traefikView) knownRouters() map[string]bool {
	known := map[string]bool{}
	for _, e := range v.inForce.inventory.Load().Definitions {
		for i := range e.Routers {
			if r := &e.Routers[i]; !r.Own {
				for _, name := range r.RunningNames(e.TraefikProvider()) {
					known[name] = true
				}
			}
		}
	}
	return known
}

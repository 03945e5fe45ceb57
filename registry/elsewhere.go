package registry

import (
	"context"
	"reflect"
	"time"

	"github.com/paastis/paastis/traefik/api"
)

// listed is what the API of a Traefik that fetches the routes tells of its routers.
type listed struct {
	// elsewhere are those of providers that Paastis does not see, such as files.
	elsewhere []api.Router
	// names are of all others, with "@" and the provider.
	names map[string]bool
}

// askEndpoint asks the API of the Traefik of an endpoint for its routers, at each audit,
// until ctx ends. What it cannot tell now stays as it was known.
func (r *Registry) askEndpoint(ctx context.Context, endpoint string, gateway Gateway) {
	for ctx.Err() == nil {
		if routers, err := gateway.Routers(ctx); err != nil {
			r.log.Debug("Traefik does not tell its routers", "endpoint", endpoint, "error", err)
		} else {
			r.takeListed(endpoint, routers)
		}
		sleep(ctx, min(r.audit, listInterval))
	}
}

// listInterval is the longest time between two questions for the routers of an endpoint.
const listInterval = 30 * time.Second

// takeListed takes in the routers of the Traefik that fetches at an endpoint.
func (r *Registry) takeListed(endpoint string, routers []api.Router) {
	r.mu.Lock()
	defer r.unlock()
	is := listed{names: map[string]bool{}}
	known := r.knownRouters()
	for _, router := range routers {
		switch {
		case router.Status == "disabled", router.Provider == "internal", router.Provider == "http":
		case known[router.Name]:
			is.names[router.Name] = true
		default:
			is.elsewhere = append(is.elsewhere, router)
		}
	}
	was := r.publisher.listed[endpoint]
	if reflect.DeepEqual(was.elsewhere, is.elsewhere) {
		is.elsewhere = was.elsewhere
	}
	r.publisher.listed[endpoint] = is
	if len(was.elsewhere) != len(is.elsewhere) || len(is.elsewhere) > 0 && &was.elsewhere[0] != &is.elsewhere[0] {
		r.publisher.changed()
		r.publisher.redirect()
	}
	r.problems.refresh(time.Now())
	r.wakeLoop()
}

// knownRouters are the names in Traefik's API of the routers that are in labels.
func (r *Registry) knownRouters() map[string]bool {
	known := map[string]bool{}
	for _, e := range r.definitions.inventory.Load().Entries {
		for i := range e.Routers {
			for _, name := range e.Routers[i].runningNames(e.traefikProvider()) {
				known[name] = true
			}
		}
	}
	return known
}

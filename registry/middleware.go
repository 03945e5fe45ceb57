package registry

import (
	"net/http"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// followMiddlewares follows the middlewares of all routers to Paastis's: those of their entry
// points, as far as Traefik's own flags tell, and through chains that the labels of any app
// define.
func (inv *Inventory) followMiddlewares(s Settings) {
	catalog, ts := s.whole(inv.catalog()), newTraefiks(inv.Entries, s)
	for _, e := range inv.Entries {
		provider := e.traefikProvider()
		for i := range e.Routers {
			r := &e.Routers[i]
			var before []string
			if !r.Own {
				before = ts.before(r.Router)
			}
			passed := slices.Concat(before, r.Middlewares, e.labels.ServiceMiddlewares(r.Router))
			r.Unknown = catalog.Unknown(passed, provider, s.Middleware)
			r.Paastis = catalog.Uses(passed, provider, s.Middleware)
			r.Asked = !r.Paastis && !r.Own && r.asked() == e.asked
			r.Paastis = r.Paastis || r.Asked
			if len(passed) == 0 || len(passed) == 1 && r.Uses(s.Middleware) {
				continue // as most have it
			}
			r.Covering, r.MayCover = catalog.Covering(passed, provider, s.Middleware, http.StatusServiceUnavailable)
			r.Outside = slices.ContainsFunc(before, func(name string) bool {
				return slices.Contains(r.Covering, name) || slices.Contains(r.MayCover, name)
			})
			r.Rewrites = catalog.Before(passed, provider, s.Middleware)
			r.AllRewrites = catalog.Without(passed, provider, s.Middleware)
		}
	}
}

// catalog has the middlewares of all labels that Traefik reads; of several of one name, of
// which Traefik takes none, the first.
func (inv *Inventory) catalog() traefik.Catalog {
	catalog := traefik.Catalog{}
	for _, e := range inv.Entries {
		if e.labels.Enable != nil && !*e.labels.Enable {
			continue
		}
		for _, m := range e.labels.Middlewares {
			for _, provider := range []string{e.traefikProvider(), "docker", "swarm"} {
				if name := m.Name + "@" + provider; !catalog.Has(name) {
					catalog[name] = m
				}
			}
		}
	}
	return catalog
}

// traefikProvider is what Traefik calls the provider of the app's labels.
func (e *Entry) traefikProvider() string {
	provider, _, _ := strings.Cut(e.ID, "/")
	return provider
}

// Restore makes a request that belongs to the app what the visitor made it, as far as the
// middlewares before Paastis tell.
func (e *Entry) Restore(req *traefik.Request) {
	for _, r := range e.Routers {
		if r.Rewrites.Restore(req, r.Match) {
			return
		}
	}
}

// Restore makes a request that came by the route what the visitor made it. It reports
// whether the router takes that.
func (rt *Route) Restore(req *traefik.Request) bool {
	return rt.router.AllRewrites.Restore(req, rt.router.Match)
}

package inventory

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// following follows the middlewares of routers to that of Paastis: a step of Resolve.
type following struct {
	*Inventory
}

// followMiddlewares follows the middlewares of all routers to Paastis's: those of their app
// points, as far as Traefik's own flags tell, and through chains that the labels of any app
// define.
func (inv following) followMiddlewares(s Settings) {
	catalog, ts, definers := s.whole(inv.catalog()), newTraefiks(inv.Definitions, s), inv.definers()
	disputes := disputesOf(definers)
	inv.Middlewares = catalog
	for _, e := range inv.Definitions {
		provider := e.TraefikProvider()
		for i := range e.Routers {
			r := &e.Routers[i]
			var before []string
			if r.tellsWays() {
				before = ts.before(*r.Router)
			}
			passed := slices.Concat(before, r.Middlewares, e.Labels.ServiceMiddlewares(*r.Router))
			r.Unknown = catalog.Unknown(passed, provider, s.Middleware)
			inv.lose(e, r, catalog.Unknown(r.Middlewares, provider, s.Middleware))
			r.guards = inv.guards(e, r, definers, s.Middleware)
			r.disputes = inv.disputes(e, r, definers, disputes, s.Middleware)
			r.Paastis = catalog.Uses(passed, provider, s.Middleware)
			r.Asked = !r.Paastis && !r.Own && r.Question() == e.reported.Asked
			r.Paastis = r.Paastis || r.Asked
			if len(passed) == 0 || len(passed) == 1 && r.Uses(s.Middleware) {
				continue // as most have it
			}
			r.Covering, r.MayCover = catalog.Covering(passed, provider, s.Middleware, http.StatusServiceUnavailable)
			r.Outside = slices.ContainsFunc(before, func(name string) bool {
				return slices.Contains(r.Covering, name) || slices.Contains(r.MayCover, name)
			})
			r.askedBefore, r.askedBehind = catalog.Asked(passed, provider, s.Middleware)
			r.Rewrites = catalog.Before(passed, provider, s.Middleware)
			r.AllRewrites = catalog.Without(passed, provider, s.Middleware)
		}
	}
}

// Traefik leaves out a router with a middleware that it does not have (buildRouterHandler in
// pkg/server/router/router.go of 3.6.12): none defines it, or a container that it has forgotten.

// Asking are the middlewares that ask Paastis, by that name, by where each is
// defined, for people.
func (inv *Inventory) Asking(name string) map[string]traefik.Middleware {
	all, definers := map[string]traefik.Middleware{}, inv.definers()
	for full, m := range inv.Middlewares {
		short, provider, _ := strings.Cut(full, "@")
		by := definers[full]
		switch {
		case short != name || m.ForwardAuth == "":
		case len(by) > 0:
			all[by[0].App.Origin] = m
		case provider != "docker" && provider != "swarm":
			all[provider+" of Traefik"] = m
		}
	}
	return all
}

// lose tells of a router that is nowhere, because no label defines a middleware of the labels'
// own provider. Unknown are those that nobody is known to define. Published without, it could let
// anybody in.
func (inv following) lose(e *Definition, r *Router, unknown []string) {
	for _, name := range unknown {
		switch {
		case r.lost || !strings.HasSuffix(name, "@"+e.TraefikProvider()):
		case r.Own:
			r.lost = true
			e.problem(MiddlewareMissing, "router %q of app %q uses the middleware %q, which no label defines: it is not published; define it, or say which provider of Traefik's has it: %s@file and the like (%s)", r.Name, e.Name, name, strings.TrimSuffix(name, "@"+e.TraefikProvider()), e.App.Origin)
		default:
			r.lost = true
			e.problem(MiddlewareMissing, "router %q on %s uses the middleware %q, which no label defines: Traefik leaves out the router; define it, or correct traefik.http.routers.%s.middlewares", r.Name, r.holderOr(e).App.Origin, name, r.Name)
		}
	}
}

// definers are the apps whose labels define a middleware, by its name with "@" and provider.
func (inv *Inventory) definers() map[string][]*Definition {
	all := map[string][]*Definition{}
	for _, e := range inv.Definitions {
		if e.Labels.IsHidden() {
			continue
		}
		for _, m := range e.Labels.Middlewares {
			name := m.Name + "@" + e.TraefikProvider()
			all[name] = append(all[name], e)
		}
	}
	return all
}

// guards are the apps of which Traefik needs one for each of the router's middlewares that
// the router's own labels do not define. Paastis's own is there: else nobody would ask.
func (inv following) guards(e *Definition, r *Router, definers map[string][]*Definition, paastis string) [][]*Definition {
	var all [][]*Definition
	for _, used := range r.Middlewares {
		name, provider, given := strings.Cut(used, "@")
		if !given {
			provider = e.TraefikProvider()
		}
		by := definers[name+"@"+provider]
		if name != paastis && len(by) > 0 && !slices.Contains(by, r.holderOr(e)) {
			all = append(all, by)
		}
	}
	return all
}

// catalog has the middlewares of all labels that Traefik reads; of several of one name, of
// which Traefik takes none, the first.
func (inv *Inventory) catalog() traefik.Catalog {
	catalog := traefik.Catalog{}
	for _, e := range inv.Definitions {
		if e.Labels.IsHidden() {
			continue
		}
		for _, m := range e.Labels.Middlewares {
			for _, provider := range readBy(e) {
				if name := m.Name + "@" + provider; !catalog.Has(name) {
					catalog[name] = m
				}
			}
		}
	}
	return catalog
}

// readBy are the names of the providers of Traefik's by which the app's middlewares may go.
func readBy(e *Definition) []string {
	if e.reported.Unread {
		return []string{e.TraefikProvider()}
	}
	return []string{e.TraefikProvider(), "docker", "swarm"}
}

// TraefikProvider is what Traefik calls the provider of the app's labels. Where it has none,
// what they define goes by the name of Paastis's provider, which is none of Traefik's.
func (e *Definition) TraefikProvider() string {
	return cmp.Or(e.reported.traefikProvider(), e.reported.Provider)
}

// Restore makes a request that belongs to the app what the visitor made it, as far as the
// middlewares before Paastis tell.
func (e *Definition) Restore(req *traefik.Request) {
	for _, r := range e.Routers {
		if r.Match.Restore(req, r.Rewrites) {
			return
		}
	}
}

// Restore makes a request that came by the route what the visitor made it. It reports
// whether the router takes that.
func (rt *Route) Restore(req *traefik.Request) bool {
	return rt.Router.Match.Restore(req, rt.Router.AllRewrites)
}

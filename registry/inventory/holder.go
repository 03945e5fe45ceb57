package inventory

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// A name of a router or a service is one for a whole provider of Traefik's, whichever
// container has the label: a router may lead to the service of another container, which is
// the app that its requests are for. The container that has the router's labels is its
// holder. Routers of one name on two containers are one router if their labels are the
// same, else Traefik leaves out both (Merge in pkg/provider/configuration.go of 3.6.12).

// lending finds for each router whose labels have it, and whose service it leads to: a step
// of Resolve.
type lending struct {
	*Inventory
}

// lendRouters gives each router to the app that has its service; to each of them, if there
// are several.
func (inv lending) lendRouters() {
	services := inv.services()
	for _, e := range inv.Definitions {
		kept := e.Routers[:0:0]
		for _, r := range e.Routers {
			backends := inv.backends(e, r, services)
			switch {
			case len(backends) == 0:
				r.lost = true
				e.problem(ServiceMissing, "router %q on %s leads to the service %q, which no label defines: Traefik leaves it out; correct traefik.http.routers.%s.service", r.Name, e.App.Origin, r.Service, r.Name)
				fallthrough
			case slices.Contains(backends, e):
				kept = append(kept, r)
			default:
				for _, to := range backends {
					inv.borrow(to, r, e)
				}
			}
		}
		e.Routers = kept
	}
}

// borrow gives the app a router of which another one has the labels.
func (inv lending) borrow(e *Definition, r Router, from *Definition) {
	r.HeldBy = from
	r.StaticURL, r.Port, r.Checked = e.Labels.StaticURL(*r.Router), e.Labels.Port(*r.Router), e.Labels.Checked(*r.Router)
	e.Routers = append(e.Routers, r)
}

// services are the apps that have a service, by provider and name, in the order of the apps.
func (inv lending) services() map[string][]*Definition {
	services := map[string][]*Definition{}
	for _, e := range inv.Definitions {
		for _, name := range inv.serviceNames(e) {
			id := e.TraefikProvider() + "/" + name
			services[id] = append(services[id], e)
		}
	}
	return services
}

// serviceNames are those that Traefik knows of the app: those of its labels, else its own.
func (inv lending) serviceNames(e *Definition) []string {
	switch {
	case e.Labels.IsHidden():
		return nil
	case len(e.Labels.Services) == 0:
		return []string{traefik.ServiceName(e.App.Name, e.App.Labels)}
	}
	names := make([]string, 0, len(e.Labels.Services))
	for _, s := range e.Labels.Services {
		names = append(names, s.Name)
	}
	return names
}

// backends are the apps that have the service of a router of the app's. None: no label has
// it.
func (inv lending) backends(e *Definition, r Router, services map[string][]*Definition) []*Definition {
	if r.Own || r.HeldBy != nil || r.Service == "" || r.Foreign() != "" {
		return []*Definition{e}
	}
	name, _, _ := strings.Cut(r.Service, "@")
	return services[e.TraefikProvider()+"/"+name]
}

// Holder is the app that has the labels of the router. Nil: the one that it leads to.
func (r *Router) Holder() *Definition { return r.HeldBy }

// holderOr is Holder of a router that leads to an app.
func (r *Router) holderOr(e *Definition) *Definition { return cmp.Or(r.HeldBy, e) }

// holders are links to the apps that must run for the app's routers to be there. One that
// nobody lets sleep runs by itself.
func (inv *linking) holders(e *Definition, s Settings) []rules.Link {
	var links []rules.Link
	for _, r := range e.Routers {
		if h := r.HeldBy; h != nil && !h.AllowNonRunning && inv.sleeps(h, s) {
			links = append(links, rules.Link{Name: h.ID, Condition: rules.Started, Optional: true})
		}
	}
	return links
}

// sleeps reports whether the app asks to be managed.
func (inv *linking) sleeps(e *Definition, s Settings) bool {
	asks, _ := asks(e, s)
	return asks
}

// findRivals notes whose each router is, and which cannot be there together.
func (inv lending) findRivals() {
	byName := map[string][]*Router{}
	for _, e := range inv.Definitions {
		for i := range e.Routers {
			r := &e.Routers[i]
			if r.Definition = e; !r.Own {
				id := e.TraefikProvider() + "/" + r.Name
				byName[id] = append(byName[id], r)
			}
		}
	}
	for _, all := range byName {
		for _, r := range all {
			for _, other := range all {
				if other != r && !r.sameAs(other) {
					r.rivals = append(r.rivals, other.holderOr(other.Definition))
				}
			}
		}
	}
}

// sameAs reports whether Traefik takes two routers of one name for one.
func (r *Router) sameAs(other *Router) bool {
	return reflect.DeepEqual(r.Router, other.Router) &&
		maps.Equal(routerLabels(r.holderOr(r.Definition), r.Name), routerLabels(other.holderOr(other.Definition), r.Name))
}

// routerLabels are the labels of a router that Router has no field for.
func routerLabels(e *Definition, name string) map[string]string {
	all := map[string]string{}
	for label, value := range e.App.Labels {
		rest, is := strings.CutPrefix(strings.ToLower(label), "traefik.http.routers."+strings.ToLower(name)+".")
		if is && strings.Contains(rest, ".") {
			all[rest] = value
		}
	}
	return all
}

// Rivals are the apps on which there is another router of that name with other labels:
// while Traefik has both, it leaves out both.
func (r *Router) Rivals() []*Definition { return r.rivals }

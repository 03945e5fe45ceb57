package inventory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// takeRouters adds the routers that came with the app to those of its labels. Of several of one
// name the first one stays.
func (o *reading) takeRouters(e *Definition, labels traefik.Labels) {
	for _, given := range e.App.Routers {
		r := labels.Beside(given)
		r.Name = cmp.Or(r.Name, e.App.Name)
		if i := slices.IndexFunc(e.Routers, func(is Router) bool { return is.Name == r.Name }); i >= 0 {
			other := "one in its labels"
			if e.Routers[i].Given {
				other = "another one that it gives"
			}
			e.problem(RouterLeftOut, "router %q that its provider gives app %q has the name of %s: it is left out; give one of them another name (%s)", r.Name, e.Name, other, e.App.Origin)
			continue
		}
		o.addRouter(e, labels, Router{Router: &r, Own: true, Given: true})
	}
}

// whoseRouters says who has routers for the app, for people.
func whoseRouters(e *Definition) string {
	given := func(r Router) bool { return r.Given }
	var who []string
	if first := slices.IndexFunc(e.Routers, given); first != 0 {
		who = append(who, "the labels of "+e.App.Origin+" have routers of Traefik's")
	}
	if slices.ContainsFunc(e.Routers, given) {
		who = append(who, "its provider gives it routers")
	}
	return strings.Join(who, ", and ")
}

// tellsWays reports whether it tells by which entry points its requests come. One that no Traefik
// reads and a rule of Paastis's do not: who asks about those has a router of somebody else.
func (r *Router) tellsWays() bool { return !r.Own || r.Given }

// whereEntryPoints says where they are to be corrected, for people.
func (r *Router) whereEntryPoints(e *Definition) string {
	switch {
	case r.Given:
		return "them where its provider has the router"
	case r.By != 0:
		return "its entry_points (" + e.Origins["entry_points"] + ")"
	}
	return "traefik.http.routers." + r.Name + ".entrypoints"
}

// needsLabels reports whether what is published of the router takes anything from the app's
// labels: all of it, or a service or a middleware of theirs.
func (r *Router) needsLabels(l traefik.Labels) bool {
	return !r.Given || l.DefinesService(r.Service) ||
		slices.ContainsFunc(r.Middlewares, func(m string) bool { return !strings.Contains(m, "@") })
}

package inventory

import (
	"maps"
	"slices"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// Supposing is the inventory as it would be with one more app.
func (inv *Inventory) Supposing(app Reported, s Settings) *Inventory {
	apps := make([]Reported, 0, len(inv.Definitions)+1)
	for _, e := range inv.Definitions {
		apps = append(apps, e.reported)
	}
	return Resolve(append(apps, app), s)
}

// KnownAs are the apps of which containers know one by that name, besides those that Named
// finds: by its container's name, its service's, a network alias, its host name. Sorted by
// name; nil: none.
func (inv *Inventory) KnownAs(name string) []*Definition {
	var all []*Definition
	for _, e := range inv.Definitions {
		isIts := func(i Instance) bool { return i.Name == name }
		if slices.Contains(e.App.Aliases, name) || slices.ContainsFunc(e.App.Instances, isIts) {
			all = append(all, e)
		}
	}
	return all
}

// Routing is what one of several Traefiks does with a request.
type Routing struct {
	// Traefik is for people: `Traefik on container "inner"`, `the Traefik of endpoint "inside"`.
	Traefik string
	// Router that takes the request, and its app. Nil: no router of labels does.
	Router     *Router
	Definition *Definition
	// Unread says why it is not known which routers the Traefik has. Empty: it is.
	Unread string
}

// Routings are what each of several Traefiks does with a request, by its own flags and what is
// set of it. Nil: there are not several.
func (inv *Inventory) Routings(req *traefik.Request, s Settings) []Routing {
	var all []Routing
	for _, name := range slices.Sorted(maps.Keys(s.Endpoints)) {
		all = append(all, inv.routing(req, `the Traefik of endpoint "`+name+`"`, s.Endpoints[name]))
	}
	for _, e := range inv.Definitions {
		if e.App.Traefik == nil || e.App.Protected != RunsTraefik {
			continue
		}
		all = append(all, inv.routing(req, "Traefik on "+e.App.Origin, s.flagsOf(e)))
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

func (inv *Inventory) routing(req *traefik.Request, name string, static traefik.Static) Routing {
	if static.Unread != "" {
		return Routing{Traefik: name, Unread: static.Unread}
	}
	r := newTables(inv.routers(&static)).route(req)
	if r == nil {
		return Routing{Traefik: name}
	}
	return Routing{Traefik: name, Router: r, Definition: r.App()}
}

// RuleWarnings are what will likely surprise the author of rules, a line each: see rules.Set.
func (inv *Inventory) RuleWarnings(set *rules.Set) []string {
	var names []string
	var others []rules.OtherName
	for _, e := range inv.Definitions {
		tried := rules.TriedName(e.App.Name, e.App.Labels)
		names = append(names, tried)
		for _, name := range slices.Concat([]string{e.Name, e.App.Name, e.ID}, instanceNames(e.App), e.App.Aliases) {
			if name != tried {
				others = append(others, rules.OtherName{Name: name, App: tried})
			}
		}
	}
	return set.Warnings(names, others...)
}

func instanceNames(a *App) []string {
	names := make([]string, 0, len(a.Instances))
	for _, i := range a.Instances {
		names = append(names, i.Name)
	}
	return names
}

// Package handover is what stands between Paastis and a Traefik: which routes that gets, by
// its own flags and among the routers of others, where they lead, who fetches them, and whether
// Traefik is there yet: that it leads to an app that has come up, or no more to one that is to
// sleep.
//
//	inventory ──▶ Choose ──▶ Destination ──▶ Servers        Pollers ──▶ Withdrawn
//	all routes    for one    those that      where it       who has     none leads
//	              Traefik    it gets         reaches one    got which   to the app
//
// What decides has no lock and no clock: what a registry knows of a Traefik goes in as a value.
// A Proof alone, and what asks a Gateway, take the time that Traefik's API takes.
package handover

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/dynamic"
	"github.com/paastis/paastis/traefik/rule"
)

// Traefik is what is known of one that routes are published to: by the settings of its
// endpoint, by its container's own flags, and by its API.
type Traefik struct {
	Endpoint string
	Set      traefik.Static // by the settings
	Static   traefik.Static // Set, and what is read of it
	// App is what it runs as, by Provider, and Live who keeps that. Nil: it is none of those
	// that are known.
	App      *inventory.App
	Provider string
	Live     any

	Elsewhere []api.Router // of other providers, by its API

	problems inventory.Problems
}

// Destination is what a Traefik gets of the routes. It never changes.
type Destination struct {
	Traefik
	Inventory *inventory.Inventory
	// Routes are what it gets, sorted by name.
	Routes []PlacedRoute
	// Ties are those of several apps that take the same requests.
	Ties [][]*inventory.Route
	// Withheld says why it does not get the others.
	Withheld map[*inventory.Route]string
	// Problems are what its owner has to know.
	Problems inventory.Problems

	networks networks     // that it is in; nil: not known
	onHost   bool         // it uses the network of the engine's host: it may reach anything
	apps     map[any]bool // that the routes lead to, by who keeps them
}

// PlacedRoute is a route, and its place among the routers of others.
type PlacedRoute struct {
	*inventory.Route
	Placed dynamic.Placed
}

// Begin is a destination of which it is not known yet what it gets: see Choose.
func Begin(inv *inventory.Inventory, t Traefik) *Destination {
	d := &Destination{Traefik: t, Inventory: inv, Problems: t.problems}
	if t.App != nil {
		d.networks, d.onHost = t.App.Networks, slices.Contains(t.App.Networks, "host")
	}
	return d
}

// Leads reports whether it gets a route to the app that somebody keeps.
func (d *Destination) Leads(live any) bool { return d.apps[live] }

// Read lays what is set over the flags of an app that is the Traefik.
func (t *Traefik) Read(app *inventory.App) {
	switch s := app.Traefik; {
	case s == nil:
		t.Static = t.Static.AsUnread("its command has no flag of Traefik's")
	case s.Unread != "" || !s.Fetches:
		t.Static = t.Static.AsUnread(unread(*s))
	default:
		t.Static = t.Set.Over(*s)
		t.problems = append(t.problems, t.differences(app.Origin, *s)...)
	}
}

// differences are where the settings say something else than the Traefik's own flags.
func (t *Traefik) differences(origin string, read traefik.Static) inventory.Problems {
	var all inventory.Problems
	differ := func(key, set, read string) {
		all = append(all, inventory.Problem{Kind: inventory.TraefikDiffers, Text: fmt.Sprintf("%s is %q, but Traefik on %s has %q: what is set holds; remove it, or correct one of them", t.Key(key), set, origin, read)})
	}
	s := t.Set
	if s.Constraints != nil && read.Constraints != nil && s.Constraints.String() != read.Constraints.String() {
		differ("constraints", s.Constraints.String(), read.Constraints.String())
	}
	if s.ExposedByDefault != nil && read.ExposedByDefault != nil && *s.ExposedByDefault != *read.ExposedByDefault {
		differ("exposed_by_default", fmt.Sprint(*s.ExposedByDefault), fmt.Sprint(*read.ExposedByDefault))
	}
	if s.Network != "" && read.Network != "" && s.Network != read.Network {
		differ("network", s.Network, read.Network)
	}
	return all
}

// Key is that of a setting of the Traefik.
func (t *Traefik) Key(name string) string {
	if t.Endpoint == "" {
		return "traefik." + name
	}
	return "traefik.endpoints." + t.Endpoint + "." + name
}

// doubt tells what is not known of the Traefik, if somebody would have to say it.
func (d *Destination) doubt() {
	if !d.Static.Constraints.Readable() {
		d.Problems = append(d.Problems, inventory.Problem{Kind: inventory.ConstraintsUnreadable, Text: fmt.Sprintf("the constraints %q of Traefik are none that it can read: it leaves out every app, so nothing is published to it; correct them", d.Static.Constraints)})
	}
	if d.Static.Unread == "" || d.Static.Constraints != nil && d.Static.ExposedByDefault != nil {
		return
	}
	who := "a Traefik"
	if d.App != nil {
		who = "Traefik on " + d.App.Origin
	}
	d.Problems = append(d.Problems, inventory.Problem{Kind: inventory.TraefikUnknown, Text: fmt.Sprintf("%s fetches its routes, and %s: it gets those of all apps, also of such as its constraints or exposedByDefault leave out; set %s and %s as it has them",
		who, d.Static.Unread, d.Key("constraints"), d.Key("exposed_by_default"))})
}

// unread says why a Traefik's flags are not known. One that fetches its routes has an HTTP
// provider: what does not say so is not its configuration.
func unread(s traefik.Static) string {
	if s.Unread != "" {
		return s.Unread
	}
	return "its static configuration is in a file"
}

// Same reports whether nothing has changed that decides what a Traefik gets.
func (d *Destination) Same(o *Destination) bool {
	return d.Inventory == o.Inventory && d.Live == o.Live && d.Static.Equal(o.Static) && d.Set.Equal(o.Set) &&
		slices.Equal(d.networks, o.networks) && len(d.Elsewhere) == len(o.Elsewhere) &&
		(len(d.Elsewhere) == 0 || &d.Elsewhere[0] == &o.Elsewhere[0])
}

// Choose finds what the Traefik gets, and what its owner has to know of that.
func (d *Destination) Choose() {
	d.Withheld, d.apps = map[*inventory.Route]string{}, map[any]bool{}
	var all []PlacedRoute
	for _, name := range slices.Sorted(maps.Keys(d.Inventory.Routes)) {
		rt := d.Inventory.Routes[name]
		if why := d.Refuses(rt); why != "" {
			d.Withheld[rt] = why
			continue
		}
		all = append(all, PlacedRoute{Route: rt})
	}
	d.place(d.undisputed(all))
	for _, rt := range d.Routes {
		d.apps[rt.Definition.Live] = true
	}
	d.Ties = tiesOf(d.Routes)
	d.doubt()
}

// Refuses says why Traefik would not have the router of a route, were it not for Paastis.
// Empty: it would.
func (d *Destination) Refuses(rt *inventory.Route) string {
	if h := rt.Router.Holder(); h != nil {
		if why := d.leavesOut(h.Labels, h.App, rt.Router); why != "" {
			return why
		}
	}
	if !rt.Definition.IsUnlabelled() {
		if why := d.leavesOut(rt.Definition.Labels, rt.Definition.App, rt.Router); why != "" {
			return why
		}
	}
	switch {
	case !d.Static.Serves(*rt.Router.Router):
		return fmt.Sprintf("Traefik has none of its entry points %s", strings.Join(rt.Router.EntryPoints, ", "))
	case d.apart(rt):
		return "Traefik is in none of its networks"
	default:
		return ""
	}
}

// undisputed withholds the routes with a middleware that is defined in different ways, if what is
// published could have the wrong one: Traefik would take neither, and one of them alone could let
// in whom the other keeps out.
func (d *Destination) undisputed(all []PlacedRoute) []PlacedRoute {
	published := map[*inventory.Definition]bool{}
	for _, rt := range all {
		published[rt.Definition] = true
		if h := rt.Router.Holder(); h != nil {
			published[h] = true
		}
	}
	return slices.DeleteFunc(all, func(rt PlacedRoute) bool {
		middleware := rt.Router.Disputed(published)
		if middleware == "" {
			return false
		}
		why := fmt.Sprintf("its middleware %q is defined in different ways, of which Traefik takes none", middleware)
		d.Withheld[rt.Route] = why
		d.Problems = append(d.Problems, inventory.Problem{Kind: inventory.NotPublished, Text: fmt.Sprintf("router %q on %s is not published: %s; define it once, or give one another name", rt.Router.Name, rt.Definition.App.Origin, why)})
		return true
	})
}

// leavesOut says why Traefik leaves out a router of an app with these labels. Empty: it does not.
func (d *Destination) leavesOut(labels traefik.Labels, app *inventory.App, r *inventory.Router) string {
	switch {
	case labels.IsHidden() && !r.Given:
		return "its label traefik.enable=false keeps it from every Traefik"
	case !d.Static.Constraints.Match(app.Labels):
		return fmt.Sprintf("the constraints of Traefik leave it out: %s", d.Static.Constraints)
	case !r.Own && !d.Static.Exposes(labels):
		return "Traefik exposes nothing by default, and it has no label traefik.enable=true"
	default:
		return ""
	}
}

// apart reports whether Traefik is in none of the networks by which it would reach the app,
// so that it is Paastis alone that could carry requests there.
func (d *Destination) apart(rt *inventory.Route) bool {
	nets := rt.Definition.App.Networks
	if rt.Definition.App.HasOwnAddress() || d.isOfAnother(rt) || d.networks == nil || d.onHost || len(nets) == 0 || slices.Contains(nets, "host") || rt.Router.StaticURL != "" || rt.Foreign != "" {
		return false
	}
	if n := d.network(rt); n != "" {
		return !slices.Contains(d.networks, n)
	}
	return !slices.ContainsFunc(nets, func(n string) bool { return slices.Contains(d.networks, n) })
}

// isOfAnother reports whether the app is of another provider than Traefik: networks of the same
// name are not the same there.
func (d *Destination) isOfAnother(rt *inventory.Route) bool {
	return d.Provider != "" && d.Provider != rt.Definition.Provider()
}

// network is the one by which Traefik reaches the app, as the labels choose, else its own
// flags. Empty: any.
func (d *Destination) network(rt *inventory.Route) string {
	for _, n := range []string{rt.Network, d.Static.Network} {
		if n == "" {
			continue
		}
		if !slices.Contains(rt.Definition.App.Networks, n) {
			return "" // Traefik takes any, then
		}
		return n
	}
	return ""
}

// place finds the place of each route among the routers that Traefik has from others. One
// that has none is left to ForwardAuth.
func (d *Destination) place(all []PlacedRoute) {
	published := make(map[*inventory.Router]bool, len(all))
	routers := make([]dynamic.Rival, 0, len(all))
	for _, rt := range all {
		published[rt.Router] = true
		routers = append(routers, dynamic.Rival{Router: *rt.Router.Router, Rule: rt.Router.Match, Alone: rt.Router.By == inventory.ByHost, Origin: rt.Definition.App.Origin})
	}
	for i, placed := range dynamic.Place(d.Static, routers, d.rivals(published)) {
		rt := all[i]
		if err := placed.Err; err != nil {
			d.Withheld[rt.Route] = err.Error()
			d.Problems = append(d.Problems, inventory.Problem{Kind: inventory.NotPublished, Text: fmt.Sprintf("router %q on %s is not published: %v; until then only ForwardAuth wakes its app", rt.Router.Name, rt.Definition.App.Origin, err)})
			continue
		}
		rt.Placed = placed
		d.Routes = append(d.Routes, rt)
	}
}

// rivals are the routers that Traefik may have and Paastis does not publish to it: those of
// apps that are not managed, or left to ForwardAuth, whether they run now or not; and those
// of other providers, as far as its API tells.
func (d *Destination) rivals(published map[*inventory.Router]bool) []dynamic.Rival {
	var all []dynamic.Rival
	for _, e := range d.Inventory.Definitions {
		keeps := d.Static.Keeps(e.Labels)
		for i := range e.Routers {
			r := &e.Routers[i]
			if !published[r] && (r.Given || keeps && !r.Own) && r.Match != nil && d.Static.Serves(*r.Router) {
				all = append(all, dynamic.Rival{Router: *r.Router, Rule: r.Match, Origin: e.App.Origin})
			}
		}
	}
	for _, r := range d.Elsewhere {
		if rule, err := rule.Parse(r.Rule, r.RuleSyntax); err == nil {
			all = append(all, dynamic.Rival{Router: r.Router, Rule: rule, Origin: "provider " + r.Provider})
		}
	}
	return all
}

// Withheld is a router that is not published to a Traefik.
type Withheld struct {
	Definition *inventory.Definition
	Router     string
	// Why says it, for people.
	Why string
}

// WithheldFrom returns what is not published to the Traefik that an app runs as, sorted, and
// what its owner has to know of it, a line each. set is what the settings say of it.
func WithheldFrom(inv *inventory.Inventory, app *inventory.App, set traefik.Static) ([]Withheld, []string) {
	t := Traefik{Set: set, Static: set}
	t.Read(app)
	d := Begin(inv, t)
	d.networks, d.onHost = app.Networks, slices.Contains(app.Networks, "host")
	d.Choose()
	var all []Withheld
	for rt, why := range d.Withheld {
		all = append(all, Withheld{rt.Definition, rt.Router.Name, why})
	}
	slices.SortFunc(all, func(a, b Withheld) int {
		return cmp.Or(strings.Compare(a.Definition.Name, b.Definition.Name), strings.Compare(a.Router, b.Router))
	})
	return all, d.Problems.Texts()
}

package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/dynamic"
	"github.com/paastis/paastis/traefik/rule"
)

// recogniseLimit bounds a look for a Traefik's container. Traefik itself waits 5 s for its
// routes.
const recogniseLimit = 2 * time.Second

// fetcher is who fetches the routes: an address, and the endpoint that it asks. The empty
// endpoint is /traefik/config itself.
type fetcher struct {
	address  netip.Addr
	endpoint string
}

// destination is a Traefik that routes are published to, as far as it is known: by the
// settings of its endpoint, by its container's own flags, and by its API. It never changes.
type destination struct {
	endpoint  string
	set       traefik.Static // by the settings
	static    traefik.Static // set, and what is read of it
	keeper    *Keeper        // of the app that it runs as; nil: it is none of those that are known
	networks  networks       // that it is in; nil: not known
	onHost    bool           // it uses the network of the engine's host: it may reach anything
	inventory *inventory.Inventory
	elsewhere []api.Router // of other providers, by its API

	// routes are what it gets, sorted by name; apps are those that they lead to.
	routes []placedRoute
	apps   map[*Keeper]bool
	// ties are those of several apps that take the same requests.
	ties [][]*inventory.Route
	// withheld says why it does not get the others.
	withheld map[*inventory.Route]string
	// problems are what its owner has to know.
	problems inventory.Problems
}

// placedRoute is a route, and its place among the routers of others.
type placedRoute struct {
	*inventory.Route
	placed dynamic.Placed
}

// destination is what is known now of the Traefik that fetches. Called with the lock held.
func (pub *Publisher) destination(who fetcher) *destination {
	inv := pub.definitions.inventory.Load()
	d := &destination{endpoint: who.endpoint, set: pub.definitions.settings.Traefik, inventory: inv, elsewhere: pub.listed[who.endpoint].elsewhere}
	if who.endpoint != "" {
		d.set = pub.definitions.settings.Endpoints[who.endpoint]
	}
	d.static = d.set
	d.keeper = pub.keepers.at(who.address)
	if d.keeper != nil {
		d.networks, d.onHost = d.keeper.app.Networks, slices.Contains(d.keeper.app.Networks, "host")
	}
	read := d.keeper
	if read == nil {
		read = pub.keepers.onlyOnHost()
	}
	switch {
	case read != nil:
		d.read(read.app)
	case pub.keepers.hasTraefik():
		d.static = d.static.AsUnread("it is in none of the containers that Paastis knows, beside others that are")
	}
	if before := pub.destinations[who]; before != nil && before.same(d) {
		return before
	}
	d.choose()
	d.doubt()
	pub.keepDestination(who, d)
	return d
}

// read lays what is set over the flags of the app that the Traefik runs as.
func (d *destination) read(app *inventory.App) {
	switch s := app.Traefik; {
	case s == nil:
		d.static = d.static.AsUnread("its command has no flag of Traefik's")
	case s.Unread != "" || !s.Fetches:
		d.static = d.static.AsUnread(unread(*s))
	default:
		d.static = d.set.Over(*s)
		d.problems = append(d.problems, d.differences(app.Origin, *s)...)
	}
}

// differences are where the settings say something else than the Traefik's own flags.
func (d *destination) differences(origin string, read traefik.Static) inventory.Problems {
	var all inventory.Problems
	differ := func(key, set, read string) {
		all = append(all, inventory.Problem{Kind: inventory.TraefikDiffers, Text: fmt.Sprintf("%s is %q, but Traefik on %s has %q: what is set holds; remove it, or correct one of them", d.key(key), set, origin, read)})
	}
	s := d.set
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

// key is that of a setting of the Traefik.
func (d *destination) key(name string) string {
	if d.endpoint == "" {
		return "traefik." + name
	}
	return "traefik.endpoints." + d.endpoint + "." + name
}

// doubt tells what is not known of the Traefik, if somebody would have to say it.
func (d *destination) doubt() {
	if !d.static.Constraints.Readable() {
		d.problems = append(d.problems, inventory.Problem{Kind: inventory.ConstraintsUnreadable, Text: fmt.Sprintf("the constraints %q of Traefik are none that it can read: it leaves out every app, so nothing is published to it; correct them", d.static.Constraints)})
	}
	if d.static.Unread == "" || d.static.Constraints != nil && d.static.ExposedByDefault != nil {
		return
	}
	who := "a Traefik"
	if d.keeper != nil {
		who = "Traefik on " + d.keeper.app.Origin
	}
	d.problems = append(d.problems, inventory.Problem{Kind: inventory.TraefikUnknown, Text: fmt.Sprintf("%s fetches its routes, and %s: it gets those of all apps, also of such as its constraints or exposedByDefault leave out; set %s and %s as it has them",
		who, d.static.Unread, d.key("constraints"), d.key("exposed_by_default"))})
}

// unread says why a Traefik's flags are not known. One that fetches its routes has an HTTP
// provider: what does not say so is not its configuration.
func unread(s traefik.Static) string {
	if s.Unread != "" {
		return s.Unread
	}
	return "its static configuration is in a file"
}

// same reports whether nothing has changed that decides what a Traefik gets.
func (d *destination) same(o *destination) bool {
	return d.inventory == o.inventory && d.keeper == o.keeper && d.static.Equal(o.static) && d.set.Equal(o.set) &&
		slices.Equal(d.networks, o.networks) && len(d.elsewhere) == len(o.elsewhere) &&
		(len(d.elsewhere) == 0 || &d.elsewhere[0] == &o.elsewhere[0])
}

// choose finds what the Traefik gets.
func (d *destination) choose() {
	d.withheld, d.apps = map[*inventory.Route]string{}, map[*Keeper]bool{}
	var all []placedRoute
	for _, name := range slices.Sorted(maps.Keys(d.inventory.Routes)) {
		rt := d.inventory.Routes[name]
		if why := d.refuses(rt); why != "" {
			d.withheld[rt] = why
			continue
		}
		all = append(all, placedRoute{Route: rt})
	}
	d.place(all)
	for _, rt := range d.routes {
		d.apps[KeeperOfRoute(rt.Route)] = true
	}
	d.ties = tiesOf(d.routes)
}

// refuses says why Traefik would not have the router of a route, were it not for Paastis.
// Empty: it would.
func (d *destination) refuses(rt *inventory.Route) string {
	if h := rt.Router.Holder(); h != nil {
		if why := d.leavesOut(h.Labels, h.App, rt.Router.Own); why != "" {
			return why
		}
	}
	if why := d.leavesOut(rt.Definition.Labels, rt.Definition.App, rt.Router.Own); why != "" {
		return why
	}
	switch {
	case !d.static.Serves(rt.Router.Router):
		return fmt.Sprintf("Traefik has none of its entry points %s", strings.Join(rt.Router.EntryPoints, ", "))
	case d.apart(rt):
		return "Traefik is in none of its networks"
	default:
		return ""
	}
}

// leavesOut says why Traefik leaves out an app with these labels. Empty: it does not.
func (d *destination) leavesOut(labels traefik.Labels, app *inventory.App, own bool) string {
	switch {
	case labels.Enable != nil && !*labels.Enable:
		return "its label traefik.enable=false keeps it from every Traefik"
	case !d.static.Constraints.Match(app.Labels):
		return fmt.Sprintf("the constraints of Traefik leave it out: %s", d.static.Constraints)
	case !own && !d.static.Exposes(labels):
		return "Traefik exposes nothing by default, and it has no label traefik.enable=true"
	default:
		return ""
	}
}

// apart reports whether Traefik is in none of the networks by which it would reach the app,
// so that it is Paastis alone that could carry requests there.
func (d *destination) apart(rt *inventory.Route) bool {
	nets := rt.Definition.App.Networks
	if rt.Definition.App.Mapping() != nil || d.isOfAnother(rt) || d.networks == nil || d.onHost || len(nets) == 0 || slices.Contains(nets, "host") || rt.Router.StaticURL != "" || rt.Foreign != "" {
		return false
	}
	if n := d.network(rt); n != "" {
		return !slices.Contains(d.networks, n)
	}
	return !slices.ContainsFunc(nets, func(n string) bool { return slices.Contains(d.networks, n) })
}

// isOfAnother reports whether the app is of another provider than Traefik: networks of the same
// name are not the same there.
func (d *destination) isOfAnother(rt *inventory.Route) bool {
	return d.keeper != nil && d.keeper.provider.ID() != rt.Definition.Provider()
}

// network is the one by which Traefik reaches the app, as the labels choose, else its own
// flags. Empty: any.
func (d *destination) network(rt *inventory.Route) string {
	for _, n := range []string{rt.Network, d.static.Network} {
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
func (d *destination) place(all []placedRoute) {
	published := make(map[*inventory.Router]bool, len(all))
	routers := make([]dynamic.Rival, 0, len(all))
	for _, rt := range all {
		published[rt.Router] = true
		routers = append(routers, dynamic.Rival{Router: rt.Router.Router, Rule: rt.Router.Match, Origin: rt.Definition.App.Origin})
	}
	for i, placed := range dynamic.Place(d.static, routers, d.rivals(published)) {
		rt := all[i]
		if err := placed.Err; err != nil {
			d.withheld[rt.Route] = err.Error()
			d.problems = append(d.problems, inventory.Problem{Kind: inventory.NotPublished, Text: fmt.Sprintf("router %q on %s is not published: %v; until then only ForwardAuth wakes its app", rt.Router.Name, rt.Definition.App.Origin, err)})
			continue
		}
		rt.placed = placed
		d.routes = append(d.routes, rt)
	}
}

// rivals are the routers that Traefik may have and Paastis does not publish to it: those of
// apps that are not managed, or left to ForwardAuth, whether they run now or not; and those
// of other providers, as far as its API tells.
func (d *destination) rivals(published map[*inventory.Router]bool) []dynamic.Rival {
	var all []dynamic.Rival
	for _, e := range d.inventory.Entries {
		if !d.static.Keeps(e.Labels) {
			continue
		}
		for i := range e.Routers {
			r := &e.Routers[i]
			if !published[r] && !r.Own && r.Match != nil && d.static.Serves(r.Router) {
				all = append(all, dynamic.Rival{Router: r.Router, Rule: r.Match, Origin: e.App.Origin})
			}
		}
	}
	for _, r := range d.elsewhere {
		if rule, err := rule.Parse(r.Rule, r.RuleSyntax); err == nil {
			all = append(all, dynamic.Rival{Router: r.Router, Rule: rule, Origin: "provider " + r.Provider})
		}
	}
	return all
}

// Recognise looks for the container of a Traefik that asks for the routes, if no app is known
// to have its address: it may have started just now. It blocks for the providers' answers,
// once for each Traefik.
func (pub *Publisher) Recognise(ctx context.Context, address netip.Addr) {
	pub.mu.Lock()
	known := pub.keepers.at(address) != nil || pub.strangers[address]
	if !known {
		if len(pub.strangers) >= mostReady {
			clear(pub.strangers)
		}
		pub.strangers[address] = true
	}
	pub.mu.Unlock()
	if known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recogniseLimit)
	defer cancel()
	for _, p := range pub.intake.providers {
		if report, err := p.List(ctx); err == nil {
			pub.intake.apply(p, report)
		}
	}
}

// HasEndpoint reports whether the settings have an endpoint of that name.
func (pub *Publisher) HasEndpoint(name string) bool {
	pub.mu.Lock()
	defer pub.unlock()
	_, has := pub.definitions.settings.Endpoints[name]
	return has
}

// Withheld is a router that is not published to a Traefik.
type Withheld struct {
	Entry  *inventory.Definition
	Router string
	// Why says it, for people.
	Why string
}

// WithheldFrom returns what is not published to the Traefik that an app runs as, sorted, and
// what its owner has to know of it, a line each. set is what the settings say of it.
func WithheldFrom(inv *inventory.Inventory, app *inventory.App, set traefik.Static) ([]Withheld, []string) {
	d := &destination{set: set, static: set, inventory: inv, networks: app.Networks, onHost: slices.Contains(app.Networks, "host")}
	d.read(app)
	d.choose()
	d.doubt()
	var all []Withheld
	for rt, why := range d.withheld {
		all = append(all, Withheld{rt.Definition, rt.Router.Name, why})
	}
	slices.SortFunc(all, func(a, b Withheld) int {
		return cmp.Or(strings.Compare(a.Entry.Name, b.Entry.Name), strings.Compare(a.Router, b.Router))
	})
	return all, d.problems.Texts()
}

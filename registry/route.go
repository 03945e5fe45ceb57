package registry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// Route is a router of an app as Paastis publishes it: it leads to the app while that
// is awake, and to Paastis in every other state.
type Route struct {
	// Name of the route in all that is published; it is in the mark of the requests that
	// come by it.
	Name string

	entry   *Entry
	router  *Router
	foreign string // service of somebody else's that the router leads to; empty: none
	scheme  string // http, https or h2c
	port    uint16
	network string // that the labels choose; empty: any
}

// Target is where Paastis itself reaches the app behind a route: one of its instances
// that serve. Nil if it reaches none.
func (r *Registry) Target(rt *Route) *url.URL {
	r.mu.Lock()
	defer r.unlock()
	var targets []string
	for _, i := range r.prober.serving(KeeperOfRoute(rt)) {
		at := i.Reach(rt.port)
		if at == "" && i.Machine.IsValid() {
			at = rt.at(i.Machine.String())
		}
		if at != "" {
			targets = append(targets, at)
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return rt.url(targets[rand.IntN(len(targets))])
}

// url is that of the app at a host and port.
func (rt *Route) url(address string) *url.URL { return &url.URL{Scheme: rt.scheme, Host: address} }

// at is the route's port at a host.
func (rt *Route) at(host string) string {
	return net.JoinHostPort(host, strconv.Itoa(int(rt.port)))
}

// publish finds the routes of the managed apps that are not left to ForwardAuth, or better
// are.
func (inv *Inventory) publish(s Settings) {
	inv.routes = map[string]*Route{}
	for _, e := range inv.Entries {
		if !e.Managed || e.Mode == rules.ForwardAuth || e.unread() || e.isBetterAsked() {
			continue
		}
		for i := range e.Routers {
			if rt := e.route(&e.Routers[i]); rt != nil && !e.uncopied(rt.router, s.newer()) {
				inv.name(rt)
				e.Routes = append(e.Routes, rt)
			}
		}
	}
}

// unread tells that the app has a label without which it must not be published. What
// Paastis published of it could lack a middleware that guards it.
func (e *Entry) unread() bool {
	labels, others := e.labels.Unreadable()
	switch {
	case len(e.Routers) == 0:
	case len(labels) > 0:
		e.problem("label %q on %s cannot be read by Traefik, so its routes are not published; correct it", labels[0], e.App.Origin)
	case len(others) > 0 && !e.Routers[0].Own:
		e.problem("label %q on %s is none that Traefik 3.7 or an older one can read: it leaves out the routers of the app %q, and those that Paastis publishes, without it, may take requests that are another app's by Traefik's labels alone; correct it, or remove it", others[0], e.App.Origin, e.Name)
	}
	return len(labels) > 0
}

// uncopied reports whether the router needs a middleware that Traefik has only while the app
// runs: published, it would be broken while the app sleeps.
func (e *Entry) uncopied(r *Router, newer bool) bool {
	holder := e.holderOf(r)
	if holder.AllowNonRunning {
		return false
	}
	name := holder.labels.Uncopied(r.Router, newer)
	if name != "" {
		e.problem("middleware %q on %s has an option that only a Traefik later than 3.6 knows, so router %q is not published without the label traefik.docker.allownonrunning=true; set it, or traefik.api_url, by which Paastis sees what Traefik knows", name, holder.App.Origin, r.Name)
	}
	return name != ""
}

// route is how a router is published. Nil if it cannot be: a problem says why.
func (e *Entry) route(r *Router) *Route {
	rt := &Route{entry: e, router: r, foreign: r.Foreign(), scheme: e.labels.Scheme(r.Router), network: e.labels.Docker.Network}
	rt.port = cmp.Or(r.Port, e.Properties.Port)
	if rt.port == 0 && len(e.App.Ports) > 0 {
		rt.port = e.App.Ports[0]
	}
	switch {
	case r.Match == nil, r.lost:
		return nil // it has a problem already
	case r.holder != nil && len(r.holder.labels.Unpublishable()) > 0:
		e.problem("router %q on %s is not published: Traefik cannot read the label %q there; correct it", r.Name, r.holder.App.Origin, r.holder.labels.Unpublishable()[0])
		return nil
	case rt.port == 0:
		e.problem("router %q on %s: no port is known, so its route is not published; add the label paastis.port", r.Name, e.App.Origin)
		return nil
	}
	return rt
}

// name gives a route the name that nobody else has, of the app and the router. Rules do not
// change it, nor do other apps of the provider: requests by a name that Traefik still knows
// get where they belong.
func (inv *Inventory) name(rt *Route) {
	app := rt.entry.App.Name
	name := slug(app)
	if rt.router.Name != app {
		name += "." + slug(rt.router.Name)
	}
	rt.Name = name
	for n := 2; inv.routes[rt.Name] != nil; n++ { // of another provider
		rt.Name = fmt.Sprintf("%s.%d", name, n)
	}
	inv.routes[rt.Name] = rt
}

// slug leaves what may stand in the name of a router and in a path, and no dot. No two
// names have the same one.
func slug(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02x", c)
		}
	}
	return b.String()
}

// ownRouter is the router of an app that has a rule of Paastis's and none of Traefik's.
func (e *Entry) ownRouter() {
	if e.Rule == "" {
		return
	}
	if len(e.Routers) > 0 {
		e.problem("rule of app %q (%s): left out, for the labels of %s have routers of Traefik's", e.Name, e.Origins["rule"], e.App.Origin)
		return
	}
	router := Router{Router: traefik.Router{Name: e.App.Name, Rule: e.Rule}, Port: e.Properties.Port, Own: true}
	var err error
	if router.Match, err = rule.Parse(e.Rule, ""); err != nil {
		e.problem("rule of app %q (%s): %v; its requests are not recognised", e.Name, e.Origins["rule"], err)
	}
	if e.labels.Enable != nil && !*e.labels.Enable {
		e.problem("rule of app %q (%s): not published, for traefik.enable=false on %s keeps it from every Traefik; remove one of them", e.Name, e.Origins["rule"], e.App.Origin)
	}
	e.Routers = append(e.Routers, router)
}

// serversOf are the URLs by which a Traefik reaches those instances of the app behind a route
// that serve, sorted. None if it does not run, or if Traefik reaches it only otherwise. Nil is
// a Traefik of which nothing is known.
func serversOf(rt *Route, app *inventory.App, serving []inventory.Instance, to *destination) []string {
	if rt.router.StaticURL != "" {
		return []string{rt.router.StaticURL}
	}
	network := sharedNetwork(rt, app, to)
	var servers []string
	for _, i := range serving {
		if at := serverOf(rt, app, i, network, to); at != "" {
			servers = append(servers, rt.url(at).String())
		}
	}
	slices.Sort(servers)
	return servers
}

// serverOf is where a Traefik reaches an instance, in a network that both are in if there is one;
// empty if it does not.
func serverOf(rt *Route, app *inventory.App, i inventory.Instance, network string, to *destination) string {
	switch {
	case i.Mapped != nil:
		return i.Mapped.At(rt.port)
	case network != "" && len(app.Networks) > 1:
		return rt.at(cmp.Or(i.Host, i.Name) + "." + network) // it may have another address elsewhere
	case network != "":
		return rt.at(cmp.Or(i.Host, i.Name))
	case i.Address.IsValid():
		return rt.at(i.Address.String())
	case len(i.Addresses) > 0:
		return rt.at(i.Addresses[0].String())
	case i.Machine.IsValid() && to != nil && to.onHost:
		return rt.at(loopback)
	case i.Machine.IsValid():
		return rt.at(i.Machine.String())
	default:
		return ""
	}
}

// loopback is where a Traefik on the network of the machine finds an app that is there, too.
const loopback = "127.0.0.1"

// sharedNetwork is the network in which Traefik knows the app by the names of its containers: the
// one that labels or Traefik's flags choose, or one that both are in. Empty if there is
// none.
func sharedNetwork(rt *Route, app *inventory.App, to *destination) string {
	if to == nil || to.isOfAnother(rt) {
		return ""
	}
	chosen := to.network(rt)
	for _, n := range app.Networks {
		if to.networks.has(n) && (chosen == "" || chosen == n) && (rt.network == "" || rt.network == n) {
			return n
		}
	}
	return ""
}

// networks are those that a Traefik is in. Nil: none is known.
type networks []string

// has tells whether names are resolved in a network: not in those that the engine
// itself has made.
func (ns networks) has(network string) bool {
	return network != "bridge" && network != "host" && network != "none" && slices.Contains(ns, network)
}

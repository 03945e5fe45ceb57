package inventory

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// Route is a router of an app as Paastis publishes it: it leads to the app while that
// is awake, and to Paastis in every other state.
type Route struct {
	// Name of the route in all that is published; it is in the mark of the requests that
	// come by it.
	Name string

	// Definition is the app, Router the one of its routers that is published.
	Definition *Definition
	Router     *Router
	// Foreign is a service of somebody else's that the router leads to. Empty: none.
	Foreign string
	// Beside reports whether the server in its labels is another app.
	Beside bool
	// Scheme and Port are how the app is spoken to, and where: http, https or h2c.
	Scheme string
	Port   uint16
	// Network is the one that the labels choose. Empty: any.
	Network string
}

// publishing finds what Paastis publishes, and what it does not: a step of Resolve.
type publishing struct {
	*Inventory
}

// Labels are those of the app that what is published has something of: none, if they are kept
// from every Traefik.
func (rt *Route) Labels() traefik.Labels {
	if rt.Definition.Labels.IsHidden() {
		return traefik.Labels{}
	}
	return rt.Definition.Labels
}

// URL is that of the app at a host and port.
func (rt *Route) URL(address string) *url.URL { return &url.URL{Scheme: rt.Scheme, Host: address} }

// At is the route's port at a host.
func (rt *Route) At(host string) string {
	return net.JoinHostPort(host, strconv.Itoa(int(rt.Port)))
}

// publish finds the routes of the managed apps that are not left to ForwardAuth, or better
// are, and of those that are left alone, to which nobody else leads.
func (inv publishing) publish(s Settings) {
	inv.Routes = map[string]*Route{}
	for _, e := range inv.Definitions {
		if !e.Managed && !e.IsLeftAlone() || e.Mode == rules.ForwardAuth {
			continue
		}
		unread := inv.unread(e)
		if inv.isBetterAsked(e) {
			continue
		}
		for i := range e.Routers {
			if unread && e.Routers[i].needsLabels(e.Labels) {
				continue
			}
			if rt := inv.route(e, &e.Routers[i]); rt != nil && !inv.uncopied(e, rt.Router, s.IsNewer()) {
				inv.name(rt)
				e.Routes = append(e.Routes, rt)
			}
		}
	}
}

// unread reports whether the app has a label without which what its labels say must not be published.
// What Paastis published of it could lack a middleware that guards it.
func (inv publishing) unread(e *Definition) bool {
	labels, others := e.Labels.Unreadable()
	routes := "its routes"
	if slices.ContainsFunc(e.Routers, func(r Router) bool { return r.Given }) {
		routes = "the routes that need its labels"
	}
	switch {
	case !slices.ContainsFunc(e.Routers, func(r Router) bool { return r.needsLabels(e.Labels) }):
	case len(labels) > 0:
		e.problem(LabelUnreadable, "label %q on %s cannot be read by Traefik, so %s are not published; correct it", labels[0], e.App.Origin, routes)
	case len(others) > 0 && slices.ContainsFunc(e.Routers, func(r Router) bool { return !r.Own }):
		e.problem(LabelUnknown, "label %q on %s is none that Traefik 3.7 or an older one can read: it leaves out the routers of the app %q, and those that Paastis publishes, without it, may take requests that are another app's by Traefik's labels alone; correct it, or remove it", others[0], e.App.Origin, e.Name)
	}
	return len(labels) > 0
}

// uncopied reports whether the router needs a middleware that Traefik has only while the app
// runs: published, it would be broken while the app sleeps.
func (inv publishing) uncopied(e *Definition, r *Router, newer bool) bool {
	holder := r.holderOr(e)
	if holder.AllowNonRunning {
		return false
	}
	name := holder.Labels.Uncopied(*r.Router, newer)
	if name != "" {
		e.problem(OptionTooNew, "middleware %q on %s has an option that only a Traefik later than 3.6 knows, so router %q is not published without the label traefik.docker.allownonrunning=true; set it, or traefik.api_url, by which Paastis sees what Traefik knows", name, holder.App.Origin, r.Name)
	}
	return name != ""
}

// route is how a router is published. Nil if it cannot be: a problem says why.
func (inv publishing) route(e *Definition, r *Router) *Route {
	rt := &Route{Definition: e, Router: r, Foreign: r.Foreign(), Scheme: e.Labels.Scheme(*r.Router), Network: e.Labels.Docker.Network}
	rt.Beside = inv.leadsToAnother(e, r.StaticURL)
	rt.Port = cmp.Or(r.Port, e.Properties.Port)
	if rt.Port == 0 && len(e.App.Ports) > 0 {
		rt.Port = e.App.Ports[0]
	}
	if e.URL != nil {
		rt.Scheme, rt.Port = e.URL.Scheme, urlPort(e.URL)
	}
	switch {
	case r.Match == nil, r.lost:
		return nil // it has a problem already
	case r.HeldBy != nil && len(r.HeldBy.Labels.Unpublishable()) > 0:
		e.problem(LabelUnreadable, "router %q on %s is not published: Traefik cannot read the label %q there; correct it", r.Name, r.HeldBy.App.Origin, r.HeldBy.Labels.Unpublishable()[0])
		return nil
	case e.App.URL != "" && e.URL == nil && r.StaticURL == "" && rt.Foreign == "":
		return nil // it leads nowhere, which is a problem already
	case rt.Port == 0 && e.IsUnlabelled():
		e.problem(AddressUnknown, "router %q of app %q is not published: its platform tells no URL of it, so nobody reaches it; see whether it has one there, or leave the app out of the rule that gives it the router (%s)", r.Name, e.Name, e.App.Origin)
		return nil
	case rt.Port == 0:
		e.problem(PortUnknown, "router %q on %s: no port is known, so its route is not published; add the label paastis.port", r.Name, e.App.Origin)
		return nil
	}
	return rt
}

// name gives a route the name that nobody else has, of the app and the router. Rules do not
// change it, nor do other apps of the provider: requests by a name that Traefik still knows
// get where they belong.
func (inv publishing) name(rt *Route) {
	app := rt.Definition.App.Name
	name := slug(app)
	if rt.Router.Name != app {
		name += "." + slug(rt.Router.Name)
	}
	rt.Name = name
	for n := 2; inv.Routes[rt.Name] != nil; n++ { // of another provider
		rt.Name = fmt.Sprintf("%s.%d", name, n)
	}
	inv.Routes[rt.Name] = rt
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
func (o *reading) ownRouter(e *Definition) {
	if e.Rule == "" {
		return
	}
	if len(e.Routers) > 0 {
		e.problem(RuleLeftOut, "rule of app %q (%s): left out, for %s", e.Name, e.Origins["rule"], whoseRouters(e))
		return
	}
	e.addOwnRouter(ByRule, e.App.Name, e.Rule)
}

// Takes reports whether a request that has the route's mark may have come by its router, and
// makes it what the visitor made it, as far as that can be told: see Restore. A mark alone
// opens nothing: what else Traefik routes to Paastis has another host.
func (rt *Route) Takes(req *traefik.Request) bool {
	return rt.Restore(req) || rt.Router.Match.Could(req, rt.tellsPath(req))
}

// tellsPath reports whether the path that the visitor asked for is known, for no middleware
// may have changed it in a way that cannot be undone: neither one of the router's, nor one of
// its entry point's.
func (rt *Route) tellsPath(req *traefik.Request) bool {
	rewrites := rt.Router.AllRewrites
	return rewrites.IsKnown() && rewrites.LeavesTrace() && req.Header["X-Forwarded-Prefix"] == nil && req.Header["X-Replaced-Path"] == nil
}

// Unproven are the services through which Traefik may not reach the app as soon as it
// answers: those whose server it has to find, and those whose health it checks itself.
func (e *Definition) Unproven() []string {
	var services []string
	for _, r := range e.Routers {
		if r.StaticURL != "" && !r.Checked || r.Service == "" || r.Own {
			continue
		}
		service := r.Service
		if !strings.Contains(service, "@") {
			service += "@" + e.TraefikProvider()
		}
		services = append(services, service)
	}
	slices.Sort(services)
	return slices.Compact(services)
}

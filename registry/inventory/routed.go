package inventory

import (
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// Find is the app that a request belongs to; nil if none is known. The definition may be that of one
// that is not managed.
//
// It is that of the router that takes the request, among those that Traefik has now. If
// there is none, it is one that the request's host names: a running app by its name, else
// one whose router would ask Paastis about the host if Traefik had it, for whoever asks has
// a router of which no label tells, such as one of a file for all apps that sleep.
//
// It makes the request what the visitor made it, before the middlewares of the router.
func (inv *Inventory) Find(req *traefik.Request) *Definition { return inv.FindFor(req, "") }

// FindFor is Find among the routers of the Traefik that runs as the app of an ID; empty, or
// one of which nothing is known: among those of all.
func (inv *Inventory) FindFor(req *traefik.Request, by string) *Definition {
	had := inv.hadBy(by)
	if r, _, ok := had.present.Recognize(req); ok {
		return r.App()
	}
	label, _, _ := strings.Cut(req.Host, ".")
	named := inv.ByName[label]
	if named != nil && named.IsPresent(Kept|Published) {
		return named
	}
	if r, _, ok := had.claiming.Recognize(req); ok {
		return r.App()
	}
	return named
}

// Route is the router that a request takes, and its app; nil if no label has one for it.
// It need not be one that Traefik has now, if none that it has takes the request.
func (inv *Inventory) Route(req *traefik.Request) (*Definition, *Router) {
	return inv.RouteFor(req, "")
}

// RouteFor is Route among the routers of a Traefik; see FindFor.
func (inv *Inventory) RouteFor(req *traefik.Request, by string) (*Definition, *Router) {
	r := inv.hadBy(by).route(req)
	if r == nil {
		return nil, nil
	}
	return r.App(), r
}

// route is the router that a request takes: one that is there now, else one that may be. Nil:
// none does.
func (t *tables) route(req *traefik.Request) *Router {
	r, _, ok := t.present.Lookup(req)
	if !ok {
		r, _, _ = t.all.Lookup(req)
	}
	return r
}

// There reports whether Traefik has the router now, as far as is known.
func (r *Router) There() bool {
	switch {
	case r.Own, r.Definition.IsPresent(Published):
		return true
	case r.lost, !r.Definition.IsPresent(Kept), r.HeldBy != nil && !r.HeldBy.IsPresent(Kept), slices.ContainsFunc(r.disputes, dispute.isOn):
		return false
	default:
		return !slices.ContainsFunc(r.rivals, isKept) && !slices.ContainsFunc(r.guards, func(any []*Definition) bool { return !slices.ContainsFunc(any, isKept) })
	}
}

// isKept reports whether Traefik has what the app's labels define.
func isKept(e *Definition) bool { return e.IsPresent(Kept) }

// claims reports whether the router asks Paastis, about some hosts alone.
func (r *Router) claims() bool { return r.Paastis && r.bound }

// Live is what an inventory asks of who keeps an app.
type Live interface {
	// Present is why Traefik has the app's routers now. It may be called by several at once, and
	// never blocks.
	Present() Presence
}

// Presence says why Traefik has the routers of an app. Zero: it does not.
type Presence = uint32

const (
	// Kept: Traefik makes them of the labels.
	Kept Presence = 1 << iota
	// Published: Paastis publishes them.
	Published
)

// IsPresent reports whether Traefik has the app's routers for that reason, or one of those.
func (e *Definition) IsPresent(why Presence) bool {
	if e.Live == nil {
		return e.KeptAs(e.App) && why&Kept != 0
	}
	return e.Live.Present()&why != 0
}

// KeptAs reports whether a Traefik keeps one of the app's containers as they are.
func (e *Definition) KeptAs(app *App) bool {
	return !e.LeftOut && slices.ContainsFunc(app.Instances, func(i Instance) bool {
		switch well := i.Health == NoHealth || i.Health == Healthy; {
		case i.Status == Running && well:
			return e.LacksServer(app) == ""
		case i.Status == Running && e.unhealthyToo:
			return true
		default:
			return e.AllowNonRunning
		}
	})
}

// LacksServer says what Traefik finds no server for while the app runs, by a report of it: a
// service of the labels whose address they do not give. Then it leaves out the app as a whole.
// Empty: it finds one for each.
func (e *Definition) LacksServer(app *App) string {
	for _, service := range e.Labels.Services {
		server := traefik.Server{}
		if len(service.Servers) > 0 {
			server = service.Servers[0]
		}
		switch {
		case server.URL != "", app.URL != "":
		case slices.Equal(app.Networks, []string{"none"}):
			return "it is in no network"
		case server.Port == "" && (len(app.Ports) == 0 || slices.Contains(app.Networks, "host")):
			return "no port is known"
		}
	}
	return ""
}

// routers are those of all apps, managed or not: a request may belong to an app that
// Paastis must leave alone. With a Traefik they are those that its flags let it have.
func (inv *Inventory) routers(by *traefik.Static) []rule.Entry[*Router] {
	var routes []rule.Entry[*Router]
	for _, e := range inv.Definitions {
		for i := range e.Routers {
			r := &e.Routers[i]
			if r.Match == nil || by != nil && !r.isFor(*by) {
				continue
			}
			ways := r.ways
			if by != nil && r.tellsWays() {
				ways = by.Ways(*r.Router)
			}
			routes = append(routes, rule.Entry[*Router]{
				Rule: r.Match, Router: r.Name, Priority: r.Priority, Prefer: r.Paastis, Rewrites: r.Rewrites,
				TLS: r.TLS, Ways: ways, Silent: r.silent(), Value: r,
			})
		}
	}
	return routes
}

// isFor reports whether a Traefik would have the router by its own flags.
func (r *Router) isFor(by traefik.Static) bool {
	if r.Own {
		return !r.Given || by.Serves(*r.Router)
	}
	return by.Keeps(r.Definition.Labels) && by.Keeps(r.holderOr(r.Definition).Labels) && by.Serves(*r.Router)
}

// silent reports whether Traefik asks Paastis nothing about the router's requests, as far as
// labels tell: there may be more in middlewares that none of them defines.
func (r *Router) silent() bool {
	return !r.Paastis && !r.App().Managed && !r.asksBefore && len(r.Rewrites) == 0
}

// tables are the routers that some Traefiks have: all of them, those that are there now, and
// those of managed apps for certain hosts.
type tables struct{ all, present, claiming *rule.Table[*Router] }

func newTables(routers []rule.Entry[*Router]) *tables {
	all := rule.NewTable(routers)
	return &tables{all, all.Among((*Router).There), all.Among((*Router).claims)}
}

// hadBy are the tables of the Traefik that runs as an app; of all Traefiks if it has none of
// its own.
func (inv *Inventory) hadBy(id string) *tables {
	if own := inv.ofTraefik[id]; own != nil {
		return own
	}
	return inv.tables
}

// flagsOf are those of the Traefik that runs as an app, with what is set of it.
func (s Settings) flagsOf(e *Definition) traefik.Static {
	if len(s.Endpoints) > 0 {
		return *e.App.Traefik
	}
	return s.Traefik.Over(*e.App.Traefik)
}

// file makes the tables of all routers, and of those that each of several Traefiks has.
func (inv *Inventory) file(s Settings) {
	inv.tables = newTables(inv.routers(nil))
	var several []*Definition
	for _, e := range inv.Definitions {
		if e.App.Traefik != nil {
			several = append(several, e)
		}
	}
	if len(several) < 2 {
		return
	}
	inv.ofTraefik = map[string]*tables{}
	for _, e := range several {
		if static := s.flagsOf(e); static.Unread == "" {
			inv.ofTraefik[e.ID] = newTables(inv.routers(&static))
		}
	}
}

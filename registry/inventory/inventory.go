package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"text/template"
	"time"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// Settings are what names, rules and labels are read with.
type Settings struct {
	// Rules of paastis.yml. Nil: none.
	Rules *rules.Set
	// Defaults are the properties of an app that neither a rule nor a label touches.
	Defaults rules.Resolved
	// Middleware is the name of Paastis's ForwardAuth middleware in Traefik, without
	// its provider. An app whose router uses it is managed.
	Middleware string
	// Throttle is Traefik's providersThrottleDuration.
	Throttle time.Duration
	// DefaultRule is Traefik's defaultRule. Nil: Traefik's own default.
	DefaultRule *template.Template
	// Traefik is what is set of the Traefik that fetches its routes at /traefik/config, and
	// of one that fetches none. It holds against what the Traefik's container says.
	Traefik traefik.Static
	// Endpoints are the same for the Traefiks that fetch their routes at
	// /traefik/config/NAME, by that name. Nil: there are none.
	Endpoints map[string]traefik.Static
	// Catalog are the middlewares that Traefik's API tells. Nil: it tells none.
	Catalog traefik.Catalog
	// Timeouts are those of its entry points that it tells, by their names. Nil: it tells none.
	Timeouts map[string]traefik.Timeouts
	// TraefikVersion is what its API tells, "3.7.1". Empty: it tells none.
	TraefikVersion string
	// Prices of what apps run. Nil: none is known.
	Prices prices.Table
}

// Definition is what is known of an app before it moves: its name, its properties and the
// requests that belong to it. It never changes; a new inventory has new ones.
type Definition struct {
	// ID is "<provider>/<the provider's own name>".
	ID string
	// Name by which the app is known, unique in the inventory.
	Name string
	// App is the report that it was made from; only its definition counts.
	App *App
	// URL is the app's own, read. Nil: it has none, or one that is a problem. It must not be
	// changed.
	URL *url.URL
	// Resolved are its properties, with the origin of each. Apps of which the same is said have
	// one together.
	*rules.Resolved
	// Managed reports whether Paastis may start and stop the app. Why says why, or why not.
	Managed bool
	Why     reason.Reason
	// Routers are those of its labels, Traefik's defaults filled in, and those that came with
	// the app, or its own.
	Routers []Router
	// Routes are the routers that Paastis publishes. Nil: it is left to ForwardAuth, or has
	// none.
	Routes []*Route
	// AllowNonRunning reports whether Traefik keeps the routers while the app sleeps.
	AllowNonRunning bool
	// Timeouts are the shortest of the entry points by which its requests come.
	Timeouts traefik.Timeouts
	// Apart reports whether it is on no network that Paastis is on.
	Apart bool
	// Problems are warnings about this app.
	Problems Problems

	reported Reported // as it came, with the provider's own picture of the app
	// Labels are those of Traefik's, its defaults filled in.
	Labels traefik.Labels
	// LeftOut reports whether every Traefik leaves out the app, and unhealthyToo whether one keeps
	// it while it is not healthy.
	LeftOut, unhealthyToo bool

	// Works reports whether it keeps awake what it needs while it runs, and nobody manages it:
	// whether that is a problem changes with it.
	Works bool
	// Live is who keeps the app. It is set once, before anybody else sees the inventory. Nil only
	// in one that no registry has made.
	Live Live

	// Needs are its own links. Group is that whose other apps it needs as well; nil: none.
	Needs []Need
	Group *Group
	// Component is that of the app, and Place its own among the members.
	Component *Component
	Place     int
	// Job reports whether somebody waits for its end, needed whether it is needed at all, and
	// neededHealthy whether somebody asks for more than its start or its end.
	Job, needed, neededHealthy bool
}

// Router is a router of Traefik's that leads to an app.
type Router struct {
	// Router is what the labels say of it: theirs, if they do.
	*traefik.Router
	// Match is the parsed rule. Nil if it does not parse; Problems has the reason.
	Match *rule.Rule
	// StaticURL is the server's URL if the labels give it. Empty: Traefik finds the
	// server's address by itself, once the app runs.
	StaticURL string
	// Port of the app. 0 if the labels do not tell.
	Port uint16
	// Checked reports whether Traefik checks the server's health itself.
	Checked bool
	// Paastis reports whether the router uses the middleware. Asked reports whether this is known from
	// Traefik alone, not from labels.
	Paastis, Asked bool
	// Rewrites are what it does to a request before it asks Paastis. AllRewrites are what it
	// does before a request gets to Paastis by a published route.
	Rewrites, AllRewrites traefik.Rewrites
	// Unknown are those of its middlewares, chains followed, of which nothing is known: no
	// label defines them, and Traefik's API does not tell.
	Unknown []string
	// Covering are those of its middlewares before Paastis that put something of their own in
	// place of what Paastis answers; MayCover those of which that is not known. Outside tells
	// that one of either is on an entry point, so that no router can be without it.
	Covering, MayCover []string
	Outside            bool
	// Own reports whether it is in no label of Traefik's: only Paastis publishes it. Given reports
	// whether it is so because it came with the app: see App.Routers.
	Own, Given bool
	// By is the property that makes it.
	By Maker

	// ways by which requests get to it; nil: not known. asksBefore reports whether middlewares of
	// its entry points stand before its own.
	ways       []traefik.Way
	asksBefore bool

	bound bool // its rule takes requests of certain hosts alone
	lost  bool // its service, or a middleware, is nowhere
	// Definition is the app that it leads to.
	Definition *Definition
	HeldBy     *Definition // that has its labels; nil: the same
	// Serves is another app, to whose URL it leads. Nil: none.
	Serves *Definition
	rivals []*Definition // that have another one of its name
	// askedBefore and askedBehind are the addresses that Traefik asks about its requests as well,
	// before Paastis and after it.
	askedBefore, askedBehind []string
	guards                   [][]*Definition // of which Traefik needs one each, for the middlewares
	// disputes are those that define one of its middlewares in different ways; of two of them
	// Traefik takes neither.
	disputes []dispute
}

// Provider is the ID of the provider that runs the app.
func (e *Definition) Provider() string { return e.reported.Provider }

// HasStaticServers reports whether Traefik always has the app's address: there is nothing to wait
// for once the app answers. Also true for an app that Traefik does not route to.
func (e *Definition) HasStaticServers() bool {
	return !slices.ContainsFunc(e.Routers, func(r Router) bool { return r.StaticURL == "" && !r.Own })
}

// Port is where the app listens, as its URL, its probe, its router or itself says; 0: unknown.
func (e *Definition) Port() uint16 {
	if e.URL != nil {
		return urlPort(e.URL)
	}
	if e.Probe.Port != 0 {
		return e.Probe.Port
	}
	for _, r := range e.Routers {
		if r.Port != 0 {
			return r.Port
		}
	}
	if e.Properties.Port != 0 {
		return e.Properties.Port
	}
	if len(e.App.Ports) == 1 {
		return e.App.Ports[0]
	}
	return 0
}

// Inventory is the picture of all apps that follows from their reports, the rules and
// the labels. It never changes.
type Inventory struct {
	// Definitions are of all apps, sorted by name.
	Definitions []*Definition
	// Graph of the links between them, by name.
	Graph *rules.Graph

	// ByName has them by any name that an app is known by; it must not be changed.
	ByName map[string]*Definition
	// Routes are all that are published, by their names; it must not be changed.
	Routes map[string]*Route
	// Middlewares are those of all labels, and what Traefik tells of others.
	Middlewares traefik.Catalog
	// ownHosts are those of routers that lead to Paastis itself.
	ownHosts  []string
	tables    *tables            // of the routers of all labels
	ofTraefik map[string]*tables // :: ID of the app that a Traefik runs as → of those that it has
}

// Reported is an app with the ID of the provider that reported it.
type Reported struct {
	Provider string
	// App must not be changed any more.
	*App
	// ReadBy is what Traefik calls the provider of its own that reads the app's labels. Empty:
	// the same as Paastis does.
	ReadBy string
	// Unread reports whether no provider of Traefik's reads them.
	Unread bool
	// Asked is the router that Traefik is known to ask about although no label says so.
	// Empty: none is.
	Asked string
	// Without are those of its Links that the app is known to do without. Nil: none.
	Without []string
}

// traefikProvider is what Traefik calls the provider of its labels; empty: it has none.
func (r Reported) traefikProvider() string {
	switch {
	case r.Unread:
		return ""
	case r.ReadBy == "":
		return r.Provider
	default:
		return r.ReadBy
	}
}

// Resolve makes an inventory. It does no I/O; bad labels become problems of the app.
func Resolve(apps []Reported, s Settings) *Inventory {
	inv := &Inventory{ByName: map[string]*Definition{}}
	s.DefaultRule = s.defaultRule(apps)
	var reports reading
	for _, app := range apps {
		e := reports.define(app, s)
		inv.Definitions = append(inv.Definitions, e)
	}
	naming{inv}.nameAll()
	serving{inv}.findServed()
	hosting{inv, map[string]taking{}, map[string][]*Definition{}}.host()
	lenders, links, publication, places := lending{inv}, &linking{Inventory: inv}, publishing{inv}, placing{inv}
	lenders.lendRouters()
	following{inv}.followMiddlewares(s)
	links.link(s)
	managing{inv}.manage(s)
	links.keepAskersAwake()
	links.reportLinks()
	links.reportWorkers()
	publication.findApart()
	publication.publish(s)
	publication.reportUnpublished()
	publication.findOwnHosts(s)
	lenders.findRivals()
	places.place(s)
	places.limit(s)
	inv.file(s)
	return inv
}

// Named is the app of that name, by any name that it is known by; nil if none.
func (inv *Inventory) Named(name string) *Definition { return inv.ByName[name] }

// Names are the apps' names, sorted.
func (inv *Inventory) Names() []string {
	names := make([]string, 0, len(inv.Definitions))
	for _, e := range inv.Definitions {
		names = append(names, e.Name)
	}
	return names
}

// Problems are all warnings, in the order of the apps.
func (inv *Inventory) Problems() Problems {
	var all Problems
	for _, e := range inv.Definitions {
		all = append(all, e.Problems...)
	}
	return all
}

// reading makes definitions of what is reported: a step of Resolve.
type reading struct {
	pool rules.Pool // of properties, for apps of which the same is said
}

// define makes that of an app, with the routers of its labels.
func (o *reading) define(r Reported, s Settings) *Definition {
	e := &Definition{ID: r.Provider + "/" + r.Name, App: r.App, reported: r}
	resolved, warnings := s.Rules.Resolve(r.Name, s.Defaults, r.Labels, r.Origin)
	e.Resolved = o.pool.Share(resolved)
	for _, text := range warnings {
		e.Problems = append(e.Problems, Problem{SettingUnreadable, text})
	}
	e.Name = cmp.Or(e.AppName, r.Name)
	o.readURL(e)
	labels := o.readLabels(e, s)
	for i := range labels.Routers {
		o.addRouter(e, labels, Router{Router: &labels.Routers[i], Own: r.Unread})
	}
	o.takeRouters(e, labels)
	o.ownRouter(e)
	return e
}

// readLabels reads what the app's labels tell, as Traefik would. It returns them with the routers
// that it would have; none, if it reads none of them.
func (o *reading) readLabels(e *Definition, s Settings) traefik.Labels {
	labels, err := traefik.Decode(e.App.Labels)
	if err != nil {
		e.problem(LabelsUnreadable, "%v on %s: Traefik ignores all labels of this app; correct it", err, e.App.Origin)
		return traefik.Labels{}
	}
	if e.App.Protected == "" && o.answersFor(e, labels, s.Middleware) {
		e.App = e.App.ProtectedFor(IsPaastis)
	}
	e.Labels = labels
	e.AllowNonRunning = labels.Docker.AllowNonRunning
	if e.Labels.IsHidden() {
		return traefik.Labels{}
	}
	if labels.Enable != nil || len(labels.Routers) > 0 {
		labels, err = labels.WithDefaults(e.App.Name, cmp.Or(e.App.First().Name, e.App.Name), s.DefaultRule)
		e.Labels = labels
		if err != nil {
			e.problem(RouterLeftOut, "%s: %v: Traefik leaves it out; correct its labels", e.App.Origin, err)
		}
	}
	return labels
}

// answersFor reports whether the app is Paastis: its labels define the middleware, with an
// address that leads back to itself.
func (o *reading) answersFor(e *Definition, labels traefik.Labels, middleware string) bool {
	i := slices.IndexFunc(labels.Middlewares, func(m traefik.Middleware) bool { return m.Name == middleware })
	if i < 0 {
		return false
	}
	address, err := url.Parse(labels.Middlewares[i].ForwardAuth)
	if err != nil {
		return false
	}
	return slices.Contains(e.App.Hosts(), address.Hostname()) || slices.ContainsFunc(e.App.Instances, func(i Instance) bool {
		return slices.ContainsFunc(i.Addresses, func(a netip.Addr) bool { return a.String() == address.Hostname() })
	})
}

// addRouter adds a router to the app's, with what the labels say of its service.
func (o *reading) addRouter(e *Definition, labels traefik.Labels, r Router) {
	r.StaticURL = labels.StaticURL(*r.Router)
	r.Port = e.App.InsidePort(r.StaticURL, labels.Port(*r.Router))
	r.Checked = labels.Checked(*r.Router)
	var err error
	if r.Match, err = rule.Parse(r.Rule, r.RuleSyntax); err != nil {
		e.problem(RuleUnreadable, "router %q on %s: %v; its requests are not recognised", r.Name, e.App.Origin, err)
	}
	r.bound = r.Match.Hosts() != nil
	e.Routers = append(e.Routers, r)
}

func (e *Definition) problem(kind ProblemKind, format string, args ...any) {
	e.Problems = append(e.Problems, Problem{kind, fmt.Sprintf(format, args...)})
}

// naming gives apps their names: a step of Resolve, for which name is whose depends on all of them.
type naming struct{ *Inventory }

// nameAll gives every definition a name of its own, and lets the providers' own names work as well.
// Of apps of one name each goes by its ID if they are of several providers, and the later one
// by ID if they are of one. Nobody is called as the ID of another one is: at some platforms an app has
// any name that its owner likes.
func (inv naming) nameAll() {
	slices.SortFunc(inv.Definitions, func(a, b *Definition) int { return cmp.Compare(a.ID, b.ID) })
	byID := make(map[string]*Definition, len(inv.Definitions))
	for _, e := range inv.Definitions {
		byID[e.ID] = e
	}
	for _, e := range inv.Definitions {
		other := inv.ByName[e.Name]
		if is := byID[e.Name]; is != nil && is != e {
			e.problem(NameTaken, "app %q on %s has the name of the one on %s: known as %q instead", e.Name, e.App.Origin, is.App.Origin, e.ID)
			e.Name, other = e.ID, nil
		}
		if other != nil && other.reported.Provider != e.reported.Provider {
			other.Name, e.Name = other.ID, e.ID // each by its provider; the earlier one by both
			inv.ByName[e.Name], inv.ByName[other.Name] = e, other
			continue
		}
		if other != nil {
			e.problem(NameTaken, "app %q on %s has the name of the one on %s: known as %q instead", e.Name, e.App.Origin, other.App.Origin, e.ID)
			e.Name = e.ID
		}
		inv.ByName[e.Name] = e
	}
	inv.nameToo(func(e *Definition) []string { return []string{e.App.Name, e.ID} })
	inv.nameToo((*Definition).platformNames)
	slices.SortFunc(inv.Definitions, func(a, b *Definition) int { return cmp.Compare(a.Name, b.Name) })
}

// nameToo lets apps be known by other names as well, unless another one is by these.
func (inv naming) nameToo(names func(*Definition) []string) {
	for _, e := range inv.Definitions {
		for _, name := range names(e) {
			if inv.ByName[name] == nil {
				inv.ByName[name] = e
			}
		}
	}
}

// platformNames are the other names of an app of a platform, such as the id that it has there. Those
// of containers count among containers alone.
func (e *Definition) platformNames() []string {
	if e.App.URL == "" {
		return nil
	}
	return e.App.Aliases
}

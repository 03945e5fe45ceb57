package registry

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"net/netip"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik/dynamic"
)

// mostReady is how many publications of a version are kept: there are few Traefiks, and
// Paastis has few URLs. As many who fetch are remembered.
const mostReady = 16

// Publisher is what the Traefiks are told of the routes, and what they have fetched: it turns
// a route to its app, or to Paastis. Its exported methods may be called by several at once; the
// others are called with the registry's lock held, which guards its fields but for the atomics.
type Publisher struct {
	*core
	inForce  *inForce
	keepers  *keeperSet
	archive  *history.Archive
	problems *problems
	prober   *prober
	intake   *intake
	saver    *saver

	version uint64                         // grows whenever a route may have changed
	ready   map[publicationKey]Publication // what is made of this version
	pollers pollers                        // who has fetched the routes
	bypass  bypass                         // of Paastis, to awake apps

	strangers    map[netip.Addr]bool                        // who asked, and is no app that is known
	destinations map[handover.Fetcher]*handover.Destination // what is known of those who ask for them
	listed       map[string]listed                          // :: endpoint → what the API of its Traefik tells

	marks *handover.Marks
}

// publicationKey is what a publication is made for: a Traefik, and the URL by which it
// reaches Paastis.
type publicationKey struct {
	to   *handover.Destination
	self string
}

// newPublisher makes one whose versions are higher than those of a Paastis before it.
func newPublisher(r *Registry, markLife time.Duration, now time.Time) *Publisher {
	pub := &Publisher{
		core: r.core, inForce: &r.inForce, keepers: &r.keepers, archive: r.archive,
		version: uint64(now.UnixMilli()), ready: map[publicationKey]Publication{}, pollers: pollers{core: r.core, Pollers: handover.NewPollers()},
		strangers: map[netip.Addr]bool{}, destinations: map[handover.Fetcher]*handover.Destination{}, listed: map[string]listed{},
	}
	pub.bypass = bypass{&pub.pollers}
	pub.marks = handover.NewMarks(markLife, pub.version, handover.PollGrace, now)
	return pub
}

// beginLocked begins with the marks of the Paastis before. Called with the lock held.
func (pub *Publisher) beginLocked(marks history.Marks, now time.Time) {
	pub.pollers.Begin(now)
	pub.marks.Restore(marks, now)
}

// Publication is the routes as a Traefik gets them.
type Publication struct {
	// Body is the dynamic configuration, in JSON. Read it only.
	Body []byte
	// ETag is the same for the same body.
	ETag string
	// Version grows whenever a route may have changed.
	Version uint64
}

// Publish makes the routes as they are now for the Traefik at an address, which reaches
// Paastis at a URL, "http://paastis:3000": those that this Traefik would have by its own
// flags. It fetches them at /traefik/config.
func (pub *Publisher) Publish(by netip.Addr, self string) Publication {
	return pub.PublishAt("", by, self)
}

// PublishAt is Publish for a Traefik that fetches at the endpoint of a name, of those that
// the settings have; empty: at /traefik/config.
func (pub *Publisher) PublishAt(endpoint string, by netip.Addr, self string) Publication {
	who := handover.Fetcher{Address: by, Endpoint: endpoint}
	key, publications, middleware, version, made := pub.collect(who, self)
	if made != nil {
		return *made
	}
	p := Publication{Body: dynamic.Publish(publications, self, middleware), Version: version}
	hash := fnv.New64a()
	hash.Write(p.Body)
	p.ETag = fmt.Sprintf(`"%016x"`, hash.Sum64())
	pub.mu.Lock()
	defer pub.unlock()
	if pub.pollers.Of(who) != nil && pub.version == version && len(pub.ready) < mostReady {
		pub.ready[key] = p
	}
	return p
}

// collect is what there is to publish, or the publication if it is made already.
func (pub *Publisher) collect(who handover.Fetcher, self string) (key publicationKey, all []dynamic.Publication, middleware string, version uint64, made *Publication) {
	pub.mu.Lock()
	defer pub.unlock()
	key = publicationKey{pub.destinationLocked(who), self}
	if p := pub.pollers.Of(who); p != nil {
		p.Offer(key.to)
		if ready, ok := pub.ready[key]; ok {
			return key, nil, "", 0, &ready
		}
	}
	yields := yielding(key.to)
	for _, rt := range key.to.Routes {
		p := pub.publicationLocked(rt.Route, key.to)
		p.Placed, p.Yields = rt.Placed, yields[rt.Route]
		all = append(all, p)
	}
	return key, all, pub.inForce.settings.Middleware, pub.version, nil
}

func (pub *Publisher) publicationLocked(rt *inventory.Route, to *handover.Destination) dynamic.Publication {
	k := KeeperOfRoute(rt)
	p := dynamic.Publication{
		Name: rt.Name, Labels: rt.Labels(), Router: *rt.Router.Router, Given: rt.Router.Given || rt.Router.By != 0, Provider: rt.Definition.TraefikProvider(), Foreign: rt.Foreign, RouteVersion: k.routing.version,
		Known: pub.inForce.inventory.Load().Middlewares,
		Newer: pub.inForce.settings.IsNewer() && pub.pollers.Len() <= 1,
	}
	if h := rt.Router.Holder(); h != nil {
		p.Labels, p.Backend = h.Labels, &rt.Definition.Labels
	}
	open := k.open.Load() && pub.bypass.isOpen(rt)
	switch {
	case rt.Definition.IsLeftAlone():
		p.Servers = []string{rt.Definition.URL.String()} // which its platform answers at, in whatever state
	case open:
		p.Servers = handover.Servers(rt, k.app, pub.prober.serving(k), to)
	}
	if p.Awake = len(p.Servers) > 0 || rt.Foreign != "" && open; p.Awake {
		p.OwnHost = rt.LeadsToURL() && !rt.Definition.PassHost
	}
	if !p.Awake {
		p.Mark, p.Patient = pub.marks.Of(rt.Name), true
	}
	return p
}

// Fetched notes that the Traefik at an address, which reaches Paastis at the URL self,
// has got a version of the routes. The first one turns direct mode on.
func (pub *Publisher) Fetched(by netip.Addr, self string, version uint64) {
	pub.FetchedAt("", by, self, version)
}

// FetchedAt is Fetched for a Traefik that fetches at an endpoint: see PublishAt.
func (pub *Publisher) FetchedAt(endpoint string, by netip.Addr, self string, version uint64) {
	now := time.Now()
	pub.mu.Lock()
	defer pub.unlock()
	who := handover.Fetcher{Address: by, Endpoint: endpoint}
	p := pub.pollers.Of(who)
	if p == nil {
		if pub.pollers.Len() == 0 {
			pub.journal.say(slog.LevelInfo, "Traefik fetches its routes: apps are in direct mode, unless they say otherwise", "traefik", by.String(), "paastis", self)
		}
		p = pub.pollers.Add(who, pub.destinationLocked(who), now)
		pub.rerouteAllLocked()
		pub.problems.refresh(now)
		pub.nudge()
	}
	another, elsewhere := p.Take(version, now)
	if pub.pollers.ComeBack() || another {
		pub.nudge()
	}
	if elsewhere {
		pub.rerouteAllLocked()
	}
}

// keepDestinationLocked remembers what is known of who fetches, and tells what is wrong with it.
// Called with the lock held.
func (pub *Publisher) keepDestinationLocked(who handover.Fetcher, d *handover.Destination) {
	if len(pub.destinations) >= mostReady {
		maps.DeleteFunc(pub.destinations, func(w handover.Fetcher, _ *handover.Destination) bool { return pub.pollers.Of(w) == nil })
	}
	pub.destinations[who] = d
	if p := pub.pollers.Of(who); p != nil {
		p.Redirect(d)
		pub.rerouteAllLocked()
		pub.problems.refresh(time.Now())
		pub.nudge()
	}
}

// redirectLocked finds anew what the Traefiks get that fetch the routes. Called with the lock held.
func (pub *Publisher) redirectLocked() {
	for p := range pub.pollers.All() {
		p.Redirect(pub.destinationLocked(p.Fetcher)) // which reroutes, if it is another
	}
}

// listLocked takes in what the API of the Traefik that fetches at an endpoint tells. Called with the
// lock held.
func (pub *Publisher) listLocked(endpoint string, is listed) {
	was := pub.listed[endpoint]
	same := is.keep(was)
	if pub.listed[endpoint] = is; !same {
		pub.changedLocked()
		pub.redirectLocked()
	}
}

// changedLocked begins another version of the routes. Called with the lock held.
func (pub *Publisher) changedLocked() {
	pub.version++
	clear(pub.ready)
}

// SuccessorOf is the published route of a name that leads to an app now; the same route if
// there is none.
func (pub *Publisher) SuccessorOf(rt *inventory.Route) *inventory.Route {
	if now := pub.inForce.inventory.Load().Routes[rt.Name]; now != nil {
		return now
	}
	return rt
}

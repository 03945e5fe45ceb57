package registry

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

const (
	// pollPatience is how long a Traefik that fetches the routes may be silent, at least,
	// before it counts as gone: it asks each 5 s unless told otherwise. One that has come
	// once, so that its pause is not known, has the time of pollGrace.
	pollPatience = 15 * time.Second
	// pollsMissed is how many of its usual pauses it may be silent.
	pollsMissed = 3
	// pollGrace is how long after Paastis's own start a Traefik may take to come back for
	// its routes: it waits longer the longer Paastis was away, up to a minute.
	pollGrace = 75 * time.Second
	// mostReady is how many publications of a version are kept: Paastis has few URLs.
	mostReady = 16
)

// publisher is what the Traefiks are told of the routes, and what they have fetched.
// Guarded by the registry's lock.
type publisher struct {
	version uint64                 // grows whenever a route may have changed
	ready   map[string]Publication // :: Paastis's URL → what is made of this version
	pollers map[netip.Addr]*poller // :: who has fetched the routes; none ever did if it is empty
	missing bool                   // nobody does any more, and it was logged
}

// newPublisher makes one whose versions are higher than those of a Paastis before it.
func newPublisher(now time.Time) publisher {
	return publisher{
		version: uint64(now.UnixMilli()), ready: map[string]Publication{}, pollers: map[netip.Addr]*poller{},
	}
}

// poller is a Traefik that fetches the routes.
type poller struct {
	address netip.Addr
	version uint64 // of the routes that it got last
	at      time.Time
	every   time.Duration // its last pause; zero: not known yet
}

// isLive tells that it does not count as gone.
func (p *poller) isLive(now time.Time) bool {
	patience := max(pollPatience, pollsMissed*p.every)
	if p.every == 0 {
		patience = pollGrace
	}
	return now.Sub(p.at) < patience
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
// Paastis at a URL, "http://paastis:3000".
func (r *Registry) Publish(by netip.Addr, self string) Publication {
	publications, middleware, version, made := r.collect(by, self)
	if made != nil {
		return *made
	}
	p := Publication{Body: traefik.Publish(publications, self, middleware), Version: version}
	hash := fnv.New64a()
	hash.Write(p.Body)
	p.ETag = fmt.Sprintf(`"%016x"`, hash.Sum64())
	r.mu.Lock()
	defer r.unlock()
	if r.publisher.pollers[by] != nil && r.publisher.version == version && len(r.publisher.ready) < mostReady {
		r.publisher.ready[self] = p
	}
	return p
}

// unturnable says why an app's routes could not be turned to Paastis now, so that it has
// to stay awake, and until when to wait for a change. Empty: they could.
func (p *pass) unturnable(k *Keeper) (why string, until time.Time) {
	switch {
	case len(k.Entry().Routes) == 0 && !k.led:
		return "", time.Time{}
	case len(p.publisher.pollers) == 0:
		// A Traefik that has fetched them from the Paastis before may not be back yet.
		if end := p.loadedAt.Add(pollGrace); k.found && k.lastRequest().IsZero() && p.now.Before(end) {
			return "found running, and Traefik may still fetch its routes", end
		}
		return "", time.Time{}
	case len(p.live(p.now)) > 0:
		return "", time.Time{}
	}
	if !p.publisher.missing {
		p.publisher.missing = true
		p.say(slog.LevelWarn, "no Traefik fetches its routes any more: apps in direct mode stay awake; if that is for good, start Paastis anew")
	}
	return "no Traefik fetches its routes, so they cannot be turned", p.now.Add(pollPatience)
}

// collect is what there is to publish, or the publication if it is made already. For a
// Traefik that is new it may be another, for the networks that all share.
func (r *Registry) collect(by netip.Addr, self string) (all []traefik.Publication, middleware string, version uint64, made *Publication) {
	r.mu.Lock()
	defer r.unlock()
	if p, ok := r.publisher.ready[self]; ok && r.publisher.pollers[by] != nil {
		return nil, "", 0, &p
	}
	seen := r.seenNetworks(time.Now(), by)
	for _, rt := range r.inventory.Load().routes {
		all = append(all, r.publication(rt, seen))
	}
	return all, r.settings.Middleware, r.publisher.version, nil
}

func (r *Registry) publication(rt *Route, seen networks) traefik.Publication {
	k := rt.Keeper()
	p := traefik.Publication{
		Name: rt.Name, Labels: rt.entry.labels, Router: rt.router.Router, Provider: k.provider.Name(), Foreign: rt.foreign, Turn: k.turned,
		Newer: r.settings.newer() && len(r.publisher.pollers) <= 1,
	}
	if h := rt.router.holder; h != nil {
		p.Labels, p.Backend = h.labels, &rt.entry.labels
	}
	if k.open.Load() && r.letsGo(k) {
		p.Servers = rt.servers(k.app, seen)
		p.Awake = len(p.Servers) > 0 || rt.foreign != ""
	}
	if !p.Awake {
		p.Mark, p.Patient = r.marks.current.Mark(rt.Name), true
	}
	return p
}

// letsGo tells that requests may go to an awake app without Paastis between: its use is
// seen all the same, by its traffic.
func (r *Registry) letsGo(k *Keeper) bool {
	_, meter := k.provider.(Meter)
	return meter && k.Entry().TrafficFloor != rules.Off
}

// Fetched notes that the Traefik at an address, which reaches Paastis at the URL self,
// has got a version of the routes. The first one turns direct mode on.
func (r *Registry) Fetched(by netip.Addr, self string, version uint64) {
	now := time.Now()
	r.mu.Lock()
	defer r.unlock()
	p := r.publisher.pollers[by]
	if p == nil {
		if len(r.publisher.pollers) == 0 {
			r.say(slog.LevelInfo, "Traefik fetches its routes: apps are in direct mode, unless they say otherwise", "traefik", by.String(), "paastis", self)
		}
		maps.DeleteFunc(r.publisher.pollers, func(_ netip.Addr, p *poller) bool { return !p.isLive(now) })
		p = &poller{address: by}
		first := len(r.publisher.pollers) == 0
		r.publisher.pollers[by] = p
		if first {
			r.rerouteAll()
		}
		r.changed() // other networks may be seen
	} else {
		p.every = now.Sub(p.at)
	}
	if p.version != version || r.publisher.missing {
		r.publisher.missing = false
		r.stir()
	}
	p.version, p.at = version, now
}

// changed begins another version of the routes. Called with the lock held.
func (r *Registry) changed() {
	r.publisher.version++
	clear(r.publisher.ready)
}

// turn opens or closes an app for requests, which turns its routes. Called with the lock
// held. It tells whether that is a change.
func (r *Registry) turn(k *Keeper, open bool) bool {
	if k.open.Swap(open) == open {
		return false
	}
	r.changed()
	k.turned, k.backAt = r.publisher.version, time.Time{}
	r.repaint(k)
	return true
}

// direct tells that the app's routes are published, and fetched; or were, until a reload,
// and may still be used. Called with the lock held.
func (r *Registry) direct(k *Keeper) bool {
	return len(r.publisher.pollers) > 0 && (len(k.Entry().Routes) > 0 || k.led)
}

// live are the Traefiks that fetch the routes. Called with the lock held.
func (r *Registry) live(now time.Time) []*poller {
	var live []*poller
	for _, p := range r.publisher.pollers {
		if p.isLive(now) {
			live = append(live, p)
		}
	}
	return live
}

// fetched tells that all who fetch the routes have this version or a later one.
func (r *Registry) fetched(version uint64, now time.Time) bool {
	live := r.live(now)
	return len(live) > 0 && !slices.ContainsFunc(live, func(p *poller) bool { return p.version < version })
}

// seenNetworks are those that all Traefiks are in which fetch the routes, and the one that
// does so now. Nil if one of them is none of the apps that Paastis knows: it may run outside
// all networks.
func (r *Registry) seenNetworks(now time.Time, by netip.Addr) networks {
	seen := r.networksOf(by)
	for _, other := range r.live(now) {
		its := r.networksOf(other.address)
		seen = slices.DeleteFunc(slices.Clone(seen), func(n string) bool { return !slices.Contains(its, n) })
	}
	return seen
}

// networksOf are those of the app that has an address.
func (r *Registry) networksOf(address netip.Addr) networks {
	for _, k := range r.keepers {
		if slices.Contains(k.addresses(), address) {
			return k.app.Networks
		}
	}
	return nil
}

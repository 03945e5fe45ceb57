package rule

import (
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// Recognize is Lookup for a request that Paastis sees behind middlewares, and makes the
// request what the visitor made it. It undoes nothing but what the middlewares of a
// router do before Paastis, and only where Traefik chooses that very router for what
// comes out. If several may be behind a request, it is the one that explains the most of
// the headers by which middlewares tell what they did, then the first in order. If none
// explains it, it stays as it is, and belongs where Lookup says.
//
// If no entry of the host has Rewrites it costs two map accesses more than Lookup, and
// none if no entry has.
func (t *Table[T]) Recognize(request *traefik.Request) (value T, entry *Entry[T], found bool) {
	if t == nil {
		return value, nil, false
	}
	if t.rewriting.isEmpty() {
		return t.Lookup(request)
	}
	plain := t.place(request)
	best := candidate{place: plain, sure: plain >= 0 && t.entries[plain].Rewrites == nil}
	places := t.rewriting.places(request.Host)
	for place, more := places.next(); more; place, more = places.next() {
		best = t.better(best, request, place)
	}
	if best.sure && best.changed {
		best.restore(request)
	}
	if best.place < 0 {
		return value, nil, false
	}
	entry = &t.entries[best.place]
	return entry.Value, entry, true
}

// Restore makes a request that has come by a router what the visitor made it. It reports
// whether it could: what the rewrites make of such a request is this one, and the rule
// takes it. Else the request stays as it is.
func (r *Rule) Restore(request *traefik.Request, ws traefik.Rewrites) bool {
	if ws == nil {
		return r.Match(request)
	}
	for _, c := range r.candidates(request, ws) {
		original := *request
		c.restore(&original)
		if r.Match(&original) {
			*request = original
			return true
		}
	}
	return false
}

// candidate is what a request was, if it came by the entry at a place; below zero: by none.
type candidate struct {
	traefik.Origin
	place   int32
	sure    bool // the entry's middlewares make of it what Paastis sees
	changed bool // it is not as Paastis sees it

	hostless bool // the visitor's host is one of several
}

// better is the best candidate of a request, with those by the entry at a place.
func (t *Table[T]) better(best candidate, request *traefik.Request, place int32) candidate {
	entry := &t.entries[place]
	for _, c := range entry.Rule.candidates(request, entry.Rewrites) {
		if best.sure && (c.Undone < best.Undone || c.Undone == best.Undone && place >= best.place) {
			continue
		}
		original := *request
		c.restore(&original)
		if t.place(&original) == place {
			c.place, c.sure = place, true
			best = c
		}
	}
	return best
}

// candidates are what a request may have been before the rewrites, those first that explain
// the most. It tells of a middleware of which nothing is known only what the rule does not
// take without.
func (r *Rule) candidates(request *traefik.Request, ws traefik.Rewrites) []candidate {
	path, _, _ := strings.Cut(request.URI, "?")
	plain := r.Match(request)
	var all []candidate
	for _, before := range ws.Origins(request) {
		if before.Guessed && plain {
			continue
		}
		hosts, told := r.hostsBefore(before, request)
		for _, host := range hosts {
			before.Host = host
			all = append(all, candidate{Origin: before, changed: before.Path != path || host != request.Authority, hostless: !told})
		}
	}
	return all
}

// hostsBefore are those that the visitor may have asked: what Traefik noted before the host was
// replaced, which it does not tell a ForwardAuth, or those of the rule. It reports whether
// there is no doubt.
func (r *Rule) hostsBefore(origin traefik.Origin, request *traefik.Request) (hosts []string, told bool) {
	if !origin.AnyHost {
		return []string{origin.Host}, true
	}
	if noted := request.NotedHost(); noted != "" && !strings.EqualFold(noted, origin.Host) {
		return []string{noted}, true
	}
	hosts = slices.Clone(r.Hosts())
	for i := range hosts {
		hosts[i] += request.URLPort()
	}
	if len(hosts) == 1 {
		return hosts, true
	}
	return append(hosts, origin.Host), false
}

// restore makes the request what it was. It has the query that it has, and no authority if
// there is a doubt about its host.
func (c candidate) restore(request *traefik.Request) {
	if c.Host != request.Authority {
		request.SetAuthority(c.Host)
	}
	if c.hostless {
		request.Authority = ""
	}
	uri := c.Path
	if _, query, has := strings.Cut(request.URI, "?"); has {
		uri += "?" + query
	}
	_ = request.SetURI(uri) // begins with a slash and can be decoded
}

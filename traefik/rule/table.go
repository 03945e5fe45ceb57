package rule

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// MaxPriority is the highest priority that Traefik takes from a router; it leaves out
// routers above it.
const MaxPriority = math.MaxInt - 1000

// Table finds the router of a request among many. It does not change: to change a
// router, make a new table. The nil Table is empty.
type Table[T any] struct {
	entries   []Entry[T] // in the order in which Traefik tries them
	all       hostIndex
	rewriting hostIndex     // of entries with Rewrites, by the host behind them
	ways      []traefik.Way // by which any of them is reached, none twice
	tls       bool          // some take HTTPS for sure
	there     func(T) bool  // nil: all are
}

// Entry is a router, and what it stands for.
type Entry[T any] struct {
	// Rule of the router. An entry without one is left out.
	Rule *Rule
	// Router is its name.
	Router string
	// Priority, the highest first. Zero is the length of the rule in bytes, which is
	// also what the table's own entries then have.
	Priority int
	// Rewrites are what the router does to a request before Paastis sees it.
	Rewrites traefik.Rewrites
	// Prefer puts the entry before others of the same priority.
	Prefer bool
	// TLS reports whether the router's own labels make it take HTTPS alone.
	TLS bool
	// Silent reports whether Traefik asks nobody about the router's requests.
	Silent bool
	// Ways by which requests get to the router. Nil: they are not known.
	Ways []traefik.Way
	// Value is what a look-up returns.
	Value T
}

// NewTable makes a table of the entries, which it copies. Among routers of the same
// priority Traefik picks at random; the table takes those to be preferred first, then
// the one whose name, then whose rule, comes first in the alphabet.
func NewTable[T any](entries []Entry[T]) *Table[T] {
	t := &Table[T]{entries: ordered(entries)}
	for place := range t.entries {
		t.index(int32(place))
	}
	return t
}

// Lookup returns the value and the entry of the router that Traefik would choose for
// the request, and false if there is none. The entry is the table's own: read it only.
//
// Of the routers whose rules take the request, it is the first among those that agree
// the most with how the request came: by HTTPS or not, by which port, and whether
// Traefik asked about it. What a request tells of its way may be wrong behind another
// proxy, so that it puts routers in order, and leaves none out.
//
// With rules bound to hosts, it costs a map access and the rules of that host, however
// many others there are; rules bound to none are tried until one agrees in full. It
// allocates nothing for matchers on host and path.
func (t *Table[T]) Lookup(request *traefik.Request) (value T, entry *Entry[T], found bool) {
	if t == nil {
		return value, nil, false
	}
	place := t.place(request)
	if place < 0 {
		return value, nil, false
	}
	entry = &t.entries[place]
	return entry.Value, entry, true
}

// Among returns the same table without the entries for whose values there is false. It is
// called for each whose rule takes a request, at each look-up. Len counts them all.
func (t *Table[T]) Among(there func(T) bool) *Table[T] {
	among := *t
	among.there = there
	return &among
}

// place is that of the entry that takes the request; below zero if none does.
func (t *Table[T]) place(request *traefik.Request) int32 {
	came, best, taken := t.arrival(request), -1, int32(-1)
	places := t.all.places(request.Host)
	for place, more := places.next(); more && best < came.most; place, more = places.next() {
		e := &t.entries[place]
		if agrees := e.agrees(came); agrees > best && e.Rule.Match(request) && (t.there == nil || t.there(e.Value)) {
			best, taken = agrees, place
		}
	}
	return taken
}

// Len is the number of entries.
func (t *Table[T]) Len() int {
	if t == nil {
		return 0
	}
	return len(t.entries)
}

// index files the entry at a place. Places come in ascending order.
func (t *Table[T]) index(place int32) {
	entry := &t.entries[place]
	t.knowWays(entry)
	hosts := entry.Rule.Hosts()
	t.all.file(place, hosts)
	switch {
	case entry.Rewrites == nil:
	case entry.Rewrites.ChangesHost():
		t.rewriting.file(place, nil)
	default:
		t.rewriting.file(place, hosts)
	}
}

// hostIndex finds entries by the host of a request. The zero value is empty.
type hostIndex struct {
	byHost  map[string][]int32 // :: host without dots at its end → places in entries, ascending
	anyHost []int32            // places of the entries that are bound to no host
}

// file notes an entry that is bound to hosts; nil: to none.
func (x *hostIndex) file(place int32, hosts []string) {
	if hosts == nil {
		x.anyHost = append(x.anyHost, place)
		return
	}
	if x.byHost == nil {
		x.byHost = make(map[string][]int32)
	}
	for _, host := range hosts {
		key := hostKey(host)
		if filed := x.byHost[key]; len(filed) == 0 || filed[len(filed)-1] != place {
			x.byHost[key] = append(filed, place)
		}
	}
}

func (x *hostIndex) isEmpty() bool { return len(x.byHost)+len(x.anyHost) == 0 }

// places are those of the entries that may take requests of the host.
func (x *hostIndex) places(host string) places {
	return places{x.byHost[hostKey(host)], x.anyHost}
}

// places are merged as they are read.
type places struct{ bound, rest []int32 }

// next is the lowest place that is left, and false if none is.
func (p *places) next() (place int32, more bool) {
	switch {
	case len(p.bound)+len(p.rest) == 0:
		return 0, false
	case len(p.rest) == 0 || len(p.bound) > 0 && p.bound[0] < p.rest[0]:
		place, p.bound = p.bound[0], p.bound[1:]
	default:
		place, p.rest = p.rest[0], p.rest[1:]
	}
	return place, true
}

func ordered[T any](entries []Entry[T]) []Entry[T] {
	kept := make([]Entry[T], 0, len(entries))
	for _, entry := range entries {
		if entry.Priority == 0 {
			entry.Priority = len(entry.Rule.String())
		}
		if entry.Rule != nil && entry.Priority <= MaxPriority {
			kept = append(kept, entry)
		}
	}
	slices.SortStableFunc(kept, compare)
	return kept
}

func compare[T any](a, b Entry[T]) int {
	return cmp.Or(
		cmp.Compare(b.Priority, a.Priority),
		preferredFirst(a.Prefer, b.Prefer),
		cmp.Compare(a.Router, b.Router),
		cmp.Compare(a.Rule.text, b.Rule.text),
	)
}

func preferredFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// hostKey is the same for hosts that differ in the dots at their ends, of which some
// are the same host to a matcher and some are not: it is for the matcher to say.
func hostKey(host string) string {
	return strings.TrimRight(host, ".")
}

package traefik

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// maxPriority is the highest priority that Traefik takes from a router; it leaves out
// routers above it.
const maxPriority = math.MaxInt - 1000

// Table finds the router of a request among many. It does not change: to change a
// router, make a new table. The nil Table is empty.
type Table[T any] struct {
	entries []Entry[T]         // in the order in which Traefik tries them
	byHost  map[string][]int32 // :: host without dots at its end → places in entries, ascending
	anyHost []int32            // places of the entries that are bound to no host
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
	// Prefer puts the entry before others of the same priority.
	Prefer bool
	// Value is what a look-up returns.
	Value T
}

// NewTable makes a table of the entries, which it copies. Among routers of the same
// priority Traefik picks at random; the table takes those to be preferred first, then
// the one whose name, then whose rule, comes first in the alphabet.
func NewTable[T any](entries []Entry[T]) *Table[T] {
	t := &Table[T]{entries: ordered(entries), byHost: make(map[string][]int32)}
	for place := range t.entries {
		t.index(int32(place))
	}
	return t
}

// Lookup returns the value and the entry of the router that Traefik would choose for
// the request, and false if there is none. The entry is the table's own: read it only.
// With rules bound to hosts, it costs a map access and the rules of that host, however
// many others there are; rules bound to none are all tried. It allocates nothing for
// matchers on host and path.
func (t *Table[T]) Lookup(request *Request) (value T, entry *Entry[T], found bool) {
	if t == nil {
		return value, nil, false
	}
	bound, rest := t.byHost[hostKey(request.Host)], t.anyHost
	for len(bound)+len(rest) > 0 {
		var place int32
		if len(rest) == 0 || len(bound) > 0 && bound[0] < rest[0] {
			place, bound = bound[0], bound[1:]
		} else {
			place, rest = rest[0], rest[1:]
		}
		if entry := &t.entries[place]; entry.Rule.Match(request) {
			return entry.Value, entry, true
		}
	}
	return value, nil, false
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
	hosts := t.entries[place].Rule.Hosts()
	if hosts == nil {
		t.anyHost = append(t.anyHost, place)
		return
	}
	for _, host := range hosts {
		key := hostKey(host)
		if filed := t.byHost[key]; len(filed) == 0 || filed[len(filed)-1] != place {
			t.byHost[key] = append(filed, place)
		}
	}
}

func ordered[T any](entries []Entry[T]) []Entry[T] {
	kept := make([]Entry[T], 0, len(entries))
	for _, entry := range entries {
		if entry.Priority == 0 {
			entry.Priority = len(entry.Rule.String())
		}
		if entry.Rule != nil && entry.Priority <= maxPriority {
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

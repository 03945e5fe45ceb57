package rule

import (
	"slices"

	"github.com/paastis/paastis/traefik"
)

// arrival is how a request came.
type arrival struct {
	tls   bool
	port  uint16 // zero: not known
	asked bool   // Traefik asks about it
	most  int    // that an entry can agree with it
}

// How far an entry agrees with how a request came. What counts more stands higher: a
// request's scheme is what Traefik saw itself, its port what the visitor's Host said.
const (
	agreesInAsking = 1
	mayAgreeInPort = 1 << 1
	agreesInPort   = 2 << 1
	mayAgreeInTLS  = 1 << 3
	agreesInTLS    = 2 << 3
)

// knowWays notes by which ways the table's entries are reached.
func (t *Table[T]) knowWays(e *Entry[T]) {
	t.tls = t.tls || e.Ways == nil && e.TLS
	for _, way := range e.Ways {
		if t.tls = t.tls || way.TLS; !slices.Contains(t.ways, way) {
			t.ways = append(t.ways, way)
		}
	}
}

// arrival believes a port only if a router takes such a request on it: a Traefik in a
// container is seen by other ports than it listens on, and one behind a balancer by the
// balancer's.
func (t *Table[T]) arrival(request *traefik.Request) arrival {
	came := arrival{tls: request.Proto == "https", asked: request.Asked, most: agreesInAsking + mayAgreeInPort + agreesInTLS}
	if came.tls && !t.tls {
		came.most -= agreesInTLS - mayAgreeInTLS
	}
	if request.Port != 0 && slices.Contains(t.ways, traefik.Way{Port: request.Port, TLS: came.tls}) {
		came.port = request.Port
		came.most += agreesInPort - mayAgreeInPort
	}
	return came
}

// agrees is how far the entry agrees with how a request came: the more the better.
func (e *Entry[T]) agrees(came arrival) int {
	best := e.agreesUnknown(came.tls)
	for _, way := range e.Ways {
		best = max(best, agree(way, came))
	}
	if !came.asked || !e.Silent {
		best += agreesInAsking
	}
	return best
}

// agreesUnknown is for a router whose ways are not known. One that does not ask for TLS
// may have it all the same, by its entry point.
func (e *Entry[T]) agreesUnknown(tls bool) int {
	switch {
	case e.Ways != nil:
		return 0
	case e.TLS == tls:
		return mayAgreeInPort + agreesInTLS
	case tls:
		return mayAgreeInPort + mayAgreeInTLS
	default:
		return mayAgreeInPort
	}
}

// agree is how far a way agrees with how a request came.
func agree(w traefik.Way, came arrival) int {
	agrees := 0
	if w.TLS == came.tls {
		agrees += agreesInTLS
	}
	switch {
	case w.Port == 0 || came.port == 0:
		agrees += mayAgreeInPort
	case w.Port == came.port:
		agrees += agreesInPort
	}
	return agrees
}

package inventory

import (
	"slices"
	"time"

	"github.com/paastis/paastis/traefik"
)

const (
	// bodyShare is which part of a readTimeout a body has that was held, and mostForBody the
	// most of it.
	bodyShare   = 4
	mostForBody = 15 * time.Second
	// writeSlack is how long before a writeTimeout an answer is given, or a quarter of it.
	writeSlack = 2 * time.Second
)

// limit finds the timeouts of the entry points of each app's routers: the shortest of those by
// which a request may come.
func (inv placing) limit(s Settings) {
	ts, usual := newTraefiks(inv.Definitions, s), traefik.Timeouts{}.Limits()
	for _, e := range inv.Definitions {
		e.Timeouts = usual
		if len(s.Timeouts) == 0 && !ts.haveTimeouts() {
			continue
		}
		var shortest traefik.Timeouts
		known := false
		for i := range e.Routers {
			for _, t := range ts.timeouts(*e.Routers[i].Router, s.Timeouts) {
				shortest, known = shortest.Under(t.Limits()), true
			}
		}
		if known {
			e.Timeouts = shortest
		}
	}
}

// TimeoutsOf are the timeouts of entry points by their names, as Settings have them.
func TimeoutsOf(entryPoints []traefik.EntryPoint) map[string]traefik.Timeouts {
	told := make(map[string]traefik.Timeouts, len(entryPoints))
	for _, e := range entryPoints {
		told[e.Name] = e.Timeouts
	}
	return told
}

// haveTimeouts reports whether an entry point has one that is not Traefik's usual one.
func (ts traefiks) haveTimeouts() bool {
	return slices.ContainsFunc(ts, func(t traefik.Static) bool {
		return slices.ContainsFunc(t.EntryPoints, func(e traefik.EntryPoint) bool { return e.Timeouts != traefik.Timeouts{} })
	})
}

// timeouts are those of the entry points of a router. Told are those that Traefik's API tells,
// by name, which count unless its flags say so themselves. None: they are not known.
func (ts traefiks) timeouts(r traefik.Router, told map[string]traefik.Timeouts) []traefik.Timeouts {
	var all []traefik.Timeouts
	for _, t := range ts {
		t = t.WithEntryPoints(entryPointsOf(told))
		names := t.ListensOn(r)
		for _, e := range t.EntryPoints {
			if !slices.Contains(names, e.Name) {
				continue
			}
			set := e.Timeouts
			if set == (traefik.Timeouts{}) {
				set = told[e.Name]
			}
			all = append(all, set)
		}
	}
	return all
}

func entryPointsOf(told map[string]traefik.Timeouts) []traefik.EntryPoint {
	var all []traefik.EntryPoint
	for name, t := range told {
		all = append(all, traefik.EntryPoint{Name: name, Timeouts: t})
	}
	return all
}

// Patience is how long a request to the app may be held, of what its hold_timeout, or another
// one, allows: so long that Traefik still gives the answer to the visitor, and, if the request
// has a body that is not read meanwhile, that there is time for that.
func (e *Definition) Patience(allowed time.Duration, body bool) time.Duration {
	if w := e.Timeouts.Write; w > 0 {
		allowed = min(allowed, w-min(writeSlack, w/bodyShare))
	}
	if r := e.Timeouts.Read; r > 0 && body {
		allowed = min(allowed, r-min(mostForBody, r/bodyShare))
	}
	return allowed
}

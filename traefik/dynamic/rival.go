package dynamic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// mostExcluded bounds how many rules a published rule leaves out.
const mostExcluded = 64

var errNoRoomAbove = fmt.Errorf("its priority is as high as Traefik takes (%d), so no published one is above it; lower it", rule.MaxPriority)

// Rival is a router with its parsed rule.
type Rival struct {
	traefik.Router
	// Rule is the parsed one. Required.
	Rule *rule.Rule
	// Alone reports whether a published router has no twin. It is published below the priority of its
	// rule then: one of the same rule that is in a file of Traefik's, which Paastis may not see, is
	// somebody's own, and has the requests, with its middlewares before them.
	Alone bool
	// Origin says where it is, for messages: `container "shop-api-1"`.
	Origin string
}

// Placed is the place of a published router among the other routers of a Traefik.
type Placed struct {
	// Priority that it is published with.
	Priority int
	// Rule that it is published with.
	Rule string
	// Second reports whether the router is also published with its own priority and rule, for
	// what the Rule leaves out.
	Second bool
	// SecondPriority is that of the second one. Zero: the router's own.
	SecondPriority int
	// Err says why it has no place and must not be published: one line that names the other
	// router, and what to do. Nil: it has one.
	Err error
}

// Place finds the places of the published routers of a Traefik among the rivals, which it
// has from elsewhere; the result has them in the same order.
//
// A published router has to win over the router of the labels that it stands for, its twin.
// So it takes the next priority that there is. A rival that has a higher priority than the
// twin still wins then, unless it has that very one. In that case, if both take a request, the
// rival's rule is left out of the published one, if that can be said in a rule. Should the rival not be there now, what is
// left out is for the twin, or for a second published router beside that, of the twin's
// priority: the twin of an app that sleeps may be gone.
func Place(static traefik.Static, published, rivals []Rival) []Placed {
	p := placer{static, make(map[int][]placedRival)}
	for _, rival := range rivals {
		p.add(rival, false)
	}
	order := make([]int, len(published))
	for i := range order {
		order[i] = i
	}
	// Those of the highest priority first: what becomes of one is a rival for those below.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(published[b].Router), rank(published[a].Router)), cmp.Compare(published[a].Name, published[b].Name))
	})
	all := make([]Placed, len(published))
	for _, i := range order {
		all[i] = p.place(published[i])
		if all[i].Err != nil || all[i].Second {
			p.add(published[i], all[i].Err == nil)
		}
	}
	return all
}

// placer places published routers.
type placer struct {
	static     traefik.Static
	byPriority map[int][]placedRival // :: priority → the rivals that have it
}

// placedRival is a rival that is always there, or may be gone.
type placedRival struct {
	Rival
	always bool
	hosts  []string // see rule.HostKeys
}

func (p *placer) add(rival Rival, always bool) {
	at := rank(rival.Router)
	p.byPriority[at] = append(p.byPriority[at], placedRival{rival, always, rival.Rule.HostKeys()})
}

// rank is a router's priority as Traefik counts it.
func rank(router traefik.Router) int {
	if router.Priority == 0 {
		return len(router.Rule)
	}
	return router.Priority
}

func (p *placer) place(r Rival) Placed {
	own := rank(r.Router)
	if own >= rule.MaxPriority {
		return Placed{Err: errNoRoomAbove}
	}
	placed := Placed{Priority: next(own), Rule: r.Router.Rule}
	if r.Alone {
		placed.Priority, placed.SecondPriority = own-1, own-belowOwn
	}
	hosts := r.Rule.HostKeys()
	var excluded []string
	for _, rival := range p.byPriority[placed.Priority] {
		if disjoint(hosts, rival.hosts) || !meet(p.static, r.Router, rival.Router) {
			continue
		}
		if (rival.RuleSyntax == rule.SyntaxV2) != (r.RuleSyntax == rule.SyntaxV2) || r.TLS && rival.namesOther(hosts) || len(excluded) == mostExcluded {
			return Placed{Err: fmt.Errorf("router %q (%s) has the priority just above it, %d, so a published one would tie with it; give one of them another priority", rival.Name, rival.Origin, placed.Priority)}
		}
		placed.Second = placed.Second || !rival.always || !covers(p.static, rival.Router, r.Router)
		excluded = append(excluded, rival.Router.Rule)
	}
	if len(excluded) > 0 {
		slices.Sort(excluded)
		placed.Rule = without(r.Router.Rule, slices.Compact(excluded))
	}
	return placed
}

// belowOwn is how far below the priority of its rule the second router of one is that is alone.
const belowOwn = 2

// next is the least priority above another. Zero is none: it stands for the rule's length.
func next(priority int) int {
	if priority == -1 {
		return 1
	}
	return priority + 1
}

// without is a rule that takes what the first does, and none of the others.
func without(rule string, others []string) string {
	var b strings.Builder
	b.WriteString("(" + rule + ")")
	for _, other := range others {
		b.WriteString(" && !(" + other + ")")
	}
	return b.String()
}

// namesOther reports whether the rule names a host that is none of these. In a rule of a
// router with TLS it would choose the TLS options of that host, and ask for its certificate:
// Traefik takes no account of the "!" before it.
func (r placedRival) namesOther(hosts []string) bool {
	if !strings.Contains(strings.ToLower(r.Router.Rule), "host(") {
		return false
	}
	return r.hosts == nil || slices.ContainsFunc(r.hosts, func(host string) bool { return !slices.Contains(hosts, host) })
}

// meet reports whether two routers may be asked for the same request: on one entry point,
// and both with TLS or both without.
func meet(s traefik.Static, a, b traefik.Router) bool {
	if a.TLS != b.TLS && !slices.ContainsFunc(s.EntryPoints, func(e traefik.EntryPoint) bool { return e.TLS }) {
		return false
	}
	return !disjoint(s.ListensOn(a), s.ListensOn(b))
}

// covers reports whether a router is asked wherever the other one is.
func covers(s traefik.Static, a, b traefik.Router) bool {
	on := s.ListensOn(a)
	return a.TLS == b.TLS && (len(on) > 0) == (len(s.ListensOn(b)) > 0) &&
		!slices.ContainsFunc(s.ListensOn(b), func(x string) bool { return !slices.Contains(on, x) })
}

// disjoint reports whether both lists have something, and nothing in common.
func disjoint(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

package registry

import (
	"cmp"
	"iter"
	"slices"

	"github.com/paastis/paastis/rules"
)

// component is the apps that need each other, directly or by way of others; most are one
// app. They start together, as far as their order lets them, and sleep together. It never
// changes.
type component struct {
	members []*Entry // by name
	groups  []*group // whose apps are among the members
	// dependents are the apps outside that need a member, by name.
	dependents []*Entry
	// inside are the members that need a member, by their places, whatever happens: a
	// failure of it is one of theirs. Groups aside.
	inside [][]int
}

// group is the apps of one app_group: all but those with exceptions of their own need all
// the others to be healthy.
type group struct {
	members []*Entry
	// needing are the places, in the component, of those that do.
	needing []int
}

// need is a link with the app at its end.
type need struct {
	rules.Link
	to *Entry
	// inside tells that both are of one component.
	inside bool
}

// before reports whether the app must not be started before the need is met.
func (n need) before() bool { return !n.inside || n.Ordered }

// linkEntries gives each entry what the graph says of it.
func (inv *Inventory) linkEntries() {
	groups := map[*Entry]*group{} // :: first of its members → group
	for _, e := range inv.Entries {
		if e.component == nil {
			inv.newComponent(e)
		}
	}
	for _, e := range inv.Entries {
		for _, l := range inv.Graph.OwnLinks(e.Name) {
			to := inv.names[l.Name]
			e.needs = append(e.needs, need{Link: l, to: to, inside: to.component == e.component})
			to.job = to.job || l.Condition == rules.Completed
			to.neededHealthy = to.neededHealthy || l.Condition == rules.Healthy
			to.needed = true
		}
		inv.joinGroup(e, groups)
	}
	for _, e := range inv.Entries {
		e.component.addNeedsOf(e)
	}
	for _, e := range inv.Entries {
		c := e.component
		slices.SortFunc(c.dependents, func(a, b *Entry) int { return cmp.Compare(a.Name, b.Name) })
		c.dependents = slices.Compact(c.dependents)
	}
}

// newComponent makes the component of an entry.
func (inv *Inventory) newComponent(e *Entry) {
	names := inv.Graph.Component(e.Name)
	c := &component{members: make([]*Entry, 0, len(names))}
	for place, name := range names {
		m := inv.names[name]
		m.component, m.place = c, place
		c.members = append(c.members, m)
	}
	if len(names) > 1 {
		c.inside = make([][]int, len(names))
	}
}

// joinGroup makes an entry one of its group, if it is in one.
func (inv *Inventory) joinGroup(e *Entry, groups map[*Entry]*group) {
	names := inv.Graph.GroupOf(e.Name)
	if names == nil {
		return
	}
	first := inv.names[names[0]]
	g := groups[first]
	if g == nil {
		g = &group{}
		for _, name := range names {
			m := inv.names[name]
			m.neededHealthy, m.needed = true, true
			g.members = append(g.members, m)
		}
		groups[first] = g
		e.component.groups = append(e.component.groups, g)
	}
	e.group = g
	g.needing = append(g.needing, e.place)
}

// addNeedsOf notes who depends on whom.
func (c *component) addNeedsOf(e *Entry) {
	for _, n := range e.needs {
		switch {
		case !n.inside:
			n.to.component.dependents = append(n.to.component.dependents, e)
		case !n.Optional && !n.to.job:
			c.inside[n.to.place] = append(c.inside[n.to.place], e.place)
		}
	}
}

// links are the apps that the entry needs.
func (e *Entry) links(yield func(*Entry) bool) {
	for _, n := range e.needs {
		if !yield(n.to) {
			return
		}
	}
	if e.group == nil {
		return
	}
	for _, m := range e.group.members {
		if e.needsByGroup(m) && !yield(m) {
			return
		}
	}
}

// IsJob reports whether somebody waits for the app's end: nobody asks then whether it serves.
func (e *Entry) IsJob() bool { return e.job }

// mayEnd reports whether the app's good end is no failure: it is a job, or nobody asks for
// more than its start.
func (e *Entry) mayEnd() bool { return e.job || e.needed && !e.neededHealthy }

// managed are the keepers of the members that Paastis may start and stop.
func managed(c *component) iter.Seq[*Keeper] {
	return func(yield func(*Keeper) bool) {
		for _, m := range c.members {
			if m.Managed && !yield(KeeperOf(m)) {
				return
			}
		}
	}
}

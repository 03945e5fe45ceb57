package inventory

import (
	"cmp"
	"slices"

	"github.com/paastis/paastis/rules"
)

// Component is the apps that need each other, directly or by way of others; most are one
// app. They start together, as far as their order lets them, and sleep together. It never
// changes.
type Component struct {
	Members []*Definition // by name
	groups  []*Group      // whose apps are among the members
	// Dependents are the apps outside that need a member, by name.
	Dependents []*Definition
	// Inside are the members that need a member, by their places, whatever happens: a
	// failure of it is one of theirs. Groups aside.
	Inside [][]int
}

// Group is the apps of one app_group: all but those with exceptions of their own need all
// the others to be healthy.
type Group struct {
	Members []*Definition
	// needing are the places, in the component, of those that do.
	needing []int
}

// Need is a link with the app at its end.
type Need struct {
	rules.Link
	To *Definition
	// Inside reports whether both are of one component.
	Inside bool
}

// Before reports whether the app must not be started before the need is met.
func (n Need) Before() bool { return !n.Inside || n.Ordered }

// linkDefinitions gives each definition what the graph says of it.
func (inv *linking) linkDefinitions() {
	groups := map[*Definition]*Group{} // :: first of its members → group
	for _, e := range inv.Definitions {
		if e.Component == nil {
			inv.newComponent(e)
		}
	}
	for _, e := range inv.Definitions {
		for _, l := range inv.Graph.OwnLinks(e.Name) {
			to := inv.ByName[l.Name]
			e.Needs = append(e.Needs, Need{Link: l, To: to, Inside: to.Component == e.Component})
			to.Job = to.Job || l.Condition == rules.Completed
			to.neededHealthy = to.neededHealthy || l.Condition == rules.Healthy
			to.needed = true
		}
		inv.joinGroup(e, groups)
	}
	for _, e := range inv.Definitions {
		e.Component.addNeedsOf(e)
	}
	for _, e := range inv.Definitions {
		c := e.Component
		slices.SortFunc(c.Dependents, func(a, b *Definition) int { return cmp.Compare(a.Name, b.Name) })
		c.Dependents = slices.Compact(c.Dependents)
	}
}

// newComponent makes the component of an app.
func (inv *linking) newComponent(e *Definition) {
	names := inv.Graph.Component(e.Name)
	c := &Component{Members: make([]*Definition, 0, len(names))}
	for place, name := range names {
		m := inv.ByName[name]
		m.Component, m.Place = c, place
		c.Members = append(c.Members, m)
	}
	if len(names) > 1 {
		c.Inside = make([][]int, len(names))
	}
}

// joinGroup makes an app one of its group, if it is in one.
func (inv *linking) joinGroup(e *Definition, groups map[*Definition]*Group) {
	names := inv.Graph.GroupOf(e.Name)
	if names == nil {
		return
	}
	first := inv.ByName[names[0]]
	g := groups[first]
	if g == nil {
		g = &Group{}
		for _, name := range names {
			m := inv.ByName[name]
			m.neededHealthy, m.needed = true, true
			g.Members = append(g.Members, m)
		}
		groups[first] = g
		e.Component.groups = append(e.Component.groups, g)
	}
	e.Group = g
	g.needing = append(g.needing, e.Place)
}

// addNeedsOf notes who depends on whom.
func (c *Component) addNeedsOf(e *Definition) {
	for _, n := range e.Needs {
		switch {
		case !n.Inside:
			n.To.Component.Dependents = append(n.To.Component.Dependents, e)
		case !n.Optional && !n.To.Job:
			c.Inside[n.To.Place] = append(c.Inside[n.To.Place], e.Place)
		}
	}
}

// links are the apps that the app needs.
func (e *Definition) links(yield func(*Definition) bool) {
	for _, n := range e.Needs {
		if !yield(n.To) {
			return
		}
	}
	if e.Group == nil {
		return
	}
	for _, m := range e.Group.Members {
		if e.NeedsByGroup(m) && !yield(m) {
			return
		}
	}
}

// MayEnd reports whether the app's good end is no failure: it is a job, or nobody asks for
// more than its start.
func (e *Definition) MayEnd() bool { return e.Job || e.needed && !e.neededHealthy }

// NeedsByGroup reports whether the app needs another one of its group for being there.
func (e *Definition) NeedsByGroup(m *Definition) bool {
	return m != e && !slices.ContainsFunc(e.Needs, func(n Need) bool { return n.To == m })
}

// SpreadInGroups lets those know that need a member by a group, and reports whether there
// is one and it is the only group.
func (c *Component) SpreadInGroups(place int, spread func([]int)) bool {
	for _, g := range c.groups {
		if slices.Contains(g.Members, c.Members[place]) {
			spread(g.needing)
			return len(c.groups) == 1
		}
	}
	return false
}

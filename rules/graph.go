package rules

import (
	"cmp"
	"maps"
	"slices"
)

// Node is an app with its links, as it goes into a graph.
type Node struct {
	// Name of the app, unique.
	Name string
	// Aliases are other names that links may use. Another node's Name wins over them.
	Aliases []string
	// Group: all nodes of one group are linked to each other. Empty: none.
	Group string
	// Links to other nodes, by name or alias. Those to itself do not count.
	Links []Link
}

// Graph is which app needs which. It never changes, nor may what its methods return be
// changed. Apps that need each other, directly or by way of others, form a component; most
// components are one app.
//
// A group is a node of its own, a hub, which its members need and which needs them: so a
// group of n apps takes 2n edges, not n². Hubs have the numbers after those of the apps.
type Graph struct {
	names      []string
	index      map[string]int // :: name or alias → node
	links      [][]edge       // :: node → what it needs, by number
	dependents [][]int        // :: node → who needs it, ascending
	missing    [][]Link       // :: app → links that lead nowhere
	component  []int          // :: node → component; what is needed has a smaller number
	members    [][]int        // :: component → apps, ascending; none of a group that has none
}

// edge is a link with its end.
type edge struct {
	to int
	Link
}

// NewGraph draws the graph of nodes. Links of several origins to one app become one:
// optional if one of them is, with the strictest condition (completed, healthy, started).
func NewGraph(nodes []Node) *Graph {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	g := &Graph{index: map[string]int{}}
	g.name(nodes)
	g.links = make([][]edge, len(nodes))
	g.missing = make([][]Link, len(nodes))
	for i, n := range nodes {
		g.resolve(i, n.Links)
		g.links[i] = merge(g.links[i])
	}
	g.linkGroups(nodes)
	g.dependents = make([][]int, len(g.links))
	for i := range g.links {
		for _, e := range g.links[i] {
			g.dependents[e.to] = append(g.dependents[e.to], i)
		}
	}
	g.keepOrder()
	g.findComponents()
	return g
}

// Links are what the app needs, sorted by name; each has the name of its node. Those to the
// other apps of its group are among them.
func (g *Graph) Links(name string) []Link {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	links := make([]Link, 0, len(g.links[i]))
	for _, e := range g.edges(i) {
		links = append(links, e.Link)
	}
	return links
}

// OwnLinks are those of Links that GroupOf does not tell.
func (g *Graph) OwnLinks(name string) []Link {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	var links []Link
	for _, e := range g.links[i] {
		if e.to < len(g.names) {
			links = append(links, e.Link)
		}
	}
	return links
}

// GroupOf are the apps of the app's group, sorted, itself among them, all of which it needs
// to be healthy; where OwnLinks has one of them, that link stands in its place. Nil if its
// links to them are all among OwnLinks, or if it is in no group.
func (g *Graph) GroupOf(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	for _, e := range g.links[i] {
		if e.to >= len(g.names) {
			return g.namesOf(g.mates(e.to))
		}
	}
	return nil
}

// Missing are the app's links to apps that do not exist.
func (g *Graph) Missing(name string) []Link {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	return g.missing[i]
}

// Dependents are the apps that need the app, sorted.
func (g *Graph) Dependents(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	var dependents []int
	for _, d := range g.dependents[i] {
		if d < len(g.names) {
			dependents = append(dependents, d)
			continue
		}
		for _, mate := range g.dependents[d] {
			if mate != i {
				dependents = append(dependents, mate)
			}
		}
	}
	slices.Sort(dependents)
	return g.namesOf(slices.Compact(dependents))
}

// Component are the apps that the app needs and that need it, itself among them,
// sorted. Never empty for an app of the graph.
func (g *Graph) Component(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	return g.namesOf(g.members[g.component[i]])
}

// Closure is all that the app needs, directly or not, without itself, sorted.
func (g *Graph) Closure(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	closure := g.closure(i)
	delete(closure, i)
	return g.namesOf(g.apps(closure))
}

// apps are those of the nodes that are no hubs, ascending.
func (g *Graph) apps(nodes map[int]bool) []int {
	return slices.Sorted(func(yield func(int) bool) {
		for n := range nodes {
			if n < len(g.names) && !yield(n) {
				return
			}
		}
	})
}

// edges are an app's, with those to its group written out, by number.
func (g *Graph) edges(from int) []edge {
	own := g.links[from]
	last := len(own) - 1
	if last < 0 || own[last].to < len(g.names) {
		return own
	}
	all := slices.Clone(own[:last])
	for _, mate := range g.mates(own[last].to) {
		if mate != from && !slices.ContainsFunc(own, func(e edge) bool { return e.to == mate }) {
			all = append(all, edge{to: mate, Link: Link{Name: g.names[mate]}})
		}
	}
	slices.SortFunc(all, func(a, b edge) int { return cmp.Compare(a.to, b.to) })
	return all
}

// mates are the apps of a group, by its hub, ascending.
func (g *Graph) mates(hub int) []int {
	mates := make([]int, 0, len(g.links[hub]))
	for _, e := range g.links[hub] {
		mates = append(mates, e.to)
	}
	return mates
}

// StartOrder is all that the app needs and itself, in waves: the apps of a wave can
// start as soon as those of the waves before are up. A component is never split. It is for
// people to read: when an app does start is decided anew at each step, by needWaker.mayStart
// (registry/needs.go), and when it stops in registry/stopsequence.go.
func (g *Graph) StartOrder(name string) [][]string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	nodes := g.apps(g.closure(i))
	slices.SortStableFunc(nodes, func(a, b int) int { return cmp.Compare(g.component[a], g.component[b]) })
	level := map[int]int{} // :: component → wave
	var waves [][]int
	for _, n := range nodes {
		wave := g.wave(g.component[n], level)
		if wave == len(waves) {
			waves = append(waves, nil)
		}
		waves[wave] = append(waves[wave], n)
	}
	order := make([][]string, 0, len(waves))
	for _, w := range waves {
		slices.Sort(w)
		order = append(order, g.namesOf(w))
	}
	return order
}

// wave is one more than the latest wave that the component needs. Those that it needs
// have been asked for before.
func (g *Graph) wave(component int, level map[int]int) int {
	if wave, ok := level[component]; ok {
		return wave
	}
	wave := 0
	for _, n := range g.members[component] {
		for _, e := range g.links[n] {
			if c := g.component[e.to]; c != component {
				wave = max(wave, level[c]+1)
			}
		}
	}
	level[component] = wave
	return wave
}

// closure is a node and all that it needs.
func (g *Graph) closure(from int) map[int]bool {
	seen := map[int]bool{from: true}
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		for _, e := range g.links[queue[0]] {
			if !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
	return seen
}

// name files the nodes under their names, then under the aliases that are left.
func (g *Graph) name(nodes []Node) {
	for i, n := range nodes {
		g.names = append(g.names, n.Name)
		if _, taken := g.index[n.Name]; !taken {
			g.index[n.Name] = i
		}
	}
	for i, n := range nodes {
		for _, alias := range n.Aliases {
			if _, taken := g.index[alias]; !taken {
				g.index[alias] = i
			}
		}
	}
}

func (g *Graph) resolve(from int, links []Link) {
	for _, l := range links {
		to, ok := g.index[l.Name]
		switch {
		case !ok:
			g.missing[from] = append(g.missing[from], l)
		case to != from:
			l.Name = g.names[to]
			g.links[from] = append(g.links[from], edge{to: to, Link: l})
		}
	}
}

// linkGroups links the apps of each group to each other, by a hub. One that has an optional
// link to another of its group has each of them written out: the hub knows no exceptions.
func (g *Graph) linkGroups(nodes []Node) {
	groups := map[string][]int{}
	for i, n := range nodes {
		if n.Group != "" {
			groups[n.Group] = append(groups[n.Group], i)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if group := groups[name]; len(group) > 1 {
			g.linkGroup(group)
		}
	}
}

// linkGroup adds the hub of a group, whose apps are ascending.
func (g *Graph) linkGroup(group []int) {
	hub := len(g.links)
	var needed []edge
	for _, to := range group {
		needed = append(needed, edge{to: to, Link: Link{Name: g.names[to]}})
	}
	g.links = append(g.links, needed)
	for _, from := range group {
		if exception := g.strictWithin(from, group); !exception {
			g.links[from] = append(g.links[from], edge{to: hub})
			continue
		}
		for _, e := range needed {
			if e.to != from && !slices.ContainsFunc(g.links[from], func(own edge) bool { return own.to == e.to }) {
				g.links[from] = append(g.links[from], e)
			}
		}
		g.links[from] = merge(g.links[from])
	}
}

// strictWithin gives an app's own links into its group the condition that the group has as
// well, and reports whether one of them is optional.
func (g *Graph) strictWithin(from int, group []int) (optional bool) {
	for i, e := range g.links[from] {
		if _, inside := slices.BinarySearch(group, e.to); inside {
			g.links[from][i].Link = e.atLeast(Healthy)
			optional = optional || e.Optional
		}
	}
	return optional
}

// keepOrder leaves links ordered that form no cycle with each other. A link that waits for
// an end is ordered by its nature.
func (g *Graph) keepOrder() {
	ordered := make([][]edge, len(g.links))
	for i, links := range g.links {
		for _, e := range links {
			if e.Ordered || e.Condition == Completed {
				ordered[i] = append(ordered[i], e)
			}
		}
	}
	component, _ := components(ordered)
	for i := range g.links {
		for j, e := range g.links[i] {
			g.links[i][j].Link = e.inOrder((e.Ordered || e.Condition == Completed) && component[i] != component[e.to])
		}
	}
}

// merge makes one link of several to the same app, and sorts them.
func merge(links []edge) []edge {
	slices.SortStableFunc(links, func(a, b edge) int { return cmp.Compare(a.to, b.to) })
	merged := links[:0]
	for _, l := range links {
		last := len(merged) - 1
		if last < 0 || merged[last].to != l.to {
			merged = append(merged, l)
			continue
		}
		merged[last].Link = merged[last].with(l.Link)
	}
	return merged
}

// findComponents finds the apps that need each other.
func (g *Graph) findComponents() {
	g.component, g.members = components(g.links)
	for i, members := range g.members {
		g.members[i] = slices.DeleteFunc(members, func(n int) bool { return n >= len(g.names) })
	}
}

// components is Tarjan's algorithm, with a stack of its own: chains may be long. It finds a
// component after those that it needs.
func components(links [][]edge) (component []int, members [][]int) {
	t := &tarjan{
		links: links, component: make([]int, len(links)),
		order: make([]int, len(links)), low: make([]int, len(links)), on: make([]bool, len(links)),
	}
	for n := range links {
		if t.order[n] == 0 {
			t.visit(n)
		}
	}
	return t.component, t.members
}

type tarjan struct {
	links     [][]edge
	component []int   // :: node → component
	members   [][]int // :: component → nodes, ascending
	count     int
	order     []int  // :: node → when it was found, from 1; 0: not yet
	low       []int  // :: node → the earliest node on the stack that it leads to
	on        []bool // :: node → it is on the stack
	stack     []int
}

// frame is a node on the way down, and the next of its links.
type frame struct{ node, next int }

func (t *tarjan) visit(root int) {
	t.enter(root)
	for frames := []frame{{node: root}}; len(frames) > 0; {
		f := &frames[len(frames)-1]
		if f.next < len(t.links[f.node]) {
			to := t.links[f.node][f.next].to
			f.next++
			switch {
			case t.order[to] == 0:
				t.enter(to)
				frames = append(frames, frame{node: to})
			case t.on[to]:
				t.low[f.node] = min(t.low[f.node], t.order[to])
			}
			continue
		}
		t.leave(f.node)
		low := t.low[f.node]
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			parent := frames[len(frames)-1].node
			t.low[parent] = min(t.low[parent], low)
		}
	}
}

func (t *tarjan) enter(n int) {
	t.count++
	t.order[n], t.low[n], t.on[n] = t.count, t.count, true
	t.stack = append(t.stack, n)
}

// leave takes a component off the stack if n was the first of it that was found.
func (t *tarjan) leave(n int) {
	if t.low[n] != t.order[n] {
		return
	}
	var members []int
	for {
		m := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.on[m] = false
		t.component[m] = len(t.members)
		members = append(members, m)
		if m == n {
			break
		}
	}
	slices.Sort(members)
	t.members = append(t.members, members)
}

// namesOf are read only: the name of one is the graph's own.
func (g *Graph) namesOf(nodes []int) []string {
	if len(nodes) == 1 {
		return g.names[nodes[0] : nodes[0]+1 : nodes[0]+1]
	}
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		names = append(names, g.names[n])
	}
	return names
}

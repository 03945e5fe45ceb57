package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paastis/paastis/rules"
)

// matrix tells of each app which apps it needs. It is the naive graph that the real
// one is held against.
type matrix [][]bool

// scatter makes a random graph, and the same as a matrix. Apps are named by alias or
// name, link to themselves and to nowhere, and some are in groups.
func scatter(random *rand.Rand) ([]rules.Node, matrix) {
	size, density := 1+random.IntN(12), random.Float64()*random.Float64()
	nodes, needs := make([]rules.Node, size), make(matrix, size)
	for i := range nodes {
		nodes[i] = rules.Node{Name: name(i), Aliases: []string{"alias-" + name(i)}, Links: []rules.Link{{Name: "gone"}}}
		if random.IntN(4) == 0 {
			nodes[i].Group = fmt.Sprint("group-", random.IntN(2))
		}
		needs[i] = make([]bool, size)
		for j := range size {
			if random.Float64() < density {
				needs[i][j] = i != j
				nodes[i].Links = append(nodes[i].Links, rules.Link{Name: []string{name(j), "alias-" + name(j)}[random.IntN(2)]})
			}
		}
	}
	for i, a := range nodes {
		for j, b := range nodes {
			needs[i][j] = needs[i][j] || i != j && a.Group != "" && a.Group == b.Group
		}
	}
	random.Shuffle(size, func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes, needs
}

func name(i int) string { return fmt.Sprintf("app-%02d", i) }

// reach is Warshall's closure; an app reaches itself.
func (m matrix) reach() matrix {
	r := make(matrix, len(m))
	for i := range m {
		r[i] = slices.Clone(m[i])
		r[i][i] = true
	}
	for k := range r {
		for i := range r {
			for j := range r {
				r[i][j] = r[i][j] || r[i][k] && r[k][j]
			}
		}
	}
	return r
}

// where are the names of the apps that pass.
func (m matrix) where(passes func(i int) bool) []string {
	names := []string{}
	for i := range m {
		if passes(i) {
			names = append(names, name(i))
		}
	}
	return names
}

func TestRandomGraphsAgreeWithNaiveReachability(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		nodes, needs := scatter(rand.New(rand.NewPCG(seed, 0)))
		g, reach := rules.NewGraph(nodes), needs.reach()
		for i := range needs {
			what := fmt.Sprintf("seed %d: %s: ", seed, name(i))
			links := []string{}
			for _, l := range g.Links(name(i)) {
				links = append(links, l.Name)
			}
			equal(t, what+"links", links, needs.where(func(j int) bool { return needs[i][j] }))
			equal(t, what+"dependents", g.Dependents(name(i)), needs.where(func(j int) bool { return needs[j][i] }))
			equal(t, what+"closure", g.Closure(name(i)), needs.where(func(j int) bool { return i != j && reach[i][j] }))
			equal(t, what+"component", g.Component(name(i)), needs.where(func(j int) bool { return reach[i][j] && reach[j][i] }))
			equal(t, what+"start order", g.StartOrder(name(i)), needs.waves(i, reach))
		}
		if t.Failed() {
			t.Fatalf("nodes %+v", nodes)
		}
	}
}

// waves starts, again and again, all apps whose every need outside their own component
// has been started before: each as early as it may, none too early.
func (m matrix) waves(from int, reach matrix) [][]string {
	started := make([]bool, len(m))
	var order [][]string
	for !started[from] {
		before := slices.Clone(started)
		wave := m.where(func(i int) bool { return reach[from][i] && !before[i] && m.ready(i, reach, before) })
		for i := range m {
			started[i] = before[i] || slices.Contains(wave, name(i))
		}
		order = append(order, wave)
	}
	return order
}

func (m matrix) ready(i int, reach matrix, started []bool) bool {
	for j := range m {
		if reach[i][j] && !reach[j][i] && !started[j] {
			return false
		}
	}
	return true
}

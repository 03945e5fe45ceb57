package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

// draw reads an app a line: `name alias… @group -> link…`, links as in a label.
func draw(t *testing.T, lines ...string) *rules.Graph {
	t.Helper()
	var nodes []rules.Node
	for _, line := range lines {
		head, links, _ := strings.Cut(line, "->")
		words := strings.Fields(head)
		n := rules.Node{Name: words[0]}
		for _, w := range words[1:] {
			if group, ok := strings.CutPrefix(w, "@"); ok {
				n.Group = group
			} else {
				n.Aliases = append(n.Aliases, w)
			}
		}
		r, _ := labelled(t, "", map[string]string{"paastis.linked_apps": strings.Join(strings.Fields(links), ",")})
		n.Links = r.LinkedApps
		nodes = append(nodes, n)
	}
	return rules.NewGraph(nodes)
}

// waves writes a start order as `db | back front`.
func waves(g *rules.Graph, name string) string {
	var all []string
	for _, w := range g.StartOrder(name) {
		all = append(all, strings.Join(w, " "))
	}
	return strings.Join(all, " | ")
}

func written(links []rules.Link) string {
	var all []string
	for _, l := range links {
		all = append(all, l.String())
	}
	return strings.Join(all, " ")
}

func words(names []string) string { return strings.Join(names, " ") }

func TestAppsStartAfterThoseTheyNeed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"alone", []string{"a"}, "a"},
		{"chain", []string{"a -> b", "b -> c", "c"}, "c | b | a"},
		{"self", []string{"a -> a"}, "a"},
		{"pair that needs each other", []string{"a -> b", "b -> a"}, "a b"},
		{"diamond", []string{"a -> b c", "b -> d", "c -> d", "d"}, "d | b c | a"},
		{"diamond with a short cut", []string{"a -> b c d", "b -> d", "c -> d", "d"}, "d | b c | a"},
		{"uneven arms", []string{"a -> b c", "b -> d", "d -> e", "e", "c"}, "c e | d | b | a"},
		{"cycle that needs a database", []string{"a -> b", "b -> a db", "db"}, "db | a b"},
		{"cycle that a front needs", []string{"a -> b", "b -> c", "c -> b"}, "b c | a"},
		{"two cycles in a row", []string{"a -> b", "b -> a c", "c -> d", "d -> c"}, "c d | a b"},
		{"cycle within a cycle", []string{"a -> b", "b -> c", "c -> b a"}, "a b c"},
		{"missing app", []string{"a -> b gone", "b -> lost?"}, "b | a"},
		{"optional and started count", []string{"a -> b? c:started", "b", "c"}, "b c | a"},
		{"group", []string{"a @x", "b @x -> db", "c @y", "db"}, "db | a b"},
		{"by alias", []string{"a -> second", "b second -> third", "c third"}, "c | b | a"},
		{"who needs it does not matter", []string{"a", "b -> a", "c -> b a"}, "a"},
	} {
		equal(t, c.name, waves(draw(t, c.lines...), "a"), c.want)
		slices.Reverse(c.lines)
		equal(t, c.name+", in another order", waves(draw(t, c.lines...), "a"), c.want)
	}
}

func TestReviewAppsWakeEachOther(t *testing.T) {
	t.Parallel()
	set := load(t, `rules:
  - pattern: 'pix-app-review-pr(\d+)-(back|front)'
    linked_apps:
      - 'pix-app-review-pr$1-front'
      - 'pix-app-review-pr$1-back'
`)
	var nodes []rules.Node
	for _, name := range []string{"pix-app-review-pr1-front", "pix-app-review-pr1-back", "pix-app-review-pr2-front", "pix-app-review-pr2-back"} {
		nodes = append(nodes, rules.Node{Name: name, Links: properties(t, set, name).LinkedApps})
	}
	g := rules.NewGraph(nodes)
	for _, name := range []string{"front", "back"} {
		equal(t, name, waves(g, "pix-app-review-pr1-"+name), "pix-app-review-pr1-back pix-app-review-pr1-front")
	}
}

func TestLinksOfSeveralOriginsAreOne(t *testing.T) {
	t.Parallel()
	for links, want := range map[string]string{
		"b b":                             "b",
		"b? b?":                           "b?",
		"b? b":                            "b?",
		"b b?":                            "b?",
		"b:started b":                     "b",
		"b b:started":                     "b",
		"b:started b:started?":            "b:started?",
		"b b:completed":                   "b:completed",
		"b:completed b:started":           "b:completed",
		"b:started? b? b:completed?":      "b:completed?",
		"b:started? second b:started":     "b?",
		"second:started? b:started?":      "b:started?",
		"c b:started a b? c:completed? a": "b? c:completed?",
	} {
		g := draw(t, "a -> "+links, "b second", "c")
		equal(t, links, written(g.Links("a")), want)
	}
}

func TestGroupLinksAreNeededAndHealthy(t *testing.T) {
	t.Parallel()
	g := draw(t, "a @x -> b:started? c:completed? d?", "b @x", "c @x", "d @y", "e")
	equal(t, "a", written(g.Links("a")), "b? c:completed? d?")
	equal(t, "b", written(g.Links("b")), "a c")
	equal(t, "only one of its group", written(g.Links("d")), "")
	equal(t, "in no group", written(g.Links("e")), "")
	equal(t, "component", words(g.Component("b")), "a b c")
}

func TestAGroupIsToldApartFromAnAppsOwnLinks(t *testing.T) {
	t.Parallel()
	g := draw(t, "a @x -> b:started db", "b @x", "c @x -> a?", "d @x -> c:completed", "db -> b?")
	equal(t, "links", written(g.Links("a")), "b c d db")
	equal(t, "own links", written(g.OwnLinks("a")), "b db")
	equal(t, "group", words(g.GroupOf("a")), "a b c d")
	equal(t, "own links of one with an exception", written(g.OwnLinks("c")), "a? b d")
	equal(t, "its group", words(g.GroupOf("c")), "")
	equal(t, "own links of one that waits for an end", written(g.OwnLinks("d")), "c:completed")
	equal(t, "dependents", words(g.Dependents("b")), "a c d db")
	equal(t, "component", words(g.Component("d")), "a b c d db")
	equal(t, "closure", words(g.Closure("d")), "a b c db")
	equal(t, "order", waves(g, "b"), "a b c d db")
}

func TestLinksStayOrderedWithinACircleThatOthersMake(t *testing.T) {
	t.Parallel()
	ordered := func(name string) rules.Link { return rules.Link{Name: name, Ordered: true} }
	nodes := []rules.Node{
		{Name: "back", Group: "x", Links: []rules.Link{ordered("db"), {Name: "job", Condition: rules.Completed}}},
		{Name: "db", Group: "x"},
		{Name: "egg", Group: "x", Links: []rules.Link{ordered("hen")}},
		{Name: "hen", Group: "x", Links: []rules.Link{ordered("egg"), {Name: "db"}}},
		{Name: "job", Group: "x", Links: []rules.Link{ordered("db")}},
	}
	g := rules.NewGraph(nodes)
	for name, want := range map[string]string{"back": "db job", "db": "", "egg": "", "hen": "", "job": "db"} {
		var kept []string
		for _, l := range g.Links(name) {
			if l.Ordered {
				kept = append(kept, l.Name)
			}
		}
		equal(t, name, words(kept), want)
	}
}

func TestLinksToNowhereAreReportedAndSkipped(t *testing.T) {
	t.Parallel()
	g := draw(t, "a -> gone:started b lost?", "b")
	equal(t, "links", written(g.Links("a")), "b")
	equal(t, "missing", written(g.Missing("a")), "gone:started lost?")
	equal(t, "none missing", written(g.Missing("b")), "")
	equal(t, "closure", words(g.Closure("a")), "b")
}

func TestNeighboursAreSorted(t *testing.T) {
	t.Parallel()
	g := draw(t, "web -> db cache", "api -> db web", "db -> disk", "cache", "disk -> disk", "job -> db?")
	for _, c := range []struct{ name, links, dependents, closure string }{
		{"api", "db web", "", "cache db disk web"},
		{"web", "cache db", "api", "cache db disk"},
		{"db", "disk", "api job web", "disk"},
		{"disk", "", "db", ""},
		{"job", "db?", "", "db disk"},
	} {
		equal(t, c.name+": links", written(g.Links(c.name)), c.links)
		equal(t, c.name+": dependents", words(g.Dependents(c.name)), c.dependents)
		equal(t, c.name+": closure", words(g.Closure(c.name)), c.closure)
		equal(t, c.name+": component", words(g.Component(c.name)), c.name)
	}
}

func TestAppIsFoundByEachOfItsNames(t *testing.T) {
	t.Parallel()
	g := draw(t, "shop boutique laden -> b", "b shop", "c laden -> boutique laden b")
	equal(t, "a name wins over an alias", written(g.Links("shop")), "b")
	equal(t, "alias", waves(g, "boutique"), "b | shop")
	equal(t, "dependents of an alias", words(g.Dependents("boutique")), "c")
	equal(t, "the first of two aliases, self left out", written(g.Links("c")), "b shop")
	equal(t, "alias", words(g.Component("laden")), "c")
}

func TestUnknownAppHasNothing(t *testing.T) {
	t.Parallel()
	for _, g := range []*rules.Graph{rules.NewGraph(nil), draw(t, "a -> b", "b")} {
		equal(t, "links", g.Links("x"), nil)
		equal(t, "missing", g.Missing("x"), nil)
		equal(t, "dependents", g.Dependents("x"), nil)
		equal(t, "component", g.Component("x"), nil)
		equal(t, "closure", g.Closure("x"), nil)
		equal(t, "order", g.StartOrder("x"), nil)
	}
}

func TestDrawingLeavesTheNodesAlone(t *testing.T) {
	t.Parallel()
	nodes := []rules.Node{
		{Name: "b", Aliases: []string{"second"}},
		{Name: "a", Links: []rules.Link{{Name: "second"}, {Name: "b", Optional: true}, {Name: "a"}}},
	}
	before := fmt.Sprint(nodes)
	rules.NewGraph(nodes)
	equal(t, "nodes", fmt.Sprint(nodes), before)
}

func TestLongChainsDoNotOverflow(t *testing.T) {
	t.Parallel()
	const long = 100_000
	name := func(i int) string { return fmt.Sprintf("app-%06d", i%long) }
	nodes := make([]rules.Node, long)
	for i := range nodes {
		nodes[i] = rules.Node{Name: name(i), Links: []rules.Link{{Name: name(i + 1)}}}
	}
	cycle := rules.NewGraph(nodes)
	equal(t, "component", len(cycle.Component(name(7))), long)
	equal(t, "waves of the component", len(cycle.StartOrder(name(7))), 1)
	nodes[long-1].Links = nil
	chain := rules.NewGraph(nodes)
	order := chain.StartOrder(name(0))
	equal(t, "waves", len(order), long)
	equal(t, "first", order[0], []string{name(long - 1)})
	equal(t, "last", order[long-1], []string{name(0)})
	equal(t, "closure", len(chain.Closure(name(0))), long-1)
}

func TestALargeGroupIsCheap(t *testing.T) {
	t.Parallel()
	const large = 20_000 // with a link for each pair they would take 400 million
	nodes := make([]rules.Node, large)
	for i := range nodes {
		nodes[i] = rules.Node{Name: fmt.Sprintf("app-%06d", i), Group: "x"}
	}
	g := rules.NewGraph(nodes)
	equal(t, "component", len(g.Component("app-000007")), large)
	equal(t, "links", len(g.Links("app-000007")), large-1)
	equal(t, "dependents", len(g.Dependents("app-000007")), large-1)
}

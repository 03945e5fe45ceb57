package dynamic_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
	"github.com/paastis/paastis/traefik/rule"
)

// ranked is a router as a Traefik has it, and whose it is.
type ranked struct {
	owner     string
	published bool
	priority  int
	rule      *rule.Rule
	tls       bool
	on        []string
}

// muxed are those of the highest priority that take a request: Traefik picks one of them
// (its pkg/muxer/http sorts by priority alone).
func muxed(all []ranked, request *traefik.Request, entryPoint string, tls bool) []ranked {
	var first []ranked
	for _, r := range all {
		if r.tls != tls || !slices.Contains(r.on, entryPoint) || !r.rule.Match(request) {
			continue
		}
		if len(first) > 0 && r.priority < first[0].priority {
			continue
		}
		if len(first) > 0 && r.priority > first[0].priority {
			first = nil
		}
		first = append(first, r)
	}
	return first
}

func owners(all []ranked) []string {
	var names []string
	for _, r := range all {
		names = append(names, r.owner)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func rivalOf(t *testing.T, r traefik.Router) dynamic.Rival {
	t.Helper()
	rule, err := rule.Parse(r.Rule, r.RuleSyntax)
	if err != nil {
		t.Fatal(r.Rule, err)
	}
	return dynamic.Rival{Router: r, Rule: rule, Origin: "container " + r.Name}
}

func rankOf(r traefik.Router) int {
	if r.Priority == 0 {
		return len(r.Rule)
	}
	return r.Priority
}

var rivalRules = []string{
	"Host(`a`)", "Host(`b`)", "Host(`a`) || Host(`b`)", "Host(`a`) && PathPrefix(`/a`)", "Host(`a`) && PathPrefix(`/ab`)", "Host(`b`) && PathPrefix(`/ab`)",
	"PathPrefix(`/`)", "PathPrefix(`/a`)", "PathPrefix(`/ab`)", "HostRegexp(`^a$`)", "Host(`a`) && !PathPrefix(`/a`)", "Host(`a.`)", "Method(`GET`)",
}

func TestAPublishedRouterWithoutATwinIsBelowOneOfItsRuleThatNobodyTells(t *testing.T) {
	r := dynamic.Rival{Router: traefik.Router{Name: "grafana", Rule: "Host(`grafana.apps.example.com`)"}, Alone: true}
	r.Rule, _ = rule.Parse(r.Router.Rule, "")
	written := rankOf(r.Router)
	if got := dynamic.Place(traefik.Static{}, []dynamic.Rival{r}, nil)[0]; got.Priority != written-1 || got.Rule != r.Router.Rule || got.Second {
		t.Errorf("placed as %+v, below %d", got, written)
	}
	other := dynamic.Rival{Router: traefik.Router{Name: "api", Rule: "PathPrefix(`/api`)", Priority: written - 1}}
	other.Rule, _ = rule.Parse(other.Router.Rule, "")
	got := dynamic.Place(traefik.Static{}, []dynamic.Rival{r}, []dynamic.Rival{other})[0]
	if got.Priority != written-1 || !got.Second || got.SecondPriority != written-2 || !strings.Contains(got.Rule, "!(PathPrefix(`/api`))") {
		t.Errorf("beside another of that priority it is placed as %+v", got)
	}
}

func TestAPublishedRouterTakesNoRequestThatIsForAnother(t *testing.T) {
	t.Parallel()
	d := rand.New(rand.NewPCG(7, 26))
	static := traefik.Static{EntryPoints: []traefik.EntryPoint{{Name: "web"}, {Name: "websecure"}}}
	seconds, errs := 0, 0
	for range 4_000 {
		var routers []dynamic.Rival
		for i := range 2 + d.IntN(7) {
			r := traefik.Router{Name: fmt.Sprint("r", i), Rule: rivalRules[d.IntN(len(rivalRules))], TLS: d.IntN(4) == 0}
			r.Priority = []int{0, 0, 0, -2, -1, 1, 2, 3, 4, math.MaxInt - 1001, math.MaxInt - 1000}[d.IntN(11)]
			r.EntryPoints = [][]string{nil, {"web"}, {"websecure"}, {"web", "websecure"}}[d.IntN(4)]
			if d.IntN(12) == 0 {
				r.RuleSyntax, r.Rule = rule.SyntaxV2, "Host(`a`) && Path(`/ab`)"
			}
			routers = append(routers, rivalOf(t, r))
		}
		n := d.IntN(len(routers) + 1)
		placed := dynamic.Place(static, routers[:n], routers[n:])
		for _, p := range placed {
			if p.Second {
				seconds++
			}
			if p.Err != nil {
				errs++
			}
		}
		comparePlaces(t, d, static, routers, placed)
		if t.Failed() {
			return
		}
	}
	if seconds < 300 || errs < 100 {
		t.Errorf("%d with a second router, %d without a place: this shows little", seconds, errs)
	}
}

// comparePlaces compares a Traefik that has only routers of labels with one that has the
// published ones too. Any router of labels may be gone in that moment, published or not.
func comparePlaces(t *testing.T, d *rand.Rand, static traefik.Static, routers []dynamic.Rival, placed []dynamic.Placed) {
	t.Helper()
	var before, after []ranked
	for i, r := range routers {
		is := ranked{r.Name, false, rankOf(r.Router), r.Rule, r.TLS, static.ListensOn(r.Router)}
		there, published := d.IntN(3) > 0, i < len(placed) && placed[i].Err == nil
		if there || published {
			before = append(before, is)
		}
		if there {
			after = append(after, is)
		}
		if !published {
			continue
		}
		is.published = true
		second := is
		is.priority, is.rule = placed[i].Priority, rivalOf(t, traefik.Router{Rule: placed[i].Rule, RuleSyntax: r.RuleSyntax}).Rule
		if after = append(after, is); placed[i].Second {
			after = append(after, second)
		}
	}
	for _, at := range []string{"http://a/", "http://a/a", "http://a/ab", "http://b/", "http://b/ab", "http://c/ab", "http://a./ab"} {
		request, err := traefik.FromURL(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, entryPoint := range []string{"web", "websecure"} {
			for _, tls := range []bool{false, true} {
				was, is := muxed(before, &request, entryPoint, tls), muxed(after, &request, entryPoint, tls)
				comparePick(t, fmt.Sprintf("%s on %s, TLS %t", at, entryPoint, tls), was, is)
				if t.Failed() {
					t.Logf("before %+v\nafter %+v", before, after)
					return
				}
			}
		}
	}
}

func comparePick(t *testing.T, what string, was, is []ranked) {
	t.Helper()
	for _, owner := range owners(is) {
		if !slices.Contains(owners(was), owner) {
			t.Errorf("%s: goes to %s, and was for %s", what, owner, strings.Join(owners(was), " or "))
		}
	}
	if len(was) > 0 && len(is) == 0 {
		t.Errorf("%s: goes nowhere, and was for %s", what, strings.Join(owners(was), " or "))
	}
}

func TestAPublishedRouterWinsOverThatOfItsLabels(t *testing.T) {
	t.Parallel()
	front := traefik.Router{Name: "front", Rule: "Host(`shop`)", Priority: 1}
	for name, c := range map[string]struct {
		published traefik.Router
		rival     traefik.Router
		want      dynamic.Placed
	}{
		"nobody else":              {front, traefik.Router{Rule: "Host(`x`)"}, dynamic.Placed{Priority: 2, Rule: "Host(`shop`)"}},
		"of its length":            {traefik.Router{Rule: "Host(`shop`)"}, traefik.Router{Rule: "Host(`x`)"}, dynamic.Placed{Priority: 13, Rule: "Host(`shop`)"}},
		"zero is none":             {traefik.Router{Rule: "Host(`shop`)", Priority: -1}, traefik.Router{Rule: "Host(`x`)"}, dynamic.Placed{Priority: 1, Rule: "Host(`shop`)"}},
		"one just above":           {front, traefik.Router{Name: "api", Rule: "PathPrefix(`/api`)", Priority: 2}, dynamic.Placed{Priority: 2, Rule: "(Host(`shop`)) && !(PathPrefix(`/api`))", Second: true}},
		"one on another host":      {front, traefik.Router{Rule: "Host(`x`)", Priority: 2}, dynamic.Placed{Priority: 2, Rule: "Host(`shop`)"}},
		"one with TLS":             {front, traefik.Router{Rule: "PathPrefix(`/api`)", Priority: 2, TLS: true}, dynamic.Placed{Priority: 2, Rule: "Host(`shop`)"}},
		"one further above":        {front, traefik.Router{Rule: "PathPrefix(`/api`)", Priority: 3}, dynamic.Placed{Priority: 2, Rule: "Host(`shop`)"}},
		"one of the same priority": {front, traefik.Router{Rule: "PathPrefix(`/api`)", Priority: 1}, dynamic.Placed{Priority: 2, Rule: "Host(`shop`)"}},
	} {
		got := dynamic.Place(traefik.Static{}, []dynamic.Rival{rivalOf(t, c.published)}, []dynamic.Rival{rivalOf(t, c.rival)})[0]
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestARuleOfTLSNamesNoHostThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	every := traefik.Router{Name: "every", Rule: "PathPrefix(`/`)", Priority: 1, TLS: true}
	one := traefik.Router{Name: "one", Rule: "Host(`one`)", Priority: 1, TLS: true}
	for name, c := range map[string]struct {
		published, rival traefik.Router
		placed           bool
	}{
		"another host":        {every, traefik.Router{Rule: "Host(`b`)", Priority: 2, TLS: true}, false},
		"no host":             {every, traefik.Router{Rule: "PathPrefix(`/b`)", Priority: 2, TLS: true}, true},
		"the same host":       {one, traefik.Router{Rule: "Host(`one`) && PathPrefix(`/b`)", Priority: 2, TLS: true}, true},
		"two hosts, one same": {one, traefik.Router{Rule: "Host(`one`) || Host(`b`)", Priority: 2, TLS: true}, false},
		"one of two parts":    {one, traefik.Router{Rule: "Host(`b`) || PathPrefix(`/b`)", Priority: 2, TLS: true}, false},
	} {
		placed := dynamic.Place(traefik.Static{}, []dynamic.Rival{rivalOf(t, c.published)}, []dynamic.Rival{rivalOf(t, c.rival)})[0]
		if (placed.Err == nil) != c.placed {
			t.Errorf("%s: %+v", name, placed)
		}
	}
}

func TestARouterWithoutAPlaceIsToldWithTheOtherOne(t *testing.T) {
	t.Parallel()
	top := rivalOf(t, traefik.Router{Name: "top", Rule: "Host(`shop`)", Priority: math.MaxInt - 1000})
	front := rivalOf(t, traefik.Router{Name: "front", Rule: "Host(`shop`)", Priority: 1})
	old := rivalOf(t, traefik.Router{Name: "old", Rule: "Path(`/api`)", RuleSyntax: "v2", Priority: 2})
	placed := dynamic.Place(traefik.Static{}, []dynamic.Rival{top, front}, []dynamic.Rival{old})
	if err := placed[0].Err; err == nil || !strings.Contains(err.Error(), "as high as Traefik takes") {
		t.Errorf("top: %v", err)
	}
	if err := placed[1].Err; err == nil || !strings.Contains(err.Error(), `router "old" (container old) has the priority just above it, 2`) {
		t.Errorf("front: %v", err)
	}
}

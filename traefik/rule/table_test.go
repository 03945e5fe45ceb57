package rule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

func TestTableTakesRoutersInTraefiksOrder(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{
		entry(t, "site", "Host(`a.example`)", 0),
		entry(t, "api", "Host(`a.example`) && PathPrefix(`/api`)", 0),
		entry(t, "hooks", "PathPrefix(`/api/hooks`)", 1000),
		entry(t, "everything", "HostRegexp(`^.+$`)", -1),
		entry(t, "either", "Host(`b.example`) || Host(`c.example`)", 0),
	})
	for url, want := range map[string]string{
		"http://a.example/":          "site",
		"http://A.example:80/x":      "site",
		"http://a.example./":         "site",
		"http://a.example/api/x":     "api",
		"http://a.example/api/hooks": "hooks",
		"http://z.example/api/hooks": "hooks",
		"http://z.example/":          "everything",
		"http://a.example../":        "everything",
		"http://b.example/":          "either",
		"http://c.example/":          "either",
	} {
		value, entry, found := table.Lookup(open(t, url))
		if !found || value != want || entry.Router != want {
			t.Errorf("%s leads to %q, want %q", url, value, want)
		}
	}
}

func TestTablePrefersAmongRoutersOfTheSamePriority(t *testing.T) {
	t.Parallel()
	preferred := entry(t, "z preferred", "Path(`/x`)", 7)
	preferred.Prefer = true
	entries := []rule.Entry[string]{
		entry(t, "b", "Host(`a`)", 7), entry(t, "a", "Host(`a`)", 7), entry(t, "a", "Host(`a`) ", 7), preferred,
	}
	for range 20 {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		table := rule.NewTable(entries)
		if value, _, _ := table.Lookup(open(t, "http://a/x")); value != "z preferred" {
			t.Errorf("%q comes before the preferred one", value)
		}
		if _, entry, _ := table.Lookup(open(t, "http://a/")); entry.Router != "a" || entry.Rule.String() != "Host(`a`)" {
			t.Errorf("%q %s comes first", entry.Router, entry.Rule)
		}
	}
}

func TestTableTellsThePriorityThatARouterHas(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{entry(t, "a", "Host(`a`)", 0)})
	if _, entry, _ := table.Lookup(open(t, "http://a/")); entry.Priority != len("Host(`a`)") {
		t.Errorf("priority %d", entry.Priority)
	}
}

func TestTableLeavesOutWhatTraefikLeavesOut(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{
		{Router: "without a rule"},
		entry(t, "too high", "Host(`a`)", math.MaxInt-999),
		entry(t, "highest", "Host(`a`)", math.MaxInt-1000),
	})
	if value, _, _ := table.Lookup(open(t, "http://a/")); value != "highest" || table.Len() != 1 {
		t.Errorf("%q of %d entries", value, table.Len())
	}
}

func TestNilTableIsEmpty(t *testing.T) {
	t.Parallel()
	var table *rule.Table[string]
	if value, entry, found := table.Lookup(open(t, "http://a/")); found || entry != nil || value != "" || table.Len() != 0 {
		t.Error("the nil table has an entry")
	}
}

func TestTableFindsNoneForAnUnknownHost(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{entry(t, "a", "Host(`a`)", 0), entry(t, "dot", "Host(`.`)", 0)})
	for _, request := range []*traefik.Request{open(t, "http://b/"), {Path: "/"}} {
		if value, _, found := table.Lookup(request); found {
			t.Errorf("%+v leads to %q", request, value)
		}
	}
}

// The index must change nothing but the time that a look-up takes.
func TestTableFindsWhatTryingEveryRouterFinds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	matchers := []string{"Host(`a`)", "Host(`a.`)", "Host(`b`)", "HostRegexp(`^[ab]`)", "Path(`/x`)", "PathPrefix(`/`)", "Method(`GET`)"}
	urls := []string{"http://a/", "http://a/x", "http://a./x", "http://a../", "http://b/x", "http://c/x", "http://c/"}
	for range 500 {
		var entries []rule.Entry[string]
		for i := range 8 {
			rule := matchers[random.IntN(len(matchers))]
			for range random.IntN(3) {
				join := []string{" && ", " || ", " && !", " || !"}[random.IntN(4)]
				rule = "(" + rule + ")" + join + matchers[random.IntN(len(matchers))]
			}
			entries = append(entries, entry(t, fmt.Sprint(i), rule, 1+random.IntN(5)))
		}
		table := rule.NewTable(entries)
		for _, url := range urls {
			got, _, _ := table.Lookup(open(t, url))
			if want := best(entries, open(t, url)); got != want {
				t.Fatalf("%s leads to %q, want %q of %+v", url, got, want, entries)
			}
		}
	}
}

// These do not run beside others: the counter of allocations is one for all.
func TestLookupAllocatesNothingForHostAndPath(t *testing.T) {
	table := rule.NewTable(manyEntries(t, 1000))
	h := forwarded("app-500.example:443", "/shop/cart?id=7&name=x")
	h.Set("X-Forwarded-Method", "GET")
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-Port", "443")
	h.Set("X-Forwarded-For", "192.0.2.7")
	allocations := testing.AllocsPerRun(100, func() {
		request, err := traefik.FromForwardAuth(h)
		if err != nil {
			t.Fatal(err)
		}
		if value, _, found := table.Lookup(&request); !found || value != 500 {
			t.Fatal("wrong entry:", value)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations for each request", allocations)
	}
}

func TestMatchersAllocateNothingOnOrdinaryRequests(t *testing.T) {
	request := open(t, "http://a/x?q=1")
	request.Method, request.Header = http.MethodGet, http.Header{"X-App": {"one"}}
	for _, text := range []string{
		"Host(`a`)", "Path(`/x`)", "PathPrefix(`/`)", "Method(`GET`)", "Header(`X-App`, `one`)", "Query(`q`, `1`)",
		"HostRegexp(`^a$`)", "PathRegexp(`x`)", "!ClientIP(`10.0.0.0/8`)", "Host(`a`) && (Path(`/y`) || Path(`/x`))",
	} {
		rule := mustParse(t, text, "")
		matched := true
		allocations := fewestAllocations(func() { matched = rule.Match(request) && matched })
		if allocations != 0 || !matched {
			t.Errorf("%s: %v allocations, matches: %t", text, allocations, matched)
		}
	}
}

// fewestAllocations is what one call costs at its best: the race detector
// makes sync.Pool, and regexp with it, forget at random.
func fewestAllocations(call func()) float64 {
	fewest := testing.AllocsPerRun(1, call)
	for range 100 {
		fewest = min(fewest, testing.AllocsPerRun(1, call))
	}
	return fewest
}

func BenchmarkLookupAmong100000(b *testing.B) {
	table := rule.NewTable(manyEntries(b, 100_000))
	h := forwarded("app-77777.example", "/shop/cart")
	b.ReportAllocs()
	for b.Loop() {
		request, _ := traefik.FromForwardAuth(h)
		if _, _, found := table.Lookup(&request); !found {
			b.Fatal("not found")
		}
	}
}

func BenchmarkNewTableOf100000(b *testing.B) {
	entries := manyEntries(b, 100_000)
	for b.Loop() {
		rule.NewTable(entries)
	}
}

// Helpers

func entry(t testing.TB, router, text string, priority int, ways ...traefik.Way) rule.Entry[string] {
	t.Helper()
	return rule.Entry[string]{Router: router, Rule: mustParse(t, text, ""), Priority: priority, Ways: ways, Value: router}
}

func manyEntries(t testing.TB, count int) []rule.Entry[int] {
	t.Helper()
	entries := make([]rule.Entry[int], count)
	for i := range entries {
		text := fmt.Sprintf("Host(`app-%d.example`) && PathPrefix(`/shop`)", i)
		entries[i] = rule.Entry[int]{Router: fmt.Sprint("app-", i), Rule: mustParse(t, text, ""), Value: i}
	}
	return entries
}

// best tries every entry.
func best(entries []rule.Entry[string], request *traefik.Request) string {
	winner := rule.Entry[string]{Priority: math.MinInt}
	for _, e := range entries {
		better := e.Priority > winner.Priority || e.Priority == winner.Priority && e.Router < winner.Router
		if better && e.Rule.Match(request) {
			winner = e
		}
	}
	return winner.Value
}

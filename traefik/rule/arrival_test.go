package rule_test

import (
	"math/rand/v2"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// The entry points of most people.
var (
	web       = traefik.Way{Port: 80}
	websecure = traefik.Way{Port: 443, TLS: true}
	inside    = traefik.Way{Port: 9090}
	outside   = traefik.Way{Port: 8080}
)

func TestARequestIsForTheRouterThatTakesItsScheme(t *testing.T) {
	t.Parallel()
	redirect := entry(t, "redirect", "HostRegexp(`.+`)", 1000)
	app := entry(t, "app", "Host(`a.example`)", 0)
	app.TLS = true
	plain := entry(t, "plain", "Host(`a.example`) && PathPrefix(`/`)", 0)
	want(t, []rule.Entry[string]{redirect, app, plain}, map[string]string{
		"https://a.example/": "app",
		"http://a.example/":  "redirect",
		"https://b.example/": "redirect", // its entry point may have TLS
	})
	want(t, []rule.Entry[string]{app}, map[string]string{"http://a.example/": "app"}) // TLS may end before Traefik
}

func TestARequestIsForTheRouterOfItsEntryPoint(t *testing.T) {
	t.Parallel()
	redirect := entry(t, "redirect", "HostRegexp(`.+`)", 1000, web)
	app := entry(t, "app", "Host(`a.example`)", 0, websecure)
	both := entry(t, "both", "Host(`b.example`)", 2000, web, websecure)
	want(t, []rule.Entry[string]{redirect, app, both}, map[string]string{
		"https://a.example/":      "app",
		"https://a.example:8443/": "app", // Traefik's container has it as another port
		"http://a.example/":       "redirect",
		"http://a.example:8000/":  "redirect",
		"http://b.example/":       "both",
		"https://b.example/":      "both",
	})
}

func TestAnAppPerPort(t *testing.T) {
	t.Parallel()
	entries := []rule.Entry[string]{
		entry(t, "public", "Host(`a.example`)", 70, outside), entry(t, "private", "Host(`a.example`)", 0, inside),
		entry(t, "known to none", "Host(`c.example`)", 0),
	}
	want(t, entries, map[string]string{
		"http://a.example:8080/": "public",
		"http://a.example:9090/": "private",
		"http://a.example/":      "public",
		"http://a.example:8000/": "public",
		"http://c.example:9090/": "known to none",
	})
}

func TestAPortThatIsThatOfABalancerDecidesNothing(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{
		entry(t, "landing", "HostRegexp(`.+`)", 1, websecure), entry(t, "app", "Host(`a.example`)", 0, web),
	})
	for _, header := range []map[string]string{
		{"X-Forwarded-Proto": "http", "X-Forwarded-Port": "443"},
		{"X-Forwarded-Proto": "http", "X-Forwarded-Port": "8443"},
		{"X-Forwarded-Proto": "http", "X-Forwarded-Port": "x"},
		{"X-Forwarded-Proto": "http"},
	} {
		h := forwarded("a.example", "/")
		for name, value := range header {
			h.Set(name, value)
		}
		request, err := traefik.FromForwardAuth(h)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := table.Lookup(&request); got != "app" {
			t.Errorf("%v leads to %q", header, got)
		}
	}
}

func TestTraefikAsksBecauseOfARouterThatAsks(t *testing.T) {
	t.Parallel()
	silent := entry(t, "silent", "HostRegexp(`.+`)", 1000)
	silent.Silent = true
	entries := []rule.Entry[string]{silent, entry(t, "app", "Host(`a.example`)", 0)}
	want(t, entries, map[string]string{"http://a.example/": "silent"})
	request, err := traefik.FromForwardAuth(forwarded("a.example", "/"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := rule.NewTable(entries).Lookup(&request); got != "app" {
		t.Errorf("a question is about %q", got)
	}
	request.Host = "b.example"
	if got, _, _ := rule.NewTable(entries).Lookup(&request); got != "silent" {
		t.Errorf("a question that none should ask is about %q", got)
	}
}

func TestRoutersThatAreNotThereTakeNothing(t *testing.T) {
	t.Parallel()
	table := rule.NewTable([]rule.Entry[string]{
		entry(t, "gone", "Host(`a.example`) && PathPrefix(`/`)", 0), entry(t, "there", "Host(`a.example`)", 0),
	})
	there := func(name string) bool { return name != "gone" }
	if got, _, _ := table.Among(there).Lookup(open(t, "http://a.example/")); got != "there" {
		t.Errorf("%q takes the request", got)
	}
	none := func(string) bool { return false }
	if _, _, found := table.Among(none).Lookup(open(t, "http://a.example/")); found {
		t.Error("a router that is not there takes the request")
	}
}

// Helpers

// want checks to which of the entries requests lead, whatever their order.
func want(t *testing.T, entries []rule.Entry[string], want map[string]string) {
	t.Helper()
	for range 5 {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		table := rule.NewTable(entries)
		for url, router := range want {
			if got, _, _ := table.Lookup(open(t, url)); got != router {
				t.Errorf("%s leads to %q, want %q", url, got, router)
			}
		}
	}
}

func TestWaysAreThoseOfTheEntryPointsThatTraefikHas(t *testing.T) {
	t.Parallel()
	s, _ := traefik.ReadStatic([]string{
		"--entrypoints.web.address=:80", "--entrypoints.websecure.address=0.0.0.0:443/tcp", "--entrypoints.websecure.http.tls.certresolver=le",
		"--entryPoints.inside.address=[::1]:9090", "--entrypoints.inside.http.middlewares=paastis@docker, guard@file", "--entrypoints.dns.address=:53/udp",
		"--entrypoints.odd.address=:x", "--api.insecure=true", "--providers.docker.allowemptyservices",
	}, nil)
	check(t, "keeps unhealthy", s.KeepsUnhealthy, true)
	for name, c := range map[string]struct {
		router traefik.Router
		want   []traefik.Way
	}{
		"plain":      {traefik.Router{EntryPoints: []string{"web"}}, []traefik.Way{web}},
		"with TLS":   {traefik.Router{EntryPoints: []string{"web"}, TLS: true}, []traefik.Way{{Port: 80, TLS: true}}},
		"TLS of its": {traefik.Router{EntryPoints: []string{"websecure", "inside"}}, []traefik.Way{inside, websecure}},
		"of Traefik": {traefik.Router{EntryPoints: []string{"traefik"}}, []traefik.Way{{Port: 8080}}},
		"none":       {traefik.Router{EntryPoints: []string{"dns", "none"}}, []traefik.Way{}},
		"of no port": {traefik.Router{EntryPoints: []string{"web", "odd"}}, nil},
		"the usual":  {traefik.Router{}, nil}, // odd is among them
	} {
		check(t, name, s.Ways(c.router), c.want)
	}
	check(t, "before", s.Before(traefik.Router{EntryPoints: []string{"inside", "web"}}), []string{"paastis@docker", "guard@file"})
	check(t, "nothing known", (traefik.Static{}).Ways(traefik.Router{}), []traefik.Way(nil))
	named := traefik.Static{EntryPoints: []traefik.EntryPoint{{Name: "inside", AsDefault: true}, {Name: "else"}}}.Over(s)
	check(t, "named alone", named.Ways(traefik.Router{}), []traefik.Way{inside})
}

package inventory_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// given is an app that a rule manages, with routers that its provider gives it, and a port.
func given(routers ...traefik.Router) *played {
	a := service("", "shop")
	a.app.Name, a.app.Origin = "shop", `app "shop"`
	a.app.Ports, a.app.Routers = []uint16{8080}, routers
	return a
}

// shopGiven is a router that a provider gives an app.
var shopGiven = traefik.Router{Name: "shop", Rule: "Host(`shop.example`)"}

// managedBy resolves apps by rules that manage all that are named shop.
func managedBy(t *testing.T, apps ...*played) *inventory.Inventory {
	t.Helper()
	return resolvedWith(settingsFor(t, "rules: [{pattern: '^shop$'}]"), apps...)
}

// routesOf are the names of what is published of all apps, sorted.
func routesOf(inv *inventory.Inventory) string {
	return strings.Join(slices.Sorted(maps.Keys(inv.Routes)), " ")
}

func TestAppIsKnownByTheRoutersThatItsProviderGivesWhateverItsLabelsSay(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		labels           map[string]string
		routes, problems string
	}{
		"no labels":              {nil, "shop", ""},
		"a router of labels":     {map[string]string{"traefik.http.routers.admin.rule": "Host(`admin.example`)"}, "shop shop.admin", ""},
		"labels that are hidden": {map[string]string{"traefik.enable": "false", "traefik.http.routers.shop.rule": "Host(`hidden.example`)"}, "shop", ""},
		"labels that are none":   {map[string]string{"traefik.enable": "perhaps"}, "shop", "Traefik ignores all labels of this app"},
		"a label that is unknown": {
			map[string]string{"traefik.http.routers.admin.rule": "Host(`admin.example`)", "traefik.http.routers.admin.foo": "1"}, "shop",
			"so the routes that need its labels are not published",
		},
	} {
		app := given(shopGiven)
		app.app.Labels = row.labels
		inv := managedBy(t, app)
		if got := nameOf(inv.Find(request(t, "http://shop.example/"))); got != "shop" {
			t.Errorf("%s: the request is for %q", name, got)
		}
		if got := routesOf(inv); got != row.routes {
			t.Errorf("%s: published are %q", name, got)
		}
		if got := inv.Problems().String(); (got == "") != (row.problems == "") || !strings.Contains(got, row.problems) {
			t.Errorf("%s: problems are %q", name, got)
		}
	}
}

func TestAppIsManagedIfARouterThatItsProviderGivesAsksPaastis(t *testing.T) {
	t.Parallel()
	app := given(traefik.Router{Rule: "Host(`shop.example`)", Middlewares: []string{"default-paastis@kubernetescrd", "paastis@kubernetescrd"}})
	inv := resolved(t, app)
	if e := inv.Named("shop"); !e.Managed || e.Why.String() != `router "shop" uses the middleware "paastis"` {
		t.Errorf("managed: %t, %s", e.Managed, e.Why)
	}
}

func TestOfTwoRoutersOfOneNameTheFirstStaysAndTheOtherIsTold(t *testing.T) {
	t.Parallel()
	second := traefik.Router{Name: "shop", Rule: "Host(`second.example`)"}
	for name, row := range map[string]struct {
		app                *played
		found, lost, words string
	}{
		"both are given":                  {given(shopGiven, second), "shop.example", "second.example", "another one that it gives"},
		"one is of labels":                {given(second).label("traefik.http.routers.shop.rule", "Host(`shop.example`)"), "shop.example", "second.example", "one in its labels"},
		"neither has a name of its own":   {given(traefik.Router{Rule: "Host(`shop.example`)"}, second), "shop.example", "second.example", "another one that it gives"},
		"the labels of one are not there": {given(shopGiven).label("traefik.enable", "false").label("traefik.http.routers.shop.rule", "Host(`second.example`)"), "shop.example", "second.example", ""},
	} {
		inv := managedBy(t, row.app)
		if got := nameOf(inv.Find(request(t, "http://"+row.found+"/"))); got != "shop" {
			t.Errorf("%s: requests of %s are for %q", name, row.found, got)
		}
		if got := nameOf(inv.Find(request(t, "http://"+row.lost+"/"))); got != "" {
			t.Errorf("%s: requests of %s are for %q", name, row.lost, got)
		}
		want := ""
		if row.words != "" {
			want = `router "shop" that its provider gives app "shop" has the name of ` + row.words + `: it is left out; give one of them another name (app "shop")`
		}
		if got := inv.Problems().String(); got != want {
			t.Errorf("%s: problems are %q", name, got)
		}
	}
}

func TestRouterThatItsProviderGivesAndNobodyCanReadIsToldAndLeavesTheOthers(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"", "Host(", "Host(`a`) Host(`b`)"} {
		inv := managedBy(t, given(traefik.Router{Name: "bad", Rule: rule}, shopGiven))
		if got := routesOf(inv); got != "shop" {
			t.Errorf("of the rule %q published are %q", rule, got)
		}
		if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.RuleUnreadable || !strings.Contains(got[0].Text, `router "bad" on app "shop"`) {
			t.Errorf("of the rule %q problems are %q", rule, got)
		}
	}
}

func TestRuleOfPaastisIsLeftOutBesideRoutersOfWhomever(t *testing.T) {
	t.Parallel()
	settings := settingsFor(t, "rules: [{pattern: '^shop$', rule: 'Host(`own.example`)'}]")
	for want, app := range map[string]*played{
		"for its provider gives it routers":                                                         given(shopGiven),
		`for the labels of app "shop" have routers of Traefik's`:                                    given().label("traefik.http.routers.shop.rule", "Host(`shop.example`)"),
		`for the labels of app "shop" have routers of Traefik's, and its provider gives it routers`: given(shopGiven).label("traefik.http.routers.admin.rule", "Host(`admin.example`)"),
	} {
		inv := resolvedWith(settings, app)
		if got := inv.Problems().String(); !strings.HasPrefix(got, `rule of app "shop" (`) || !strings.HasSuffix(got, ": left out, "+want) {
			t.Errorf("problems are %q, want %s", got, want)
		}
		if got := inv.Find(request(t, "http://own.example/")); got != nil {
			t.Errorf("its requests are for %s", got.Name)
		}
	}
}

func TestGivenRouterWithAMiddlewareThatNoLabelDefinesIsNotPublished(t *testing.T) {
	t.Parallel()
	guarded := traefik.Router{Name: "shop", Rule: "Host(`shop.example`)", Middlewares: []string{"auth"}}
	inv := managedBy(t, given(guarded, traefik.Router{Name: "open", Rule: "Host(`open.example`)", Middlewares: []string{"auth@file"}}))
	if got := routesOf(inv); got != "shop.open" {
		t.Errorf("published are %q", got)
	}
	const want = `router "shop" of app "shop" uses the middleware "auth@fake", which no label defines: it is not published; define it, or say which provider of Traefik's has it: auth@file and the like (app "shop")`
	if got := inv.Problems().String(); got != want {
		t.Errorf("problems are %q", got)
	}
	inv = managedBy(t, given(guarded).label("traefik.http.middlewares.auth.basicauth.users", "me:hash"))
	if got := routesOf(inv); got != "shop" || len(inv.Problems()) > 0 {
		t.Errorf("defined by a label: published are %q, problems are %q", got, inv.Problems())
	}
	inv = managedBy(t, given(guarded, traefik.Router{Name: "open", Rule: "Host(`open.example`)"}).label("traefik.http.middlewares.auth.basicauth.users", "me:hash").label("traefik.http.routers.x.foo", "1"))
	if got := routesOf(inv); got != "shop.open" {
		t.Errorf("beside labels that cannot be read: published are %q", got)
	}
}

func TestGivenRouterTakesRequestsByItsEntryPoints(t *testing.T) {
	t.Parallel()
	settings := settingsFor(t, "")
	settings.Traefik.EntryPoints = []traefik.EntryPoint{{Name: "web", Port: 80}, {Name: "admin", Port: 8081, Middlewares: "paastis@file"}}
	public, internal := given(traefik.Router{Rule: "Host(`shop.example`)", EntryPoints: []string{"web"}}), given(traefik.Router{Rule: "Host(`shop.example`)", EntryPoints: []string{"admin"}})
	internal.app.Name = "internal"
	lost := given(traefik.Router{Rule: "Host(`lost.example`)", EntryPoints: []string{"none"}})
	lost.app.Name = "lost"
	inv := resolvedWith(settings, public, internal, lost)
	for url, want := range map[string]string{"http://shop.example/": "shop", "http://shop.example:8081/": "internal"} {
		if got := nameOf(inv.Find(request(t, url))); got != want {
			t.Errorf("%s is for %q, want %q", url, got, want)
		}
	}
	if inv.Named("shop").Managed || !inv.Named("internal").Managed {
		t.Error("the middleware of an entry point counts for its routers alone")
	}
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.EntryPointsMissing || !strings.Contains(got[0].Text, "correct them where its provider has the router") {
		t.Errorf("problems are %q", got)
	}
}

func TestReportsWithOtherRoutersAreOtherDefinitions(t *testing.T) {
	t.Parallel()
	report := func() *inventory.App {
		return &inventory.App{Name: "shop", Routers: []traefik.Router{{
			Name: "shop", Rule: "Host(`shop.example`)", EntryPoints: []string{"web"}, Middlewares: []string{"auth@file"},
			Secured: &traefik.TLS{CertResolver: "le", Domains: []traefik.Domain{{Main: "example", SANs: []string{"*.example"}}}},
		}}}
	}
	if !inventory.SameDefinition(report(), report()) {
		t.Error("equal ones are not the same")
	}
	for name, change := range map[string]func(*traefik.Router){
		"name": func(r *traefik.Router) { r.Name = "x" }, "rule": func(r *traefik.Router) { r.Rule = "x" },
		"syntax": func(r *traefik.Router) { r.RuleSyntax = "v2" }, "priority": func(r *traefik.Router) { r.Priority = 1 },
		"entry points": func(r *traefik.Router) { r.EntryPoints = nil }, "middlewares": func(r *traefik.Router) { r.Middlewares = nil },
		"service": func(r *traefik.Router) { r.Service = "x" }, "TLS": func(r *traefik.Router) { r.TLS = true },
		"no more of TLS": func(r *traefik.Router) { r.Secured = nil }, "options": func(r *traefik.Router) { r.Secured.Options = "x" },
		"resolver": func(r *traefik.Router) { r.Secured.CertResolver = "x" }, "domains": func(r *traefik.Router) { r.Secured.Domains = nil },
		"domain": func(r *traefik.Router) { r.Secured.Domains[0].Main = "x" }, "SANs": func(r *traefik.Router) { r.Secured.Domains[0].SANs = nil },
	} {
		other := report()
		change(&other.Routers[0])
		if inventory.SameDefinition(report(), other) || inventory.SameDefinition(other, report()) {
			t.Errorf("they may differ in %s", name)
		}
	}
	if none := (&inventory.App{Name: "shop"}); inventory.SameDefinition(report(), none) {
		t.Error("they may differ in all of them")
	}
	kept, again := report(), report()
	again.ShareDefinition(kept)
	if &again.Routers[0] != &kept.Routers[0] {
		t.Error("equal ones are kept twice")
	}
}

func TestGivenRouterGoesToTheTraefikThatHasItsEntryPoints(t *testing.T) {
	t.Parallel()
	settings := inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis", Endpoints: map[string]traefik.Static{
		"outer": {EntryPoints: []traefik.EntryPoint{{Name: "web", Port: 80}}}, "inner": {EntryPoints: []traefik.EntryPoint{{Name: "admin", Port: 80}}},
	}}
	inv := resolvedWith(settings, given(traefik.Router{Rule: "Host(`shop.example`)", EntryPoints: []string{"web"}}))
	got := map[string]bool{}
	for _, r := range inv.Routings(request(t, "http://shop.example/"), settings) {
		got[r.Traefik] = r.Router != nil
	}
	if want := map[string]bool{`the Traefik of endpoint "outer"`: true, `the Traefik of endpoint "inner"`: false}; !maps.Equal(got, want) {
		t.Errorf("they route it: %v", got)
	}
}

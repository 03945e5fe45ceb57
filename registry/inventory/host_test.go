package inventory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// onPlatform is an app of a platform, which has it by a URL and knows no labels.
func onPlatform(name string) *played {
	a := service("", name)
	a.app.Name, a.app.Origin, a.app.Labels = name, fmt.Sprintf("app %q", name), nil
	a.app.URL = "https://" + strings.ToLower(strings.Map(func(c rune) rune {
		if c == '_' || c == '.' {
			return '-'
		}
		return c
	}, name)) + ".osc-fr1.scalingo.io"
	return a
}

// hostRule gives every app a host by its name.
const hostRule = "rules: [{pattern: '.*', host: '{name}.apps.example.com'}]"

// owners are the apps of requests, by the hosts that they ask for.
func owners(t *testing.T, inv *inventory.Inventory, hosts ...string) string {
	t.Helper()
	var all []string
	for _, host := range hosts {
		all = append(all, nameOf(inv.Find(request(t, "https://"+host+"/a"))))
	}
	return strings.Join(all, " ")
}

func TestOneRuleWithAHostGivesEachAppItsRouter(t *testing.T) {
	t.Parallel()
	inv := resolvedWith(settingsFor(t, hostRule), onPlatform("shop"), onPlatform("pix-pr42-front"), onPlatform("App_1"))
	if got := owners(t, inv, "shop.apps.example.com", "pix-pr42-front.apps.example.com", "app-1.apps.example.com", "other.apps.example.com"); got != "shop pix-pr42-front App_1 " {
		t.Errorf("requests are for %q", got)
	}
	if got := routesOf(inv); got != "App_1 pix-pr42-front shop" {
		t.Errorf("published are %q", got)
	}
	if rt := inv.Routes["shop"]; rt.Router.Rule != "Host(`shop.apps.example.com`)" || rt.Scheme != "https" || rt.Port != 443 || !rt.LeadsToURL() {
		t.Errorf("the route is %+v by %+v", rt, rt.Router.Router)
	}
	if len(inv.Problems()) > 0 {
		t.Errorf("problems are %q", inv.Problems())
	}
}

func TestAHostIsNotUsedBesideRoutersOfTheAppAndThatIsTold(t *testing.T) {
	t.Parallel()
	labelled := service("", "shop").routed("shop.example")
	labelled.app.Name = "shop"
	byRule := onPlatform("shop")
	for name, c := range map[string]struct {
		app            *played
		rules, problem string
	}{
		"of labels":        {labelled, hostRule, `left out, for the labels of container "-shop-1" have routers of Traefik's`},
		"of its provider":  {given(shopGiven), hostRule, "left out, for its provider gives it routers"},
		"of a rule":        {byRule, "rules: [{pattern: '.*', host: '{name}.apps.example.com', rule: 'Host(`shop.example`)'}]", "left out, for its rule (paastis.yml:1 (pattern '.*')) says which requests are its own; remove one of them"},
		"of labels hidden": {onPlatform("shop").hidden(), hostRule, "not published, for traefik.enable=false on app \"shop\" keeps it from every Traefik; remove one of them"},
	} {
		inv := resolvedWith(settingsFor(t, c.rules), c.app)
		want := `host of app "shop" (paastis.yml:1 (pattern '.*')): ` + c.problem
		if got := inv.Problems().String(); got != want {
			t.Errorf("%s: problems are\n%s\nwant\n%s", name, got, want)
		}
		if got := owners(t, inv, "shop.example"); name != "of labels hidden" && got != "shop" {
			t.Errorf("%s: the requests of its router are for %q", name, got)
		}
	}
}

// hidden keeps the app from every Traefik.
func (a *played) hidden() *played {
	a.app.Labels = map[string]string{"traefik.enable": "false"}
	return a
}

func TestAHostOfTwoAppsIsThatOfTheFirstAndTheOtherIsTold(t *testing.T) {
	t.Parallel()
	one, two := onPlatform("shop_a"), onPlatform("shop-a")
	for name, c := range map[string]struct {
		rules string
		apps  []*played
		host  string
		owner string
		told  string
	}{
		"whose name is its label": {hostRule, []*played{onPlatform("Shop-A"), one, two}, "shop-a.apps.example.com", "shop-a", `host "shop-a.apps.example.com" of app "Shop-A" (paastis.yml:1 (pattern '.*')): left out, for it is that of app "shop-a" already (app "shop-a"); give one of them another host (app "Shop-A")` + "\n" + `host "shop-a.apps.example.com" of app "shop_a" (paastis.yml:1 (pattern '.*')): left out, for it is that of app "shop-a" already (app "shop-a"); give one of them another host (app "shop_a")`},
		"by one host for all":     {"rules: [{pattern: '.*', host: shop.example}]", []*played{onPlatform("b"), onPlatform("a")}, "shop.example", "a", `host "shop.example" of app "b" (paastis.yml:1 (pattern '.*')): left out, for it is that of app "a" already (app "a"); give one of them another host (app "b")`},
	} {
		inv := resolvedWith(settingsFor(t, c.rules), c.apps...)
		if got := owners(t, inv, c.host); got != c.owner {
			t.Errorf("%s: it is that of %q", name, got)
		}
		if got := inv.Problems().String(); got != c.told {
			t.Errorf("%s: problems are\n%s\nwant\n%s", name, got, c.told)
		}
		if len(inv.Routes) != 1 {
			t.Errorf("%s: published are %s", name, routesOf(inv))
		}
	}
}

// madeAt is the app as one that was made so many hours after the first; 0: that is not known.
func (a *played) madeAt(hour int) *played {
	if hour > 0 {
		a.app.CreatedAt = time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC)
	}
	return a
}

func TestWhoMakesAnAppLaterTakesAHostFromNobody(t *testing.T) {
	t.Parallel()
	byGroup := "rules: [{pattern: '(pr\\d+)', host: '$1.apps.example.com'}]"
	for name, c := range map[string]struct {
		rules    string
		old, new *played
		host     string
	}{
		"by a name that comes first":            {hostRule, onPlatform("Shop").madeAt(1), onPlatform("SHOP").madeAt(2), "shop.apps.example.com"},
		"by the very label":                     {hostRule, onPlatform("Shop").madeAt(1), onPlatform("shop").madeAt(2), "shop.apps.example.com"},
		"by a name that a pattern matches, too": {byGroup, onPlatform("pr42").madeAt(1), onPlatform("evil-pr42").madeAt(2), "pr42.apps.example.com"},
		"whose age is not known yet":            {hostRule, onPlatform("Shop").madeAt(1), onPlatform("SHOP"), "shop.apps.example.com"},
		"where no age is known":                 {byGroup, onPlatform("pr42"), onPlatform("evil-pr42"), "pr42.apps.example.com"},
	} {
		old := c.old.app.Name
		inv := resolvedWith(settingsFor(t, c.rules), c.new, c.old)
		if got := owners(t, inv, c.host); got != old || len(inv.Routes) != 1 {
			t.Errorf("%s: it is that of %q, not of %q; published are %s", name, got, old, routesOf(inv))
		}
		if got := inv.Problems().String(); strings.Count(got, fmt.Sprintf("left out, for it is that of app %q already", old)) != 1 {
			t.Errorf("%s: problems are %s", name, got)
		}
	}
}

func TestAHostThatARouterOfAnotherAppTakesIsLeftToThat(t *testing.T) {
	t.Parallel()
	for rule, taken := range map[string]bool{
		"Host(`shop.apps.example.com`)":                       true,
		"Host(`SHOP.apps.example.com`) && PathPrefix(`/`)":    true,
		"Host(`a.example`) || Host(`shop.apps.example.com`)":  true,
		"Host(`shop.apps.example.com`) && PathPrefix(`/api`)": false,
		"Host(`shop.apps.example.com`) && Method(`POST`)":     false,
		"HostRegexp(`.+`)":                    false,
		"Host(`shop.apps.example.com.other`)": false,
	} {
		other := service("edge", "web").label("traefik.http.routers.edge.rule", rule).label("paastis.enable", "true")
		other.app.Ports = []uint16{80}
		inv := resolvedWith(settingsFor(t, "rules: [{pattern: '^shop$', host: '{name}.apps.example.com'}]"), onPlatform("shop"), other)
		if got := inv.Routes["shop"] == nil; got != taken {
			t.Errorf("%s: taken %t", rule, got)
		}
		want := ""
		if taken {
			want = `host "shop.apps.example.com" of app "shop" (paastis.yml:1 (pattern '^shop$')): left out, for router "edge" of app "edge-web" takes all its requests (container "edge-web-1"); give one of them another host (app "shop")`
		}
		if got := inv.Problems().String(); got != want {
			t.Errorf("%s: problems are %q", rule, got)
		}
	}
}

func TestAHostThatDNSDoesNotTakeIsAProblemOfTheApp(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	inv := resolvedWith(settingsFor(t, "rules: [{pattern: '.*', host: ['{name}.test', fine.test]}]"), onPlatform(long))
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.HostUnusable || !strings.Contains(got[0].Text, "has 64 letters between two dots, and DNS takes 63; write another one, or give the app another name by app_name") {
		t.Errorf("problems are %q", got)
	}
	if got := owners(t, inv, "fine.test"); got != long {
		t.Errorf("its other host is that of %q", got)
	}
	inv = resolvedWith(settingsFor(t, "rules: [{pattern: '.*', host: '{name}.test', app_name: shop}]"), onPlatform(long))
	if got := owners(t, inv, "shop.test"); got != "shop" || len(inv.Problems()) > 0 {
		t.Errorf("by another name it is that of %q, problems are %q", got, inv.Problems())
	}
}

func TestEachHostOfAnAppHasARouterOfItsOwn(t *testing.T) {
	t.Parallel()
	inv := resolvedWith(settingsFor(t, "rules: [{pattern: '.*', host: 'shop.test, www.shop.test, SHOP.test'}]"), onPlatform("shop"))
	var rules []string
	for _, r := range inv.Named("shop").Routers {
		rules = append(rules, r.Name+" "+r.Rule)
	}
	if want := []string{"shop Host(`shop.test`)", "www.shop.test Host(`www.shop.test`)"}; !slices.Equal(rules, want) {
		t.Errorf("its routers are %q", rules)
	}
	if got := routesOf(inv); got != "shop shop.www~2eshop~2etest" || len(inv.Problems()) > 0 {
		t.Errorf("published are %q, problems are %q", got, inv.Problems())
	}
}

func TestAHostGivesAContainerWithoutLabelsOfTraefiksARouter(t *testing.T) {
	t.Parallel()
	shop, db, left := service("shop", "web"), service("shop", "db"), service("shop", "left").label("paastis.enable", "false")
	shop.app.Ports = []uint16{8080}
	inv := resolvedWith(settingsFor(t, hostRule), shop, db, left)
	if got := owners(t, inv, "shop-web.apps.example.com", "shop-left.apps.example.com"); got != "shop-web shop-left" {
		t.Errorf("requests are for %q", got) // the latter by its name, for it has no router
	}
	if got := routesOf(inv); got != "shop-web" || len(inv.Named("shop-left").Routers) > 0 {
		t.Errorf("published are %q", got)
	}
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.PortUnknown || !strings.Contains(got[0].Text, `router "shop-db" on container "shop-db-1": no port is known`) {
		t.Errorf("problems are %q", got)
	}
}

func TestRouterOfAHostHasTheEntryPointsTLSAndMiddlewaresOfTheRule(t *testing.T) {
	t.Parallel()
	settings := settingsFor(t, "rules: [{pattern: '.*', host: '{name}.test', entry_points: [websecure], cert_resolver: le, middlewares: [auth@file]}]")
	r := resolvedWith(settings, onPlatform("shop")).Named("shop").Routers[0].Router
	if want := (traefik.Router{Name: "shop", Rule: "Host(`shop.test`)", EntryPoints: []string{"websecure"}, Middlewares: []string{"auth@file"}, TLS: true, Secured: &traefik.TLS{CertResolver: "le"}}); !r.Equal(want) {
		t.Errorf("it is %+v", r)
	}
	settings.Traefik.EntryPoints = []traefik.EntryPoint{{Name: "web", Port: 80}}
	inv := resolvedWith(settings, onPlatform("shop"))
	if got := inv.Problems(); len(got) != 1 || got[0].Text != `router "shop" on app "shop": Traefik has none of its entry points websecure, so it takes no request; correct its entry_points (paastis.yml:1 (pattern '.*'))` {
		t.Errorf("problems are %q", got)
	}
	inv = resolvedWith(settingsFor(t, "rules: [{pattern: '.*', host: '{name}.test', middlewares: [auth]}]"), onPlatform("shop"))
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.MiddlewareMissing || len(inv.Routes) > 0 {
		t.Errorf("without its provider: problems are %q, published are %s", got, routesOf(inv))
	}
}

func TestARequestForAHostIsFoundWithoutAllocation(t *testing.T) {
	var apps []*played
	for n := range 500 {
		apps = append(apps, onPlatform(fmt.Sprintf("pix-pr%d-front", n)))
	}
	inv := resolvedWith(settingsFor(t, hostRule), apps...)
	asked := request(t, "https://pix-pr42-front.apps.example.com/a")
	if n := testing.AllocsPerRun(100, func() { inv.Find(asked) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnAppOfWhichItsPlatformTellsNoURLIsAProblemIfARuleGivesItAHost(t *testing.T) {
	t.Parallel()
	app := onPlatform("worker").app
	app.URL = ""
	inv := inventory.Resolve([]inventory.Reported{{Provider: "heroku", Unread: true, App: &app}}, settingsFor(t, hostRule))
	const want = `router "worker" of app "worker" is not published: its platform tells no URL of it, so nobody reaches it; see whether it has one there, or leave the app out of the rule that gives it the router (app "worker")`
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.AddressUnknown || got[0].Text != want {
		t.Errorf("problems are %q", got)
	}
	if len(inv.Routes) > 0 {
		t.Errorf("published are %s", routesOf(inv))
	}
}

func TestTheHostByWhichAPlatformHasAnAppIsNoneThatARuleMayGiveIt(t *testing.T) {
	t.Parallel()
	inv := resolvedWith(settingsFor(t, "rules: [{pattern: '.*', host: ['{name}.osc-fr1.scalingo.io', '{name}.test']}]"), onPlatform("shop"))
	const want = `host "shop.osc-fr1.scalingo.io" of app "shop" (paastis.yml:1 (pattern '.*')): left out, for its platform has the app by it (https://shop.osc-fr1.scalingo.io): led to Traefik, its requests would go in circles; write a host that is yours (app "shop")`
	if got := inv.Problems(); len(got) != 1 || got[0].Kind != inventory.HostUnusable || got[0].Text != want {
		t.Errorf("problems are %q", got)
	}
	if rt := inv.Routes["shop"]; rt == nil || rt.Router.Rule != "Host(`shop.test`)" || len(inv.Routes) != 1 {
		t.Errorf("published are %s", routesOf(inv))
	}
}

package command

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// onPlatform is an app that a platform has by a URL which DNS does not know, and that has no
// labels but that of what it is there.
func onPlatform(name string) inventory.App {
	return inventory.App{Name: name, Origin: fmt.Sprintf("app %q", name), Labels: map[string]string{"paastis.id": "id-" + name}, URL: "https://" + name + ".platform.invalid", Instances: []inventory.Instance{{Name: name, ID: name}}}
}

// byRules resolves apps of a platform, and the containers beside them, by rules.
func byRules(t *testing.T, yml string, hosted []inventory.App, beside ...inventory.App) *inventory.Inventory {
	t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatal(err)
	}
	var reported []inventory.Reported
	for i := range hosted {
		reported = append(reported, inventory.Reported{Provider: "scalingo", Unread: true, App: &hosted[i]})
	}
	for i := range beside {
		reported = append(reported, inventory.Reported{Provider: "docker", App: &beside[i]})
	}
	return inventory.Resolve(reported, inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"})
}

// hostedBy are the warnings of how requests get to apps.
func hostedBy(t *testing.T, inv *inventory.Inventory, traefik config.Traefik) string {
	t.Helper()
	hosted := hostedIn(inv)
	return strings.Join(lintHosted(inv, hosted, traefikSees(t.Context(), traefik, hosted)), "\n")
}

const allManaged, allHosted = "rules: [{pattern: '.*'}]", "rules: [{pattern: '.*', host: '{name}.test'}]"

func TestCheckTellsInOneLineOfAppsThatNoRouterLeadsTo(t *testing.T) {
	const hint = "; if a file of Traefik's has one, set traefik.api_url, by which check sees it"
	var many []inventory.App
	for n := range 8 {
		many = append(many, onPlatform(fmt.Sprintf("app-%d", n)))
	}
	for name, c := range map[string]struct {
		rules string
		apps  []inventory.App
		want  string
	}{
		"one":             {allManaged, many[:1], `app "app-0" has no router, so no request wakes it; give it one by host: '{name}.apps.example.com' in its rule, or let one of Traefik's ask Paastis at /auth?app=app-0` + hint},
		"many":            {allManaged, many, `8 apps have no router, so no request wakes them: app-0, app-1, app-2, app-3, app-4 and 3 more; give each one by host: '{name}.apps.example.com' in a rule, or let those of Traefik's ask Paastis at /auth?app=NAME` + hint},
		"with a host":     {allHosted, many, ""},
		"not managed":     {"rules: []", many, ""},
		"need each other": {"rules: [{pattern: '^app-[01]$', linked_apps: [app-0, app-1]}]", many[:2], `2 apps have no router, so no request wakes them: app-0, app-1; give each one by host: '{name}.apps.example.com' in a rule, or let those of Traefik's ask Paastis at /auth?app=NAME` + hint},
		"one of both has": {"rules: [{pattern: '^app-[01]$', linked_apps: [app-0, app-1]}, {pattern: app-1, host: a.test}]", many[:2], ""},
		"one is a need":   {"rules: [{pattern: 'app-1', linked_apps: [app-0], host: a.test}, {pattern: app-0}]", many[:2], ""},
	} {
		if got := hostedBy(t, byRules(t, c.rules, c.apps), config.Traefik{}); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestCheckSaysNothingOfAnAppOfAPlatformThatNoRuleMatches(t *testing.T) {
	inv := byRules(t, "rules: []", []inventory.App{onPlatform("shop")})
	if got := lintUnmanaged(inv.Named("shop")); got != nil {
		t.Errorf("it says %q", got)
	}
}

func TestCheckTellsOfAURLWhoseHostTraefikRoutes(t *testing.T) {
	for rules, told := range map[string]bool{
		"rules: [{pattern: '.*', host: '{name}.test'}]":                   false,
		"rules: [{pattern: '.*', rule: 'HostRegexp(`.+`)'}]":              false,
		"rules: [{pattern: '.*', rule: 'Host(`shop.platform.invalid`)'}]": true,
	} {
		want := ""
		if told {
			want = `app "shop": its URL https://shop.platform.invalid has the host of router "shop": if that name leads to Traefik, its requests go in circles; let the router have another host, or the provider a URL of the platform's own (app "shop")`
		}
		if got := hostedBy(t, byRules(t, rules, []inventory.App{onPlatform("shop")}), config.Traefik{}); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", rules, got, want)
		}
	}
}

func TestCheckTellsOfAHostThatThePlatformDoesNotKnow(t *testing.T) {
	edge := func(labels ...string) inventory.App {
		a := web(func(a *inventory.App) {
			a.Name, a.Protected = "edge", inventory.RunsTraefik
			a.Labels = map[string]string{
				"traefik.http.routers.web.rule": "Host(`www.test`)", "traefik.http.routers.web.middlewares": "paastis@docker",
				"traefik.http.services.web.loadbalancer.server.url": "https://shop.platform.invalid",
			}
		})
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			a.Labels[key] = value
		}
		return a
	}
	const told = `router "web" leads to app "shop" at https://shop.platform.invalid with the visitor's host, which its platform does not know unless it is registered there (pass_host): visitors get 404 of the platform; add the label traefik.http.services.web.loadbalancer.passhostheader=false (container "shop-web-1")`
	const passes = "traefik.http.services.web.loadbalancer.passhostheader="
	for name, c := range map[string]struct {
		rules string
		edge  inventory.App
		want  string
	}{
		"nothing is said":    {allManaged, edge(), told},
		"it is to be passed": {allManaged, edge(passes + "true"), told},
		"it is not":          {allManaged, edge(passes + "False"), ""},
		"it is registered":   {"rules: [{pattern: '.*', pass_host: true}]", edge(), ""},
		"another one is put": {allManaged, edge("traefik.http.middlewares.own.headers.customrequestheaders.host=shop.platform.invalid", "traefik.http.routers.web.middlewares=paastis@docker,own"), ""},
		"it is none of its":  {allManaged, edge("traefik.http.services.web.loadbalancer.server.url=https://other.invalid", "traefik.http.routers.web.middlewares="), `app "shop" has no router, so no request wakes it; give it one by host: '{name}.apps.example.com' in its rule, or let one of Traefik's ask Paastis at /auth?app=shop; if a file of Traefik's has one, set traefik.api_url, by which check sees it`},
		"nobody manages it":  {"rules: []", edge(passes + "false"), `router "web" asks Paastis about app "shop", which it does not manage: its requests wake nothing; let a rule match it (container "shop-web-1")`},
	} {
		got := hostedBy(t, byRules(t, c.rules, []inventory.App{onPlatform("shop")}, c.edge), config.Traefik{})
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestCheckSeesTheRoutersOfFilesByTraefiksAPI(t *testing.T) {
	service := func(provider, url, passes string) string {
		return fmt.Sprintf(`[{"name":"shop@%s","provider":"%s","loadBalancer":{"servers":[{"url":"%s"}]%s}},{"name":"noop@internal","provider":"internal"}]`, provider, provider, url, passes)
	}
	const own, kept = "https://shop.platform.invalid/", `,"passHostHeader":false`
	const unrouted = `app "shop" has no router, so no request wakes it; give it one by host: '{name}.apps.example.com' in its rule, or let one of Traefik's ask Paastis at /auth?app=shop`
	const foreign = `service "shop@file" leads to app "shop" at https://shop.platform.invalid with the visitor's host, which its platform does not know unless it is registered there (pass_host): visitors get 404 of the platform; set passHostHeader: false on it`
	for name, c := range map[string]struct{ services, middleware, want string }{
		"with its own host":           {service("file", own, kept), "paastis@file", ""},
		"with the visitor's":          {service("file", own, `,"passHostHeader":true`), "paastis@file", foreign},
		"with a host of a middleware": {service("file", own, ""), "own@file", ""},
		"to another URL":              {service("file", "https://other.invalid", kept), "paastis@file", unrouted},
		"by the name of the app":      {service("file", "https://other.invalid", kept), "named@file", ""},
	} {
		middlewares := `[{"name":"paastis@file","provider":"file","forwardAuth":{"address":"http://paastis:3000/auth"}},
			{"name":"own@file","provider":"file","headers":{"customRequestHeaders":{"Host":"shop.platform.invalid"}}}`
		if c.middleware == "named@file" {
			middlewares += `,{"name":"named@file","provider":"file","forwardAuth":{"address":"http://paastis:3000/auth?app=shop"}}`
		}
		answers := map[string]string{
			"/api/http/routers":     fmt.Sprintf(`[{"name":"shop@file","provider":"file","rule":"Host(`+"`www.test`"+`)","middlewares":[%q],"service":"shop@file","status":"enabled"}]`, c.middleware),
			"/api/http/services":    c.services,
			"/api/http/middlewares": middlewares + "]",
		}
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Path]) }))
		defer api.Close()
		got := hostedBy(t, byRules(t, allManaged, []inventory.App{onPlatform("shop")}), config.Traefik{APIURL: api.URL, Middleware: "paastis"})
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestExampleOfScalingoGivesEachReviewAppItsHostAndItsOtherHalf(t *testing.T) {
	loaded, err := config.Load("../examples/scalingo/paastis.yml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var reported []inventory.Reported
	for _, name := range []string{"shop-front-pr42", "shop-back-pr42", "shop-front", "shop-front-pr421", "shop-back-pr421"} {
		app := onPlatform(name)
		reported = append(reported, inventory.Reported{Provider: "scalingo", Unread: true, App: &app})
	}
	inv := inventory.Resolve(reported, loaded.RegistrySettings())
	front := inv.Named("shop-front-pr42")
	if len(front.Routers) != 1 || front.Routers[0].Rule != "Host(`shop-front-pr42.apps.localhost`)" || len(inv.Routes) != 4 {
		t.Errorf("it has the routers %+v, and %d are published", front.Routers, len(inv.Routes))
	}
	if got := inv.Graph.Component("shop-front-pr42"); !slices.Equal(got, []string{"shop-back-pr42", "shop-front-pr42"}) {
		t.Errorf("awake together are %q", got)
	}
	if inv.Named("shop-front").Managed {
		t.Error("it manages what is no review app")
	}
	var apps []inventory.App
	for _, r := range reported {
		apps = append(apps, *r.App)
	}
	if got := append(inv.Problems().Texts(), lint(inv, provider.Report{Apps: apps}, false)...); len(got) > 0 {
		t.Errorf("check warns of %q", got)
	}
}

func TestCheckTellsOfARouterOfAFileThatHasTheHostOfAnApp(t *testing.T) {
	const told = `router "shop@file" takes all requests of shop.test as well, which is a host of app "shop" (paastis.yml:1 (pattern '.*')), and does not ask Paastis: Traefik takes the one of both that has the higher priority; remove it, or give the app another host (app "shop")`
	for name, c := range map[string]struct {
		provider, rule, middleware string
		told                       bool
	}{
		"the same host":        {"file", "Host(`shop.test`)", "login@file", true},
		"one of several":       {"file", "Host(`a.test`) || Host(`shop.test`)", "login@file", true},
		"a path of it":         {"file", "Host(`shop.test`) && PathPrefix(`/api`)", "login@file", false},
		"another host":         {"file", "Host(`other.test`)", "login@file", false},
		"it asks Paastis":      {"file", "Host(`shop.test`)", "paastis@file", false},
		"it asks about an app": {"file", "Host(`shop.test`)", "named@file", false},
		"it is Paastis's":      {"http", "Host(`shop.test`)", "login@file", false},
	} {
		answers := map[string]string{
			"/api/version":      `{"Version":"3.6.12"}`,
			"/api/http/routers": fmt.Sprintf(`[{"name":"shop@%s","provider":%q,"rule":%q,"middlewares":[%q],"service":"x@file","status":"enabled"}]`, c.provider, c.provider, c.rule, c.middleware),
			"/api/http/middlewares": `[{"name":"paastis@file","provider":"file","forwardAuth":{"address":"http://paastis:3000/auth"}},
				{"name":"named@file","provider":"file","forwardAuth":{"address":"http://paastis:3000/auth?app=shop"}},{"name":"login@file","provider":"file","basicAuth":{}}]`,
		}
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Path]) }))
		defer api.Close()
		got := strings.Join(checkAPI(t.Context(), config.Traefik{APIURL: api.URL, Middleware: "paastis"}, byRules(t, allHosted, []inventory.App{onPlatform("shop")})), "\n")
		if c.told && got != told || !c.told && got != "" {
			t.Errorf("%s: told %q", name, got)
		}
	}
}

package command

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// web is an app with a router that asks Paastis, without anything to warn of.
func web(change func(*inventory.App)) inventory.App {
	app := inventory.App{
		Name: "shop-web", Stack: "shop", Origin: `container "shop-web-1"`,
		Instances: []inventory.Instance{{Name: "shop-web-1", ID: "id"}},
		Networks:  []string{"apps"}, Ports: []uint16{8080},
		HealthCheck: &inventory.HealthCheck{Interval: time.Second},
		Labels: map[string]string{
			"traefik.enable": "true", "traefik.docker.allownonrunning": "true",
			"traefik.http.routers.web.rule":                         "Host(`web.test`)",
			"traefik.http.routers.web.middlewares":                  "paastis@docker",
			"traefik.http.services.web.loadbalancer.server.url":     "http://shop-web-1:8080",
			"traefik.http.services.web.loadbalancer.passhostheader": "true",
			"traefik.http.services.web.loadbalancer.sticky.cookie":  "true",
			"traefik.http.routers.web.entrypoints":                  "web",
		},
	}
	if change != nil {
		change(&app)
	}
	return app
}

func lintOf(t *testing.T, hasAPI bool, apps ...inventory.App) []string {
	t.Helper()
	var reported []inventory.Reported
	for _, app := range apps {
		reported = append(reported, inventory.Reported{Provider: "docker", App: &app})
	}
	inv := inventory.Resolve(reported, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
	return append(inv.Problems().Texts(), lint(inv, provider.Report{Apps: apps}, hasAPI)...)
}

// TestCheckKnowsTheNamesThatLeadToAnApp: an alias of its network's, and the names of the container
// in whose network it lives, are as good as its own.
func TestCheckKnowsTheNamesThatLeadToAnApp(t *testing.T) {
	for host, known := range map[string]bool{"shop-web-1": true, "storefront": true, "vpn": true, "tunnel": true, "shop-vpn-1": true, "shop-db-1": false} {
		borrower := web(func(a *inventory.App) {
			a.Aliases, a.Instances[0].Host = []string{"storefront"}, "shop-vpn-1"
			a.Labels["traefik.http.services.web.loadbalancer.server.url"] = "http://" + host + ":8080"
		})
		app := func(service string, aliases ...string) inventory.App {
			return inventory.App{Name: "shop-" + service, Stack: "shop", Aliases: aliases, Instances: []inventory.Instance{{Name: "shop-" + service + "-1"}}}
		}
		got := strings.Join(lintOf(t, true, borrower, app("vpn", "tunnel"), app("db", "database")), "\n")
		if told := strings.Contains(got, "by a name that is none of its containers'"); told == known {
			t.Errorf("http://%s:8080 of a server that lives in the network of shop-vpn-1: check says %q", host, got)
		}
	}
}

func TestCheckWarnsOfWhatWillHurt(t *testing.T) {
	const label = "traefik.http.services.web.loadbalancer."
	set := func(key, value string) func(*inventory.App) { return func(a *inventory.App) { a.Labels[key] = value } }
	drop := func(key string) func(*inventory.App) { return func(a *inventory.App) { delete(a.Labels, key) } }
	for name, c := range map[string]struct {
		change func(*inventory.App)
		hasAPI bool
		want   string
	}{
		"nothing":            {nil, false, ""},
		"no allownonrunning": {drop("traefik.docker.allownonrunning"), false, "lacks the label traefik.docker.allownonrunning=true"},
		"wildcard":           {set("traefik.http.routers.web.rule", "Host(`*.web.test`)"), false, "which Traefik knows since 3.7"},
		"rule syntax":        {set("traefik.http.routers.web.rulesyntax", "v2"), false, "ruleSyntax=v2"},
		"no middleware": {func(a *inventory.App) {
			delete(a.Labels, "traefik.http.routers.web.middlewares")
			a.Labels["paastis.enable"] = "true"
		}, false, "does not use the Paastis middleware"},
		"no static URL":         {drop(label + "server.url"), false, "set traefik.api_url, or better add the label " + label + "server.url"},
		"no static URL but API": {drop(label + "server.url"), true, ""},
		"a service of a file": {func(a *inventory.App) {
			drop(label + "server.url")(a)
			a.Labels["traefik.http.routers.web.service"] = "shop@file"
		}, false, `router "web" leads to the service "shop@file", which no label defines, so Paastis does not know whether Traefik has a server of it: each wake waits for Traefik's throttle as well; set traefik.api_url`},
		"a service of a file with API": {set("traefik.http.routers.web.service", "shop@file"), true, ""},
		"an app of another machine": {func(a *inventory.App) {
			a.Instances[0].Mapped = &inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{8080: 8081}}
			a.Labels[label+"server.url"] = "http://192.168.1.20:8081"
		}, false, ""},
		"a server URL that is none of another machine's": {func(a *inventory.App) {
			a.Instances[0].Mapped = &inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{8080: 8081}}
			a.Labels[label+"server.url"] = "http://192.168.1.20:8080"
		}, false, `static server URL http://192.168.1.20:8080 leads to no port that the app publishes at 192.168.1.20`},
		"a port that another machine does not publish": {func(a *inventory.App) {
			a.Instances[0].Mapped = &inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{}}
			delete(a.Labels, label+"server.url")
			a.Labels[label+"server.port"] = "8080"
		}, true, `app "shop-web": its port 8080 is not published at 192.168.1.20, the address of its provider, so neither Paastis nor Traefik reaches it; publish it (ports: ["8080"])`},
		"a port that is published for its machine alone": {func(a *inventory.App) {
			a.Instances[0].Mapped = &inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{}, Hidden: map[uint16]netip.Addr{8080: netip.MustParseAddr("127.0.0.1")}}
			delete(a.Labels, label+"server.url")
			a.Labels[label+"server.port"] = "8080"
		}, true, `its port 8080 is published at 127.0.0.1 alone, and not at 192.168.1.20`},
		"a database that publishes nothing": {func(a *inventory.App) {
			a.Labels, a.HealthCheck, a.Ports = map[string]string{"paastis.enable": "true"}, nil, []uint16{5432}
			a.Instances[0].Mapped = &inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{}}
		}, true, `its port 5432 is not published at 192.168.1.20`},
		"URL by address":          {set(label+"server.url", "http://10.0.0.7:8080"), true, "use the container's name"},
		"health check of Traefik": {set(label+"healthcheck.path", "/"), false, "Traefik checks the health of service \"web\" itself"},
		"the same with API":       {set(label+"healthcheck.path", "/"), true, ""},
		"slow health check":       {func(a *inventory.App) { a.HealthCheck.Interval = 30 * time.Second }, false, "runs every 30s"},
		"a health check that a probe overrules": {func(a *inventory.App) {
			a.HealthCheck.Interval, a.Labels["paastis.probe"] = 30*time.Second, "tcp"
		}, false, ""},
		"a health check that Traefik goes by": {func(a *inventory.App) {
			a.HealthCheck.Interval, a.Labels["paastis.probe"] = 30*time.Second, "tcp"
			delete(a.Labels, label+"server.url")
		}, true, "Traefik has no server of it before it has passed, whatever the probe tcp says"},
		"a health check that comes too late": {func(a *inventory.App) {
			a.HealthCheck.Interval, a.Labels["paastis.start_timeout"] = time.Minute, "45s"
		}, false, "longer than its start_timeout of 45s"},
		"several containers": {func(a *inventory.App) {
			a.Instances = append(a.Instances, inventory.Instance{Name: "shop-web-2", ID: "id2"})
			delete(a.Labels, label+"server.url")
		}, true, "runs as 2 containers"},
		"no health, no port": {func(a *inventory.App) {
			a.HealthCheck, a.Ports = nil, nil
			a.Labels[label+"server.url"] = "http://shop-web-1"
		}, true, ""},
		"no way to see it": {func(a *inventory.App) { a.HealthCheck, a.Ports = nil, nil; delete(a.Labels, label+"server.url") }, true, "has no health check and no port to probe"},
		"bad rule":         {set("traefik.http.routers.web.rule", "Host("), false, "its requests are not recognised"},
		"typo":             {set("paastis.max_idel_time", "5m"), false, `did you mean "paastis.max_idle_time"?`},
		"another's name":   {set(label+"server.url", "http://shop-wrong:8080"), true, "is by a name that is none of its containers'"},
		"another port":     {set(label+"server.url", "http://shop-web-1:8081"), true, "has a port that its image does not expose"},
		"middleware misspelt": {func(a *inventory.App) {
			a.Labels["traefik.http.routers.web.middlewares"] = "pastis@docker"
			a.Labels["paastis.max_idle_time"] = "5m"
		}, true, "has the label paastis.max_idle_time, but nothing enables it"},
		"a route of its own": {func(a *inventory.App) {
			a.Labels = map[string]string{"paastis.enable": "true", "paastis.rule": "Host(`web.test`)"}
		}, false, ""},
		"missing linked app": {set("paastis.linked_apps", "shop-nobody"), false, `links to "shop-nobody", which does not exist`},
	} {
		got := lintOf(t, c.hasAPI, web(c.change))
		if c.want == "" && len(got) > 0 || c.want != "" && !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for _, line := range got {
			if !strings.Contains(line, "shop-web") || strings.Contains(line, "\n") {
				t.Errorf("%s: no line that says where: %q", name, line)
			}
		}
	}
}

func TestCheckTellsOfAppsThatPaastisCannotProbe(t *testing.T) {
	paastis := inventory.App{
		Name: "paastis", Origin: `container "paastis"`, Networks: []string{"proxy"}, Protected: inventory.IsPaastis,
		Instances: []inventory.Instance{{Name: "paastis", ID: "p"}},
	}
	for _, c := range []struct {
		name   string
		change func(*inventory.App)
		on     string
		told   bool
	}{
		{"no health check", func(a *inventory.App) { a.HealthCheck = nil }, "proxy", true},
		{"a health check", nil, "proxy", false},
		{"a probe beside it", func(a *inventory.App) { a.Labels["paastis.probe"] = "tcp" }, "proxy", true},
		{"none", func(a *inventory.App) { a.HealthCheck, a.Labels["paastis.probe"] = nil, "none" }, "proxy", false},
		{"Paastis in its network", func(a *inventory.App) { a.HealthCheck = nil }, "apps", false},
		{"Paastis on the host", func(a *inventory.App) { a.HealthCheck = nil }, "host", false},
		{"on the host itself", func(a *inventory.App) { a.HealthCheck, a.Networks = nil, []string{"host"} }, "proxy", true},
	} {
		paastis.Networks = []string{c.on}
		got := strings.Join(lintOf(t, true, web(c.change), paastis), "\n")
		if told := strings.Contains(got, `"shop-web" is on`) && strings.Contains(got, "let Paastis join a network of the app"); told != c.told {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestCheckAsksForNoNetworkInCommonWithAnAppOfAURL(t *testing.T) {
	hosted := web(func(a *inventory.App) {
		a.URL, a.HealthCheck, a.Networks, a.Ports = "https://shop.example.com", nil, nil, nil
		a.Instances = append(a.Instances, inventory.Instance{Name: "shop-web-2", ID: "id2"})
		for _, key := range []string{"url", "port"} {
			delete(a.Labels, "traefik.http.services.web.loadbalancer.server."+key)
		}
	})
	around := func(kind inventory.App) inventory.App {
		kind.Origin, kind.Networks = "container "+kind.Name, []string{"proxy"}
		kind.Instances = []inventory.Instance{{Name: kind.Name, ID: kind.Name}}
		return kind
	}
	got := lintOf(t, true, hosted, around(inventory.App{Name: "paastis", Protected: inventory.IsPaastis}), around(inventory.App{Name: "traefik", Protected: inventory.RunsTraefik}))
	if len(got) > 0 {
		t.Errorf("told %q", got)
	}
	const static = "traefik.http.services.web.loadbalancer.server.url"
	hosted.Labels[static] = "https://shop.example.com"
	if got := lintOf(t, false, hosted); len(got) > 0 {
		t.Errorf("of a server that is its URL is told %q", got)
	}
	hosted.Labels[static] = "http://shop.example.com"
	if got := lintOf(t, true, hosted); len(got) != 1 || !strings.Contains(got[0], "static server URL http://shop.example.com is not https://shop.example.com") {
		t.Errorf("of a server that is not is told %q", got)
	}
	delete(hosted.Labels, static)
	if got := lintOf(t, false, hosted); len(got) != 1 || !strings.Contains(got[0], "server.url=https://shop.example.com") {
		t.Errorf("of a server that Traefik is to find is told %q", got)
	}
	hosted.URL = "https://shop.example.com/api"
	if got := lintOf(t, true, hosted); len(got) != 1 || !strings.Contains(got[0], "has a path") {
		t.Errorf("of a URL that is none is told %q", got)
	}
}

func TestCheckDoesNotAskWhetherAJobServes(t *testing.T) {
	front := web(func(a *inventory.App) { a.Links = []rules.Link{{Name: "shop-migrate", Condition: rules.Completed}} })
	job := inventory.App{Name: "shop-migrate", Stack: "shop", Origin: `container "shop-migrate-1"`, Networks: []string{"inner"}, Ports: []uint16{8080},
		Instances: []inventory.Instance{{Name: "shop-migrate-1", ID: "job"}}}
	paastis := inventory.App{Name: "infra-paastis", Protected: inventory.IsPaastis, Networks: []string{"apps"}, Instances: []inventory.Instance{{Name: "paastis", ID: "p"}}}
	if got := lintOf(t, false, front, job, paastis); len(got) > 0 {
		t.Errorf("told %q", got)
	}
	front.Links[0].Condition = rules.Healthy
	if got := lintOf(t, false, front, job, paastis); len(got) == 0 {
		t.Error("of an app that is waited for to serve nothing is told")
	}
}

func TestCheckWarnsOfNetworksThatTraefikDoesNotShare(t *testing.T) {
	traefik := inventory.App{
		Name: "traefik", Origin: `container "traefik"`, Networks: []string{"proxy"}, Protected: inventory.RunsTraefik,
		Instances: []inventory.Instance{{Name: "traefik", ID: "t"}},
	}
	if got := lintOf(t, true, web(nil), traefik); len(got) != 1 || !strings.Contains(got[0], "share no network") {
		t.Errorf("%q", got)
	}
	second := traefik
	second.Name, second.Networks = "traefik2", []string{"apps"}
	if got := lintOf(t, true, web(nil), traefik, second); len(got) != 0 {
		t.Errorf("with a second Traefik that shares one: %q", got)
	}
}

func TestCheckWarnsOfARouterOnTwoApps(t *testing.T) {
	for rule, want := range map[string]string{"Host(`web.test`)": "shares its requests out among both", "Host(`blog.test`)": "leaves out both"} {
		other := web(func(a *inventory.App) {
			a.Name, a.Origin, a.Stack = "blog-web", `container "blog-web-1"`, "blog"
			a.Instances = []inventory.Instance{{Name: "blog-web-1", ID: "id2"}}
			a.Labels["traefik.http.services.web.loadbalancer.server.url"] = "http://blog-web-1:8080"
			a.Labels["traefik.http.routers.web.rule"] = rule
		})
		got := lintOf(t, true, web(nil), other)
		if len(got) != 1 || !strings.Contains(got[0], `router "web" is defined on container "blog-web-1" and on container "shop-web-1"`) || !strings.Contains(got[0], want) {
			t.Errorf("%q", got)
		}
	}
}

func TestCheckTellsWhatTraefikLeavesOut(t *testing.T) {
	portless := web(func(a *inventory.App) {
		delete(a.Labels, "traefik.http.services.web.loadbalancer.server.url")
		a.Ports, a.Labels["paastis.port"] = nil, "80"
	})
	if got := lintOf(t, true, portless); len(got) != 1 || !strings.Contains(got[0], "for no port is known") {
		t.Errorf("%q", got)
	}
	lost := web(func(a *inventory.App) { a.Labels["traefik.http.routers.web.service"] = "nobody" })
	if got := lintOf(t, true, lost); len(got) == 0 || !strings.Contains(got[0], `leads to the service "nobody", which no label defines`) {
		t.Errorf("%q", got)
	}
}

func TestCheckTellsThatTraefiksAPIDoesNotAnswer(t *testing.T) {
	fine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := "[]"
		if r.URL.Path == "/api/version" {
			answer = `{"Version":"3.6.12"}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer fine.Close()
	if got := checkAPI(t.Context(), config.Traefik{APIURL: fine.URL}, &inventory.Inventory{}); got != nil {
		t.Errorf("an API that answers: %q", got)
	}
	if got := checkAPI(t.Context(), config.Traefik{}, &inventory.Inventory{}); got != nil {
		t.Errorf("no API: %q", got)
	}
	got := checkAPI(t.Context(), config.Traefik{APIURL: "http://user:secret@127.0.0.1:1"}, &inventory.Inventory{})
	if len(got) != 1 || !strings.Contains(got[0], "traefik.api_url") || strings.Contains(got[0], "secret") {
		t.Errorf("an API that does not answer: %q", got)
	}
}

func TestMeasuredUseStandsBesideItsFloor(t *testing.T) {
	first := idle.Usage{Bytes: 1000, CPU: time.Second, Connections: idle.UnknownConnections}
	last := idle.Usage{Bytes: 3500, CPU: 1500 * time.Millisecond, Connections: idle.UnknownConnections}
	p := rules.Defaults().Properties
	got := strings.Join(useText(first, last, 5*time.Second, &inventory.Definition{Resolved: &rules.Resolved{Properties: p}}), "\n")
	for _, want := range []string{"500 B/s; in use above 66 B/s (1.0 kB in 15s)", "above 11 B/s (in 1m30s)", "cannot be counted", "10.0% of a core"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	last.Connections, p.TrafficFloor, p.CPUFloor = 2, rules.Off, 5
	got = strings.Join(useText(first, last, 5*time.Second, &inventory.Definition{Resolved: &rules.Resolved{Properties: p}}), "\n")
	for _, want := range []string{"it does not count", "connections  2", "in use above 5%"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func TestCheckWarnsOfAThemeThatDoesNotExist(t *testing.T) {
	for theme, want := range map[string]string{
		"terminal": "[]",
		"branden":  `[shop-web: theme "branden" does not exist, plain is drawn; there are branded, plain, terminal]`,
	} {
		app := web(func(a *inventory.App) { a.Labels["paastis.theme"] = theme })
		inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
		if got := fmt.Sprint(lintThemes(inv, []string{"branded", "plain", "terminal"})); got != want {
			t.Errorf("%s: %s, want %s", theme, got, want)
		}
	}
}

func TestCheckAndExplainSayNothingOfWhatIsInOrder(t *testing.T) {
	noProvider(t)
	dir := t.TempDir()
	for name, page := range map[string]string{"acme": `<title>x</title><main data-poll="{{.Poll}}" data-state="{{.State}}">x</main>`, "torn": "{{"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "page.html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, level := range []string{"debug", "info", "error"} {
		for _, args := range [][]string{{"check"}, {"explain", "shop"}} {
			code, stdout, stderr := paastis(t, nil, append(args, "--theme-dir", dir, "--log.level", level)...)
			if all := stdout + stderr; code != exitOK || strings.Contains(all, "level=INFO") || strings.Contains(all, "level=DEBUG") {
				t.Errorf("%s at %s: exit %d\n%s", args[0], level, code, all)
			}
			if args[0] == "check" && !strings.Contains(stdout, "torn") {
				t.Errorf("at %s the theme that does not parse is not told of\n%s", level, stdout)
			}
		}
	}
}

func TestCheckWarnsOfMiddlewaresBeforePaastisThatHideWhatWasAsked(t *testing.T) {
	const router = "traefik.http.routers.web."
	for name, c := range map[string]struct {
		labels map[string]string
		alone  bool
		want   string
	}{
		"stripped":        {labels: map[string]string{router + "middlewares": "cut,paastis", "traefik.http.middlewares.cut.stripprefix.prefixes": "/a"}},
		"added":           {labels: map[string]string{router + "middlewares": "add,paastis", "traefik.http.middlewares.add.addprefix.prefix": "/a"}, want: `router "web": a middleware before Paastis changes path or host`},
		"added after":     {labels: map[string]string{router + "middlewares": "paastis,add", "traefik.http.middlewares.add.addprefix.prefix": "/a"}},
		"another host":    {labels: map[string]string{router + "middlewares": "to,paastis", "traefik.http.middlewares.to.headers.customrequestheaders.Host": "x"}, want: `router "web": a middleware before Paastis changes path or host`},
		"of a file":       {labels: map[string]string{router + "middlewares": "login@file,paastis"}, want: `router "web": what the middlewares before Paastis do is not known`},
		"of a file alone": {labels: map[string]string{router + "middlewares": "login@file,paastis"}, alone: true, want: `router "web": what login@file before Paastis does is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			apps := []inventory.App{web(func(a *inventory.App) { maps.Copy(a.Labels, c.labels) })}
			if !c.alone {
				apps = append(apps, web(func(a *inventory.App) {
					a.Name, a.Instances[0].Name = "shop-api", "shop-api-1"
					a.Labels = map[string]string{
						"traefik.docker.allownonrunning":                    "true",
						"traefik.http.routers.api.rule":                     "Host(`web.test`) && PathPrefix(`/api`)",
						"traefik.http.routers.api.middlewares":              "paastis",
						"traefik.http.services.api.loadbalancer.server.url": "http://shop-api-1:8080",
					}
				}))
			}
			got := strings.Join(lintOf(t, false, apps...), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCheckWarnsOfWhatPutsAPageInPlaceOfTheWaitingPage(t *testing.T) {
	const router, nice = "traefik.http.routers.web.", "traefik.http.middlewares.nice.errors.status"
	const breaker = "traefik.http.middlewares.break.circuitbreaker.expression"
	const first = "let Paastis be the first of its middlewares"
	for name, c := range map[string]struct {
		labels  map[string]string
		traefik string // its flag; empty: it is not seen
		want    string
	}{
		"errors before":         {map[string]string{router + "middlewares": "nice@docker,paastis@docker", nice: "400-599"}, "", `router "web": nice@docker (errors or circuitBreaker) stands before Paastis and puts a page of its own in place of the waiting page, except in direct mode; ` + first},
		"in a chain":            {map[string]string{router + "middlewares": "all,paastis", "traefik.http.middlewares.all.chain.middlewares": "nice", nice: "503"}, "", first},
		"a circuit breaker":     {map[string]string{router + "middlewares": "break,paastis", breaker: "ResponseCodeRatio(500, 600, 0, 600) > 0.25"}, "", first},
		"errors behind":         {map[string]string{router + "middlewares": "paastis,nice", nice: "400-599"}, "", ""},
		"errors of others":      {map[string]string{router + "middlewares": "nice,paastis", nice: "404,500-502"}, "", ""},
		"errors in direct mode": {map[string]string{router + "middlewares": "nice,paastis", nice: "400-599", "paastis.mode": "direct"}, "", ""},
		"of a file":             {map[string]string{router + "middlewares": "nice@file,paastis"}, "", `router "web": what nice@file before Paastis does is not known; if it is of errors or circuitBreaker`},
		"of a file in direct":   {map[string]string{router + "middlewares": "nice@file,paastis", "paastis.mode": "direct"}, "", "in direct mode too"},
		"of an entry point":     {map[string]string{nice: "503"}, "--entrypoints.web.http.middlewares=nice@docker", `router "web": nice@docker on its entry point puts a page of its own in place of the waiting page`},
	} {
		t.Run(name, func(t *testing.T) {
			apps := []inventory.App{web(func(a *inventory.App) { maps.Copy(a.Labels, c.labels) })}
			if c.traefik != "" {
				static, _ := traefik.ReadStatic([]string{"--entrypoints.web.address=:80", "--providers.docker", c.traefik}, nil)
				apps = append(apps, inventory.App{Name: "traefik", Protected: inventory.RunsTraefik, Traefik: &static, Networks: []string{"shop_default"}, Instances: []inventory.Instance{{Name: "traefik"}}})
			}
			got := strings.Join(lintOf(t, false, apps...), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCheckTellsOfAnAppThatPaastisCannotCarryRequestsTo(t *testing.T) {
	paastis := inventory.App{Name: "paastis", Protected: inventory.IsPaastis, Networks: []string{"web"}, Instances: []inventory.Instance{{Name: "paastis"}}}
	direct := func(a *inventory.App) { a.Labels["paastis.mode"], a.Networks = "direct", []string{"inner"} }
	for name, c := range map[string]struct {
		change func(*inventory.App)
		told   bool
	}{
		"left to ForwardAuth": {func(a *inventory.App) { a.Networks = []string{"inner"} }, false},
		"in direct mode":      {direct, true},
		"in its network":      {func(a *inventory.App) { direct(a); a.Networks = append(a.Networks, "web") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(lintOf(t, false, web(c.change), paastis), "\n")
			const want = `app "shop-web" is on no network of Paastis's (it is on inner), so Paastis cannot carry requests to it in direct mode, and those who find it asleep are sent twice; put Paastis on one of its networks`
			if strings.Contains(got, want) != c.told {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestCheckTellsOfAChainThatNoLabelDefines(t *testing.T) {
	hidden := web(func(a *inventory.App) { a.Labels["traefik.http.routers.web.middlewares"] = "secured@file" })
	got := strings.Join(lintOf(t, false, hidden), "\n")
	for _, want := range []string{`app "shop-web": router "web" uses secured@file, which no label defines`, "paastis.enable=true", "traefik.api_url"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	hidden.Labels["paastis.enable"] = "false"
	if got := lintOf(t, false, hidden); len(got) > 0 {
		t.Errorf("of an app that is disabled: %q", got)
	}
}

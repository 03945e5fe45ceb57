package traefik_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func TestLabelsTellRoutersServicesAndMiddlewares(t *testing.T) {
	t.Parallel()
	got := decode(t, map[string]string{
		"traefik.enable":                                              "true",
		"traefik.docker.network":                                      "web",
		"traefik.docker.allownonrunning":                              "true",
		"traefik.http.routers.shop.rule":                              "Host(`shop.example`)",
		"traefik.http.routers.shop.ruleSyntax":                        "v2",
		"traefik.http.routers.shop.priority":                          "7",
		"traefik.http.routers.shop.entrypoints":                       "web, websecure",
		"traefik.http.routers.shop.middlewares":                       "auth@file, paastis",
		"traefik.http.routers.shop.service":                           "api",
		"traefik.http.routers.shop.tls.certresolver":                  "le",
		"traefik.http.routers.admin.rule":                             "Host(`admin.example`)",
		"traefik.http.services.api.loadbalancer.server.port":          "8080",
		"traefik.http.services.api.loadbalancer.server.scheme":        "https",
		"traefik.http.services.web.loadbalancer.server.url":           "http://web",
		"traefik.http.middlewares.paastis.forwardauth.address":        "http://paastis:3000/auth",
		"traefik.http.middlewares.all.chain.middlewares":              "paastis, auth@file",
		"traefik.http.middlewares.limit.ratelimit.average":            "100",
		"traefik.http.services.web.loadbalancer.healthcheck.interval": "5s",
		"com.example.other":                                           "x",
	})
	if got.Enable == nil || !*got.Enable {
		t.Error("not enabled")
	}
	check(t, "docker", got.Docker, traefik.Docker{Network: "web", AllowNonRunning: true})
	check(t, "routers", got.Routers, []traefik.Router{
		{Name: "admin", Rule: "Host(`admin.example`)"},
		{
			Name: "shop", Rule: "Host(`shop.example`)", RuleSyntax: "v2", Priority: 7, TLS: true, Service: "api",
			EntryPoints: []string{"web", "websecure"}, Middlewares: []string{"auth@file", "paastis"},
		},
	})
	check(t, "services", got.Services, []traefik.Service{
		{Name: "api", Servers: []traefik.Server{{Port: "8080", Scheme: "https"}}},
		{Name: "web", Servers: []traefik.Server{{URL: "http://web"}}},
	})
	check(t, "middlewares", got.Middlewares, []traefik.Middleware{
		{Name: "all", Chain: []string{"paastis", "auth@file"}},
		{Name: "limit"},
		{Name: "paastis", ForwardAuth: "http://paastis:3000/auth"},
	})
}

func TestNoLabelsTellNothing(t *testing.T) {
	t.Parallel()
	for _, labels := range []map[string]string{nil, {}, {"com.example.other": "x", "traefik.future.thing": "y"}} {
		got := decode(t, labels)
		if got.Enable != nil || got.Routers != nil || got.Services != nil || got.Middlewares != nil {
			t.Errorf("labels %q tell %+v", labels, got)
		}
	}
}

func TestNetworkOfSwarmIsReadToo(t *testing.T) {
	t.Parallel()
	got := decode(t, map[string]string{"traefik.swarm.network": "ingress", "traefik.docker.network": "old"})
	check(t, "network", got.Docker.Network, "ingress")
}

func TestLabelThatTraefikCannotReadIsNamed(t *testing.T) {
	t.Parallel()
	for label, value := range map[string]string{
		"traefik.enable":                     "yes",
		"traefik.docker.allownonrunning":     "maybe",
		"traefik.http.routers.shop.priority": "high",
		"traefik.http.routers.a].rule":       "Host(`a`)",
		"traefik.http.routers.[a].rule":      "Host(`a`)",
		"traefik.http.routers..rule":         "Host(`a`)",
		"Traefik.http.routers.shop.rule":     "Host(`a`)",
	} {
		_, err := traefik.Decode(map[string]string{
			label:                               value,
			"traefik.http.routers.other.rule":   "Host(`b`)",
			"traefik.http.routers.other.tls":    "true",
			"traefik.http.services.other.x.y.z": "1",
		})
		if err == nil || !strings.Contains(err.Error(), `"`+label+`"`) {
			t.Errorf("label %q: error %v does not name it", label, err)
		}
	}
}

func TestURLBesideAPortIsRefusedAsTraefikDoes(t *testing.T) {
	t.Parallel()
	_, err := traefik.Decode(map[string]string{
		"traefik.http.services.a.loadbalancer.server.url":  "http://a",
		"traefik.http.services.a.loadbalancer.server.port": "80",
	})
	if err == nil || !strings.Contains(err.Error(), `"traefik.http.services.a.loadbalancer.server.url"`) {
		t.Errorf("error %v", err)
	}
}

func TestOtherKindsOfServicesDoNotMatter(t *testing.T) {
	t.Parallel()
	got := decode(t, map[string]string{
		"traefik.http.services.a.weighted.services[0].name":   "x",
		"traefik.http.services.b.mirroring.mirrors[0].name":   "y",
		"traefik.http.services.c.failover.service":            "z",
		"traefik.http.services.d.loadbalancer.sticky.cookie":  "true",
		"traefik.http.services.e.loadbalancer.futureProperty": "1",
		"traefik.http.routers.r.futureProperty":               "1",
		"traefik.http.routers.r.rule.future.property":         "1",
	})
	check(t, "services", len(got.Services), 5)
	check(t, "routers", got.Routers, []traefik.Router{{Name: "r"}})
}

func TestRouterTakesTheOnlyService(t *testing.T) {
	t.Parallel()
	labels := map[string]string{
		"traefik.http.routers.r.rule":                        "Host(`a`)",
		"traefik.http.services.api.loadbalancer.server.port": "80",
	}
	check(t, "service", decode(t, labels).Routers[0].Service, "api")
	labels["traefik.http.services.web.loadbalancer.server.port"] = "81"
	check(t, "service among two", decode(t, labels).Routers[0].Service, "")
}

func TestPortAndStaticURLComeFromTheRoutersService(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{
		"traefik.http.services.port.loadbalancer.server.port":     "8080",
		"traefik.http.services.text.loadbalancer.server.port":     "http",
		"traefik.http.services.huge.loadbalancer.server.port":     "65536",
		"traefik.http.services.scheme.loadbalancer.server.scheme": "https",
		"traefik.http.services.url.loadbalancer.server.url":       "http://web:3000/base",
		"traefik.http.services.plain.loadbalancer.server.url":     "http://web",
		"traefik.http.services.tls.loadbalancer.server.url":       "https://web",
		"traefik.http.services.h2c.loadbalancer.server.url":       "h2c://web",
		"traefik.http.services.bad.loadbalancer.server.url":       "http://web:x",
	})
	for _, row := range []struct {
		service string
		url     string
		port    uint16
	}{
		{"port", "", 8080},
		{"port@docker", "", 8080},
		{"port@swarm", "", 8080},
		{"port@file", "", 0},
		{"Port", "", 0},
		{"text", "", 0},
		{"huge", "", 0},
		{"scheme", "", 0},
		{"url", "http://web:3000/base", 3000},
		{"plain", "http://web", 80},
		{"tls", "https://web", 443},
		{"h2c", "h2c://web", 80},
		{"bad", "http://web:x", 0},
		{"", "", 0},
		{"missing", "", 0},
	} {
		router := traefik.Router{Service: row.service}
		check(t, "URL of "+row.service, labels.StaticURL(router), row.url)
		check(t, "port of "+row.service, labels.Port(router), row.port)
	}
}

func TestRouterUsesAMiddlewareOfAnyProvider(t *testing.T) {
	t.Parallel()
	labels := map[string]string{
		"traefik.http.routers.r.middlewares":                "",
		"traefik.http.middlewares.secure.chain.middlewares": "auth@file, inner@docker",
		"traefik.http.middlewares.inner.chain.middlewares":  "secure, paastis@file",
		"traefik.http.middlewares.plain.chain.middlewares":  "auth@file, plain",
	}
	for middlewares, want := range map[string]bool{
		"paastis":           true,
		"paastis@docker":    true,
		"a, paastis@file,b": true,
		"secure":            true,
		"secure@docker":     true,
		"":                  false,
		"Paastis":           false,
		"paastis2":          false,
		"x-paastis@docker":  false,
		"plain":             false,
		"secure@file":       false,
	} {
		labels["traefik.http.routers.r.middlewares"] = middlewares
		if got := decode(t, labels).Routers[0].Uses("paastis"); got != want {
			t.Errorf("middlewares %q use it: %t, want %t", middlewares, got, want)
		}
	}
}

func TestLabelsKnowWhichMiddlewaresTheyDefine(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{"traefik.http.middlewares.paastis.forwardauth.address": "http://p"})
	if !labels.Defines("paastis") || labels.Defines("Paastis") || labels.Defines("") {
		t.Error("wrong")
	}
}

func TestDecodeChangesNoLabels(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"traefik.http.routers.r.x": "1", "traefik.http.routers.r.rule": "Host(`a`)"}
	before := maps.Clone(labels)
	decode(t, labels)
	check(t, "labels", labels, before)
}

func FuzzDecode(f *testing.F) {
	f.Add("traefik.http.routers.a.rule", "Host(`a`)", "traefik.http.services.b.loadbalancer.server.port", "80")
	f.Add("traefik.http.routers.a].rule", "x", "traefik.http.routers.a[0].tls.domains[0].main", "y")
	f.Add("traefik.enable", "true", "TRAEFIK.docker.network", "")
	f.Fuzz(func(t *testing.T, a, x, b, y string) {
		labels, err := traefik.Decode(map[string]string{a: x, b: y})
		if err != nil {
			return
		}
		completed, _ := labels.WithDefaults("name", "/name", nil)
		for _, router := range completed.Routers {
			if router.Rule == "" || router.Service == "" {
				t.Errorf("router %+v is not complete", router)
			}
			completed.Port(router)
			router.Uses("paastis")
		}
		if !slices.IsSortedFunc(completed.Routers, func(a, b traefik.Router) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("routers are not sorted: %+v", completed.Routers)
		}
	})
}

// Helpers

func decode(t testing.TB, labels map[string]string) traefik.Labels {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func check(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestRouterBesideLabelsHasTheirOnlyServiceAndTheirChains(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{
		"traefik.http.services.api.loadbalancer.server.port": "8080",
		"traefik.http.middlewares.all.chain.middlewares":     "auth@file, paastis",
	})
	got := labels.Beside(traefik.Router{Name: "shop", Middlewares: []string{"all"}, Secured: &traefik.TLS{}})
	if got.Service != "api" || !got.TLS || !got.Uses("paastis") || labels.Port(got) != 8080 {
		t.Errorf("it is %+v", got)
	}
	if got := labels.Beside(traefik.Router{Service: "other@file"}); got.Service != "other@file" || got.TLS {
		t.Errorf("with a service of its own it is %+v", got)
	}
}

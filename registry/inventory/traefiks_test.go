package inventory_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// usual are the entry points of most people.
var usual = []traefik.EntryPoint{{Name: "web", Port: 80}, {Name: "websecure", Port: 443, TLS: true}, {Name: "inside", Port: 9090}}

func TestRequestIsForTheRouterOfItsEntryPoint(t *testing.T) {
	t.Parallel()
	redirect := service("proxy", "redirect").routed("x").awake().
		label("traefik.http.routers.proxy-redirect.rule", "HostRegexp(`.+`)").
		label("traefik.http.routers.proxy-redirect.priority", "1000").
		label("traefik.http.routers.proxy-redirect.entrypoints", "web")
	front := service("shop", "front").routed("shop.example").awake().label("traefik.http.routers.shop-front.entrypoints", "websecure")
	admin := service("shop", "admin").routed("shop.example").awake().label("traefik.http.routers.shop-admin.entrypoints", "inside")
	everywhere := service("shop", "any").routed("any.example").awake().label("traefik.http.routers.shop-any.priority", "2000")
	s := settingsFor(t, "")
	s.Traefik.EntryPoints = usual
	inv := resolvedWith(s, redirect, front, admin, everywhere)
	for url, want := range map[string]string{
		"https://shop.example/":      "shop-front",
		"https://shop.example:8443/": "shop-front",
		"http://shop.example/":       "proxy-redirect",
		"http://shop.example:9090/":  "shop-admin",
		"http://any.example/":        "shop-any",
		"https://any.example/":       "shop-any",
		"http://any.example:9090/":   "shop-any",
	} {
		if got := nameOf(inv.Find(request(t, url))); got != want {
			t.Errorf("%s is for %q, want %q", url, got, want)
		}
	}
}

func TestFlagsOfTraefiksContainerSayWhichRoutersThereAre(t *testing.T) {
	t.Parallel()
	no := false
	proxy := service("", "proxy").awake()
	proxy.app.Traefik = &traefik.Static{EntryPoints: usual, ExposedByDefault: &no}
	redirect := service("proxy", "redirect").routed("x").awake().label("traefik.enable", "true").
		label("traefik.http.routers.proxy-redirect.rule", "HostRegexp(`.+`)").
		label("traefik.http.routers.proxy-redirect.priority", "1000").
		label("traefik.http.routers.proxy-redirect.entrypoints", "web")
	front := service("shop", "front").routed("shop.example").awake().label("traefik.enable", "true").
		label("traefik.http.routers.shop-front.entrypoints", "websecure")
	hidden := service("shop", "hidden").routed("shop.example").awake().label("traefik.http.routers.shop-hidden.priority", "9000")
	if got := nameOf(resolved(t, proxy, redirect, front, hidden).Find(request(t, "https://shop.example/"))); got != "shop-front" {
		t.Errorf("the request is for %q", got)
	}
	proxy.app.Traefik.Unread = "it is in a file"
	if got := nameOf(resolved(t, proxy, redirect, front, hidden).Find(request(t, "https://shop.example/"))); got != "shop-hidden" {
		t.Errorf("with flags that nobody can read: %q", got)
	}
}

func TestDefaultRuleIsReadFromTheFlagsOfTraefiksContainer(t *testing.T) {
	t.Parallel()
	proxy := service("", "proxy").awake()
	proxy.app.Traefik = &traefik.Static{DefaultRule: "Host(`{{ trimPrefix `shop-` .Name }}.localhost`)"}
	front := service("shop", "front").awake().label("traefik.enable", "true").label("traefik.http.services.x.loadbalancer.server.port", "80")
	if got := nameOf(resolved(t, proxy, front).Find(request(t, "http://front.localhost/"))); got != "shop-front" {
		t.Errorf("the request is for %q", got)
	}
	other := service("", "other").awake()
	other.app.Traefik = &traefik.Static{DefaultRule: "Host(`x`)"}
	if got := nameOf(resolved(t, proxy, front, other).Find(request(t, "http://shop-front/"))); got != "shop-front" {
		t.Errorf("with two Traefiks that differ: %q", got)
	}
}

func TestRouterOnNoEntryPointOfTraefikTakesNothing(t *testing.T) {
	t.Parallel()
	green := service("shop", "green").routed("shop.example").awake().label("traefik.http.routers.shop-green.entrypoints", "wbe")
	s := settingsFor(t, "")
	s.Traefik.EntryPoints = usual
	inv := resolvedWith(s, green, service("shop", "other").routed("shop.example").awake())
	if got := nameOf(inv.Find(request(t, "http://shop.example/"))); got != "shop-other" {
		t.Errorf("the request is for %q", got)
	}
	if got := inv.Problems().String(); !strings.Contains(got, "none of its entry points wbe") {
		t.Errorf("told: %s", got)
	}
	s.Endpoints = map[string]traefik.Static{"inside": {EntryPoints: []traefik.EntryPoint{{Name: "wbe", Port: 80}}}}
	if got := nameOf(resolvedWith(s, green).Find(request(t, "http://shop.example/"))); got != "shop-green" {
		t.Errorf("with a Traefik that has it: %q", got)
	}
}

func TestAppThatTraefikLeavesOutTakesNothing(t *testing.T) {
	t.Parallel()
	no := false
	zone, err := traefik.ParseConstraint("Label(`zone`, `out`)")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		traefik traefik.Static
		label   string
		health  inventory.Health
		want    string
	}{
		"exposed":                       {traefik.Static{}, "x=y", inventory.Healthy, "shop-green"},
		"not exposed":                   {traefik.Static{ExposedByDefault: &no}, "x=y", inventory.Healthy, "shop-blue"},
		"exposed by label":              {traefik.Static{ExposedByDefault: &no}, "traefik.enable=true", inventory.Healthy, "shop-green"},
		"hidden by label":               {traefik.Static{}, "traefik.enable=false", inventory.Healthy, "shop-blue"},
		"outside of the constraints":    {traefik.Static{Constraints: zone}, "zone=in", inventory.Healthy, "shop-blue"},
		"within the constraints":        {traefik.Static{Constraints: zone}, "zone=out", inventory.Healthy, "shop-green"},
		"a label that nobody can read":  {traefik.Static{}, "traefik.http.routers.shop-green.priority=high", inventory.Healthy, "shop-blue"},
		"an option that nobody knows":   {traefik.Static{}, "traefik.http.routers.shop-green.observability.nosuch=x", inventory.Healthy, "shop-blue"},
		"one that only Traefik reads":   {traefik.Static{}, "traefik.http.middlewares.slow.ratelimit.average=much", inventory.Healthy, "shop-blue"},
		"unhealthy":                     {traefik.Static{}, "x=y", inventory.Unhealthy, "shop-blue"},
		"unhealthy, with empty allowed": {traefik.Static{KeepsUnhealthy: true}, "x=y", inventory.Unhealthy, "shop-green"},
	} {
		key, value, _ := strings.Cut(row.label, "=")
		green := service("shop", "green").routed("shop.example").label("traefik.http.routers.shop-green.priority", "1000").label(key, value).label("paastis.mode", "forwardauth")
		status(inventory.Running, row.health)(green)
		blue := service("shop", "blue").routed("shop.example").awake().label("traefik.enable", "true").label("zone", "out")
		s := settingsFor(t, "")
		s.Traefik = row.traefik
		inv := resolvedWith(s, green, blue)
		if got := nameOf(inv.Find(request(t, "http://shop.example/"))); got != row.want {
			t.Errorf("%s: the request is for %q, want %q", name, got, row.want)
		}
		if told := inv.Problems().String(); (strings.Contains(name, "reads") || strings.Contains(name, "knows")) && !strings.Contains(told, key) {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

func TestCatchAllWhoseEntryPointAsksMayBeAskedAbout(t *testing.T) {
	t.Parallel()
	all := service("", "all").awake().label("traefik.http.routers.-all.rule", "PathPrefix(`/`)").
		label("traefik.http.routers.-all.priority", "1000").label("traefik.http.services.x.loadbalancer.server.port", "80")
	s := settingsFor(t, "")
	question := request(t, "http://shop.example/")
	question.Asked = true
	for middlewares, want := range map[string]string{"": "shop-front", "paastis@docker": "-all"} {
		s.Traefik.EntryPoints = []traefik.EntryPoint{{Name: "web", Port: 80, Middlewares: middlewares}}
		if got := nameOf(resolvedWith(s, all, service("shop", "front").routed("shop.example").awake()).Find(question)); got != want {
			t.Errorf("with %q on the entry point the question is about %q, want %q", middlewares, got, want)
		}
	}
}

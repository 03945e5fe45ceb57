package inventory_test

import (
	"testing"

	"github.com/paastis/paastis/registry/inventory"
)

func TestWhatStandsStillTakesNoRequestsFromWhatRuns(t *testing.T) {
	t.Parallel()
	same, within := "Host(`shop.example`)", "Host(`shop.example`) && PathPrefix(`/api`)"
	for name, row := range map[string]struct {
		rule  string
		still func(*played)
		want  string
	}{
		"stopped, on the same rule":    {same, nil, "shop-blue"},
		"stopped, on a longer rule":    {within, nil, "shop-blue"},
		"kept by a label":              {within, allowed, "shop-green"},
		"running":                      {within, status(inventory.Running, inventory.Healthy), "shop-green"},
		"running without health check": {within, status(inventory.Running, inventory.NoHealth), "shop-green"},
		"starting":                     {within, status(inventory.Running, inventory.HealthStarting), "shop-blue"},
		"unhealthy":                    {within, status(inventory.Running, inventory.Unhealthy), "shop-blue"},
		"paused":                       {within, status(inventory.Paused, inventory.NoHealth), "shop-blue"},
		"restarting":                   {within, status(inventory.Restarting, inventory.NoHealth), "shop-blue"},
		"in no network":                {within, portOf("", "none"), "shop-blue"},
		"on a port that nobody tells":  {within, portOf("", "web"), "shop-blue"},
		"on a port that a label tells": {within, portOf("80", "web"), "shop-green"},
		"of the host, on no port":      {within, portOf("", "host", 80), "shop-blue"},
		"on the port of its image":     {within, portOf("", "web", 80), "shop-green"},
	} {
		green := service("shop", "green").routed("shop.example").label("traefik.http.routers.shop-green.rule", row.rule)
		if row.still != nil {
			row.still(green)
		}
		inv := resolved(t, green, service("shop", "blue").routed("shop.example").awake())
		if got := inv.Find(request(t, "http://shop.example/api")); got == nil || got.Name != row.want {
			t.Errorf("%s: the request is for %v, want %s", name, got, row.want)
		}
	}
}

func TestOneOfSeveralContainersIsEnoughForARouter(t *testing.T) {
	t.Parallel()
	green := service("shop", "green").routed("shop.example").label("traefik.http.routers.shop-green.priority", "1000")
	green.app.Instances = append(green.app.Instances, inventory.Instance{Name: "shop-green-2", ID: "2", Status: inventory.Running})
	inv := resolved(t, green, service("shop", "blue").routed("shop.example").awake())
	if got := inv.Find(request(t, "http://shop.example/")); got.Name != "shop-green" {
		t.Errorf("the request is for %s", got.Name)
	}
}

func TestRequestIsForWhomItNamesIfNoRouterIsThere(t *testing.T) {
	t.Parallel()
	inv := resolved(t,
		service("shop", "front").routed("front.example"),
		service("shop", "all").routed("any.example").label("traefik.http.routers.shop-all.rule", "HostRegexp(`.+`)"),
		service("", "named").awake(), service("", "asleep"),
		service("shop", "named").routed("-named.example"), service("shop", "asleep").routed("-asleep.example"),
	)
	for url, want := range map[string]string{
		"http://front.example/":   "shop-front",  // asked by a router of which no label tells
		"http://-named.example/":  "-named",      // it runs
		"http://-asleep.example/": "shop-asleep", // the name alone says less than the whole host
		"http://other.example/":   "",            // and the catch-all says nothing
	} {
		got := inv.Find(request(t, url))
		if name := nameOf(got); name != want {
			t.Errorf("%s is for %q, want %q", url, name, want)
		}
	}
}

func TestCatchAllThatDoesNotAskTakesNoQuestions(t *testing.T) {
	t.Parallel()
	redirect := service("proxy", "redirect").awake().
		label("traefik.http.routers.redirect.rule", "HostRegexp(`.+`)").
		label("traefik.http.routers.redirect.priority", "1000").
		label("traefik.http.routers.redirect.entrypoints", "web").
		label("traefik.http.routers.redirect.middlewares", "https").
		label("traefik.http.middlewares.https.redirectscheme.scheme", "https").
		label("traefik.http.services.none.loadbalancer.server.port", "9")
	front := service("shop", "front").routed("shop.example").awake().label("traefik.http.routers.shop-front.entrypoints", "websecure")
	question := request(t, "http://shop.example/")
	question.Asked = true
	if got := resolved(t, redirect, front).Find(question); got.Name != "shop-front" {
		t.Errorf("the question is about %s", got.Name)
	}
	redirect.label("traefik.http.routers.redirect.middlewares", "https,all@file") // of which nobody knows whether it asks
	if got := resolved(t, redirect, front).Find(question); got.Name != "proxy-redirect" {
		t.Errorf("the question is about %s, past a router that may ask", got.Name)
	}
}

func TestCatchAllForHTTPTakesNoHTTPS(t *testing.T) {
	t.Parallel()
	redirect := service("proxy", "redirect").routed("any").awake().
		label("traefik.http.routers.proxy-redirect.rule", "HostRegexp(`.+`)").
		label("traefik.http.routers.proxy-redirect.priority", "1000")
	front := service("shop", "front").routed("shop.example").awake().label("traefik.http.routers.shop-front.tls", "true")
	inv := resolved(t, redirect, front)
	if got := inv.Find(request(t, "https://shop.example/")); got.Name != "shop-front" {
		t.Errorf("HTTPS is for %s", got.Name)
	}
	if got := inv.Find(request(t, "http://shop.example/")); got.Name != "proxy-redirect" {
		t.Errorf("HTTP is for %s", got.Name)
	}
}

func TestFindingAnAwakeAppAllocatesNothing(t *testing.T) {
	inv := resolved(t, service("shop", "front").routed("shop.example").awake(), service("shop", "back").routed("back.example"))
	known, gone := request(t, "http://shop.example/x"), request(t, "http://back.example/x")
	if n := testing.AllocsPerRun(100, func() {
		if inv.Find(known) == nil || inv.Find(gone) == nil {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

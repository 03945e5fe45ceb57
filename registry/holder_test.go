package registry

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// lent is a front with a router of its own, and one for the API whose service is back's.
func lent() (front, back *fakeApp) {
	front = service("shop", "front").routed("shop.example").
		label("traefik.http.routers.shop-front.service", "shop-front").
		label("traefik.http.routers.api.rule", "Host(`shop.example`) && PathPrefix(`/api`)").
		label("traefik.http.routers.api.middlewares", "guard,paastis@docker").
		label("traefik.http.routers.api.service", "back").
		label("traefik.http.middlewares.guard.basicauth.users", "a:b")
	back = service("shop", "back").
		label("traefik.http.services.back.loadbalancer.server.port", "8080").
		label("traefik.http.services.back.loadbalancer.sticky.cookie.name", "kept").
		label("traefik.docker.allownonrunning", "true")
	return front, back
}

func TestRouterOnAnotherContainerWakesTheAppThatServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := lent()
		w := live(t, "", front.awake(), back)
		k := w.Find(request(t, "http://shop.example/api"))
		if k == nil || k.Name() != "shop-back" {
			t.Fatalf("the request is for %v", k)
		}
		w.visit(k.Name())
		w.wantCalls("start shop-back")
		if got := k.Definition().Unproven(); len(got) != 1 || got[0] != "back@fake" {
			t.Errorf("to be proven: %v", got)
		}
	})
}

func TestAppWhoseLabelsHaveTheRouterStaysAwakeWithTheOneThatServes(t *testing.T) {
	t.Parallel()
	for _, allowed := range []string{"false", "true"} {
		front, back := lent()
		front.label("traefik.docker.allownonrunning", allowed)
		inv := resolved(t, front.awake(), back)
		links := inv.Graph.Links("shop-back")
		if want := allowed == "false"; want != (len(links) == 1) {
			t.Fatalf("allownonrunning=%q: links %v", allowed, links)
		}
		for _, l := range links {
			if l.Name != "shop-front" || l.Condition != rules.Started || !l.Optional {
				t.Errorf("link %+v", l)
			}
		}
	}
}

func TestAppThatOnlyHoldsARouterIsLeftAlone(t *testing.T) {
	t.Parallel()
	front, back := lent()
	delete(front.Labels, "traefik.http.routers.shop-front.middlewares")
	inv := resolved(t, front.awake(), back)
	if e := inv.Named("shop-front"); e.Managed {
		t.Errorf("front is managed: %s", e.Why)
	}
	if e := inv.Named("shop-back"); !e.Managed {
		t.Errorf("back is not managed: %s", e.Why)
	}
	if links := inv.Graph.Links("shop-back"); len(links) > 0 {
		t.Errorf("links %v", links)
	}
	back.Stack = "another"
	if e := resolved(t, front, back).Named("shop-back"); e.Managed {
		t.Errorf("the labels of another stack let it sleep: %s", e.Why)
	}
}

func TestRouterIsThereWhileItsLabelsAndItsServiceAre(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		front, back func(*fakeApp)
		want        string
	}{
		"both run":                  {(*fakeApp).run, (*fakeApp).run, "shop-back"},
		"the service is kept":       {(*fakeApp).run, nil, "shop-back"},
		"the service is gone":       {(*fakeApp).run, forgotten, "shop-front"},
		"the labels are gone":       {nil, (*fakeApp).run, "all"},
		"the labels stay":           {allowed, nil, "shop-back"},
		"the labels cannot be read": {func(a *fakeApp) { a.run(); a.label("traefik.http.routers.api.priority", "high") }, nil, "all"},
		"the service is in no label": {func(a *fakeApp) {
			a.run()
			a.label("traefik.http.routers.api.service", "none").label("traefik.http.routers.shop-front.rule", "Host(`x`)")
		}, nil, "all"},
	} {
		front, back := lent()
		all := service("", "all").routed("x").label("traefik.http.routers.-all.rule", "PathPrefix(`/`)").awake()
		all.Name = "all"
		for a, how := range map[*fakeApp]func(*fakeApp){front: row.front, back: row.back} {
			if how != nil {
				how(a)
			}
		}
		if got := nameOf(resolved(t, front, back, all).Find(request(t, "http://shop.example/api"))); got != row.want {
			t.Errorf("%s: the request is for %q, want %q", name, got, row.want)
		}
	}
}

func TestPublishedRouteLeadsToTheAppThatServesByTheMiddlewaresOfItsLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := lent()
		front.label("paastis.mode", "forwardauth") // so that nothing else tells of its middlewares
		back.Address, back.Addresses = netip.MustParseAddr("10.0.0.5"), []netip.Addr{netip.MustParseAddr("10.0.0.5")}
		f := newFake(front, back)
		w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, "")})
		b := balance(t, w.Registry, "10.0.0.9")
		if rt := w.Inventory().Routes["shop-back.api"]; rt == nil || KeeperOfRoute(rt).Name() != "shop-back" {
			t.Fatalf("route %v", rt)
		}
		w.visit("shop-back")
		time.Sleep(10 * time.Second)
		body := string(w.publisher.Publish(b.address, self).Body)
		for _, part := range []string{`"guard":{"basicAuth"`, `"http://10.0.0.5:8080"`, `"kept"`} {
			if !strings.Contains(body, part) {
				t.Errorf("%s is not in %s", part, body)
			}
		}
		var conf struct {
			HTTP struct {
				Routers map[string]struct {
					Middlewares []string
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &conf); err != nil {
			t.Fatal(err)
		}
		if got := conf.HTTP.Routers["shop-back.api"].Middlewares; len(got) != 1 || got[0] != "guard" {
			t.Errorf("middlewares %v", got)
		}
	})
}

func TestTwoRoutersOfOneNameAreOneOrNone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*fakeApp)
		want   string
	}{
		"the same":            {func(*fakeApp) {}, "blue"},
		"another rule":        {func(a *fakeApp) { a.label("traefik.http.routers.shop.rule", "Host(`shop.example`) ") }, "all"},
		"another certificate": {func(a *fakeApp) { a.label("traefik.http.routers.shop.tls.certresolver", "le") }, "all"},
		"another rule, and stopped": {func(a *fakeApp) {
			a.label("traefik.http.routers.shop.rule", "Host(`x`)")
			a.Instances[0] = inventory.Instance{}
		}, "blue"},
		"the other stopped": {func(a *fakeApp) { a.Instances[0] = inventory.Instance{} }, "blue"},
	} {
		one := func(name string) *fakeApp {
			a := service("", name).awake().
				label("traefik.http.routers.shop.rule", "Host(`shop.example`)").
				label("traefik.http.routers.shop.middlewares", "paastis").
				label("traefik.http.routers.shop.service", "shop").
				label("traefik.http.routers.shop.tls", "true").
				label("traefik.http.services.shop.loadbalancer.server.port", "80")
			a.Name = name
			return a
		}
		blue, green := one("blue"), one("green")
		row.change(green)
		all := service("", "all").routed("x").label("traefik.http.routers.-all.rule", "PathPrefix(`/`)").awake()
		all.Name = "all"
		inv := resolved(t, blue, green, all)
		if got := nameOf(inv.Find(request(t, "https://shop.example/"))); got != row.want {
			t.Errorf("%s: the request is for %q, want %q", name, got, row.want)
		}
	}
}

// Helpers

func (a *fakeApp) run() { a.awake() }

func forgotten(a *fakeApp) { delete(a.Labels, "traefik.docker.allownonrunning") }

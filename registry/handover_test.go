package registry

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// gateway is a Traefik that lists servers when the test says so.
type gateway struct {
	mu      sync.Mutex
	servers []api.Server
	err     error
	asked   []string
	routers []api.Router
}

func (g *gateway) Servers(_ context.Context, service string) ([]api.Server, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, service)
	return g.servers, g.err
}

func (g *gateway) Routers(context.Context) ([]api.Router, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.routers, g.err
}

// wasAsked are the services that were asked for.
func (g *gateway) wasAsked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

func (g *gateway) become(err error, urls ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.servers, g.err = nil, err
	for _, u := range urls {
		g.servers = append(g.servers, api.Server{URL: u, Status: "UP"})
	}
}

// found is an app whose server Traefik has to find, at 10.0.0.7.
func found() *fakeApp {
	a := solo()
	delete(a.Labels, "traefik.http.services.solo-web.loadbalancer.server.url")
	a.label("traefik.http.services.solo.loadbalancer.server.port", "8080")
	a.Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.7")}
	return a
}

func liveBehind(t *testing.T, g *gateway, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	return liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Gateway: g})
}

func TestAnAppIsPassedOnlyOnceTraefikListsItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := liveBehind(t, g, found())
		k := w.Named("solo-web")
		w.Wake(k, false)
		pass := func(when string, want bool) {
			t.Helper()
			if got := k.Open(); got != want {
				t.Errorf("%s: requests pass %t", when, got)
			}
		}
		time.Sleep(5 * time.Second)
		pass("with no server", false)
		g.become(nil, "")
		time.Sleep(time.Second)
		pass("with a server without a URL", false)
		g.become(nil, "http://10.0.0.6:8080")
		time.Sleep(time.Second)
		pass("with the address that it had before", false)
		g.become(api.ErrNoService)
		time.Sleep(time.Second)
		pass("with no service", false)
		g.become(nil, "http://10.0.0.6:8080", "http://10.0.0.7:8080")
		time.Sleep(250*time.Millisecond + switchSlack + time.Millisecond)
		pass("with its server", true)
		if asked := g.wasAsked(); asked[0] != "solo@fake" {
			t.Errorf("asked for %q", asked[0])
		}
	})
}

func TestAnAppOfAURLIsPassedOnlyOnceTraefikUsesTheServerThatAFileHasOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{routers: []api.Router{{Provider: "file", Router: traefik.Router{Name: "shop@file", Service: "shop@file", Middlewares: []string{"paastis@docker"}}}}}
		g.become(nil, "https://Shop.example.com:443/")
		g.servers[0].Status = "DOWN" // by a health check of Traefik's own
		a := service("solo", "web").label("paastis.enable", "true")
		a.URL, a.Addresses = "https://shop.example.com", []netip.Addr{netip.MustParseAddr("10.0.0.7")}
		w := liveBehind(t, g, a)
		k := w.Named("solo-web")
		k.Pass(time.Now())
		w.Wake(k, false)
		time.Sleep(10 * time.Second)
		if k.Open() {
			t.Error("requests pass, though Traefik answers them itself")
		}
		g.become(nil, "https://Shop.example.com:443/")
		time.Sleep(250*time.Millisecond + switchSlack + time.Millisecond)
		if !k.Open() {
			t.Error("requests do not pass, though Traefik leads them to its URL")
		}
	})
}

func TestAStaticServerNeedsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{err: errors.New("nobody must ask")}
		w := liveBehind(t, g, solo())
		began := time.Now()
		w.visit("solo-web")
		if took := time.Since(began); took != time.Second || g.wasAsked() != nil {
			t.Errorf("passed after %s; asked for %q", took, g.wasAsked())
		}
	})
}

func TestAStaticServerWhoseHealthTraefikChecksIsProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{servers: []api.Server{{URL: "http://solo-web-1:8080", Status: "DOWN"}}}
		w := liveBehind(t, g, solo().label("traefik.http.services.solo-web.loadbalancer.healthcheck.path", "/healthz"))
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Starting)
		g.become(nil, "http://solo-web-1:8080")
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestARouterOfAFileIsProvenIfTraefikCanBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := func(service string, middlewares ...string) api.Router {
			return api.Router{Router: traefik.Router{Service: service, Middlewares: middlewares}}
		}
		g := &gateway{
			servers: []api.Server{{URL: "http://solo-web-1:8080", Status: "DOWN"}},
			routers: []api.Router{router("other@file"), router("solo@file", "paastis@docker")},
		}
		a := service("solo", "web", "db").label("paastis.enable", "true")
		w := liveBehind(t, g, a, service("solo", "db"))
		k := w.Named("solo-web")
		k.Pass(time.Now())
		w.Wake(k, false)
		time.Sleep(10 * time.Second)
		w.wantState("solo-db", Ready)
		w.wantState("solo-web", Starting)
		if slices.Contains(g.wasAsked(), "other@file") {
			t.Error("asked for the service of a router that does not use the middleware")
		}
		g.become(nil, "http://solo-web-1:8080")
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestWithoutAnAnswerOfTraefiksAPIItsThrottleIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveBehind(t, &gateway{err: errors.New("connection refused")}, found())
		began := time.Now()
		w.visit("solo-web")
		if took := time.Since(began); took < 3*time.Second+noticeSlack || took > 6*time.Second {
			t.Errorf("passed after %s", took)
		}
	})
}

func TestAServerThatIsStillListedFromBeforeTheStopProvesNothing(t *testing.T) {
	// asleep lets the app sleep, and Traefik go on listing its server.
	asleep := func(t *testing.T, g *gateway) *world {
		w := liveBehind(t, g, found().label("paastis.max_idle_time", "2s"))
		g.become(nil, "http://10.0.0.7:8080")
		w.visit("solo-web")
		time.Sleep(2200 * time.Millisecond)
		w.wantState("solo-web", Asleep)
		return w
	}
	// opens tells after which time the app takes requests.
	opens := func(w *world) time.Duration {
		began := time.Now()
		w.visit("solo-web")
		return time.Since(began)
	}
	synctest.Test(t, func(t *testing.T) {
		w := asleep(t, &gateway{})
		if took := opens(w); took < 2*time.Second+turnSlack {
			t.Errorf("believed after %s, within Traefik's throttle", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := asleep(t, g)
		time.AfterFunc(1500*time.Millisecond, func() { g.become(nil, "") })
		time.AfterFunc(2000*time.Millisecond, func() { g.become(nil, "http://10.0.0.7:8080") })
		if took := opens(w); took < 2*time.Second || took > 2200*time.Millisecond {
			t.Errorf("believed after %s; Traefik had it 2 s after the start", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := asleep(t, g)
		time.Sleep(2*time.Second + noticeSlack)
		if took := opens(w); took > 1200*time.Millisecond {
			t.Errorf("believed after %s, though Traefik must have noticed the stop", took)
		}
	})
}

func TestAnAppThatWasRestartedByHandIsHandedOverAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := liveBehind(t, g, found())
		g.become(nil, "http://10.0.0.7:8080")
		w.visit("solo-web")
		time.Sleep(time.Minute)
		w.change("solo-web", func(i *inventory.Instance) { i.StartedAt = time.Now() })
		synctest.Wait()
		if w.Named("solo-web").Open() {
			t.Error("requests pass to an app that Traefik takes away in a moment")
		}
		time.Sleep(3*time.Second + turnSlack)
		w.wantState("solo-web", Ready)
	})
}

func TestAnAppThatTraefikNeverListsFailsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveBehind(t, &gateway{}, found().label("paastis.start_timeout", "30s"))
		if got := w.visit("solo-web"); got != Failed {
			t.Errorf("visitor got %s", got)
		}
		if reason := w.View(w.Named("solo-web")).Reason.String(); !strings.Contains(reason, "Traefik did not list its server within 30s") {
			t.Errorf("reason: %s", reason)
		}
	})
}

func TestAnAppThatDiesDuringTheProofFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveBehind(t, &gateway{}, found())
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(3 * time.Second)
		w.change("solo-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 1} })
		time.Sleep(time.Second)
		w.wantState("solo-web", Failed)
	})
}

func TestAProofFromBeforeARestartIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := liveBehind(t, g, found())
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(2 * time.Second)
		w.change("solo-web", func(i *inventory.Instance) {
			i.StartedAt, i.Addresses = time.Now(), []netip.Addr{netip.MustParseAddr("10.0.0.8")}
		})
		g.become(nil, "http://10.0.0.7:8080")
		time.Sleep(time.Second)
		if w.Named("solo-web").Open() {
			t.Error("requests pass to an address that the app no longer has")
		}
	})
}

// A Traefik without its Docker provider has no other route to the app than the one that it
// fetches, and its first fetch may come after Paastis has begun to ask its API.
func TestAnAppIsReadyOnceItsRouteIsFetchedThoughTraefikHasNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := found().awake()
		a.Instances[0].StartedAt = time.Now() // just now, so that it is not known to serve
		w := liveBehind(t, &gateway{err: api.ErrNoService}, a)
		time.Sleep(time.Second)
		w.wantState("solo-web", Starting)
		balance(t, w.Registry, "10.0.0.2")
		time.Sleep(3 * time.Second)
		w.wantState("solo-web", Ready)
	})
}

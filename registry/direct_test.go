package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik/api"
)

// self is the URL by which the tests' Traefiks reach Paastis.
const self = "http://paastis:3000"

// balancer is a Traefik that fetches the routes from Paastis each second. As the real one
// does, it uses what it has fetched at once, but no two versions within its throttle.
type balancer struct {
	registry *Registry
	address  netip.Addr
	throttle time.Duration

	mu      sync.Mutex
	fetches bool
	last    string
	pending map[string]string
	used    map[string]string // :: route → URL of its server
	free    time.Time         // when the throttle has passed
}

// balance starts a Traefik at an address; it ends with the test.
func balance(t *testing.T, r *Registry, address string) *balancer {
	b := &balancer{registry: r, address: netip.MustParseAddr(address), throttle: 2 * time.Second, fetches: true}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			b.fetch(t)
			for range 10 {
				b.use()
				sleep(ctx, 100*time.Millisecond)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	time.Sleep(10 * time.Millisecond)
	return b
}

func (b *balancer) fetch(t *testing.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fetches {
		return
	}
	p := b.registry.publisher.Publish(b.address, self)
	if string(p.Body) != b.last {
		b.last, b.pending = string(p.Body), serversIn(t, p.Body)
	}
	b.registry.publisher.Sends(p.Version)
	b.registry.publisher.Fetched(b.address, self, p.Version)
}

// use puts what was fetched into force, if the throttle allows.
func (b *balancer) use() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending != nil && !time.Now().Before(b.free) {
		b.used, b.pending, b.free = b.pending, nil, time.Now().Add(b.throttle)
	}
}

func (b *balancer) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fetches = false
}

func (b *balancer) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fetches = true
}

// leadsTo is the URL of the server to which a route leads; empty: there is no such route.
func (b *balancer) leadsTo(route string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used[route]
}

// Servers and Routers are the balancer's API.
func (b *balancer) Servers(_ context.Context, service string) ([]api.Server, error) {
	u := b.leadsTo(strings.TrimSuffix(service, "@http"))
	if u == "" {
		return nil, api.ErrNoService
	}
	return []api.Server{{URL: u, Status: "UP"}}, nil
}

func (b *balancer) Routers(context.Context) ([]api.Router, error) { return nil, nil }

// serversIn are the first servers of a configuration's services.
func serversIn(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var c struct {
		HTTP struct {
			Services map[string]struct {
				LoadBalancer struct{ Servers []struct{ URL string } }
			}
		}
	}
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	servers := map[string]string{}
	for name, s := range c.HTTP.Services {
		servers[name] = s.LoadBalancer.Servers[0].URL
	}
	return servers
}

// liveDirect is a registry behind a balancer, with an app that is measured.
func liveDirect(t *testing.T, o Options, apps ...*fakeApp) (*world, *balancer) {
	t.Helper()
	f := newFake(apps...)
	o.Providers, o.Settings = []provider.Provider{metered{f, true}}, settingsFor(t, "")
	w := liveOn(t, f, o)
	return w, balance(t, w.Registry, "10.0.0.2")
}

func (w *world) wantRoute(b *balancer, route, prefix string) {
	w.t.Helper()
	if got := b.leadsTo(route); !strings.HasPrefix(got, prefix) {
		w.t.Errorf("route %s leads to %q, want %q", route, got, prefix)
	}
}

func TestARouteLeadsToTheAppWhileItIsAwakeAndToPaastisOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo())
		w.wantRoute(b, "solo-web", self)
		began := time.Now()
		w.visit("solo-web")
		if took := time.Since(began); took != time.Second {
			t.Errorf("Paastis lets requests pass %s after the first, want as soon as the app is healthy", took)
		}
		time.Sleep(4 * time.Second)
		w.wantRoute(b, "solo-web", "http://solo-web-1:8080")
		time.Sleep(10*time.Minute + 10*time.Second)
		w.wantState("solo-web", Asleep)
		w.wantRoute(b, "solo-web", self)
	})
}

func TestAnAppIsStoppedOnlyOnceTraefikUsesTheRouteToPaastis(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := &balancer{}
			o := Options{}
			if asked {
				o.Gateway = b
			}
			f := newFake(solo())
			o.Providers, o.Settings = []provider.Provider{metered{f, true}}, settingsFor(t, "")
			w := liveOn(t, f, o)
			running := balance(t, w.Registry, "10.0.0.2")
			if asked {
				*b = balancer{registry: w.Registry}
				go func() { // the gateway of the options is what the running one uses
					for range time.Tick(10 * time.Millisecond) {
						u := running.leadsTo("solo-web")
						b.mu.Lock()
						b.used = map[string]string{"solo-web": u}
						b.mu.Unlock()
						if t.Context().Err() != nil {
							return
						}
					}
				}()
			}
			w.visit("solo-web")
			w.took()
			for w.View(w.keeperOf("solo-web")).State == Ready {
				time.Sleep(100 * time.Millisecond)
			}
			closed := time.Now()
			for w.took() == "" {
				if strings.HasPrefix(running.leadsTo("solo-web"), "http://solo") {
					closed = time.Now()
				}
				time.Sleep(10 * time.Millisecond)
			}
			early, late := 2*time.Second+turnSlack, 5*time.Second+turnSlack
			if asked {
				early, late = switchSlack, time.Second
			}
			if after := time.Since(closed); after < early || after > late {
				t.Errorf("asked %t: stopped %s after the route had turned", asked, after)
			}
		})
	}
}

func TestAnAppWhoseRouteTraefikKeepsStaysAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		time.Sleep(9*time.Minute + 55*time.Second)
		b.stop()
		time.Sleep(time.Hour)
		w.wantState("solo-web", Ready)
		w.wantCalls("start solo-web")
	})
}

func TestATraefikThatSeldomFetchesItsRoutesIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(solo())
		w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, "")})
		w.fetchEvery(5*time.Minute, "10.0.0.2")
		time.Sleep(time.Minute)
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.wantState("solo-web", Asleep)
	})
}

func TestATraefikThatHasJustComeIsNotTakenForGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		time.Sleep(9*time.Minute + 55*time.Second)
		w.fetchEvery(time.Minute, "10.0.0.3")
		time.Sleep(55 * time.Second)
		w.wantCalls("start solo-web")
		time.Sleep(3 * time.Minute)
		w.wantCalls("stop solo-web")
	})
}

func TestARouteKeepsItsNameWhateverRulesAndOtherAppsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := func(a *fakeApp, name string) *fakeApp {
			a.label("paastis.enable", "true").label("paastis.port", "8080")
			return a.label("traefik.http.routers."+name+".rule", "Host(`"+name+"."+a.Name+".test`)")
		}
		apps := []*fakeApp{
			router(router(service("shop", "web"), "shop-web"), "api"), router(service("shop", "web-api"), "shop-web-api"),
			router(service("shop", "web.api"), "web"), router(service("shop", "web~2eapi"), "web"), router(service("shop", "web~api"), "2"),
		}
		w := live(t, "", apps[0])
		want := map[string]string{"shop-web": "shop-web", "shop-web.api": "shop-web"}
		check := func() {
			t.Helper()
			for route, app := range want {
				if rt := w.Inventory().Routes[route]; rt == nil || KeeperOfRoute(rt) != w.keeperOf(app) {
					t.Errorf("route %s is not of %s", route, app)
				}
			}
			if got := w.Inventory().Routes; len(got) != len(want) {
				t.Errorf("routes %v", slices.Sorted(maps.Keys(got)))
			}
		}
		check()
		for _, a := range apps[1:] {
			w.add(a)
		}
		want["shop-web-api"], want["shop-web~2eapi.web"] = "shop-web-api", "shop-web.api"
		want["shop-web~7e2eapi.web"], want["shop-web~7eapi.2"] = "shop-web~2eapi", "shop-web~api"
		check()
		w.Reload(settingsFor(t, `rules: [{pattern: '^shop-web$', app_name: other}, {pattern: '^shop-web-api$', app_name: shop-web}]`))
		want["shop-web"], want["shop-web.api"], want["shop-web-api"] = "other", "other", "shop-web"
		check()
	})
}

func TestNobodyCanFillTheMemoryByFetchingTheRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := liveDirect(t, Options{}, solo())
		for i := range 1000 {
			url := fmt.Sprintf("http://paastis-%d:3000", i)
			by := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
			w.publisher.Fetched(by, url, w.publisher.Publish(by, url).Version)
			w.publisher.Publish(by, url)
			time.Sleep(time.Second)
		}
		if n := w.publisher.pollers.Len(); n > 100 {
			t.Errorf("%d Traefiks are remembered", n)
		}
		for i := range 1000 {
			w.publisher.Publish(netip.MustParseAddr("10.0.0.2"), fmt.Sprintf("http://paastis-%d:3000", i))
		}
		if n := len(w.publisher.ready); n > mostReady {
			t.Errorf("%d publications are kept", n)
		}
	})
}

// fetchEvery fetches the routes again and again until the test ends, and uses none.
func (w *world) fetchEvery(pause time.Duration, address string) {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			by := netip.MustParseAddr(address)
			w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
			sleep(ctx, pause)
		}
	}()
}

func TestWhoComesWhileTheRouteTurnsBackKeepsTheAppAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		k := w.Named("solo-web")
		for w.View(k).State != Draining {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		w.visit("solo-web")
		time.Sleep(5 * time.Second)
		w.wantState("solo-web", Ready)
		w.wantRoute(b, "solo-web", "http://solo-web-1:8080")
		w.wantCalls("start solo-web")
	})
}

func TestARequestThatPaastisCarriesKeepsItsAppAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		k := w.Named("solo-web")
		if !k.Enter(time.Now(), true) {
			t.Fatal("not let in")
		}
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "1 open request")
		k.Leave(time.Now(), true)
		time.Sleep(9 * time.Minute)
		w.wantState("solo-web", Ready)
		time.Sleep(2 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestTrafficThatPaastisIsNotAskedAboutBeginsTheIdleTimeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		w, _ := liveDirect(t, Options{}, a)
		w.visit("solo-web")
		time.Sleep(7 * time.Minute)
		w.set(func() { a.moved += 5000 })
		time.Sleep(9 * time.Minute)
		w.wantState("solo-web", Ready)
		time.Sleep(3 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

// A provider that was away for long cannot tell when the app was used meanwhile, and in direct
// mode nobody else can.
func TestUseWhileItsProviderDidNotAnswerBeginsTheIdleTimeAnewOnceItDoes(t *testing.T) {
	for name, moved := range map[string]uint64{"used": 5000, "unused": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := solo()
				w, _ := liveDirect(t, Options{}, a)
				w.visit("solo-web")
				time.Sleep(7 * time.Minute)
				w.set(func() { a.measureErr = errors.New("no answer in time") })
				time.Sleep(time.Hour)
				w.set(func() { a.moved, a.measureErr = a.moved+moved, nil })
				time.Sleep(8 * time.Minute)
				w.wantState("solo-web", map[string]State{"used": Ready, "unused": Asleep}[name])
				time.Sleep(5 * time.Minute)
				w.wantState("solo-web", Asleep)
			})
		})
	}
}

func TestTrafficIsSeenWhileSomethingElseKeepsTheAppAwake(t *testing.T) {
	for name, keep := range map[string]func(w *world, until time.Time){
		"a pin": func(w *world, until time.Time) {
			w.Pin(w.keeperOf("solo-web"), until)
			w.visit("solo-web")
		},
		"an app that needs it": func(w *world, until time.Time) {
			w.Pin(w.keeperOf("other-web"), until)
			w.visit("other-web")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := solo()
				other := service("other", "web").routed("other.test").label("paastis.linked_apps", "solo-web")
				w, _ := liveDirect(t, Options{}, a, other)
				keep(w, time.Now().Add(time.Hour))
				time.Sleep(55 * time.Minute)
				w.set(func() { a.moved += 5000 })
				time.Sleep(8 * time.Minute)
				w.wantState("solo-web", Ready)
				time.Sleep(4 * time.Minute)
				w.wantState("solo-web", Asleep)
			})
		})
	}
}

func TestAnAppWhoseTrafficIsNotSeenKeepsPaastisBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo().label("paastis.traffic_floor", "off"))
		w.visit("solo-web")
		time.Sleep(5 * time.Second)
		w.wantRoute(b, "solo-web", self)
	})
}

func TestEveryTraefikMustHaveTurnedTheRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := liveDirect(t, Options{}, solo())
		other := balance(t, w.Registry, "10.0.0.3")
		w.visit("solo-web")
		for w.View(w.keeperOf("solo-web")).State == Ready {
			time.Sleep(100 * time.Millisecond)
		}
		other.stop()
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Draining)
		time.Sleep(20 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAfterItsOwnRestartPaastisWaitsForTraefikToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().awake().label("paastis.max_idle_time", "5s")
		f := newFake(a)
		w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, "")})
		time.Sleep(time.Minute)
		w.wantState("solo-web", Ready)
		b := balance(t, w.Registry, "10.0.0.2")
		w.wantRoute(b, "solo-web", "http://solo-web-1:8080")
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestForwardAuthIsLeftToTheAppsThatAskForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo().label("paastis.mode", "forwardauth"))
		w.visit("solo-web")
		time.Sleep(5 * time.Second)
		w.wantRoute(b, "solo-web", "")
		if got := b.leadsTo("solo-web"); got != "" {
			t.Errorf("a route is published that leads to %s", got)
		}
		time.Sleep(10 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppThatIsLeftToForwardAuthIsNotStoppedBeforeTraefikKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		time.Sleep(5 * time.Minute)
		b.stop()
		w.Reload(settingsFor(t, "rules: [{pattern: solo-web, mode: forwardauth, max_idle_time: 1m}]"))
		time.Sleep(time.Hour)
		w.wantState("solo-web", Ready)
		b.start()
		time.Sleep(2 * time.Minute)
		w.wantState("solo-web", Asleep)
		w.visit("solo-web")
		time.Sleep(time.Minute + 10*time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppWithALabelThatTraefikCannotReadIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo().label("traefik.http.routers.solo-web.middlwares", "auth"))
		if got := b.leadsTo("solo-web"); got != "" {
			t.Errorf("without what guards it, it is published at %s", got)
		}
		if problems := w.Inventory().Problems().String(); !strings.Contains(problems, "middlwares") {
			t.Errorf("problems: %s", problems)
		}
	})
}

// A service of a file, or another app, may ask who a visitor is before it leads to the app.
func TestPaastisCarriesNothingPastWhoStandsBeforeTheApp(t *testing.T) {
	const server = "traefik.http.services.solo-web.loadbalancer.server.url=http://"
	for label, want := range map[string]string{
		"traefik.http.routers.solo-web.service=gate@file": `"service":"gate@file"`,
		server + "solo-gate-1:8080":                       "http://solo-gate-1:8080",
		server + "gate.web:8080":                          "http://gate.web:8080",
		server + "solo-web-1:8080":                        "",
		server + "web.web:8080":                           "",
		server + "10.0.0.9:8080":                          "",
		server + "host.docker.internal:8080":              "",
	} {
		t.Run(label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				key, value, _ := strings.Cut(label, "=")
				a, gate := service("solo", "web").label("traefik.http.routers.solo-web.rule", "Host(`solo.test`)"), service("solo", "gate").awake()
				a.label("paastis.enable", "true").label("paastis.port", "8080").label(key, value)
				a.Address, a.Networks, gate.Networks = netip.MustParseAddr("10.0.0.9"), []string{"web"}, []string{"web"}
				w := liveFor(t, settingsFor(t, ""), a, gate)
				by := netip.MustParseAddr("10.0.0.2")
				w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
				w.visit("solo-web")
				time.Sleep(10 * time.Second)
				w.wantState("solo-web", Ready)
				if target := w.publisher.Target(w.Inventory().Routes["solo-web"]); (target == nil) != (want != "") {
					t.Errorf("requests are carried to %v", target)
				}
				if body := string(w.publisher.Publish(by, self).Body); !strings.Contains(body, want) {
					t.Errorf("Traefik gets %s", body)
				}
			})
		})
	}
}

func TestAnAppWhoseUseGoesPastPaastisUnseenStaysAwakeUnlessItsOwnerSaysOtherwise(t *testing.T) {
	guarded := func() *fakeApp {
		a := solo().label("traefik.http.routers.solo-web.service", "gate@file").label("paastis.port", "8080").label("paastis.traffic_floor", "off")
		a.Address = netip.MustParseAddr("10.0.0.9")
		return a
	}
	for a, want := range map[*fakeApp]State{guarded(): Ready, guarded().label("paastis.unseen", "sleep"): Asleep} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := liveDirect(t, Options{}, a)
			w.visit("solo-web")
			time.Sleep(time.Hour)
			w.wantState("solo-web", want)
			if got := w.Detail(w.keeperOf("solo-web")).Reason.String(); want == Ready && !strings.Contains(got, "its use cannot be seen: Traefik alone gets to it") {
				t.Errorf("reason: %s", got)
			}
		})
	}
}

// Of two definitions of one name Traefik takes neither, and leaves out the routers that use it: one
// app's must not stand in for what guards another.
func TestAnAppIsNotPublishedWithAMiddlewareOfAnotherThatHasTheName(t *testing.T) {
	const auth, chain = "traefik.http.middlewares.auth.basicauth.users", "traefik.http.middlewares.guard.chain.middlewares"
	app := func(name, users string) *fakeApp {
		return ported(name, "Host(`"+name+".test`)", "").label("paastis.enable", "true").
			label("traefik.http.routers."+name+".middlewares", "auth").label(auth, users)
	}
	for name, c := range map[string]struct {
		other *fakeApp
		shop  func(*fakeApp)
		want  []string
	}{
		"defined in another way": {app("aaa", "mallory:x"), func(*fakeApp) {}, nil},
		"in the same way":        {app("aaa", "shop:y"), func(*fakeApp) {}, []string{"shop-aaa.aaa", "shop-shop.shop"}},
		"in a chain": {app("aaa", "mallory:x").label("traefik.http.routers.aaa.middlewares", ""), func(a *fakeApp) {
			a.label(chain, "auth").label("traefik.http.routers.shop.middlewares", "guard")
		}, []string{"shop-aaa.aaa"}},
		"by one that is not published": {app("aaa", "mallory:x").label("paastis.enable", "false"), func(*fakeApp) {}, []string{"shop-shop.shop"}},
		"by one that is not published, too": {app("aaa", "mallory:x"), func(a *fakeApp) {
			delete(a.Labels, auth) // it means that of edge
		}, []string{"shop-aaa.aaa"}},
		"used by the other one alone": {app("aaa", "mallory:x"), func(a *fakeApp) {
			a.label("traefik.http.routers.shop.middlewares", "")
		}, []string{"shop-shop.shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := app("shop", "shop:y")
				c.shop(shop)
				apps := []*fakeApp{shop, c.other}
				if strings.HasSuffix(name, "too") {
					apps = append(apps, service("edge", "auth").awake().label(auth, "shop:y").label("traefik.http.services.edge.loadbalancer.server.port", "80"))
				}
				w := liveFor(t, settingsFor(t, ""), apps...)
				w.wantPublished("10.0.0.2", c.want...)
				by := netip.MustParseAddr("10.0.0.2")
				w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
				if told := strings.Contains(w.Health().Problems.String(), "is not published: its middleware \"auth@fake\" is defined in different ways"); told != (len(c.want) < 2 && name != "by one that is not published") {
					t.Errorf("told: %t, by %s", told, w.Health().Problems)
				}
			})
		})
	}
}

func TestAnAppWithoutTraefikLabelsIsRoutedByItsOwnRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").label("paastis.rule", "Host(`own.test`)").label("paastis.enable", "true").label("paastis.port", "9000")
		a.Address = netip.MustParseAddr("10.0.0.9")
		w, b := liveDirect(t, Options{}, a)
		w.wantRoute(b, "solo-web", self)
		w.visit("solo-web")
		time.Sleep(4 * time.Second)
		w.wantRoute(b, "solo-web", "http://10.0.0.9:9000")
	})
}

func TestTraefikIsLedToContainersByNameOnANetworkThatItIsOn(t *testing.T) {
	for _, c := range []struct {
		traefik, app   []string
		chosen, joined string
		want           string
	}{
		{[]string{"web"}, []string{"web"}, "", "", "http://solo-web-1:8080"},
		{[]string{"web"}, []string{"db", "web"}, "", "", "http://solo-web-1.web:8080"},
		{[]string{"one", "two"}, []string{"one", "two"}, "two", "", "http://solo-web-1.two:8080"},
		{[]string{"web"}, []string{"web"}, "", "vpn", "http://vpn:8080"},
		{[]string{"bridge"}, []string{"bridge"}, "", "", "http://10.0.0.7:8080"},
		{[]string{"host"}, []string{"web"}, "", "", "http://10.0.0.7:8080"},
		{nil, []string{"web"}, "", "", "http://10.0.0.7:8080"},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := found()
			a.Networks, a.Host = c.app, c.joined
			if c.chosen != "" {
				a.label("traefik.docker.network", c.chosen)
			}
			proxy := service("edge", "traefik").awake()
			proxy.Networks = c.traefik
			if c.traefik != nil {
				proxy.Instances[0].Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.2")}
			}
			w, b := liveDirect(t, Options{}, a, proxy)
			w.visit("solo-web")
			time.Sleep(4 * time.Second)
			w.wantRoute(b, "solo-web", c.want)
			if got := b.leadsTo("solo-web"); got != c.want {
				t.Errorf("%+v: leads to %s", c, got)
			}
		})
	}
}

func TestNoRequestIsLedToAnInstanceThatIsNotHealthyBesideOneThatIs(t *testing.T) {
	for _, c := range []struct {
		one, two inventory.Health
		want     string
	}{
		{inventory.Healthy, inventory.Healthy, "http://10.0.0.7:8080 http://10.0.0.8:8080"},
		{inventory.Healthy, inventory.HealthStarting, "http://10.0.0.7:8080"},
		{inventory.Unhealthy, inventory.Healthy, "http://10.0.0.8:8080"},
		{inventory.Unhealthy, inventory.HealthStarting, "http://10.0.0.7:8080 http://10.0.0.8:8080"},
		{inventory.NoHealth, inventory.NoHealth, "http://10.0.0.7:8080 http://10.0.0.8:8080"},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := found().awake()
			one := &a.Instances[0]
			one.Address = netip.MustParseAddr("10.0.0.7")
			two := *one
			two.Name, two.ID, two.Address = "solo-web-2", "id2", netip.MustParseAddr("10.0.0.8")
			a.Instances = append(a.Instances, two)
			w, _ := liveDirect(t, Options{}, a)
			w.visit("solo-web")
			w.change("solo-web", func(i *inventory.Instance) { i.Health, a.Instances[1].Health = c.one, c.two })
			synctest.Wait()
			rt := w.Inventory().Routes["solo-web"]
			if got := strings.Join(w.serversOf(rt), " "); got != c.want {
				t.Errorf("%+v: led to %s", c, got)
			}
			for range 20 {
				if got := w.Publisher().Target(rt).String(); !strings.Contains(c.want, got) {
					t.Errorf("%+v: carried to %s", c, got)
				}
			}
		})
	}
}

func TestATraefikGetsTheNamesOnItsNetworksFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := found().awake()
		a.Instances[0].Address, a.Networks = netip.MustParseAddr("10.9.0.7"), []string{"other", "web"}
		edge := service("edge", "traefik").awake()
		edge.Instances[0].Addresses, edge.Networks = []netip.Addr{netip.MustParseAddr("10.0.0.2")}, []string{"web"}
		f := newFake(a, edge)
		w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, "")})
		for _, c := range []struct{ by, want string }{
			{"10.0.0.2", "http://solo-web-1.web:8080"},
			{"10.0.0.3", "http://10.9.0.7:8080"}, // unknown
		} {
			if got := serversIn(t, w.publisher.Publish(netip.MustParseAddr(c.by), self).Body)["solo-web"]; got != c.want {
				t.Errorf("%s is led to %s, want %s", c.by, got, c.want)
			}
		}
	})
}

// TestNoDirectRequestMeetsAStoppedApp plays random lives of two apps in direct mode:
// requests of any length go where Traefik leads them at that moment.
func TestNoDirectRequestMeetsAStoppedApp(t *testing.T) {
	first, count := numberFrom(t, "SEED", 0), numberFrom(t, "LIVES", 24)
	for seed := first; seed < first+count; seed++ {
		synctest.Test(t, func(t *testing.T) {
			l := newDirectLife(t, seed)
			var visitors sync.WaitGroup
			for range 60 {
				visitors.Go(func() { l.request("shop-web") })
				time.Sleep(l.some(20 * time.Second))
			}
			visitors.Wait()
			time.Sleep(2 * time.Minute)
			l.wantState("shop-web", Asleep)
			l.wantState("shop-db", Asleep)
			if n := strings.Count(l.took(), "stop shop-web"); n < 2 {
				t.Errorf("stopped %d times: this life shows nothing", n)
			}
		})
		if t.Failed() {
			t.Fatalf("life %d: SEED=%d LIVES=1 plays it alone", seed, seed)
		}
	}
}

// directLife is an app with a database, which Traefik leads requests to.
type directLife struct {
	*world
	*balancer
	web    *fakeApp
	mu     sync.Mutex
	random *rand.Rand
}

func newDirectLife(t *testing.T, seed uint64) *directLife {
	random := rand.New(rand.NewPCG(seed, 3))
	web := service("shop", "web", "db").routed("shop.test").label("paastis.max_idle_time", "3s")
	f := newFake(web, service("shop", "db").label("paastis.max_idle_time", "3s"))
	for _, a := range f.apps {
		a.Boot, a.Stopping = time.Duration(random.Int64N(int64(2*time.Second)))+1, time.Duration(random.Int64N(int64(time.Second)))+1
	}
	o := Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, "")}
	l := &directLife{web: web, random: random}
	if seed%2 == 0 {
		o.Gateway = gatewayOf(func() *balancer { return l.balancer })
	}
	w := liveOn(t, f, o)
	b := balance(t, w.Registry, "10.0.0.2")
	l.world, l.balancer = w, b
	return l
}

// gatewayOf is the API of a balancer that is there later.
type gatewayOf func() *balancer

func (g gatewayOf) Servers(ctx context.Context, service string) ([]api.Server, error) {
	return g().Servers(ctx, service)
}
func (g gatewayOf) Routers(ctx context.Context) ([]api.Router, error) { return nil, nil }

func (l *directLife) some(most time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.random.Int64N(int64(most))) + 1
}

// request goes where the route leads, is under way for a while, and moves some bytes.
func (l *directLife) request(name string) {
	if strings.HasPrefix(l.leadsTo(name), self) {
		k := l.Named(name)
		for !k.Enter(time.Now(), true) {
			l.Wake(k, false)
			l.Await(l.t.Context(), k)
		}
		defer func() { k.Leave(time.Now(), true) }()
	} else {
		l.set(func() { l.web.connections++ })
		defer l.set(func() { l.web.connections--; l.web.moved += 3000 })
	}
	l.wantUp("arrives")
	time.Sleep(l.some(4 * time.Second))
	l.wantUp("ends")
}

// wantUp fails the test if the app or its database is down.
func (l *directLife) wantUp(when string) {
	l.set(func() {
		for _, name := range []string{"shop-web", "shop-db"} {
			if l.apps[name].Instances[0].Status != inventory.Running {
				l.t.Errorf("%s is down as a request %s", name, when)
			}
		}
	})
}

// serversOf are those that are published of a route to a Traefik of which nothing is known.
func (w *world) serversOf(rt *inventory.Route) []string {
	w.Registry.mu.Lock()
	defer w.Registry.mu.Unlock()
	return handover.Servers(rt, KeeperOfRoute(rt).app, w.prober.serving(KeeperOfRoute(rt)), nil)
}

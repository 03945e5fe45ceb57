package registry

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
)

// traefikAt is a Traefik in a container, with that address and those arguments. It fetches
// its routes.
func traefikAt(name, address string, args ...string) *fakeApp {
	a := service("edge", name).awake()
	static, _ := traefik.ReadStatic(append(args, "--providers.http.endpoint=http://paastis:3000/traefik/config"), nil)
	a.Traefik, a.Protected = &static, inventory.RunsTraefik
	a.Instances[0].Addresses = []netip.Addr{netip.MustParseAddr(address)}
	return a
}

// routersIn are the names of the routers of a configuration, sorted.
func routersIn(t *testing.T, body []byte) []string {
	t.Helper()
	var c struct {
		HTTP struct{ Routers map[string]json.RawMessage }
	}
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range c.HTTP.Routers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *world) wantPublished(to string, routes ...string) {
	w.t.Helper()
	w.wantPublishedAt("", to, routes...)
}

func (w *world) wantPublishedAt(endpoint, to string, routes ...string) {
	w.t.Helper()
	got := routersIn(w.t, w.publisher.PublishAt(endpoint, netip.MustParseAddr(to), self).Body)
	if !slices.Equal(got, routes) {
		w.t.Errorf("%s at %q gets %q, want %q", to, endpoint, got, routes)
	}
}

// zoned is an app of a zone, which is exposed.
func zoned(name, zone string) *fakeApp {
	return service("shop", name).routed(name+".test").label("traefik.enable", "true").label("zone", zone)
}

func liveFor(t *testing.T, s inventory.Settings, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	return liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: s})
}

func TestEachTraefikGetsTheRoutesThatItsOwnFlagsLetItHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveFor(t, settingsFor(t, ""), zoned("in", "in"), zoned("out", "out"), service("shop", "none").routed("none.test"),
			traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)"),
			traefikAt("inner", "10.0.0.3", "--providers.docker.exposedbydefault=false", "--entrypoints.web.address=:80"),
			traefikAt("wrong", "10.0.0.4", "--providers.docker.constraints=Label(`zone`"))
		for range 2 { // once as strangers, once as Traefiks that have fetched
			w.wantPublished("10.0.0.2", "shop-out")
			w.wantPublished("10.0.0.3", "shop-in", "shop-out")
			w.wantPublished("10.0.0.4") // Traefik leaves out all, for it cannot read its constraints
			w.wantPublished("10.0.0.9", "shop-in", "shop-none", "shop-out")
			for _, address := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.9"} {
				by := netip.MustParseAddr(address)
				w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
			}
		}
	})
}

func TestWhatTheOwnerKeepsFromTraefikIsNotPublishedToIt(t *testing.T) {
	no := false
	zone, _ := traefik.ParseConstraint("!Label(`zone`,`in`)")
	web := traefik.Static{EntryPoints: []traefik.EntryPoint{{Name: "web"}}}
	for name, c := range map[string]struct {
		static traefik.Static
		app    func(a *fakeApp)
		want   bool
	}{
		"nothing":  {traefik.Static{}, func(a *fakeApp) {}, true},
		"disabled": {traefik.Static{}, func(a *fakeApp) { a.label("traefik.enable", "false") }, false},
		"disabled, with a rule of Paastis's": {traefik.Static{}, func(a *fakeApp) {
			clear(a.Labels)
			a.label("traefik.enable", "false").label("paastis.rule", "Host(`a.test`)").label("paastis.port", "80")
		}, false},
		"a rule of Paastis's, not exposed": {traefik.Static{ExposedByDefault: &no}, func(a *fakeApp) {
			clear(a.Labels)
			a.label("paastis.rule", "Host(`a.test`)").label("paastis.port", "80")
		}, true},
		"a rule of Paastis's, constrained": {traefik.Static{Constraints: zone}, func(a *fakeApp) {
			clear(a.Labels)
			a.label("zone", "in").label("paastis.rule", "Host(`a.test`)").label("paastis.port", "80")
		}, false},
		"not exposed by default":                    {traefik.Static{ExposedByDefault: &no}, func(a *fakeApp) {}, false},
		"exposed by itself":                         {traefik.Static{ExposedByDefault: &no}, func(a *fakeApp) { a.label("traefik.enable", "true") }, true},
		"constrained":                               {traefik.Static{Constraints: zone}, func(a *fakeApp) { a.label("zone", "in") }, false},
		"not constrained":                           {traefik.Static{Constraints: zone}, func(a *fakeApp) { a.label("zone", "out") }, true},
		"on an entry point that Traefik lacks":      {web, func(a *fakeApp) { a.label("traefik.http.routers.solo-web.entrypoints", "admin") }, false},
		"on one that it lacks, and one that it has": {web, func(a *fakeApp) { a.label("traefik.http.routers.solo-web.entrypoints", "admin,web") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := settingsFor(t, "")
				s.Traefik = c.static
				a := solo().label("paastis.enable", "true")
				c.app(a)
				a.label("paastis.enable", "true")
				w := liveFor(t, s, a)
				if got := len(routersIn(t, w.publisher.Publish(netip.MustParseAddr("10.0.0.2"), self).Body)) > 0; got != c.want {
					t.Errorf("published: %t", got)
				}
				if told := w.Health().Problems.String(); strings.HasPrefix(name, "disabled, with") && !strings.Contains(told, "remove one of them") {
					t.Errorf("told: %q", told)
				}
			})
		})
	}
}

func TestAnAppThatTraefikSharesNoNetworkWithIsNotCarriedThereByPaastis(t *testing.T) {
	for name, c := range map[string]struct {
		traefik, app []string
		label, flag  string
		want         bool
	}{
		"a network of both":            {[]string{"web"}, []string{"inner", "web"}, "", "", true},
		"none of both":                 {[]string{"web"}, []string{"inner"}, "", "", false},
		"the label's is not Traefik's": {[]string{"web"}, []string{"inner", "web"}, "inner", "", false},
		"the label's is not the app's": {[]string{"web"}, []string{"inner", "web"}, "old", "", true},
		"the flag's is not the app's":  {[]string{"web"}, []string{"inner", "web"}, "", "other", true},
		"Traefik is on the host":       {[]string{"host"}, []string{"inner"}, "", "", true},
		"the app is on the host":       {[]string{"web"}, []string{"host"}, "", "", true},
		"nothing is known of Traefik":  {nil, []string{"inner"}, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := found()
				a.Networks = c.app
				if c.label != "" {
					a.label("traefik.docker.network", c.label)
				}
				edge := traefikAt("traefik", "10.0.0.2", "--providers.docker.network="+c.flag)
				edge.Networks = c.traefik
				if c.traefik == nil {
					edge.Instances[0].Addresses = nil
				}
				w := liveFor(t, settingsFor(t, ""), a, edge)
				if got := len(routersIn(t, w.publisher.Publish(netip.MustParseAddr("10.0.0.2"), self).Body)) > 0; got != c.want {
					t.Errorf("published: %t", got)
				}
			})
		})
	}
}

func TestAnEndpointHasSettingsOfItsOwnAndThoseHoldAgainstFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := traefik.ParseConstraint("Label(`zone`,`in`)")
		s := settingsFor(t, "")
		s.Endpoints = map[string]traefik.Static{"inside": {Constraints: in}, "any": {}}
		w := liveFor(t, s, zoned("in", "in"), zoned("out", "out"), traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)"))
		w.wantPublishedAt("inside", "10.0.0.2", "shop-in")
		w.wantPublishedAt("any", "10.0.0.2", "shop-out")
		w.wantPublishedAt("", "10.0.0.2", "shop-out")
		w.wantPublishedAt("any", "10.0.0.9", "shop-in", "shop-out")
		if !w.publisher.HasEndpoint("inside") || w.publisher.HasEndpoint("") || w.publisher.HasEndpoint("other") {
			t.Error("endpoints")
		}
	})
}

func TestOnlyATraefikThatGetsARouteCountsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveFor(t, settingsFor(t, ""), zoned("in", "in"), zoned("out", "out"),
			traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)"),
			traefikAt("inner", "10.0.0.3", "--providers.docker.constraints=Label(`zone`,`in`)"))
		outer, inner := balance(t, w.Registry, "10.0.0.2"), balance(t, w.Registry, "10.0.0.3")
		w.visit("shop-out")
		w.visit("shop-in")
		inner.stop()
		time.Sleep(11 * time.Minute)
		w.wantState("shop-out", Asleep)
		w.wantState("shop-in", Ready) // nobody turns its route any more
		if outer.leadsTo("shop-in") != "" {
			t.Error("the outer Traefik has the inner app")
		}
	})
}

func TestAnAppThatNoTraefikGetsIsLeftToForwardAuth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := found().label("zone", "in")
		w := liveFor(t, settingsFor(t, ""), a, traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)"))
		outer := balance(t, w.Registry, "10.0.0.2")
		begun := time.Now()
		w.visit("solo-web")
		if took := time.Since(begun); took < 4*time.Second {
			t.Errorf("let through after %s, before Traefik's throttle has passed", took)
		}
		outer.stop()
		time.Sleep(11 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestATraefikThatLosesARouteHasToFetchThatBeforeTheAppStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settingsFor(t, "")
		w := liveFor(t, s, zoned("in", "in"))
		b := balance(t, w.Registry, "10.0.0.2")
		w.visit("shop-in")
		time.Sleep(9*time.Minute + 50*time.Second)
		b.stop()
		s.Traefik.Constraints, _ = traefik.ParseConstraint("Label(`zone`,`out`)")
		w.Reload(s)
		time.Sleep(12 * time.Second)
		w.wantRoute(b, "shop-in", "http://shop-in-1:8080")
		if state := w.View(w.keeperOf("shop-in")).State; state != Ready && state != Draining {
			t.Errorf("%s, while Traefik leads straight to it", state)
		}
		b.start()
		time.Sleep(2 * time.Minute)
		w.wantState("shop-in", Asleep)
	})
}

func TestATraefikThatHasJustStartedIsLookedForBeforeItGetsARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveFor(t, settingsFor(t, ""), zoned("in", "in"), zoned("out", "out"))
		outer := traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)")
		w.fake.mu.Lock()
		w.fake.put(outer) // and its event is on the way
		w.fake.mu.Unlock()
		w.publisher.Recognise(t.Context(), netip.MustParseAddr("10.0.0.2"))
		w.wantPublished("10.0.0.2", "shop-out")
	})
}

func TestWhatIsNotKnownOfATraefikThatFetchesIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *inventory.Settings, edge *fakeApp)
		want   string // empty: nothing is told
	}{
		"all is read": {func(*inventory.Settings, *fakeApp) {}, ""},
		"it is in a file": {func(_ *inventory.Settings, edge *fakeApp) {
			edge.Traefik = &traefik.Static{Unread: "it is in a file"}
		}, "it is in a file"},
		"no flag of fetching": {func(_ *inventory.Settings, edge *fakeApp) { edge.Traefik = &traefik.Static{} }, "in a file"},
		"it is in a file, and set": {func(s *inventory.Settings, edge *fakeApp) {
			edge.Traefik = &traefik.Static{Unread: "it is in a file"}
			s.Traefik.Constraints, _ = traefik.ParseConstraint("")
			s.Traefik.ExposedByDefault = new(bool)
		}, ""},
		"another is set": {func(s *inventory.Settings, _ *fakeApp) {
			s.Traefik.Constraints, _ = traefik.ParseConstraint("Label(`zone`,`in`)")
		}, "constraints"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, edge := settingsFor(t, ""), traefikAt("outer", "10.0.0.2", "--providers.docker.constraints=Label(`zone`,`out`)")
				c.change(&s, edge)
				w := liveFor(t, s, zoned("out", "out"), edge)
				by := netip.MustParseAddr("10.0.0.2")
				w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
				told := w.Health().Problems.String()
				if !strings.Contains(told, c.want) || (c.want == "") != (told == "") {
					t.Errorf("told: %q", told)
				}
			})
		})
	}
}

func TestNoErrorPageOfAnotherAppTakesThePlaceOfTheWaitingPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pages := service("pages", "web").label("traefik.http.middlewares.nice.errors.status", "400-599").
			label("traefik.http.middlewares.nice.errors.service", "pages").label("traefik.http.middlewares.all.chain.middlewares", "nice,login@file")
		shop := solo().label("traefik.http.routers.solo-web.middlewares", "nice@docker,all@docker,paastis@docker")
		w := live(t, "", shop, pages)
		body := string(w.publisher.Publish(netip.MustParseAddr("10.0.0.2"), self).Body)
		if strings.Contains(body, "nice") || strings.Contains(body, "all@docker") || !strings.Contains(body, `"login@file"`) {
			t.Error(body)
		}
	})
}

package registry

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

var (
	traefiksAddress = netip.MustParseAddr("10.0.0.2")
	othersAddress   = netip.MustParseAddr("10.0.0.66")
)

// chained is an app whose router uses a chain that no label defines.
func chained() *fakeApp {
	return solo().label("traefik.http.routers.solo-web.middlewares", "secured@file").awake()
}

// proxying is the app that runs Traefik.
func proxying() *fakeApp {
	a := service("proxy", "traefik").awake()
	a.Protected = inventory.RunsTraefik
	a.Instances[0].Addresses = []netip.Addr{traefiksAddress}
	return a
}

// question is what Find makes of a request for the solo app.
func (w *world) question(by netip.Addr) *Keeper {
	w.t.Helper()
	req, err := traefik.FromURL("http://solo.test/")
	if err != nil {
		w.t.Fatal(err)
	}
	k := w.Find(&req)
	if k == nil {
		k = w.Heard(&req, by)
	}
	synctest.Wait()
	return k
}

func TestAnAppThatTraefikAsksAboutIsManagedWhateverLabelsTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", chained(), proxying())
		if k := w.question(traefiksAddress); k != nil {
			t.Error("the first request is kept, although the app runs")
		}
		e := w.keeperOf("solo-web").Definition()
		if want := `Traefik asks Paastis about router "solo-web"`; !e.Managed || e.Why.String() != want {
			t.Errorf("managed %t: %s; want %s", e.Managed, e.Why, want)
		}
		time.Sleep(11 * time.Minute)
		w.wantState("solo-web", Asleep)
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("the next visitor finds it %s", got)
		}
		w.wantCalls("stop solo-web, start solo-web")
	})
}

func TestAnAppThatSleepsWhenTraefikFirstAsksIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := chained()
		app.Instances[0].Status = 0
		app.Instances[0].Health = inventory.NoHealth
		w := live(t, "", app, proxying())
		if k := w.question(traefiksAddress); k == nil || k.Name() != "solo-web" {
			t.Errorf("it is for %v", k)
		}
	})
}

func TestNobodyButTraefikMakesAnAppManagedByAsking(t *testing.T) {
	for name, c := range map[string]struct {
		by     netip.Addr
		change func(*fakeApp)
	}{
		"a stranger":        {othersAddress, func(*fakeApp) {}},
		"nobody":            {netip.Addr{}, func(*fakeApp) {}},
		"the app itself":    {netip.MustParseAddr("10.0.0.7"), func(a *fakeApp) { a.Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.7")} }},
		"about a disabled":  {traefiksAddress, func(a *fakeApp) { a.label("paastis.enable", "false") }},
		"about a protected": {traefiksAddress, func(a *fakeApp) { a.Protected = inventory.ServesProvider }},
		"by another host":   {traefiksAddress, func(a *fakeApp) { a.label("traefik.http.routers.solo-web.rule", "Host(`other.test`)") }},
		"by its name alone": {traefiksAddress, func(a *fakeApp) { a.Name = "solo"; a.Labels = map[string]string{} }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := chained()
				c.change(app)
				w := live(t, "", app, proxying())
				for range 3 {
					if w.question(c.by) != nil {
						t.Error("it belongs to an app of ours")
					}
					time.Sleep(2 * hearEvery)
				}
				if e := w.keeperOf(app.Name).Definition(); e.Managed {
					t.Errorf("managed: %s", e.Why)
				}
			})
		})
	}
}

func TestATraefikMayNameAnAppInTheMiddlewaresAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := service("solo", "web").awake()
		w := live(t, "", app, proxying())
		w.HeardName("solo-web", othersAddress)
		if w.keeperOf("solo-web").Definition().Managed {
			t.Error("managed by a stranger's question")
		}
		time.Sleep(2 * hearEvery)
		w.HeardName("solo-web", traefiksAddress)
		if e := w.keeperOf("solo-web").Definition(); !e.Managed || e.Why.String() != "Traefik asks Paastis about it by name" {
			t.Errorf("managed %t: %s", e.Managed, e.Why)
		}
	})
}

func TestWhatTraefikAskedAboutIsKnownAfterARestartUntilTheRouterIsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, app := &shelf{}, chained()
		f := newFake(app, proxying())
		s.lives(t, f, func(r *Registry) {
			w := &world{Registry: r, fake: f, t: t}
			w.question(traefiksAddress)
			time.Sleep(11 * time.Minute)
			w.wantState("solo-web", Asleep)
		})
		s.lives(t, f, func(r *Registry) {
			w := &world{Registry: r, fake: f, t: t}
			if e := w.keeperOf("solo-web").Definition(); !e.Managed {
				t.Errorf("after a restart: %s", e.Why)
			}
		})
		app.label("traefik.http.routers.solo-web.middlewares", "open@file")
		s.lives(t, f, func(r *Registry) {
			w := &world{Registry: r, fake: f, t: t}
			if e := w.keeperOf("solo-web").Definition(); e.Managed {
				t.Errorf("with another chain: %s", e.Why)
			}
		})
	})
}

// lister is a gateway that tells middlewares.
type lister struct {
	*gateway
	catalog traefik.Catalog
}

func (l lister) Middlewares(context.Context) (traefik.Catalog, error) { return l.catalog, nil }

func (l lister) Version(context.Context) (string, error) { return "3.7.13", nil }

func TestTraefiksAPITellsWhichRoutersUseTheMiddleware(t *testing.T) {
	chain := traefik.Catalog{
		"secured@file":   {Name: "secured@file", Chain: []string{"login", "inner@file"}},
		"login@file":     {Name: "login@file"},
		"inner@file":     {Name: "inner@file", Chain: []string{"paastis@docker"}},
		"paastis@docker": {Name: "paastis@docker", ForwardAuth: "http://paastis:3000/auth"},
	}
	for name, c := range map[string]struct {
		label   string // middlewares
		running api.Router
		want    bool
	}{
		"a chain of a file":  {"secured@file", api.Router{Provider: "fake", Router: traefik.Router{Name: "solo-web@fake", Middlewares: []string{"secured@file"}}}, true},
		"an entry point":     {"", api.Router{Provider: "fake", Router: traefik.Router{Name: "solo-web@fake", Middlewares: []string{"paastis@docker"}}}, true},
		"one of two":         {"", api.Router{Provider: "fake", Router: traefik.Router{Name: "web-solo-web@fake", Middlewares: []string{"paastis@docker"}}}, true},
		"another chain":      {"login@file", api.Router{Provider: "fake", Router: traefik.Router{Name: "solo-web@fake", Middlewares: []string{"login@file"}}}, false},
		"a router of a file": {"", api.Router{Provider: "file", Router: traefik.Router{Name: "solo-web@file", Middlewares: []string{"paastis@docker"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := chained().label("traefik.http.routers.solo-web.middlewares", c.label).label("traefik.http.routers.solo-web.entrypoints", "web,websecure")
				f := newFake(app)
				g := lister{&gateway{routers: []api.Router{c.running}}, chain}
				w := liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Gateway: g})
				synctest.Wait()
				if e := w.keeperOf("solo-web").Definition(); e.Managed != c.want {
					t.Errorf("managed %t: %s", e.Managed, e.Why)
				}
				g.mu.Lock()
				g.routers = nil // Traefik forgets those of a stopped container
				g.mu.Unlock()
				time.Sleep(11 * time.Minute)
				if e := w.keeperOf("solo-web").Definition(); e.Managed != c.want {
					t.Errorf("managed %t while it sleeps: %s", e.Managed, e.Why)
				}
			})
		})
	}
}

func TestAChainOnAnotherAppIsFollowed(t *testing.T) {
	front := service("solo", "web")
	front.routed("solo.test").label("traefik.http.routers.solo-web.middlewares", "secured@docker")
	proxy := proxying().label("traefik.http.middlewares.secured.chain.middlewares", "cut,paastis").
		label("traefik.http.middlewares.cut.stripprefix.prefixes", "/a")
	var apps []inventory.Reported
	for _, a := range []*fakeApp{front, proxy} {
		apps = append(apps, inventory.Reported{Provider: "docker", App: &a.App.App})
	}
	inv := inventory.Resolve(apps, settingsFor(t, ""))
	e := inv.Named("solo-web")
	if !e.Managed || !strings.Contains(e.Why.String(), "uses the middleware") {
		t.Errorf("managed %t: %s", e.Managed, e.Why)
	}
	if len(e.Routers[0].Unknown) > 0 || len(e.Routers[0].Rewrites) != 1 {
		t.Errorf("unknown %q, %d rewrites", e.Routers[0].Unknown, len(e.Routers[0].Rewrites))
	}
}

func TestAnUnmanagedAppSaysWhichMiddlewaresNoLabelDefines(t *testing.T) {
	inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &chained().App.App}}, settingsFor(t, ""))
	if e := inv.Named("solo-web"); e.Managed || !slices.Equal(e.Routers[0].Unknown, []string{"secured@file"}) || !strings.Contains(e.Why.String(), "secured@file") {
		t.Errorf("managed %t: %s", e.Managed, e.Why)
	}
}

func TestAMiddlewareOfAnEntryPointManagesWhatTraefiksOwnFlagsTell(t *testing.T) {
	for name, c := range map[string]struct {
		entryPoints, middlewares string
		want                     bool
	}{
		"of the entry point":    {"web", "secured@file,paastis@docker", true},
		"of all by default":     {"", "paastis@docker", true},
		"of another":            {"inner", "paastis@docker", false},
		"of a chain of a label": {"web", "chained@docker", true},
		"something else":        {"web", "login@file", false},
	} {
		t.Run(name, func(t *testing.T) {
			app := chained().label("traefik.http.routers.solo-web.middlewares", "").
				label("traefik.http.middlewares.chained.chain.middlewares", "paastis")
			if c.entryPoints != "" {
				app.label("traefik.http.routers.solo-web.entrypoints", c.entryPoints)
			}
			s := settingsFor(t, "")
			s.Traefik.EntryPoints = []traefik.EntryPoint{{Name: "web", AsDefault: true, Middlewares: c.middlewares}, {Name: "inner"}}
			if e := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app.App.App}}, s).Named("solo-web"); e.Managed != c.want {
				t.Errorf("managed %t: %s", e.Managed, e.Why)
			}
		})
	}
}

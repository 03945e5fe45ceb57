package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// during runs a registry with a store for as long as do takes.
func during(t *testing.T, store history.Store, do func(*registry.Registry), providers ...provider.Provider) {
	t.Helper()
	reg := registry.New(registry.Options{
		Probe: registrytest.Passes, Providers: providers, Store: store, Log: slog.New(slog.DiscardHandler),
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := reg.Load(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); reg.Run(ctx) }()
	synctest.Wait()
	do(reg)
	cancel()
	<-done
}

// leads is where the published routes lead, by their names: "host:port", or "paastis".
func leads(t *testing.T, reg *registry.Registry) string {
	t.Helper()
	var got struct {
		HTTP struct {
			Routers  map[string]struct{ Rule string }
			Services map[string]struct {
				LoadBalancer struct{ Servers []struct{ URL string } }
			}
		}
	}
	body := reg.Publisher().Publish(netip.MustParseAddr("10.0.0.2"), "http://paastis:3000").Body
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(got.HTTP.Routers)) {
		at := strings.TrimPrefix(got.HTTP.Services[name].LoadBalancer.Servers[0].URL, "http://")
		if strings.HasPrefix(at, "paastis:") {
			at = "paastis"
		}
		all = append(all, name+" to "+at)
	}
	return strings.Join(all, ", ")
}

// distant is a provider whose use of apps is known, so that Traefik leads to them itself.
type distant struct{ *registrytest.Provider }

func (distant) Measure(context.Context, string, provider.Want) (idle.Usage, error) {
	return idle.Usage{}, nil
}

// far is a provider that no Traefik knows, of an app that runs and one that sleeps.
func far() distant {
	blog := registrytest.NewApp("blog")
	blog.Address, blog.Ports, blog.Routers = netip.MustParseAddr("10.0.1.7"), []uint16{8080}, []traefik.Router{{Rule: "Host(`blog.test`)"}}
	wiki := registrytest.NewApp("wiki").Found("wiki.test").Label("paastis.port", "80")
	return distant{registrytest.NewProvider(blog.Awake(), wiki).Call("far", "")}
}

func TestRoutesOfAProviderThatIsDownAtTheStartStayUntilItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := history.NewFileStore(filepath.Join(t.TempDir(), "state.json"))
		near, far := registrytest.NewProvider(registrytest.NewApp("shop").Found("shop.test").Label("paastis.port", "80")), far()
		during(t, store, func(reg *registry.Registry) {
			if got := leads(t, reg); got != "blog to 10.0.1.7:8080, shop to paastis, wiki to paastis" {
				t.Fatalf("at first the routes are %s", got)
			}
		}, near, far)
		far.Fail(errors.New("far: 401 unauthorized"))
		during(t, store, func(reg *registry.Registry) {
			if !reg.KnowsApps() {
				t.Error("the apps of one that answers are not known")
			}
			if got := leads(t, reg); got != "blog to 10.0.1.7:8080, shop to paastis, wiki to paastis" {
				t.Errorf("while it is down the routes are %s", got)
			}
			wantView(t, reg, "blog", registry.Ready)
			wantView(t, reg, "wiki", registry.Asleep)
			if got := reg.Health().Problems.String(); !strings.HasPrefix(got, `provider "far" does not answer, and has not since Paastis began, so its apps are taken for what they were before: far: 401 unauthorized`) {
				t.Errorf("problems are %q", got)
			}
			reg.Wake(reg.Named("shop"), false)
			reg.Wake(reg.Named("wiki"), false)
			time.Sleep(time.Minute)
			wantView(t, reg, "shop", registry.Ready)
			wantView(t, reg, "wiki", registry.Failed)
			far.Remove("blog")
			far.Answer()
			time.Sleep(20 * time.Second)
			if got := leads(t, reg); got != "shop to paastis, wiki to paastis" {
				t.Errorf("once it is back the routes are %s", got)
			}
			if problems := reg.Health().Problems; len(problems) > 0 {
				t.Errorf("problems are %q", problems)
			}
		}, near, far)
	})
}

// What guards an app may be in the labels of one that nobody manages.
func TestAnAppOfAProviderThatIsDownAtTheStartIsNotGuardedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := func(name, users string) *registrytest.App {
			a := registrytest.NewApp(name).Found(name+".test").Label("paastis.port", "80").Label("traefik.http.routers."+name+".middlewares", "auth")
			if users != "" {
				a.Label("traefik.http.middlewares.auth.basicauth.users", users)
			}
			return a
		}
		edge := app("edge", "shop:x")
		edge.Label("paastis.enable", "false").Awake()
		store, near := registrytest.NewStore(), registrytest.NewProvider()
		far := distant{registrytest.NewProvider(app("shop", ""), app("aaa", "mallory:y"), edge).Call("far", "")}
		for _, when := range []string{"at first", "while it is down", "once more"} {
			during(t, store, func(reg *registry.Registry) {
				if got := leads(t, reg); got != "aaa to paastis" {
					t.Errorf("%s the routes are %s", when, got)
				}
			}, near, far)
			if when == "at first" {
				far.Lose()
			}
		}
	})
}

func TestQuestionsAboutAppsOfAProviderThatIsDownAtTheStartFindThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, near, far := registrytest.NewStore(), registrytest.NewProvider(), far()
		during(t, store, func(*registry.Registry) {}, near, far)
		far.Lose()
		for range 2 { // also by who has never heard it
			during(t, store, func(reg *registry.Registry) {
				for url, want := range map[string]registry.State{"http://blog.test/": registry.Ready, "http://wiki.test/": registry.Asleep} {
					req, err := traefik.FromURL(url)
					if err != nil {
						t.Fatal(err)
					}
					if k := reg.FindFor(&req, netip.Addr{}); k == nil || reg.View(k).State != want {
						t.Errorf("who asks for %s asks for %v", url, k)
					}
				}
			}, near, far)
		}
	})
}

func TestAppThatWasRecalledIsWhatItsProviderSaysOnceThatAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		is    inventory.Instance
		state registry.State
		led   string
	}{
		"it runs on":        {inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, Address: netip.MustParseAddr("10.0.1.7")}, registry.Ready, "blog to 10.0.1.7:8080"},
		"it runs elsewhere": {inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, Address: netip.MustParseAddr("10.0.1.8")}, registry.Ready, "blog to 10.0.1.8:8080"},
		"it has crashed":    {inventory.Instance{ExitCode: 1}, registry.Asleep, "blog to paastis"},
		"it has ended":      {inventory.Instance{}, registry.Asleep, "blog to paastis"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, near, far := registrytest.NewStore(), registrytest.NewProvider(), far()
				far.Remove("wiki")
				during(t, store, func(*registry.Registry) {}, near, far)
				far.Fail(errors.New("nobody is there"))
				during(t, store, func(reg *registry.Registry) {
					far.Become("blog", c.is)
					far.Answer()
					time.Sleep(10 * time.Second)
					wantView(t, reg, "blog", c.state)
					if got := leads(t, reg); got != c.led {
						t.Errorf("the routes are %s", got)
					}
					wantOrders(t, far.Provider, "-")
				}, near, far)
			})
		})
	}
}

func TestAppThatItsProviderHasNotAnyMoreIsNotRecalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, near, far := registrytest.NewStore(), registrytest.NewProvider(), far()
		during(t, store, func(*registry.Registry) {}, near, far)
		far.Remove("blog") // while Paastis is away
		during(t, store, func(*registry.Registry) {}, near, far)
		far.Fail(errors.New("nobody is there"))
		during(t, store, func(reg *registry.Registry) {
			if got := leads(t, reg); got != "wiki to paastis" {
				t.Errorf("the routes are %s", got)
			}
		}, near, far)
	})
}

func TestNothingIsRecalledOfTheOnlyProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, only := registrytest.NewStore(), registrytest.NewProvider(registrytest.NewApp("blog").Found("blog.test").Awake())
		during(t, store, func(*registry.Registry) {}, only)
		only.Fail(errors.New("nobody is there"))
		during(t, store, func(reg *registry.Registry) {
			if reg.KnowsApps() || reg.Named("blog") != nil {
				t.Error("apps are known, so that Traefik would get routes by hearsay")
			}
		}, only)
	})
}

// What Traefik has of a platform leads to Paastis in every state. So an app that serves is served on,
// and who asks for one that sleeps hears why it does not wake.
func TestAppsOfTheOnlyPlatformAreKnownThoughItDoesNotLetPaastisIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := registrytest.NewStore()
		only := registrytest.NewProvider(registrytest.NewApp("shop").Found("shop.test").Awake(), registrytest.NewApp("blog").Found("blog.test")).Call("platform", "")
		during(t, store, func(*registry.Registry) {}, only)
		only.Fail(reason.NewError(reason.TokenRefused, "platform: 401 unauthorized"))
		during(t, store, func(reg *registry.Registry) {
			if !reg.KnowsApps() {
				t.Fatal("no app is known")
			}
			wantView(t, reg, "shop", registry.Ready)
			if !reg.Named("shop").Pass(time.Now()) {
				t.Error("nobody gets to an app that serves")
			}
			reg.Wake(reg.Named("blog"), false)
			time.Sleep(10 * time.Second)
			if v := reg.View(reg.Named("blog")); v.State != registry.Failed || v.Reason.Kind != reason.TokenRefused {
				t.Errorf("who asks for one that sleeps is told %s, %q", v.State, v.Reason)
			}
			only.Answer()
			time.Sleep(time.Minute)
			reg.Wake(reg.Named("blog"), true)
			time.Sleep(30 * time.Second)
			wantView(t, reg, "blog", registry.Ready)
		}, only)
	})
}

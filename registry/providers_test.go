package registry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// several runs a registry over several providers, and returns its log.
func several(t *testing.T, providers ...provider.Provider) (*registry.Registry, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: providers, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
	}))
	synctest.Wait()
	return reg, &log
}

func TestProviderThatIsDownAtTheStartKeepsNobodyElseDownAndItsAppsAppearWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near := registrytest.NewProvider(registrytest.NewApp("shop"))
		far := registrytest.NewProvider(registrytest.NewApp("blog"), registrytest.NewApp("wiki").Awake()).Call("far", "").Fail(errors.New("far: 401 unauthorized"))
		reg, log := several(t, near, far)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(10 * time.Minute)
		wantOrders(t, near, "start shop")
		if reg.Named("blog") != nil {
			t.Error("an app is known that nobody has reported")
		}
		health := reg.Health()
		if !health.Providers[0].Connected || health.Providers[1].Connected || !strings.Contains(health.Problems.String(), `provider "far" does not answer`) || !strings.Contains(health.Problems.String(), "401 unauthorized") {
			t.Errorf("its health is %+v", health)
		}
		if n := strings.Count(log.String(), "401 unauthorized"); n != 1 {
			t.Errorf("it was logged %d times:\n%s", n, log)
		}
		far.Answer()
		time.Sleep(20 * time.Second)
		wantView(t, reg, "blog", registry.Asleep)
		wantView(t, reg, "wiki", registry.Ready)
		wantOrders(t, far, "-")
		if health := reg.Health(); !health.Providers[1].Connected || len(health.Problems) > 0 {
			t.Errorf("once it is back its health is %+v", health)
		}
	})
}

// silent is a provider that does not answer before its caller gives up.
type silent struct{ *registrytest.Provider }

func (silent) List(ctx context.Context) (provider.Report, error) {
	<-ctx.Done()
	return provider.Report{}, ctx.Err()
}

func (silent) Watch(ctx context.Context, _ func(provider.Report)) error {
	<-ctx.Done()
	return nil
}

func TestLoadWaitsNoLongerThanASecondForAProviderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		reg, _ := several(t, silent{registrytest.NewProvider().Call("far", "")}, registrytest.NewProvider(registrytest.NewApp("shop")))
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
		wantView(t, reg, "shop", registry.Asleep)
		if health := reg.Health(); health.Providers[0].Connected || health.Providers[0].Error != "no answer so far" {
			t.Errorf("its health is %+v", health)
		}
	})
}

// slow is a provider whose listing of all apps takes a while.
type slow struct {
	*registrytest.Provider
	takes     time.Duration
	fails     error // with which it ends; nil: it does not
	now, most *atomic.Int32
	cut       *atomic.Int32 // that were not waited for
}

func newSlow(takes time.Duration, fails error) slow {
	return slow{registrytest.NewProvider(registrytest.NewApp("blog")).Call("far", ""), takes, fails, new(atomic.Int32), new(atomic.Int32), new(atomic.Int32)}
}

func (s slow) List(ctx context.Context) (provider.Report, error) {
	if n := s.now.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		s.cut.Add(1)
		return provider.Report{}, ctx.Err()
	}
	if s.fails != nil {
		return provider.Report{}, s.fails
	}
	return s.Provider.List(ctx)
}

func (s slow) Watch(ctx context.Context, report func(provider.Report)) error {
	if _, err := s.List(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return s.Provider.Watch(ctx, report)
}

func TestAppsOfASlowProviderAreKnownAfterItsFirstListingWhichIsTheOnlyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := registrytest.NewProvider(registrytest.NewApp("shop")), newSlow(3*time.Second, nil)
		began := time.Now()
		reg, _ := several(t, near, far)
		if took := time.Since(began); took > time.Second {
			t.Errorf("loading took %s", took)
		}
		if health := reg.Health().Providers[1]; health.Connected || health.Error != "no answer so far" {
			t.Errorf("meanwhile it is %+v", health)
		}
		reg.Publisher().Recognise(t.Context(), netip.MustParseAddr("10.0.0.9")) // a Traefik that is not known asks for its routes
		time.Sleep(time.Until(began.Add(3*time.Second - time.Millisecond)))
		if reg.Named("blog") != nil {
			t.Error("an app is known that nobody has reported")
		}
		time.Sleep(2 * time.Millisecond)
		wantView(t, reg, "blog", registry.Asleep)
		if health := reg.Health(); !health.Providers[1].Connected || len(health.Problems) > 0 {
			t.Errorf("then its health is %+v", health)
		}
		time.Sleep(time.Minute)
		if most, cut := far.most.Load(), far.cut.Load(); most > 1 || cut > 0 {
			t.Errorf("%d listings went on at once, and %d were cut", most, cut)
		}
	})
}

func TestProviderWhoseFirstListingFailsLateIsAskedAgainAfterThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newSlow(3*time.Second, errors.New("far: 500 try again"))
		reg, log := several(t, registrytest.NewProvider(), far)
		time.Sleep(time.Minute)
		if health := reg.Health().Providers[1]; health.Error != "far: 500 try again" {
			t.Errorf("it is %+v", health)
		}
		if most, told := far.most.Load(), strings.Count(log.String(), "try again"); most > 1 || told != 1 {
			t.Errorf("%d listings went on at once, and it was told %d times:\n%s", most, told, log)
		}
	})
}

func TestFirstListingThatGoesOnEndsWithPaastis(t *testing.T) {
	for what, run := range map[string]bool{"while it runs": true, "before it does": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := newSlow(20*time.Second, nil)
				ctx, end := context.WithCancel(t.Context())
				reg := registry.New(registry.Options{Providers: []provider.Provider{far}, Log: slog.New(slog.DiscardHandler), Settings: inventory.Settings{Defaults: rules.Defaults()}})
				if !run {
					time.AfterFunc(100*time.Millisecond, end)
					if err := reg.Load(ctx); !errors.Is(err, context.Canceled) {
						t.Errorf("it ended with %v", err)
					}
				} else {
					if err := reg.Load(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.AfterFunc(time.Second, end)
					reg.Run(ctx)
				}
				end()
				if n, cut := far.now.Load(), far.cut.Load(); n > 0 || cut != 1 {
					t.Errorf("%d listings go on, and %d were cut", n, cut)
				}
			})
		})
	}
}

func TestOnlyProviderMayComeLongAfterPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		only := registrytest.NewProvider(registrytest.NewApp("blog"), registrytest.NewApp("wiki").Awake()).Fail(errors.New("nobody is there"))
		began := time.Now()
		reg, log := several(t, only)
		if took := time.Since(began); took > time.Second {
			t.Errorf("loading took %s", took)
		}
		time.Sleep(9*time.Minute + 50*time.Second) // the usual pauses would be 15 s long by now
		if reg.KnowsApps() || reg.Named("blog") != nil {
			t.Error("apps are known that nobody has told")
		}
		health := reg.Health()
		if p := health.Providers[0]; p.Connected || p.Error != "nobody is there" || !p.Since.Equal(began) {
			t.Errorf("the provider is %+v", p)
		}
		const want = `provider "played" does not answer, and has not since Paastis began, so its apps are not known: nobody is there (since 2000-01-01T00:00:00Z)`
		if got := health.Problems.String(); got != want {
			t.Errorf("the problems are %s", got)
		}
		if n := strings.Count(log.String(), "nobody is there"); n != 1 {
			t.Errorf("it was logged %d times:\n%s", n, log)
		}
		only.Answer()
		time.Sleep(4 * time.Second)
		wantView(t, reg, "blog", registry.Asleep)
		wantView(t, reg, "wiki", registry.Ready)
		wantOrders(t, only, "-")
		if health := reg.Health(); !health.Providers[0].Connected || !health.Providers[0].Since.IsZero() || len(health.Problems) > 0 {
			t.Errorf("once it is there its health is %+v", health)
		}
	})
}

func TestLoadWaitsNoLongerThanASecondWhereEveryProviderHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		reg, _ := several(t, silent{registrytest.NewProvider()})
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
		if health := reg.Health(); health.Providers[0].Error != "no answer so far" {
			t.Errorf("its health is %+v", health)
		}
	})
}

func TestLoadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reg := registry.New(registry.Options{Providers: []provider.Provider{registrytest.NewProvider()}, Log: slog.New(slog.DiscardHandler), Settings: inventory.Settings{Defaults: rules.Defaults()}})
	if err := reg.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

func TestAppsOfAProviderThatComesLateWaitForTraefikAsThoseAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defaults := rules.Defaults()
		defaults.MaxIdleTime = 20 * time.Second
		only := registrytest.NewProvider(registrytest.NewApp("wiki").At("wiki.localhost").Awake()).Fail(errors.New("nobody is there"))
		reg := registrytest.Run(t, registry.New(registry.Options{Probe: registrytest.Passes, Providers: []provider.Provider{only}, Log: slog.New(slog.DiscardHandler), Settings: inventory.Settings{Defaults: defaults, Middleware: "paastis"}}))
		time.Sleep(10 * time.Minute)
		only.Answer()
		time.Sleep(70 * time.Second)
		wantView(t, reg, "wiki", registry.Ready)
		time.Sleep(time.Minute)
		wantView(t, reg, "wiki", registry.Asleep)
	})
}

func TestAppsOfOneNameGoByTheirProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near := registrytest.NewProvider(registrytest.NewApp("web", "db"), registrytest.NewApp("db"))
		far := registrytest.NewProvider(registrytest.NewApp("blog", "db").Label("paastis.linked_apps", "played/web"), registrytest.NewApp("db")).Call("far", "docker")
		reg, _ := several(t, near, far)
		if names := strings.Join(reg.Inventory().Names(), " "); names != "blog far/db played/db web" {
			t.Errorf("the names are %s", names)
		}
		if problems := reg.Health().Problems; len(problems) > 0 {
			t.Errorf("problems are %q", problems)
		}
		reg.Wake(reg.Named("blog"), false)
		time.Sleep(time.Minute)
		wantOrders(t, near, "start db, start web")
		wantOrders(t, far, "start db, start blog")
		wantView(t, reg, "far/db", registry.Ready)
		if d := reg.Detail(reg.Named("blog")); d.Provider != "far" {
			t.Errorf("its provider is %q", d.Provider)
		}
	})
}

func TestRoutersThatNoTraefikReadsAreThereOnceTheyArePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := registrytest.NewApp("blog").At("blog.localhost").Awake()
		app.Label("traefik.http.routers.blog.middlewares", "paastis@docker,slow").Label("traefik.http.middlewares.slow.ratelimit.average", "5")
		reg, _ := several(t, registrytest.NewProvider(app).Call("far", ""))
		if routers := reg.Named("blog").Definition().Routers; len(routers) != 1 || !routers[0].Own {
			t.Errorf("its routers are %+v", routers)
		}
		body := string(reg.Publisher().Publish(netip.MustParseAddr("10.0.0.2"), "http://paastis:3000").Body)
		if !strings.Contains(body, "blog.localhost") || strings.Contains(body, "slow@") {
			t.Errorf("published is %s", body)
		}
		if problems := reg.Health().Problems; len(problems) > 0 {
			t.Errorf("problems are %q", problems)
		}
	})
}

// paced is a provider with a listing interval of its own.
type paced struct {
	*registrytest.Provider
	interval time.Duration
}

func (p paced) Interval() time.Duration { return p.interval }

func TestProviderIsListedAsOftenAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seldom := paced{registrytest.NewProvider().Call("seldom", ""), 30 * time.Minute}
		usual := paced{registrytest.NewProvider(), 0}
		several(t, seldom, usual)
		before := [2]int{seldom.Lists(), usual.Lists()}
		time.Sleep(2*time.Hour + time.Second)
		if n, m := seldom.Lists()-before[0], usual.Lists()-before[1]; n != 4 || m != 60 {
			t.Errorf("in two hours they were listed %d and %d times", n, m)
		}
	})
}

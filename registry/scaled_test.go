package registry_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// scaled runs a registry over apps that have no instance while they sleep. It puts an app to
// sleep that nobody has used for 10 minutes.
func scaled(t *testing.T, apps ...*registrytest.App) (*registry.Registry, *registrytest.Provider) {
	t.Helper()
	p := registrytest.NewProvider(apps...)
	defaults := rules.Defaults()
	if err := defaults.SetGlobal("max_idle_time", "10m", "test"); err != nil {
		t.Fatal(err)
	}
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: []provider.Provider{p}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Settings: inventory.Settings{Defaults: defaults, Middleware: "paastis"},
	}))
	synctest.Wait()
	return reg, p
}

func wantView(t *testing.T, reg *registry.Registry, name string, want registry.State) {
	t.Helper()
	if got := reg.View(reg.Named(name)).State; got != want {
		t.Errorf("%s is %s, want %s", name, got, want)
	}
}

func wantOrders(t *testing.T, p *registrytest.Provider, want string) {
	t.Helper()
	if got := p.Took(); got != want {
		t.Errorf("orders: %s, want %s", got, want)
	}
}

func TestAppThatIsScaledToNoneIsListedAsleepWokenAndPutToSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := scaled(t, registrytest.NewApp("shop", "db").At("shop.localhost").ToNone(), registrytest.NewApp("db").ToNone())
		wantView(t, reg, "shop", registry.Asleep)
		if all := reg.Details(); len(all) != 2 || all[1].Name != "shop" {
			t.Errorf("listed are %v", all)
		}
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(9 * time.Second) // nothing of it is there yet
		wantView(t, reg, "shop", registry.Starting)
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Ready)
		wantOrders(t, p, "start db, start shop")

		time.Sleep(12 * time.Minute)
		wantView(t, reg, "shop", registry.Asleep)
		wantView(t, reg, "db", registry.Asleep)
		wantOrders(t, p, "stop shop, stop db")
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Ready)
	})
}

func TestAppThatOthersScaleToNoneSleepsAndIsNoJobThatEndedWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := scaled(t, registrytest.NewApp("shop").ToNone().Awake())
		wantView(t, reg, "shop", registry.Ready)
		p.Become("shop", inventory.Instance{})
		synctest.Wait()
		wantView(t, reg, "shop", registry.Asleep)
		p.Remove("shop")
		synctest.Wait()
		if reg.Named("shop") != nil {
			t.Error("it is still there")
		}
	})
}

func TestAppThatEndsOnItsWayUpByLosingItsInstanceHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := registrytest.NewApp("shop", "db").ToNone()
		db := registrytest.NewApp("db").ToNone()
		db.Boot = 20 * time.Second
		reg, p := scaled(t, app, db)
		reg.Wake(reg.Named("db"), false)
		time.Sleep(time.Second)
		p.Become("db", inventory.Instance{Status: inventory.Running, Health: inventory.HealthStarting, StartedAt: time.Now()})
		time.Sleep(time.Second)
		p.Become("db", inventory.Instance{})
		synctest.Wait()
		wantView(t, reg, "db", registry.Failed)
	})
}

func TestStartOfWhichNothingShowsFailsWithItsStartTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := registrytest.NewApp("shop").ToNone().Label("paastis.start_timeout", "30s")
		app.Boot = time.Hour
		reg, p := scaled(t, app)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(29 * time.Second)
		wantView(t, reg, "shop", registry.Starting)
		time.Sleep(2 * time.Second)
		wantView(t, reg, "shop", registry.Failed)
		if reason := reg.View(reg.Named("shop")).Reason.String(); reason != "It did not start within 30s." {
			t.Errorf("it failed, for %q", reason)
		}
		wantOrders(t, p, "start shop")
	})
}

func TestRoutesOfAnAppWithoutInstancesLeadToPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, _ := scaled(t, registrytest.NewApp("shop").At("shop.localhost").Label("traefik.http.routers.shop.middlewares", "paastis@played").ToNone())
		body := string(reg.Publisher().Publish(netip.MustParseAddr("10.0.0.2"), "http://paastis:3000").Body)
		if !strings.Contains(body, "http://paastis:3000") || !strings.Contains(body, "shop.localhost") {
			t.Errorf("published is %s", body)
		}
	})
}

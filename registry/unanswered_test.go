package registry_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
)

// halfStarted is a provider of apps of which the second instance never comes up.
type halfStarted struct{ *registrytest.Provider }

func (h halfStarted) Start(ctx context.Context, name string) (inventory.App, error) {
	_, err := h.Provider.Start(ctx, name)
	h.Alter(name, 1, func(i *inventory.Instance) { i.Status = inventory.Restarting })
	return h.Snapshot(name), err
}

func TestAppThatIsAskedAtNoPortFailsInTimeWhenAPartOfItDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := registrytest.NewApp("shop").Label("paastis.start_timeout", "5s")
		shop.NoHealth, shop.Replicas, shop.Boot = true, 2, time.Hour
		reg, _ := several(t, halfStarted{registrytest.NewProvider(shop)})
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(6 * time.Second)
		if f, failed := reg.Failure(reg.Named("shop")); !failed || !f.Reason.Equal(reason.Reason{Kind: reason.NotStarted, Limit: 5 * time.Second}) {
			t.Errorf("it failed: %t, of %s", failed, f.Reason)
		}
	})
}

func TestRegistryWithoutAnyDefaultsFailsItsWakesAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := registrytest.NewProvider(registrytest.NewApp("shop"))
		reg := registrytest.Run(t, registry.New(registry.Options{
			Providers: []provider.Provider{p}, Probe: registrytest.Passes, Log: slog.New(slog.DiscardHandler),
		}))
		time.Sleep(time.Second)
		p.Become("shop", inventory.Instance{Status: inventory.Running, StartedAt: time.Now()}) // somebody has started it
		time.Sleep(time.Second)
		if _, failed := reg.Failure(reg.Named("shop")); !failed {
			t.Error("it came up within no time")
		}
	})
}

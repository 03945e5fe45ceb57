package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// drive is a provider of many apps that forget their scale, and a store that takes its time.
type drive struct {
	*registrytest.Provider
	*registrytest.Store
	t       *testing.T
	mu      sync.Mutex
	writes  int             // guarded by mu, as is
	kept    map[string]bool // of what apps it is kept how they come back
	stopped int
}

func newDrive(t *testing.T, apps int) *drive {
	d := &drive{Provider: registrytest.NewProvider(), Store: registrytest.NewStore(), t: t, kept: map[string]bool{}}
	for n := range apps {
		a := registrytest.NewApp(fmt.Sprintf("shop-%d", n)).Label("paastis.max_idle_time", "10m")
		a.Forgets, a.Replicas = true, 2
		d.Put(a.Awake())
	}
	return d
}

func (d *drive) Save(ctx context.Context, s history.State) error {
	time.Sleep(50 * time.Millisecond)
	err := d.Store.Save(ctx, s)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	for id, app := range s.Apps {
		d.kept[id] = err == nil && len(app.Resume) > 0
	}
	return err
}

func (d *drive) Stop(ctx context.Context, name string, m rules.StopMethod) (inventory.App, error) {
	d.mu.Lock()
	d.stopped++
	if !d.kept["played/"+name] {
		d.t.Errorf("%s is stopped before it is kept how it comes back", name)
	}
	d.mu.Unlock()
	return d.Provider.Stop(ctx, name, m)
}

// so is what was written and stopped since the last time.
func (d *drive) so() (writes, stopped int) {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	writes, stopped = d.writes, d.stopped
	d.writes, d.stopped = 0, 0
	return writes, stopped
}

// run runs a registry over it.
func (d *drive) run() *registry.Registry {
	return registrytest.Run(d.t, registry.New(registry.Options{
		Providers: []provider.Provider{d}, Store: d, Probe: registrytest.Passes, Log: slog.New(slog.DiscardHandler),
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
	}))
}

func TestManyAppsThatFallAsleepTogetherAreSavedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrive(t, 500)
		d.run()
		time.Sleep(9 * time.Minute)
		d.so()
		time.Sleep(2 * time.Minute)
		if writes, stopped := d.so(); stopped != 500 || writes > 10 {
			t.Errorf("%d apps were stopped with %d writes", stopped, writes)
		}
	})
}

func TestNoneOfManyAppsIsStoppedWhileTheyCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrive(t, 30)
		reg := d.run()
		d.Store.Fail(errors.New("disk full"))
		time.Sleep(11 * time.Minute)
		if _, stopped := d.so(); stopped > 0 {
			t.Errorf("%d apps were stopped", stopped)
		}
		for _, app := range reg.Details() {
			if app.Reason.Kind != reason.StopFailed {
				t.Errorf("%s is %s: %s", app.Name, app.State, app.Reason)
			}
		}
		d.Store.Fail(nil)
		time.Sleep(2 * time.Minute)
		if _, stopped := d.so(); stopped != 30 {
			t.Errorf("%d apps were stopped once they could be saved", stopped)
		}
	})
}

package registry_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// hanging is a provider that may take orders without a word, as one does that is frozen, or
// whose machine is cut off.
type hanging struct {
	*registrytest.Provider
	hangs *atomic.Bool
	drops *atomic.Bool // of an order to stop it is not heard any more
}

func newHanging(apps ...*registrytest.App) hanging {
	return hanging{registrytest.NewProvider(apps...).Call("far", ""), new(atomic.Bool), new(atomic.Bool)}
}

func (h hanging) Start(ctx context.Context, name string) (inventory.App, error) {
	if h.hangs.Load() {
		<-ctx.Done()
		return inventory.App{}, ctx.Err()
	}
	return h.Provider.Start(ctx, name)
}

func (h hanging) Stop(ctx context.Context, name string, m rules.StopMethod) (inventory.App, error) {
	switch {
	case h.drops.Load():
		return inventory.App{}, provider.ErrUnreachable
	case h.hangs.Load():
		<-ctx.Done()
		return inventory.App{}, ctx.Err()
	}
	return h.Provider.Stop(ctx, name, m)
}

// noticed lets who watches notice that it hangs.
func (h hanging) noticed() { h.Lose() }

func (h hanging) isBack() {
	h.hangs.Store(false)
	h.drops.Store(false)
	h.Answer()
}

func wantUnreachable(t *testing.T, reg *registry.Registry, name string) {
	t.Helper()
	if f, failed := reg.Failure(reg.Named(name)); !failed || f.Kind != registry.Unreachable || f.Reason.Kind != reason.ProviderUnreachable {
		t.Errorf("%s failed: %v, of %+v", name, failed, f)
	}
}

func TestWakeFailsOnceItsProviderIsKnownNotToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newHanging(registrytest.NewApp("db"))
		near := registrytest.NewProvider(registrytest.NewApp("shop").Label("paastis.linked_apps", "db"), registrytest.NewApp("blog"))
		reg, _ := several(t, near, far)
		far.hangs.Store(true)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(14 * time.Second)
		wantView(t, reg, "db", registry.Starting)
		far.noticed()
		synctest.Wait()
		wantUnreachable(t, reg, "db")
		if f, failed := reg.Failure(reg.Named("shop")); !failed || f.Kind != registry.NeedFailed || !strings.Contains(f.Reason.String(), "its provider cannot be reached") {
			t.Errorf("who needs it failed: %v, of %+v", failed, f)
		}
		reg.Wake(reg.Named("blog"), false)
		time.Sleep(time.Minute)
		wantView(t, reg, "blog", registry.Ready)

		for range 20 {
			reg.Wake(reg.Named("shop"), false)
			time.Sleep(6 * time.Second) // it may be back, and is tried
			wantUnreachable(t, reg, "db")
		}
		far.isBack()
		time.Sleep(20 * time.Second)
		reg.Wake(reg.Named("shop"), false) // nobody insists
		synctest.Wait()
		wantOrders(t, far.Provider, "start db")
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Ready)
	})
}

func TestAppThatCameUpUnheardIsReadyOnceItsProviderAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newHanging(registrytest.NewApp("db"))
		reg, _ := several(t, far)
		far.hangs.Store(true)
		reg.Wake(reg.Named("db"), false)
		time.Sleep(10 * time.Second)
		far.noticed()
		time.Sleep(time.Minute)
		far.Change("db", func(a *registrytest.App) { a.Awake() }) // the order came through
		far.isBack()
		time.Sleep(20 * time.Second)
		wantView(t, reg, "db", registry.Ready)
		wantOrders(t, far.Provider, "-")
	})
}

func TestWakeThatIsLateForItsProviderSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := registrytest.NewApp("db").Label("paastis.start_timeout", "30s")
		slow.Boot = time.Hour
		far := newHanging(slow)
		reg, _ := several(t, far)
		reg.Wake(reg.Named("db"), false)
		time.Sleep(10 * time.Second)
		wantView(t, reg, "db", registry.Starting)
		far.noticed()
		time.Sleep(time.Minute)
		wantUnreachable(t, reg, "db")
	})
}

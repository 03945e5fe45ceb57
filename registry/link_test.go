package registry

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

func TestAnAppThatItsProviderRemovesIsNeverStoppedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		once := service("", "once").routed("once.test").awake()
		once.Ephemeral = true
		w := live(t, "", once, service("shop", "front").routed("shop.test").label("paastis.linked_apps", "-once").awake())
		time.Sleep(time.Hour)
		w.wantCalls("stop shop-front")
		if w.Named("-once") != nil {
			t.Error("it is managed")
		}
		if told := w.Inventory().Problems().String(); !strings.Contains(told, "start it without --rm") {
			t.Errorf("told: %s", told)
		}
	})
}

// TestAJobThatNobodyWaitsForIsNoWorkerOnceItHasEnded: a migration that Compose runs beside the
// app that has it.
func TestAJobThatNobodyWaitsForIsNoWorkerOnceItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front", "db").routed("shop.test").awake(), service("shop", "migrate", "db").awake(), service("shop", "db").awake())
		told := func() string { return w.Inventory().Problems().String() }
		w.change("shop-migrate", func(i *inventory.Instance) { i.StartedAt = time.Now() })
		time.Sleep(2 * time.Second)
		if !strings.Contains(told(), "shop-migrate") {
			t.Errorf("of one that runs is told %q", told())
		}
		w.change("shop-migrate", func(i *inventory.Instance) {
			i.Status, i.Health, i.EndedAt = inventory.Exited, inventory.NoHealth, time.Now()
		})
		time.Sleep(time.Second)
		if told() != "" {
			t.Errorf("of one that has ended is told %q", told())
		}
		time.Sleep(time.Hour)
		w.wantState("shop-db", Asleep)
		w.change("shop-migrate", func(i *inventory.Instance) { i.Status, i.StartedAt = inventory.Running, time.Now() })
		time.Sleep(time.Second)
		if !strings.Contains(told(), "shop-migrate") {
			t.Errorf("of one that runs again is told %q", told())
		}
	})
}

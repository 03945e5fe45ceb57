package registry

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// liveProbed runs a registry with a probe of the test's own.
func liveProbed(t *testing.T, probe func(context.Context, inventory.Target) error, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	return liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Probe: probe})
}

func TestDatabaseTwoLinksAwayThatWasStoppedIsWokenByAVisit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		w.took()
		time.Sleep(2 * time.Minute)
		w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
		synctest.Wait()
		for range 20 {
			w.visit("shop-front")
			time.Sleep(time.Minute)
		}
		w.wantCalls("start shop-db")
	})
}

func TestALongJobRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := service("shop", "migrate")
		job.Boot, job.NoHealth, job.Job = 90*time.Second, true, true
		w := live(t, "", service("shop", "front", "migrate:completed").routed("shop.test"), job)
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(30 * time.Minute)
		w.wantCalls("start shop-migrate, start shop-front, stop shop-front")
	})
}

func TestAProbeOfAnAddressThatIsGoneProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("paastis.probe", "tcp:80")
		a.NoHealth, a.Boot = true, time.Hour
		a.Address = netip.MustParseAddr("10.0.0.7")
		w := liveProbed(t, func(ctx context.Context, _ inventory.Target) error {
			sleep(ctx, knockLimit)
			return errors.New("refused")
		}, a)
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(3 * time.Second)
		w.change("solo-web", func(i *inventory.Instance) { i.StartedAt, i.Address = time.Now(), netip.MustParseAddr("10.0.0.8") })
		time.Sleep(3 * time.Second)
		w.wantState("solo-web", Starting) // nothing has answered yet
	})
}

func TestAnAppThatRestartsOnItsWayUpIsProbedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := service("c", "a").routed("a.test"), service("c", "b")
		a.label("paastis.linked_apps", "c-b").label("paastis.probe", "tcp:80")
		b.label("paastis.linked_apps", "c-a")
		b.Boot = 30 * time.Second
		a.NoHealth, a.Boot = true, time.Hour
		a.Address = netip.MustParseAddr("10.0.0.7")
		var ok atomic.Bool
		ok.Store(true)
		w := liveProbed(t, func(ctx context.Context, _ inventory.Target) error {
			sleep(ctx, knockLimit)
			if ok.Load() {
				return nil
			}
			return errors.New("refused")
		}, a, b)
		w.Wake(w.Named("c-a"), false)
		time.Sleep(10 * time.Second)
		ok.Store(false)
		w.change("c-a", func(i *inventory.Instance) { i.Status = inventory.Restarting })
		time.Sleep(time.Second)
		w.change("c-a", func(i *inventory.Instance) { i.Status, i.StartedAt = inventory.Running, time.Now() })
		time.Sleep(30 * time.Second)
		w.wantState("c-a", Starting) // it has not answered since
	})
}

func TestWhatACircleNeedsStartsBeforeAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := service("pix-app-review-pr1", "back", "db")
		w := live(t, reviewApps, service("pix-app-review-pr1", "front").routed("f1.test"), back, service("pix-app-review-pr1", "db"))
		w.visit("pix-app-review-pr1-front")
		db, front := w.Started("pix-app-review-pr1-db")[0], w.Started("pix-app-review-pr1-front")[0]
		if front.Sub(db) < time.Second {
			t.Errorf("front was started %s after db, which back, its circle, needs and which takes 1 s to boot", front.Sub(db))
		}
	})
}

func TestACircleWithADatabaseAndAQueueOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := service("pix-app-review-pr1", "front").routed("f1.test")
		front.Boot = 24 * time.Hour
		back := service("pix-app-review-pr1", "back", "db")
		w := live(t, reviewApps+"\n  - {pattern: '.*', max_concurrent_starts: 1}", front, back, service("pix-app-review-pr1", "db"))
		go func() { // front is healthy a second after back is up
			for t.Context().Err() == nil {
				sleep(t.Context(), time.Second)
				up := false
				w.set(func() { up = back.Instances[0].Health == inventory.Healthy })
				if up {
					w.change(front.Name, func(i *inventory.Instance) { i.Health = inventory.Healthy })
					return
				}
			}
		}()
		if got := w.visit("pix-app-review-pr1-front"); got != Ready {
			t.Errorf("visitor got %s: %s; calls %s", got, w.View(w.Named("pix-app-review-pr1-front")).Reason, w.took())
		}
	})
}

func TestAStartedLinkIsNoStricterThanAHealthyOne(t *testing.T) {
	for _, cond := range []string{"db", "db:started"} {
		t.Run(fmt.Sprint(cond), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := service("shop", "db").awake()
				db.Instances = append(db.Instances, inventory.Instance{Name: "shop-db-2", ID: "id2", ExitCode: 1})
				w := live(t, "", service("shop", "front", cond).routed("shop.test"), db)
				w.wantState("shop-db", Ready)
				if got := w.visit("shop-front"); got != Ready {
					t.Errorf("%s: visitor got %s: %s", cond, got, w.View(w.Named("shop-front")).Reason)
				}
			})
		})
	}
}

func TestAHalfRunningAppOfOthersDoesNotBlockAWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := service("other", "db").awake()
		db.Instances = append(db.Instances, inventory.Instance{Name: "other-db-2", ID: "id2", ExitCode: 0})
		w := live(t, "", service("shop", "front").routed("shop.test").label("paastis.linked_apps", "other-db"), db)
		if got := w.visit("shop-front"); got != Ready {
			t.Errorf("visitor got %s: %s", got, w.View(w.Named("shop-front")).Reason)
		}
	})
}

func TestANeedThatWasStoppedByHandWellDuringAWakeIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := service("shop", "front", "db").routed("shop.test")
		front.Boot = 20 * time.Second
		w := live(t, "", front, service("shop", "db"))
		time.AfterFunc(5*time.Second, func() {
			w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 0} })
		})
		began := time.Now()
		if got := w.visit("shop-front"); got != Ready {
			t.Errorf("visitor got %s after %s: %s", got, time.Since(began), w.View(w.Named("shop-front")).Reason)
		}
	})
}

func TestReloadThatDisablesAnAppOnItsWayUpLetsWaitersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("other", "web")
		w := live(t, "rules: [{pattern: other-web}]", a)
		k := w.Named("other-web")
		w.Wake(k, false)
		synctest.Wait()
		time.AfterFunc(500*time.Millisecond, func() { w.Reload(settingsFor(t, "")) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		s := w.Await(ctx, k)
		if time.Since(began) > 10*time.Second {
			t.Errorf("waited %s, got %s", time.Since(began), s)
		}
	})
}

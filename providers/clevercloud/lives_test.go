package clevercloud_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/registrytest"
)

func TestARequestToFrontOrBackWakesBothAndNoOtherPullRequest(t *testing.T) {
	for _, asked := range []string{"front", "back"} {
		t.Run(asked, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				owner := h.AddOwner("Shop Inc")
				h.review(1, owner)
				h.review(2, owner)
				h.review(12, owner)
				h.lives(func() {
					var visitors sync.WaitGroup
					for range 1000 {
						visitors.Go(func() { h.wake("shop-pr1-" + asked) })
					}
					visitors.Wait()
					time.Sleep(time.Minute)
					for _, part := range []string{"front", "back"} {
						h.want("shop-pr1-"+part, registry.Ready)
						h.want("shop-pr2-"+part, registry.Asleep)
						h.want("shop-pr12-"+part, registry.Asleep)
						if n := h.Orders(h.ID("shop-pr1-" + part)); n != 1 {
							t.Errorf("%d orders for %s", n, part)
						}
					}
					if n := h.Calls.Of(orderRoute); n != 2 {
						t.Errorf("%d orders", n)
					}
					time.Sleep(40 * time.Minute)
					for _, part := range []string{"front", "back"} {
						h.want("shop-pr1-"+part, registry.Asleep)
						if s := h.State(h.ID("shop-pr1-" + part)); s != clevercloudtest.ShouldBeDown {
							t.Errorf("%s is %s", part, s)
						}
					}
				})
			})
		})
	}
}

func TestAnAppComesBackAtTheCommitThatRanAlsoIfTheTreeHasAnother(t *testing.T) {
	for what, between := range map[string]func(h *house){
		"by the same Paastis": func(*house) {},
		"with the store lost": func(h *house) { h.store = registrytest.NewStore() },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: true})
				h.Commit(id, "reverted")
				h.lives(func() { time.Sleep(time.Hour) })
				if h.State(id) != clevercloudtest.ShouldBeDown {
					t.Fatal("it does not sleep")
				}
				between(h)
				h.lives(func() {
					h.wake("shop")
					time.Sleep(time.Minute)
					h.want("shop", registry.Ready)
					if got := h.Runs(id); got != "good" {
						t.Errorf("it runs %q", got)
					}
				})
			})
		})
	}
}

func TestAPaastisThatIsKilledAtTheWorstMomentBringsTheSameCommitBackByOneOrder(t *testing.T) {
	for what, fault := range map[string]struct {
		asleep bool // before
		fault  paastest.Fault
		orders int
	}{
		"between store and order to stop":   {false, paastest.Fault{Route: stopRoute, Hang: true}, 0},
		"between order and answer to stop":  {false, paastest.Fault{Route: stopRoute, Late: time.Hour}, 1},
		"between store and order to start":  {true, paastest.Fault{Route: orderRoute, Hang: true}, 1},
		"between order and answer to start": {true, paastest.Fault{Route: orderRoute, Late: time.Hour}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: !fault.asleep})
				h.Commit(id, "reverted")
				remove := h.Faults.Add(fault.fault)
				h.lives(func() {
					if fault.asleep {
						h.wake("shop")
						time.Sleep(time.Second)
						return
					}
					time.Sleep(15*time.Minute + 2*time.Second) // right in the stop
				})
				remove()
				h.lives(func() {
					time.Sleep(time.Minute)
					h.wake("shop")
					time.Sleep(time.Minute)
					h.want("shop", registry.Ready)
					if got := h.Runs(id); got != "good" {
						t.Errorf("it runs %q", got)
					}
					if n := h.Orders(id); n != fault.orders {
						t.Errorf("%d orders, want %d", n, fault.orders)
					}
				})
			})
		})
	}
}

func TestWhatSomebodyDeploysWhileAnAppSleepsIsFollowedAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "old", Awake: true})
		h.lives(func() {
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Push(id, "new")
			time.Sleep(2 * time.Minute)
			h.want("shop", registry.Ready)
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Push(id, "newer")
			time.Sleep(26 * time.Second)
			h.Cloud.Stop(id) // all of it between two looks, as far as Paastis sees
			h.wake("shop")
			time.Sleep(2 * time.Minute)
			if got := h.Runs(id); got != "newer" {
				t.Errorf("it runs %q", got)
			}
		})
	})
}

func TestWhatRanComesBackAlsoIfAYoungerCommitCouldNotBeDeployed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: true, TellsPushed: true})
		h.lives(func() {
			h.Fail(id, true)
			h.Push(id, "broken")
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Fail(id, false)
			h.wake("shop")
			time.Sleep(time.Minute)
			if got := h.Runs(id); got != "good" {
				t.Errorf("it runs %q", got)
			}
		})
	})
}

func TestAListingThatHasNotHeardOfAStopDoesNotWakeTheApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true})
		h.lives(func() {
			time.Sleep(15*time.Minute - time.Second)
			h.Faults.Add(paastest.Fault{Route: summaryRoute, Change: paastest.Replace("state", clevercloudtest.ShouldBeUp), For: 50 * time.Second})
			time.Sleep(10 * time.Minute)
			if got := h.stages("shop"); !slices.Equal(got, []registry.State{registry.Starting, registry.Ready, registry.Draining, registry.Stopping, registry.Asleep}) {
				t.Errorf("it went through %v", got)
			}
		})
	})
}

func TestAnOrderThatIsQueuedForLongIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true, Lag: 50 * time.Second})
		h.lives(func() {
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.wake("shop")
			time.Sleep(90 * time.Second)
			h.want("shop", registry.Ready)
			time.Sleep(20 * time.Minute)
			down := []registry.State{registry.Draining, registry.Stopping, registry.Asleep}
			if got, want := h.stages("shop"), slices.Concat([]registry.State{registry.Starting, registry.Ready}, down, []registry.State{registry.Starting, registry.Ready}, down); !slices.Equal(got, want) {
				t.Errorf("it went through %v, not %v", got, want)
			}
			if h.Orders(id) != 1 || h.State(id) != clevercloudtest.ShouldBeDown {
				t.Errorf("%d orders, and it is %s", h.Orders(id), h.State(id))
			}
			if n := h.Calls.Of(stopRoute); n != 2 {
				t.Errorf("it was stopped by %d orders", n)
			}
		})
	})
}

func TestADeploymentThatFailsIsToldAndTriedAgainWhenSomebodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Fails: true, Lag: 8 * time.Second})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(45 * time.Second)
			h.want("shop", registry.Failed)
			if v := h.View(h.Named("shop")); v.Reason.Kind != "operation_failed" {
				t.Errorf("told: %s (%s)", v.Reason, v.Reason.Kind)
			}
			if !strings.Contains(h.said(), "clever logs --app "+id+" --deployment-id deployment_") {
				t.Errorf("the log does not say where it fails:\n%s", h.said())
			}
			h.Fail(id, false)
			time.Sleep(time.Minute)
			h.wake("shop")
			time.Sleep(time.Minute)
			if got, want := h.stages("shop"), []registry.State{registry.Starting, registry.Failed, registry.Starting, registry.Ready}; !slices.Equal(got, want) {
				t.Errorf("it went through %v, not %v", got, want)
			}
		})
	})
}

func TestAStopInTheConsoleEndsAWakeAndTheNextVisitorBeginsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(12 * time.Second)
			h.Cloud.Stop(id)
			time.Sleep(6 * time.Second)
			h.want("shop", registry.Failed)
			if v := h.View(h.Named("shop")); v.Reason.Kind != "operation_failed" || !strings.Contains(h.said(), "stopped at Clever Cloud while it started") {
				t.Errorf("told: %s (%s)", v.Reason, v.Reason.Kind)
			}
			time.Sleep(time.Minute)
			h.wake("shop")
			time.Sleep(time.Minute)
			h.want("shop", registry.Ready)
			h.Cloud.Stop(id)
			time.Sleep(time.Minute)
			h.want("shop", registry.Asleep)
			h.wake("shop")
			time.Sleep(time.Minute)
			h.want("shop", registry.Ready)
		})
	})
}

func TestADeploymentThatTakesLongerThanAWakeMayIsNotOrderedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Boot: 12 * time.Minute})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(6 * time.Minute)
			h.want("shop", registry.Failed)
			for range 7 {
				h.wake("shop")
				time.Sleep(time.Minute)
			}
			h.want("shop", registry.Ready)
			if n := h.Orders(id); n != 1 {
				t.Errorf("%d orders", n)
			}
		})
	})
}

func TestADeploymentThatIsUnderWayIsNotEndedBySleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "old", Awake: true, Boot: 3 * time.Minute})
		h.lives(func() {
			time.Sleep(15*time.Minute - 10*time.Second)
			h.Push(id, "new")
			time.Sleep(30 * time.Minute)
			h.want("shop", registry.Asleep)
			h.wake("shop")
			time.Sleep(4 * time.Minute)
			if got := h.Runs(id); got != "new" {
				t.Errorf("it comes back as %q", got)
			}
		})
	})
}

package scalingo_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
)

// reviewApps are the rules of review apps that have a front and a back.
const reviewApps = `rules:
  - pattern: 'pix-app-review-pr(\d+)-(back|front)'
    linked_apps: ['pix-app-review-pr$1-front', 'pix-app-review-pr$1-back']`

func TestOneRequestWakesFrontAndBackOfItsPullRequestAlone(t *testing.T) {
	for _, asked := range []string{"front", "back"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, scalingotest.Config{})
			w.rules = reviewApps
			for _, name := range []string{"pr1-front", "pr1-back", "pr2-front", "pr2-back"} {
				w.Create("osc-fr1", "pix-app-review-"+name)
			}
			w.lives(func() {
				var visitors sync.WaitGroup
				for range 1000 {
					visitors.Go(func() { w.await("pix-app-review-pr1-"+asked, time.Minute) })
				}
				visitors.Wait()
				w.wantWithin(time.Minute, "pix-app-review-pr1-front", registry.Ready)
				w.wantWithin(time.Minute, "pix-app-review-pr1-back", registry.Ready)
				w.wantWithin(0, "pix-app-review-pr2-front", registry.Asleep)
				w.wantWithin(0, "pix-app-review-pr2-back", registry.Asleep)
				if n := w.Calls.Of(scaleCall); n != 2 {
					t.Errorf("1,000 requests gave %d orders, want one for each app", n)
				}
				time.Sleep(30 * time.Minute)
				w.wantWithin(0, "pix-app-review-pr1-front", registry.Asleep)
				w.wantWithin(0, "pix-app-review-pr1-back", registry.Asleep)
			})
		})
	}
}

// shop is an app in all its glory: web: 2 × L, worker: 1 × M, an autoscaler.
func (w *world) shop() {
	w.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 2, Size: "L"}, scalingotest.Type{Name: "worker", Amount: 1, Size: "M"}, scalingotest.Type{Name: "cron", Size: "S"})
	w.AddAutoscaler("shop", "web", 2, 4)
}

const shopsScale = "cron:0:S web:2:L worker:1:M"

// sleeps waits until the shop sleeps.
func (w *world) sleeps() {
	w.t.Helper()
	w.wantWithin(30*time.Minute, "shop", registry.Asleep)
	if got := w.Formation("shop"); got != "cron:0:S web:0:L worker:0:M" {
		w.t.Fatalf("it sleeps, scaled to %s", got)
	}
}

func TestAppComesBackAsItWasScaledWithItsAutoscaler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			time.Sleep(time.Minute)
			w.Calls.Reset()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
			if n := w.Calls.Of(scaleCall); n != 1 {
				t.Errorf("%d orders", n)
			}
			w.sleeps()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

// fateful is a store that ends Paastis once it has kept how an app is to come back.
type fateful struct {
	history.Store
	dies func()
}

func (s fateful) Save(ctx context.Context, m history.State) error {
	err := s.Store.Save(ctx, m)
	if len(m.Apps["scalingo/shop"].Resume) > 0 && s.dies != nil {
		s.dies()
	}
	return err
}

// dies runs a Paastis that is killed by what is done when it is killed.
func (w *world) dies(how func(kill func(), o *registry.Options)) {
	ctx, kill := context.WithCancel(w.t.Context())
	o := w.options()
	how(kill, &o)
	reg := registry.New(o)
	if err := reg.Load(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.reg = reg
	reg.Run(ctx)
}

func TestAppComesBackAsItWasScaledHoweverPaastisWasKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // between what is kept and the order
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.dies(func(kill func(), o *registry.Options) { o.Store = fateful{w.store, kill} })
		w.wantScale("shop", shopsScale, 1)
		w.lives(func() {
			time.Sleep(time.Minute)
			w.wantScale("shop", shopsScale, 1)
			w.sleeps()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
	synctest.Test(t, func(t *testing.T) { // between the order to sleep and its answer
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.Faults.Add(paastest.Fault{Route: scaleCall, Late: time.Minute, Times: 1})
		w.dies(func(kill func(), o *registry.Options) { time.AfterFunc(10*time.Minute+30*time.Second, kill) })
		w.lives(func() {
			w.sleeps()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestAppComesBackAsItWasScaledAlthoughPaastisWasKilledWhileItWoke(t *testing.T) {
	for _, after := range []time.Duration{500 * time.Millisecond, 5 * time.Second, 8*time.Second + 500*time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, scalingotest.Config{})
			w.shop()
			w.lives(w.sleeps)
			w.Faults.Add(paastest.Fault{Route: scaleCall, Late: time.Second, Times: 1})
			w.dies(func(kill func(), o *registry.Options) {
				time.AfterFunc(time.Second, func() {
					w.visit("shop")
					time.AfterFunc(after, kill)
				})
			})
			w.lives(func() {
				w.await("shop", 2*time.Minute)
				time.Sleep(time.Minute)
				w.wantScale("shop", shopsScale, 1)
				w.sleeps()
				w.await("shop", time.Minute)
				w.wantScale("shop", shopsScale, 1)
			})
		})
	}
}

func TestAppComesBackAsItWasScaledThoughTheStoreIsLost(t *testing.T) {
	for _, withSizes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, scalingotest.Config{WithSizes: withSizes})
			w.shop()
			w.lives(w.sleeps)
			w.store = newWorld(t, scalingotest.Config{}).store
			w.lives(func() {
				w.await("shop", time.Minute)
				w.wantScale("shop", shopsScale, 1)
				if !w.log.has("nothing is kept of an app") {
					t.Error("that nothing is kept of it is not told")
				}
			})
		})
	}
}

func TestAutoscalerThatItsOwnerTurnedOffStaysOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.Disable("shop")
		time.Sleep(time.Hour)
		w.lives(w.sleeps)
		w.store = newWorld(t, scalingotest.Config{}).store
		w.lives(func() {
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 0)
		})
	})
}

func TestAppWhoseScaleNothingTellsGetsOneWeb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.Create("osc-fr1", "shop")
		w.Create("osc-fr1", "bot", scalingotest.Type{Name: "worker", Size: "S"})
		w.lives(func() {
			w.await("shop", time.Minute)
			w.wantScale("shop", "web:1:M", 0)
			w.await("bot", time.Minute) // nobody can visit it, and it has no door to wait for
			w.wantScale("bot", "worker:1:S", 0)
			if !w.log.has("it gets one web") {
				t.Error("that nothing tells its scale is not told")
			}
		})
	})
}

func TestTypesOfTheProcfileMayGoAndComeWhileAnAppSleeps(t *testing.T) {
	for _, status := range []int{422, 404} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, scalingotest.Config{UnknownType: status})
			w.shop()
			w.lives(func() {
				w.sleeps()
				w.Deploy("shop", scalingotest.Type{Name: "web"}, scalingotest.Type{Name: "mailer", Size: "S"})
				w.await("shop", time.Minute)
				w.wantScale("shop", "mailer:0:S web:2:L", 1)
				if !w.log.has("gone=worker:1") {
					t.Error("that a type is gone is not told")
				}
			})
		})
	}
}

func TestWhatItsOwnerHasScaledAnAppToWins(t *testing.T) {
	owner := map[string]struct {
		does func(w *world)
		want string
		seen bool // only once Paastis has read of it
	}{
		"he starts it with more":            {func(w *world) { w.Scale("shop", scalingotest.Type{Name: "web", Amount: 5}) }, "cron:0:S web:5:L worker:0:M", false},
		"he starts it, with visitors there": {func(w *world) { w.Order("shop", scalingotest.Type{Name: "web", Amount: 5}) }, "cron:0:S web:5:L worker:0:M", false},
		"he gives it another size":          {func(w *world) { w.Scale("shop", scalingotest.Type{Name: "web", Size: "XL"}) }, "cron:0:S web:2:XL worker:1:M", false},
		"he starts it with more, and stops it": {func(w *world) {
			w.Scale("shop", scalingotest.Type{Name: "web", Amount: 5}, scalingotest.Type{Name: "worker", Amount: 2})
			w.Stop("shop")
		}, "cron:0:S web:5:L worker:2:M", true},
	}
	for what, he := range owner {
		for _, seen := range []time.Duration{4 * time.Second, 12 * time.Second, time.Minute} {
			if he.seen && seen < 20*time.Second {
				continue
			}
			for _, restarted := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s before a visit, restarted: %v", what, seen, restarted), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, scalingotest.Config{WithSizes: seen > 4*time.Second})
						w.shop()
						visited := func() {
							time.Sleep(seen)
							w.await("shop", time.Minute)
							time.Sleep(time.Minute)
							if got := w.Formation("shop"); got != he.want {
								t.Errorf("it is scaled to %s, want %s", got, he.want)
							}
						}
						if restarted {
							w.lives(w.sleeps)
							time.Sleep(time.Minute)
							he.does(w)
							w.lives(visited)
							return
						}
						w.lives(func() {
							w.sleeps()
							time.Sleep(time.Minute)
							he.does(w)
							visited()
						})
					})
				})
			}
		}
	}
}

func TestAppOfTheSameNameInAnotherRegionHasItsRegionInItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{Regions: []string{"osc-fr1", "osc-secnum-fr1"}})
		w.Create("osc-fr1", "shop")
		w.Create("osc-secnum-fr1", "shop")
		w.Create("osc-secnum-fr1", "vault")
		w.lives(func() {
			w.await("shop.osc-secnum-fr1", time.Minute)
			w.await("vault", time.Minute)
			w.wantWithin(0, "shop", registry.Asleep)
			if w.Status("shop.osc-fr1") != "stopped" || w.Status("shop.osc-secnum-fr1") != "running" {
				t.Error("the wrong one was woken")
			}
			if at := w.reg.Named("shop.osc-secnum-fr1").Definition().App.URL; at != "https://shop.osc-secnum-fr1.scalingo.io" {
				t.Errorf("its URL is %s", at)
			}
		})
	})
}

func TestFrontOnAnEngineAndBackAtScalingoWakeAndSleepTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.Create("osc-fr1", "back")
		engine := registrytest.NewProvider(registrytest.NewApp("front")).Call("docker", "docker")
		w.more = []provider.Provider{engine}
		w.rules = "rules: [{pattern: '^front$', linked_apps: [back]}, {pattern: '.*'}]"
		w.lives(func() {
			w.await("front", time.Minute)
			w.wantWithin(0, "back", registry.Ready)
			if w.Status("back") != "running" {
				t.Error("its back does not run")
			}
			for engine.Took() != "stop front" {
				if w.Status("back") != "running" {
					t.Fatal("back slept before front")
				}
				time.Sleep(time.Second)
			}
			w.wantWithin(15*time.Minute, "back", registry.Asleep)
		})
	})
}

func TestNameThatHasGoneToAnotherAppIsThatOnesAtOnce(t *testing.T) {
	for what, change := range map[string]func(w *world){
		"deleted and created anew": func(w *world) {
			w.Delete("shop")
			w.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Size: "S"}, scalingotest.Type{Name: "worker", Size: "S"})
		},
		"renamed, and another one is called so": func(w *world) {
			w.Rename("shop", "old")
			w.Rename("next", "shop")
		},
		"both at once": func(w *world) {
			w.Rename("next", "other")
			w.Rename("shop", "next")
			w.Rename("other", "shop")
		},
	} {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted: %v", what, restarted), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, scalingotest.Config{})
					w.shop()
					w.Create("osc-fr1", "next", scalingotest.Type{Name: "web", Size: "S"}, scalingotest.Type{Name: "worker", Size: "S"})
					visited := func() {
						time.Sleep(2 * time.Minute)
						w.await("shop", time.Minute)
						time.Sleep(time.Minute)
						w.wantScale("shop", "web:1:S worker:0:S", 0)
						if w.reg.Named("old") != nil {
							w.await("old", time.Minute)
							w.wantScale("old", shopsScale, 1)
						}
						if what == "both at once" {
							w.await("next", time.Minute)
							w.wantScale("next", shopsScale, 1)
						}
					}
					if restarted {
						w.lives(w.sleeps)
						change(w)
						w.lives(visited)
						return
					}
					w.lives(func() {
						w.sleeps()
						time.Sleep(time.Minute)
						change(w)
						visited()
					})
				})
			})
		}
	}
}

func TestWhatItsOwnerScalesAnAppToWhileTheOrderToSleepWaitsComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			time.Sleep(10*time.Minute - 30*time.Second)
			w.Faults.Add(paastest.Fault{Route: scaleCall, Status: 429, Body: "Retry later", For: time.Minute})
			time.Sleep(45 * time.Second)
			w.Scale("shop", scalingotest.Type{Name: "web", Amount: 4})
			w.sleeps()
			time.Sleep(3 * time.Minute)
			w.await("shop", time.Minute)
			time.Sleep(time.Minute)
			if got := w.Formation("shop"); got != "cron:0:S web:4:L worker:1:M" {
				t.Errorf("it comes back scaled to %s", got)
			}
		})
	})
}

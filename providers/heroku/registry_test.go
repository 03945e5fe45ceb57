package heroku_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
)

func TestARequestToFrontOrBackWakesBothAndNobodyElse(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{"front", "back"} {
		t.Run(asked, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				for _, pr := range []int{1, 2, 12} {
					for _, part := range []string{"front", "back"} {
						h.Create(herokutest.App{Name: fmt.Sprintf("review-pr%d-%s", pr, part)})
					}
				}
				o := before(t, h)
				k := o.Named("review-pr1-" + asked)
				var visitors sync.WaitGroup
				for range 1000 {
					visitors.Go(func() {
						o.Wake(k, false)
						if state := o.Await(t.Context(), k); state != registry.Ready {
							t.Errorf("a visitor is told that it is %s", state)
						}
					})
				}
				visitors.Wait()
				for name, want := range map[string]int{
					"review-pr1-front": 1, "review-pr1-back": 1, "review-pr2-front": 0, "review-pr2-back": 0, "review-pr12-front": 0, "review-pr12-back": 0,
				} {
					if got := o.orders(name); got != want || h.Runs(name) != want {
						t.Errorf("%s was scaled %d times, and has %d dynos; want %d", name, got, h.Runs(name), want)
					}
				}
				time.Sleep(20 * time.Minute)
				for _, name := range []string{"review-pr1-front", "review-pr1-back"} {
					if o.state(name) != registry.Asleep || h.Runs(name) != 0 {
						t.Errorf("unused, %s is %s, and has %d dynos", name, o.state(name), h.Runs(name))
					}
				}
			})
		})
	}
}

func TestAnAppComesBackAsItWasScaled(t *testing.T) {
	t.Parallel()
	for what, between := range map[string]func(*house) (name string){
		"by the same Paastis": func(*house) string { return "shop" },
		"by another one":      func(o *house) string { o.end(); o.begin(o.store); return "shop" },
		"after a rename": func(o *house) string {
			o.Rename("shop", "renamed")
			time.Sleep(2 * time.Minute)
			return "renamed"
		},
		"after a rename that no Paastis has seen": func(o *house) string {
			o.end()
			o.Rename("shop", "renamed")
			o.begin(o.store)
			return "renamed"
		},
		"after a deployment": func(o *house) string { o.Deploy("shop", "web", "worker", "clock"); return "shop" },
		"where types at none are not listed": func(o *house) string {
			o.DropEmptyTypes()
			o.Scale("shop", "worker", 0) // which has it lose its size
			return "shop"
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				time.Sleep(30 * time.Minute)
				o.wantFormation("shop", toNone)
				before := o.orders("shop")
				name := between(o)
				if state := o.wake(name); state != registry.Ready {
					t.Fatalf("it is %s", state)
				}
				o.wantFormation(name, scaledFormation)
				if n := o.orders(name) - before; n != 1 {
					t.Errorf("it took %d orders", n)
				}
			})
		})
	}
}

func TestAnAppComesBackThoughATypeOfItIsNoMore(t *testing.T) {
	t.Parallel()
	for what, between := range map[string]func(*herokutest.Heroku){
		"":                                   func(*herokutest.Heroku) {},
		"where types at none are not listed": (*herokutest.Heroku).DropEmptyTypes,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				between(h)
				h.Create(scaled("shop"))
				o := before(t, h)
				time.Sleep(30 * time.Minute)
				h.Deploy("shop", "web", "mailer")
				if state := o.wake("shop"); state != registry.Ready {
					t.Fatalf("it is %s", state)
				}
				o.wantFormation("shop", "web: 2 × Standard-1X, mailer: 0 × Standard-1X")
				if !o.log.has("missing=worker") {
					t.Error("nobody is told that worker is no more")
				}
			})
		})
	}
}

func TestWhatSomebodyHasScaledMeanwhileStays(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		scale func(*herokutest.Heroku)
		want  string
	}{
		"web":             {func(h *herokutest.Heroku) { h.Scale("shop", "web", 3) }, "web: 3 × Standard-1X, worker: 0 × Standard-2X, clock: 0 × Standard-1X"},
		"all":             {func(h *herokutest.Heroku) { h.Scale("shop", "web", 1); h.Scale("shop", "worker", 4) }, "web: 1 × Standard-1X, worker: 4 × Standard-2X, clock: 0 × Standard-1X"},
		"another alone":   {func(h *herokutest.Heroku) { h.Scale("shop", "clock", 1) }, "web: 2 × Standard-1X, worker: 0 × Standard-2X, clock: 1 × Standard-1X"},
		"the size of web": {func(h *herokutest.Heroku) { h.Scale("shop", "web", 0, "Performance-M") }, "web: 2 × Performance-M, worker: 1 × Standard-2X, clock: 0 × Standard-1X"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				time.Sleep(30 * time.Minute)
				c.scale(h) // nobody has looked since
				if state := o.wake("shop"); state != registry.Ready {
					t.Fatalf("it is %s", state)
				}
				o.wantFormation("shop", c.want)
				time.Sleep(10 * time.Minute)
				o.wantFormation("shop", c.want)
			})
		})
	}
}

func TestAPaastisThatDiesInTheMiddleOfAStopLosesNoScale(t *testing.T) {
	t.Parallel()
	const patch = "PATCH /apps/{app}/formation"
	for what, c := range map[string]struct {
		fault paastest.Fault
		is    string // how the app is scaled when the next Paastis begins
	}{
		"before the order":                 {paastest.Fault{Route: patch, Hang: true}, scaledFormation},
		"between the order and its answer": {paastest.Fault{Route: patch, Late: time.Hour}, toNone},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				mended := h.Faults.Add(c.fault)
				for o.state("shop") != registry.Stopping || h.Calls.Of(patch) == 0 {
					time.Sleep(time.Second)
				}
				killed := copyOf(o.store) // as it is at that moment
				o.end()
				mended()
				o.wantFormation("shop", c.is)
				o.begin(killed)
				time.Sleep(time.Minute)
				if state := o.wake("shop"); state != registry.Ready {
					t.Fatalf("it is %s", state)
				}
				o.wantFormation("shop", scaledFormation)
				time.Sleep(30 * time.Minute)
				o.wantFormation("shop", toNone)
				o.wake("shop")
				o.wantFormation("shop", scaledFormation)
			})
		})
	}
}

func TestAPaastisThatDiesInTheMiddleOfAWakeLosesNoScale(t *testing.T) {
	t.Parallel()
	const patch = "PATCH /apps/{app}/formation"
	for what, fault := range map[string]paastest.Fault{
		"before the order":                 {Route: patch, Hang: true},
		"between the order and its answer": {Route: patch, Late: time.Hour},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				time.Sleep(30 * time.Minute)
				mended, n := h.Faults.Add(fault), h.Calls.Of(patch)
				o.Wake(o.Named("shop"), false)
				for h.Calls.Of(patch) == n {
					time.Sleep(time.Second)
				}
				killed := copyOf(o.store)
				o.end()
				mended()
				o.begin(killed)
				if state := o.wake("shop"); state != registry.Ready {
					t.Fatalf("it is %s", state)
				}
				o.wantFormation("shop", scaledFormation)
			})
		})
	}
}

func TestWithNothingKeptOneWebDynoIsStartedAndThatIsSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(30 * time.Minute)
		o.end()
		o.begin(nil)
		if state := o.wake("shop"); state != registry.Ready {
			t.Fatalf("it is %s", state)
		}
		o.wantFormation("shop", "web: 1 × Standard-1X, worker: 0 × Standard-2X, clock: 0 × Standard-1X")
		if !o.log.has("nothing is kept of how the app was scaled") {
			t.Error("nobody is told")
		}
	})
}

func TestWhatItsOwnerScalesAnAppToWhileTheOrderToSleepFailsComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(14 * time.Minute)
		over := h.Faults.Add(paastest.Fault{Route: "PATCH /apps/{app}/formation", Hang: true})
		for o.state("shop") != registry.Stopping {
			time.Sleep(time.Second)
		}
		time.Sleep(30 * time.Second)
		h.Scale("shop", "web", 3)
		time.Sleep(70 * time.Second)
		over()
		time.Sleep(time.Hour)
		o.wantFormation("shop", toNone)
		if state := o.wake("shop"); state != registry.Ready {
			t.Errorf("it is %s", state)
		}
		o.wantFormation("shop", strings.Replace(scaledFormation, "web: 2", "web: 3", 1))
	})
}

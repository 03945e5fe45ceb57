package registry

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

func TestFailuresAreToldApart(t *testing.T) {
	crash := func(exit int) func(*fakeApp) { return func(a *fakeApp) { a.Crash = exit } }
	refuse := func(err error) func(*fakeApp) { return func(a *fakeApp) { a.Err = err } }
	for _, c := range []struct {
		what string
		do   func(*fakeApp)
		want Failure
		says string
	}{
		{"exits", crash(3), Failure{Kind: Ended, ExitCode: 3}, "It ended with exit code 3."},
		{"image", refuse(fmt.Errorf("fake: start: %w", provider.ErrImageMissing)), Failure{Kind: ImageMissing}, "It could not be started: its image is missing."},
		{"unreachable", refuse(fmt.Errorf("fake: start: %w", provider.ErrUnreachable)), Failure{Kind: Unreachable}, "It could not be started: its provider cannot be reached."},
		{"refused", refuse(errors.New("fake: no")), Failure{Kind: Refused}, "It could not be started: its provider refused; the log says why."},
		{"memory", func(a *fakeApp) { a.OOM = true }, Failure{Kind: OutOfMemory}, "It ran out of memory."},
		{"health", func(a *fakeApp) { a.Boot = time.Hour }, Failure{Kind: Unhealthy}, "It was not healthy within 5m0s."},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			c.do(a)
			w := live(t, "", a)
			if got := w.visit("solo-web"); got != Failed {
				t.Fatalf("%s: visitor got %s", c.what, got)
			}
			got, failed := w.Failure(w.Named("solo-web"))
			if !failed || got.Kind != c.want.Kind || got.Reason.String() != c.says || got.ExitCode != c.want.ExitCode || got.At.IsZero() {
				t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
			}
		})
	}
}

func TestALinkedAppThatFailedIsAFailureOfItsOwnKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		apps[2].Crash = 3
		w := live(t, "", apps...)
		w.visit("shop-front")
		for name, want := range map[string]FailureKind{"shop-front": NeedFailed, "shop-back": NeedFailed, "shop-db": Ended} {
			if got, _ := w.Failure(w.keeperOf(name)); got.Kind != want {
				t.Errorf("%s: %s, want %s", name, got.Kind, want)
			}
		}
	})
}

// TestACrashLoopOfTheProvidersOwnIsEnded plays a container that Docker restarts.
func TestACrashLoopOfTheProvidersOwnIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Boot, a.Crash, a.Restarts = 50*time.Millisecond, 7, true
		w := liveMetered(t, "", false, a)
		a.logs = []string{"no config"}
		began := time.Now()
		if got := w.visit("solo-web"); got != Failed {
			t.Fatalf("visitor got %s", got)
		}
		for time.Since(began) < time.Minute {
			w.Wake(w.Named("solo-web"), false)
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(w.Started("solo-web")); n > 5 {
			t.Errorf("%d starts in the first minute", n)
		}
		got, _ := w.Failure(w.Named("solo-web"))
		if got.Kind != CrashLoop || got.ExitCode != 7 || !slices.Equal(got.Logs, []string{"no config"}) {
			t.Errorf("failure: %+v", got)
		}

		w.set(func() { a.Crash = 0 })
		w.Wake(w.Named("solo-web"), true)
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestAnAppThatNeedsAFewAttemptsIsNoCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Boot, a.Crash, a.Restarts = time.Second, 1, true
		w := live(t, "", a)
		time.AfterFunc(3*time.Second, func() { w.set(func() { a.Crash = 0 }) })
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
	})
}

func TestVisitorsReadLogsOnlyWhereAllowed(t *testing.T) {
	for allowed, want := range map[string][]string{"false": nil, "true": {"cannot open /data"}} {
		synctest.Test(t, func(t *testing.T) {
			a := solo().label("paastis.show_logs", allowed)
			a.Crash, a.logs = 1, []string{"cannot open /data"}
			w := liveMetered(t, "", false, a)
			w.visit("solo-web")
			synctest.Wait()
			if got := w.View(w.Named("solo-web")).Logs; !slices.Equal(got, want) {
				t.Errorf("show_logs %s: %q", allowed, got)
			}
			if f, _ := w.Failure(w.Named("solo-web")); len(f.Logs) != 1 {
				t.Errorf("admins read %q", f.Logs)
			}
		})
	}
}

func TestAnAppWithOldRestartsIsNotStoppedWhenPaastisStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().awake()
		a.Instances[0].Restarts = 57 // over months
		w := live(t, "", a)
		time.Sleep(time.Second)
		w.wantCalls("")
		w.wantState("solo-web", Ready)
	})
}

func TestAnAppThatEndsRightAfterItIsReadyIsNotStartedAgainAndAgain(t *testing.T) {
	for _, exit := range []int{0, 137} {
		t.Run(fmt.Sprint(exit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := solo()
				a.Boot, a.NoHealth, a.Crash, a.Job = 500*time.Millisecond, true, exit, true
				w := live(t, "", a)
				for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(400 * time.Millisecond) {
					w.Wake(w.Named("solo-web"), false)
				}
				if n := len(w.Started("solo-web")); n > 5 {
					t.Errorf("exit %d: %d starts in the first minute", exit, n)
				}
			})
		})
	}
}

func TestFailuresOfLongAgoDoNotSpaceTheNextRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Crash = 1
		w := live(t, "", a)
		for range 6 {
			w.visit("solo-web")
			time.Sleep(2 * time.Minute)
		}
		w.set(func() { a.Crash = 0 })
		if got := w.visit("solo-web"); got != Ready {
			t.Fatal(got)
		}
		time.Sleep(30 * 24 * time.Hour)
		w.wantState("solo-web", Asleep)
		w.set(func() { a.Crash = 1 })
		w.visit("solo-web")
		w.set(func() { a.Crash = 0 })
		time.Sleep(firstRetry)
		if got := w.visit("solo-web"); got != Ready {
			k := w.Named("solo-web")
			t.Errorf("visitor got %s, retry in %s", got, time.Until(k.failures.retryAt))
		}
	})
}

func TestOneLoopingInstanceDoesNotStopTheAppThatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().awake()
		a.Instances = append(a.Instances, inventory.Instance{Name: "solo-web-2", ID: "id2", Status: inventory.Running, Health: inventory.Healthy})
		w := live(t, "", a)
		for range 10 {
			w.change("solo-web", func(i *inventory.Instance) { i.Status, i.Restarts = inventory.Restarting, i.Restarts+1 })
			time.Sleep(time.Second)
			if !w.Named("solo-web").Pass(time.Now()) {
				break
			}
			w.change("solo-web", func(i *inventory.Instance) { i.Status = inventory.Running })
			time.Sleep(time.Second)
		}
		w.wantCalls("")
	})
}

func TestOwnStartsAndTheProvidersTogetherAreFiveInAMinute(t *testing.T) {
	for _, max := range []int{1, 2} {
		t.Run(fmt.Sprint(max), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := solo()
				a.Boot, a.Crash, a.Restarts = 50*time.Millisecond, 7, true
				a.MaxRestarts = max
				w := live(t, "", a)
				for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(400 * time.Millisecond) {
					w.Wake(w.Named("solo-web"), false)
				}
				if n := len(w.Started("solo-web")); n > 5 {
					t.Errorf("on-failure:%d: %d starts in the first minute", max, n)
				}
			})
		})
	}
}

func TestACrashLoopWhoseStopFailsIsStoppedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Boot, a.Crash, a.Restarts = 50*time.Millisecond, 7, true
		a.StopErr = errors.New("no")
		w := live(t, "", a)
		w.visit("solo-web")
		w.set(func() { a.StopErr = nil })
		time.Sleep(5 * time.Minute)
		t.Logf("starts after 5 min: %d, calls %s, state %s", len(w.Started("solo-web")), w.took(), w.View(w.Named("solo-web")).State)
		if n := len(w.Started("solo-web")); n > 20 {
			t.Errorf("%d starts: nobody stops the loop", n)
		}
	})
}

//go:build !race

// Whole days of five hundred apps: they take minutes under the race detector, to which the same code
// is shown by all other tests. `make unit` runs them without it.

package scalingo_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
)

// apiCalls are what counts against the limit of an account.
func apiCalls(log []paastest.Call) (perMinute map[time.Time]int, most int) {
	perMinute = map[time.Time]int{}
	var times []time.Time
	for _, call := range log {
		if strings.Contains(call.Route, "tokens") || strings.Contains(call.Route, "regions") {
			continue
		}
		perMinute[call.At.Truncate(time.Minute)]++
		times = append(times, call.At)
	}
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	return perMinute, most
}

// wantWithinLimit wants no minute with more than 55 calls, wherever it begins, and no call that was
// answered as one too many.
func (w *world) wantWithinLimit(what string) {
	w.t.Helper()
	log := w.Calls.Log()
	perMinute, most := apiCalls(log)
	total := 0
	for _, n := range perMinute {
		total += n
	}
	w.t.Logf("%s: %d calls, %.1f a minute on average of those with any, %d at most", what, total, float64(total)/float64(max(1, len(perMinute))), most)
	if most > 55 {
		w.t.Errorf("%d calls within a minute", most)
	}
	for _, call := range log {
		if call.Status == 429 {
			w.t.Errorf("%s was answered 429 at %s", call.Path, call.At)
			return
		}
	}
}

func TestCallsOfADayWith500AppsAreWithinTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.limit = "15m"
		names := w.fleetOf(500)
		rng := rand.New(rand.NewPCG(13, 9))
		w.lives(func() {
			time.Sleep(time.Hour)
			w.Calls.Reset()
			for range 8 * 60 { // a minute of a working day each
				for range rng.IntN(3) {
					w.visit(names[rng.IntN(len(names))])
				}
				time.Sleep(time.Minute)
			}
			w.wantWithinLimit("a working day of 500 apps, a visit a minute")
			time.Sleep(time.Hour)
			for _, name := range names {
				if w.Status(name) != "stopped" {
					t.Errorf("%s is %s at night", name, w.Status(name))
				}
			}
			w.Calls.Reset()
			time.Sleep(2 * time.Hour)
			w.wantWithinLimit("the night after")
		})
	})
}

func TestAllOf500AppsWakeInTheMorning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.rules = "rules: [{pattern: '.*', max_idle_time: 90m, max_concurrent_starts: 0}]"
		names := w.fleetOf(500)
		for _, name := range names {
			w.Start(name)
		}
		w.lives(func() {
			time.Sleep(90 * time.Minute)
			idle := time.Now()
			for _, name := range names {
				w.wantWithin(2*time.Hour-time.Since(idle), name, registry.Asleep)
			}
			t.Logf("the last of 500 slept after %.0f minutes", time.Since(idle).Minutes())
			w.wantWithinLimit("500 apps are put to sleep")
			w.Calls.Reset()
			began := time.Now()
			for _, name := range names {
				w.visit(name)
			}
			time.Sleep(time.Minute)
			view := w.reg.View(w.reg.Named(names[len(names)-1]))
			if view.State != registry.Starting || view.Reason.Place < 100 {
				t.Errorf("the last visitor is told %s, %+v", view.State, view.Reason)
			}
			for _, name := range names {
				w.wantWithin(time.Hour-time.Since(began), name, registry.Ready)
			}
			took := time.Since(began)
			w.wantWithinLimit("500 apps wake at once")
			boot := (1 + 8) * time.Second
			t.Logf("the last of 500 was up after %.1f minutes; with 5 at once that boot for %s the floor is %.1f, with 55 calls a minute %.1f",
				took.Minutes(), boot, (500 / 5 * boot).Minutes(), 500.0/55)
			if took > 17*time.Minute {
				t.Errorf("it took %s", took)
			}
			if n := w.Calls.Of(scaleCall); n != 500 {
				t.Errorf("%d orders", n)
			}
			time.Sleep(time.Hour)
			w.wantWithinLimit("and the hour after")
		})
	})
}

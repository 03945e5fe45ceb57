//go:build !race

// Whole days of five hundred apps: they take minutes under the race detector, to which the same code
// is shown by all other tests. `make unit` runs them without it.

package heroku_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/registry"
)

// many creates so many review apps, a front and a back each, of which every tenth runs.
func many(h *herokutest.Heroku, apps int) (names []string) {
	for n := range apps {
		a := herokutest.App{Name: fmt.Sprintf("review-pr%d-%s", n/2, []string{"front", "back"}[n%2]), Boot: 12 * time.Second}
		if n/2%10 == 0 {
			a.Formation = []herokutest.Type{{Name: "web", Quantity: 1}, {Name: "worker", Quantity: 1}}
		}
		h.Create(a)
		names = append(names, a.Name)
	}
	return names
}

func TestFiveHundredAppsOfSomeHoursStayWithinTheQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		names := many(h, 500)
		o := before(t, h)
		if left := h.Remaining(); left < 4500-1500 {
			t.Errorf("the first look leaves %d calls", left)
		}
		time.Sleep(2 * time.Minute)
		for _, name := range names[:2] {
			if o.state(name) != registry.Ready {
				t.Errorf("%s runs, and is %s", name, o.state(name))
			}
		}
		least, chance := h.Remaining(), rand.New(rand.NewPCG(1, 2))
		h.Calls.Reset()
		for range 2 * 60 { // minutes; each app is woken once in them, with the other of its pair
			for range 1 + chance.IntN(2) {
				o.Wake(o.Named(names[chance.IntN(len(names))]), false)
			}
			time.Sleep(time.Minute)
			least = min(least, h.Remaining())
		}
		calls := h.Calls.Of()
		t.Logf("%d calls in 2 hours, %.1f a minute, %d in the busiest, never fewer than %d left", calls, float64(calls)/120, h.Calls.Peak(), least)
		if calls > 120*75 || least < 1000 {
			t.Errorf("%d calls in 2 hours, and %d left at worst", calls, least)
		}
		if audits := h.Calls.Peak("GET /apps"); audits > 2 {
			t.Errorf("all apps are listed %d times a minute", audits)
		}
	})
}

func TestFiveHundredAppsAreWokenAtOnceWithinTheQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		names := many(h, 500)
		o := before(t, h)
		o.Reload(o.settings("max_concurrent_starts: 50"))
		time.Sleep(time.Hour)
		h.Calls.Reset()
		began := time.Now()
		for _, name := range names {
			o.Wake(o.Named(name), false)
		}
		last := time.Duration(0)
		for range 60 * 6 {
			time.Sleep(10 * time.Second)
			ready := 0
			for _, name := range names {
				if o.Detail(o.Named(name)).State == registry.Ready {
					ready++
				}
			}
			if ready == len(names) {
				last = time.Since(began)
				break
			}
		}
		t.Logf("all are up after %s, by %d calls; %d are left", last, h.Calls.Of(), h.Remaining())
		if last == 0 || last > 10*time.Minute {
			t.Errorf("the last is up after %s", last)
		}
		for _, call := range h.Calls.Log() {
			if call.Status >= 400 {
				t.Fatalf("%s %s: %d", call.Method, call.Path, call.Status)
			}
		}
		for _, name := range names {
			if n := o.orders(name); n > 2 {
				t.Errorf("%s was scaled %d times", name, n)
			}
		}
	})
}

func TestFewCallsLeftAreKeptForWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		names := many(h, 100)
		o := before(t, h)
		time.Sleep(time.Hour)
		h.Spend(h.Remaining() - 500) // its CI has a bad day
		time.Sleep(time.Minute)
		h.Calls.Reset()
		time.Sleep(5 * time.Minute)
		if n := h.Calls.Of(); n > 15 {
			t.Errorf("%d calls in 5 minutes, for nobody", n)
		}
		if state := o.wake(names[40]); state != registry.Ready {
			t.Errorf("asked for, an app is %s: %s", state, o.failure(names[40]))
		}
		time.Sleep(30 * time.Minute)
		h.Calls.Reset()
		time.Sleep(10 * time.Minute)
		if n := h.Calls.Of("GET /apps/{app}/dynos"); n < 100 {
			t.Errorf("with enough left again, %d looks in 10 minutes", n)
		}
	})
}

func TestAllPagesOfALargeAccountAreRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		many(h, 2100)
		report, err := connect(t, h).List(t.Context())
		if err != nil || len(report.Apps) != 2100 {
			t.Errorf("%d apps: %v", len(report.Apps), err)
		}
		if n := h.Calls.Of("GET /apps"); n != 3 {
			t.Errorf("by %d calls", n)
		}
	})
}

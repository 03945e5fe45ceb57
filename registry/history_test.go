package registry

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
)

func TestAPageKnowsHowLongAnAppUsuallyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Boot = 12 * time.Second
		w := live(t, "", a)
		if v := w.View(w.Named("solo-web")); v.Usual != 0 || !v.Began.IsZero() {
			t.Errorf("before any wake it is said to take %s since %s", v.Usual, v.Began)
		}
		asked := time.Now()
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(5 * time.Second)
		if v := w.View(w.Named("solo-web")); !v.Began.Equal(asked) {
			t.Errorf("the way up began at %s, not %s", v.Began, asked)
		}
		time.Sleep(time.Minute)
		if v := w.View(w.Named("solo-web")); v.Usual < a.Boot || v.Usual > a.Boot+5*time.Second || !v.Began.IsZero() {
			t.Errorf("an app that boots for %s is said to take %s; on its way since %s", a.Boot, v.Usual, v.Began)
		}
	})
}

// lived are spans as short texts, from the first one's beginning.
func lived(spans []history.Span) (texts []string) {
	for i, s := range spans {
		if i > 0 && !s.From.Equal(spans[i-1].To) {
			texts = append(texts, "gap")
		}
		texts = append(texts, fmt.Sprintf("%s %s", s.State, s.To.Sub(s.From).Round(time.Minute)))
	}
	return texts
}

func (w *world) wantLived(name string, from time.Time, want ...string) {
	w.t.Helper()
	if got := lived(w.History(w.keeperOf(name), from)); !slices.Equal(got, want) {
		w.t.Errorf("%s lived %q, want %q", name, got, want)
	}
}

func TestHistoryTellsWhenAnAppWasAwakeAndWhatIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := live(t, "", solo())
		time.Sleep(time.Hour)
		w.visit("solo-web")
		time.Sleep(2 * time.Hour)
		w.wantLived("solo-web", began.Add(-time.Hour), "unknown 1h0m0s", "asleep 1h0m0s", "awake 10m0s", "asleep 1h50m0s")
		w.wantLived("solo-web", began.Add(90*time.Minute), "asleep 1h30m0s")
		w.wantLived("solo-web", time.Now().Add(time.Minute))
		d := w.Detail(w.Named("solo-web"))
		if got := d.Saved.Day.Asleep.Round(time.Minute); got != 170*time.Minute {
			t.Errorf("it slept for %s", got)
		}
		if d.Saved.Day.MemoryKnown || d.Saved.Day.MemoryByteSeconds != 0 {
			t.Error("its memory is said to be known")
		}
	})
}

func TestAnAppThatFailsIsNeitherAsleepNorAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Crash = 1
		began := time.Now()
		w := live(t, "", a)
		time.Sleep(time.Hour)
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.wantLived("solo-web", began, "asleep 1h0m0s", "awake 0s", "failed 1h0m0s")
	})
}

func TestWhileAnAppIsNotManagedNothingIsKnownOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := live(t, "", service("other", "one"))
		time.Sleep(time.Hour)
		w.Reload(settingsFor(t, "rules: [{pattern: other}]"))
		time.Sleep(time.Hour)
		w.Reload(settingsFor(t, ""))
		time.Sleep(time.Hour)
		w.wantLived("other-one", began, "unknown 1h0m0s", "asleep 1h0m0s", "unknown 1h0m0s")
	})
}

func TestWhatIsSavedIsTheMemoryThatTheAppTookByTheTimeThatItSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.memory = 100e6
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(40 * 24 * time.Hour)
		d := w.Detail(w.Named("solo-web"))
		if d.Memory != 100e6 || !d.Saved.Month.MemoryKnown {
			t.Fatalf("its memory is %d", d.Memory)
		}
		if day, month := d.Saved.Day, d.Saved.Month; day.Asleep != 24*time.Hour || day.MemoryByteSeconds != 24*3600*100e6 || month.Asleep != 30*24*time.Hour {
			t.Errorf("saved: %+v", d.Saved)
		}
		w.wantLived("solo-web", time.Time{}, "asleep 720h0m0s")
	})
}

func TestMemoryIsAskedForOnceAWakeAndOnlyBeforeAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.connections = 1
		f := newFake(a)
		m := &weighing{metered: metered{f, true}}
		w := liveOn(t, f, Options{Providers: []provider.Provider{m}, Settings: settingsFor(t, "")})
		w.visit("solo-web")
		time.Sleep(9*time.Minute + 59*time.Second)
		if n := m.asked.Load(); n != 0 {
			t.Errorf("asked %d times in its idle time", n)
		}
		time.Sleep(time.Hour) // it stays awake
		w.set(func() { a.connections = 0 })
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
		if n := m.asked.Load(); n != 1 {
			t.Errorf("asked %d times in a wake", n)
		}
	})
}

// weighing counts how often it is asked for memory.
type weighing struct {
	metered
	asked atomic.Int32
}

func (m *weighing) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	if want.Memory {
		m.asked.Add(1)
	}
	return m.metered.Measure(ctx, name, want)
}

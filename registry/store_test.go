package registry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// shelf is a store in memory.
type shelf struct {
	mu    sync.Mutex
	kept  history.State
	saves int
	err   error
}

func (s *shelf) Load(context.Context) (history.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return history.State{Saved: s.kept.Saved, Apps: maps.Clone(s.kept.Apps), Marks: s.kept.Marks}, s.err
}

func (s *shelf) Save(_ context.Context, m history.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	if s.err == nil {
		s.kept = m
	}
	return s.err
}

// fail lets Save fail from now on; nil: not any more.
func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) saved() (n int) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	n, s.saves = s.saves, 0
	return n
}

// lives runs a registry with the store for as long as do takes.
func (s *shelf) lives(t *testing.T, p provider.Provider, do func(r *Registry)) {
	t.Helper()
	runs(t, p, Options{Settings: settingsFor(t, ""), Store: s, Log: slog.New(slog.DiscardHandler)}, do)
}

func TestWhatIsKnownOfAnAppOutlivesPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a := &shelf{}, solo()
		a.memory = 5e6
		p := metered{newFake(a), true}
		began := time.Now()
		var used time.Time
		s.lives(t, p, func(r *Registry) {
			w := &world{Registry: r, fake: p.fake, t: t}
			time.Sleep(time.Hour)
			w.visit("solo-web")
			used = time.Now()
			time.Sleep(time.Hour)
			r.Pin(r.Named("solo-web"), began.Add(24*time.Hour))
		})
		time.Sleep(3 * time.Hour)
		s.lives(t, p, func(r *Registry) {
			w := &world{Registry: r, fake: p.fake, t: t}
			time.Sleep(30 * time.Minute)
			w.wantLived("solo-web", began, "asleep 1h0m0s", "awake 10m0s", "asleep 50m0s", "unknown 3h0m0s", "asleep 30m0s")
			d := w.detail("solo-web")
			if d.Memory != 5e6 || !d.LastActivity.Equal(used) || !d.PinnedUntil.Equal(began.Add(24*time.Hour)) || len(d.Wakes) != 1 || d.UsualWake == 0 {
				t.Errorf("it remembers %+v", d)
			}
			if got := d.Saved.Month.Asleep.Round(time.Minute); got != 140*time.Minute {
				t.Errorf("it slept for %s", got)
			}
		})
	})
}

func TestAFormerUseDoesNotShortenTheIdleTimeOfAnAppThatIsFoundRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := &shelf{}, newFake(solo())
		s.lives(t, f, func(r *Registry) {
			(&world{Registry: r, fake: f, t: t}).visit("solo-web")
			time.Sleep(9 * time.Minute)
		})
		time.Sleep(24 * time.Hour)
		f.took()
		s.lives(t, f, func(r *Registry) {
			w := &world{Registry: r, fake: f, t: t}
			time.Sleep(9*time.Minute + 55*time.Second)
			w.wantCalls("")
			time.Sleep(10 * time.Second)
			w.wantCalls("stop solo-web")
		})
	})
}

func TestItIsSavedAtMostEachHalfMinuteAndWhenPaastisEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := &shelf{}, newFake(solo())
		s.lives(t, f, func(r *Registry) {
			w := &world{Registry: r, fake: f, t: t}
			time.Sleep(time.Minute)
			s.saved()
			for range 60 {
				r.Pin(r.Named("solo-web"), time.Now().Add(time.Hour))
				time.Sleep(time.Second)
			}
			if n := s.saved(); n != 2 {
				t.Errorf("saved %d times in a minute in which much changed", n)
			}
			time.Sleep(time.Minute)
			s.saved()
			time.Sleep(10 * time.Minute)
			if n := s.saved(); n > 1 {
				t.Errorf("saved %d times while nothing changed", n)
			}
			w.visit("solo-web")
			time.Sleep(time.Minute)
			s.saved()
			w.visit("solo-web") // no state changes
			time.Sleep(time.Minute)
			if n := s.saved(); n != 1 {
				t.Errorf("saved %d times after a request", n)
			}
		})
		if n := s.saved(); n != 1 {
			t.Errorf("saved %d times at the end", n)
		}
	})
}

func TestAnAppThatComesBackHasItsPastAndOneThatWasGoneForAMonthHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(solo())
		w := liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, "")})
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.takeAway("solo-web")
		time.Sleep(time.Hour)
		w.add(solo())
		if got := w.detail("solo-web").Wakes; len(got) != 1 {
			t.Errorf("after an hour it remembers %d wakes", len(got))
		}
		w.wantLived("solo-web", time.Now().Add(-time.Hour), "unknown 1h0m0s", "asleep 0s")
		w.takeAway("solo-web")
		time.Sleep(31 * 24 * time.Hour)
		if m := w.saver.state(time.Now()); len(m.Apps) != 0 {
			t.Errorf("after a month it remembers %v", slices.Sorted(maps.Keys(m.Apps)))
		}
	})
}

func TestAStoreThatFailsIsToldOnceAndPaastisGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFake(solo()), &shelf{err: errors.New("disk full")}
		var log bytes.Buffer
		r := New(Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Store: s, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Probe: func(context.Context, inventory.Target) error { return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.Load(ctx); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		time.Sleep(10 * time.Minute)
		cancel()
		<-done
		if n := strings.Count(log.String(), "disk full"); n != 2 { // loaded, saved
			t.Errorf("told %d times:\n%s", n, log.String())
		}
	})
}

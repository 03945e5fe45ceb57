package registry

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// heard is a log that keeps what is warned of.
type heard struct {
	slog.Handler
	lines *[]string
}

func (h heard) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		*h.lines = append(*h.lines, r.Message)
	}
	return h.Handler.Handle(ctx, r)
}

// liveHeard is live, and returns what is warned of.
func liveHeard(t *testing.T, apps ...*fakeApp) (*world, *[]string) {
	t.Helper()
	f, lines := newFake(apps...), new([]string)
	r, stop := begin(t, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Log: slog.New(heard{slog.NewTextHandler(t.Output(), nil), lines})})
	t.Cleanup(stop)
	return &world{Registry: r, fake: f, t: t}, lines
}

func TestASleepingAppThatIsRemovedIsWarnedOf(t *testing.T) {
	for what, c := range map[string]struct {
		before func(w *world)
		after  func(w *world)
		want   bool
	}{
		"pruned": {want: true},
		"deployed anew": {after: func(w *world) {
			time.Sleep(2 * time.Second)
			w.add(service("shop", "web").routed("shop.test"))
		}},
		"removed while it ran": {before: func(w *world) { w.visit("shop-web") }},
		"renamed": {before: func(w *world) {
			a := service("shop", "new").routed("shop.test")
			a.Instances[0].ID = "shop-web-id1"
			w.add(a)
		}},
		"stopped and removed by its owner": {before: func(w *world) {
			w.visit("shop-web")
			w.stopByHand("shop-web")
		}},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, warnings := liveHeard(t, service("shop", "web").routed("shop.test"), service("shop", "db"))
				if c.before != nil {
					c.before(w)
				}
				w.takeAway("shop-web")
				if c.after != nil {
					c.after(w)
				}
				time.Sleep(removedSettles + time.Second)
				synctest.Wait()
				if said := strings.Join(*warnings, "\n"); strings.Contains(said, "was removed while it slept") != c.want || c.want && !strings.Contains(said, "stop_method: pause") {
					t.Errorf("warnings: %q", said)
				}
			})
		})
	}
}

func TestAPruneIsRememberedForCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := new(shelf), newFake(service("shop", "web").routed("shop.test"))
		store.lives(t, f, func(*Registry) { f.takeAway("shop-web") })
		if store.kept.Apps["fake/shop-web"].RemovedAsleep.IsZero() {
			t.Errorf("remembered: %+v", store.kept.Apps)
		}
		f.put(service("shop", "web").routed("shop.test"))
		store.lives(t, f, func(*Registry) {})
		if !store.kept.Apps["fake/shop-web"].RemovedAsleep.IsZero() {
			t.Error("an app that is there again counts as removed")
		}
	})
}

func TestPinAndHistoryStayWithAnAppUnderAnotherName(t *testing.T) {
	coolify := func(name string) *fakeApp {
		return service("abc", name).routed("shop.test").label("coolify.applicationId", "5").label("coolify.pullRequestId", "0").
			label("coolify.name", name).label("com.docker.compose.service", name)
	}
	labelled := func(name string) *fakeApp {
		return service("abc", name).routed("shop.test").label("paastis.id", "shop")
	}
	renamed := func(name string) *fakeApp {
		a := service("abc", name).routed("shop.test")
		a.Instances[0].ID = "the same"
		return a
	}
	for what, c := range map[string]struct {
		app  func(name string) *fakeApp
		want bool
	}{
		"labelled":    {labelled, true},
		"by Coolify":  {coolify, true},
		"renamed":     {renamed, true},
		"another app": {func(name string) *fakeApp { return service("abc", name).routed("shop.test") }, false},
	} {
		for order, newFirst := range map[string]bool{"the new one first": true, "the old one first": false} {
			t.Run(what+", "+order, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if what == "renamed" && !newFirst {
						return // both happens at once
					}
					w, warnings := liveHeard(t, c.app("one"), service("shop", "db"))
					w.visit("abc-one")
					until := time.Now().Add(time.Hour)
					w.Pin(w.Named("abc-one"), until)
					switch {
					case newFirst:
						w.add(c.app("two"))
						w.takeAway("abc-one")
					default:
						w.takeAway("abc-one")
						w.add(c.app("two"))
					}
					d := w.Detail(w.Named("abc-two"))
					if got := d.PinnedUntil.Equal(until) && len(d.Wakes) == 1; got != c.want {
						t.Errorf("pinned until %s, %d wakes", d.PinnedUntil, len(d.Wakes))
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					if said := strings.Join(*warnings, "\n"); strings.Contains(said, "removed") {
						t.Errorf("warnings: %q", said)
					}
				})
			})
		}
	}
}

func TestWhoWaitsForAnAppGetsItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("shop", "web").routed("shop.test")
		a.Boot = 5 * time.Second
		w := live(t, "", a)
		k := w.Named("shop-web")
		w.Wake(k, false)
		time.AfterFunc(2*time.Second, func() { w.takeAway("shop-web") })
		time.AfterFunc(6*time.Second, func() { w.add(service("shop", "web").routed("shop.test")) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		w.Await(ctx, k)
		next := w.Successor(k)
		if waited := time.Since(began); next == k || waited != 6*time.Second {
			t.Fatalf("after %s it has no successor", waited)
		}
		w.Wake(next, false)
		if got := w.Await(ctx, next); got != Ready {
			t.Errorf("who waits gets %s", got)
		}
	})
}

func TestWhoWaitsForAnAppThatStaysAwayIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("shop", "web").routed("shop.test")
		a.Boot = 5 * time.Second
		w := live(t, "", a)
		k := w.Named("shop-web")
		w.Wake(k, false)
		time.Sleep(time.Second)
		w.takeAway("shop-web")
		began := time.Now()
		if got := w.Await(t.Context(), k); got != Failed || time.Since(began) != updateMoment {
			t.Errorf("got %s after %s", got, time.Since(began))
		}
	})
}

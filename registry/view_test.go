package registry

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

func TestWhoShowsAnAppHearsOfEachStepAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front", "back").routed("front.test"), service("shop", "back", "db"), service("shop", "db"))
		k := w.keeperOf("shop-front")
		seen := w.View(k)
		began := time.Now()
		w.Wake(k, false)
		var got []string
		for changed := true; seen.State != Ready; {
			if seen, changed = w.ViewAfter(t.Context(), k, seen); !changed {
				t.Fatal("the same again")
			}
			got = append(got, fmt.Sprintf("%s after %s", picture(seen), time.Since(began)))
		}
		for _, want := range []string{
			"starting [healthy starting] after 1s", "starting [healthy healthy] after 2s", "ready [healthy healthy] after 3s",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("%q is not among %q", want, got)
			}
		}
	})
}

// picture is a view in short.
func picture(v View) string {
	var steps []Progress
	for _, s := range v.Steps {
		steps = append(steps, s.Progress)
	}
	return fmt.Sprint(v.State, " ", steps)
}

func TestWhoShowsAnAppWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front").routed("front.test"))
		k := w.keeperOf("shop-front")
		seen := w.View(k)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if _, changed := w.ViewAfter(ctx, k, seen); changed || time.Since(began) != 3*time.Second {
			t.Errorf("changed: %t, after %s", changed, time.Since(began))
		}
		seen.Reason = reason.Reason{Kind: reason.Missing}
		if v, changed := w.ViewAfter(ctx, k, seen); !changed || v.Reason.Kind != "" {
			t.Errorf("changed: %t, %+v", changed, v)
		}
	})
}

func TestNoChangeOfAPictureIsLeftToChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := service("shop", "front", "back", "cache?", "seed:completed", "far").routed("front.test")
		seed, cache, db := service("shop", "seed"), service("shop", "cache"), service("shop", "db")
		seed.Job, cache.Crash = true, 3
		far := service("far", "far").label("paastis.enable", "true")
		db.Ordering, front.Ordering, seed.Ordering, far.Ordering = time.Second, time.Second, time.Second, time.Second
		front.Links = append(front.Links, rules.Link{Name: "far-far"})
		w := live(t, "rules: [{pattern: '.*', max_concurrent_starts: 1}]",
			front, service("shop", "back", "db"), db, seed, cache, far,
			service("blog", "web").routed("blog.test"))
		last, checkFor := following(t, w, "shop-front")
		w.Wake(w.Named("blog-web"), false)
		w.Wake(w.Named("shop-front"), false)
		checkFor(15 * time.Second)
		w.change("shop-db", func(i *inventory.Instance) { i.Health = inventory.Unhealthy })
		checkFor(time.Second)
		w.change("shop-db", func(i *inventory.Instance) { i.Status, i.Health, i.ExitCode = inventory.Exited, inventory.NoHealth, 1 })
		checkFor(time.Second)
		w.takeAway("far-far")
		checkFor(time.Second)
		w.Wake(w.Named("shop-front"), true)
		checkFor(10 * time.Second)
		w.add(service("far", "far").label("paastis.enable", "true"))
		checkFor(time.Second)
		w.Reload(settingsFor(t, "rules: [{pattern: 'shop-front', linked_apps: [blog-web, shop-back]}]"))
		checkFor(time.Second)
		checkFor(11 * time.Minute) // and to sleep
		if got := last.Load().State; got != Asleep {
			t.Errorf("it is %s", got)
		}
		w.Wake(w.Named("shop-db"), false) // by itself
		checkFor(5 * time.Second)
	})
}

func TestWhoWaitsInAQueueHearsHowLongItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := []*fakeApp{service("last", "web").routed("last.test").label("paastis.max_concurrent_starts", "1")}
		for i, name := range []string{"a", "b", "c"} {
			a := service(name, "web").routed(name + ".test")
			a.Boot, a.Ordering = time.Duration(i+3)*time.Second, 300*time.Millisecond
			apps = append(apps, a)
		}
		apps[0].Ordering = 300 * time.Millisecond
		w := live(t, "", apps...)
		last, checkFor := following(t, w, "last-web")
		for _, name := range []string{"a-web", "b-web", "c-web", "last-web"} {
			w.Wake(w.Named(name), false)
		}
		checkFor(4 * time.Second)
		if got := last.Load().Reason.String(); got != "It waits for its turn: number 1 in the queue, 2 other apps on the way up." {
			t.Errorf("told %q", got)
		}
		checkFor(5 * time.Second)
	})
}

// following is the last picture of an app that somebody who shows it was told, and a check
// that for some time this is what it looks like.
func following(t *testing.T, w *world, name string) (*atomic.Pointer[View], func(time.Duration)) {
	t.Helper()
	last := &atomic.Pointer[View]{}
	seen := w.View(w.keeperOf(name))
	last.Store(&seen)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func(k *Keeper) {
		defer close(done)
		for ctx.Err() == nil {
			v, _ := w.ViewAfter(ctx, k, *last.Load())
			last.Store(&v)
		}
	}(w.keeperOf(name))
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return last, func(d time.Duration) {
		t.Helper()
		for range d / (50 * time.Millisecond) {
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			if is, told := w.View(w.keeperOf(name)), last.Load(); !is.equal(*told) {
				t.Fatalf("told\n%+v\nbut it is\n%+v", *told, is)
			}
		}
	}
}

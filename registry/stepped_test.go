package registry

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// wantFiled checks that each pass looks at the apps that may move, and at no other. Every
// test's world is checked at its end.
func (w *world) wantFiled() {
	w.t.Helper()
	w.Registry.mu.Lock()
	defer w.Registry.mu.Unlock()
	var want []string
	for _, e := range w.Inventory().Definitions {
		if !KeeperOf(e).rests() {
			want = append(want, e.Name)
		}
	}
	if got := w.movingNames(); !slices.Equal(got, want) {
		w.t.Errorf("passes look at %q, want %q", got, want)
	}
}

// movingNames are the apps that a pass looks at. Called with the lock held.
func (w *world) movingNames() (names []string) {
	for _, k := range w.keepers.stepped {
		names = append(names, k.Name())
	}
	return names
}

func TestPassesLookAtNoAppThatSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "rules: [{pattern: '^shop-'}]",
			service("shop", "front", "db").routed("front.test"), service("shop", "db"),
			service("shop", "night").label("paastis.keep_awake", "22:00-23:00"),
			service("other", "one").awake())
		looksAt := func(want ...string) {
			t.Helper()
			synctest.Wait()
			w.wantFiled()
			w.Registry.mu.Lock()
			defer w.Registry.mu.Unlock()
			if got := w.movingNames(); !slices.Equal(got, want) {
				t.Errorf("passes look at %q, want %q", got, want)
			}
		}
		looksAt("shop-night")
		w.visit("shop-front")
		looksAt("shop-db", "shop-front", "shop-night")
		w.takeAway("shop-front")
		looksAt("shop-db", "shop-night")
		w.add(service("shop", "front", "db").routed("front.test"))
		looksAt("shop-db", "shop-night")
		w.Reload(settingsFor(t, "rules: [{pattern: '^(shop|other)-(.*)', app_name: '$2-of-$1'}]"))
		looksAt("db-of-shop", "night-of-shop", "one-of-other")
		w.visit("front-of-shop")
		looksAt("db-of-shop", "front-of-shop", "night-of-shop", "one-of-other")
		time.Sleep(time.Hour)
		looksAt("night-of-shop")
	})
}

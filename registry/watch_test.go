package registry

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
		seen.Reason = "another"
		if v, changed := w.ViewAfter(ctx, k, seen); !changed || v.Reason != "" {
			t.Errorf("changed: %t, %+v", changed, v)
		}
	})
}

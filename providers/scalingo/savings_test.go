package scalingo_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
)

func TestWhatSleepAvoidsAreTheContainersThatRanBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		const hour = 3_600_000 // in milliseconds
		var since time.Time
		w.lives(func() {
			w.sleeps()
			since = w.reg.Detail(w.reg.Named("shop")).Since
			time.Sleep(time.Until(since.Add(time.Hour)))
			want := []registry.AvoidedSize{{Provider: "scalingo", Size: "L", Time: 2 * hour}, {Provider: "scalingo", Size: "M", Time: hour}}
			if got := w.reg.Listing().Avoided.Sizes; !slices.Equal(got, want) {
				t.Errorf("after an hour it has avoided %+v", got)
			}
		})
		w.lives(func() {
			time.Sleep(time.Until(since.Add(10 * time.Hour)))
			want := []registry.AvoidedSize{{Provider: "scalingo", Size: "L", Time: 20 * hour}, {Provider: "scalingo", Size: "M", Time: 10 * hour}}
			if got := w.reg.Listing().Avoided.Sizes; !slices.Equal(got, want) {
				t.Errorf("after ten hours, by another Paastis, it has avoided %+v", got)
			}
			w.await("shop", 5*time.Minute)
			was := w.reg.Listing().Avoided.Sizes
			time.Sleep(time.Minute)
			if got := w.reg.Listing().Avoided.Sizes; !slices.Equal(got, was) {
				t.Errorf("while it runs it goes on avoiding: %+v, then %+v", was, got)
			}
		})
	})
}

package clevercloud_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/registry"
)

func TestWhatSleepAvoidsAreTheInstancesThatRanBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Put(clevercloudtest.App{Name: "shop-pr1-front", Commit: "one", Instances: 2, Flavor: "pico"})
		var since time.Time
		h.lives(func() {
			h.wake("shop-pr1-front")
			time.Sleep(time.Hour)
			h.want("shop-pr1-front", registry.Asleep)
			since = h.Detail(h.Named("shop-pr1-front")).Since
		})
		time.Sleep(5 * time.Hour)
		h.lives(func() {
			time.Sleep(time.Until(since.Add(10 * time.Hour)))
			const hour = 3_600_000 // in milliseconds
			want := []registry.AvoidedSize{{Provider: "clevercloud", Size: "pico", Time: 20 * hour}}
			if got := h.Listing().Avoided.Sizes; !slices.Equal(got, want) {
				t.Errorf("after ten hours it has avoided %+v, want %+v", got, want)
			}
		})
	})
}

package heroku_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/registry"
)

func TestWhatSleepAvoidsAreTheDynosThatRanBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		h.Create(herokutest.App{Name: "asleep", Formation: []herokutest.Type{{Name: "web", Size: "Basic"}}})
		o := before(t, h)
		time.Sleep(30 * time.Minute)
		o.wantFormation("shop", toNone)
		since := o.Detail(o.Named("shop")).Since
		o.end()
		time.Sleep(5 * time.Hour)
		o.begin(o.store)
		time.Sleep(time.Until(since.Add(10 * time.Hour)))
		const hour = 3_600_000 // in milliseconds
		want := []registry.AvoidedSize{{Provider: "heroku", Size: "Standard-1X", Time: 20 * hour}, {Provider: "heroku", Size: "Standard-2X", Time: 10 * hour}}
		if got := o.Listing().Avoided.Sizes; !slices.Equal(got, want) {
			t.Errorf("after ten hours it has avoided %+v, want %+v", got, want)
		}
	})
}

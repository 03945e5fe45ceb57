package admin

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

func TestAnOwnerWakesWhatWasStoppedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		r.order("POST", "/api/v1/apps/shop/wake")
		time.Sleep(time.Minute)
		r.Took()
		r.Become("shop", inventory.Instance{Name: "shop", ID: "shop", ExitCode: 143, StoppedManually: time.Now()})
		synctest.Wait()
		var a appDocument
		decode(t, r.order("GET", "/api/v1/apps/shop"), &a)
		if a.State != "asleep" || a.Stopped == nil || !a.Stopped.Equal(time.Now()) {
			t.Errorf("stopped by hand, it is %s since %v", a.State, a.Stopped)
		}
		if w := r.order("POST", "/api/v1/apps/shop/wake"); w.Code != http.StatusAccepted || r.Took() != "start shop" {
			t.Errorf("woken by its owner: %s", told(w))
		}
		var woken appDocument
		decode(t, r.order("GET", "/api/v1/apps/shop"), &woken)
		if woken.Stopped != nil {
			t.Errorf("woken by its owner, it counts as stopped since %s", woken.Stopped)
		}
	})
}

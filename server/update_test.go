package server

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAHeldProgramOutlastsAnUpdateThatRemovesTheApp(t *testing.T) {
	// The app that comes back after 5 s boots anew, for 10 s.
	for mode, c := range map[string]struct{ want string }{
		"asked":  {"200 after 15s"},
		"direct": {"503 problem ready after 15s"}, // which has no address here: it got that far
	} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop").At("shop.test"))
				time.AfterFunc(2*time.Second, func() { s.Remove("shop") })
				time.AfterFunc(5*time.Second, func() { s.Add(routed("shop").At("shop.test")) })
				request := come("shop", "/", "method POST")
				if mode == "asked" {
					request = ask("http://shop.test/api")
				}
				began := time.Now()
				if got := gist(s.answer(request)) + " " + after(began); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

package registry

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAPageKnowsHowLongAnAppUsuallyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.boot = 12 * time.Second
		w := live(t, "", a)
		if v := w.View(w.Named("solo-web")); v.Usual != 0 || !v.Began.IsZero() {
			t.Errorf("before any wake it is said to take %s since %s", v.Usual, v.Began)
		}
		asked := time.Now()
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(5 * time.Second)
		if v := w.View(w.Named("solo-web")); !v.Began.Equal(asked) {
			t.Errorf("the way up began at %s, not %s", v.Began, asked)
		}
		time.Sleep(time.Minute)
		if v := w.View(w.Named("solo-web")); v.Usual < a.boot || v.Usual > a.boot+5*time.Second || !v.Began.IsZero() {
			t.Errorf("an app that boots for %s is said to take %s; on its way since %s", a.boot, v.Usual, v.Began)
		}
	})
}

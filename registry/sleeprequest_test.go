package registry

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// wantRefused fails the test if the app may be put to sleep, or for another reason.
func (w *world) wantRefused(name string, force bool, reason string) {
	w.t.Helper()
	time.Sleep(time.Millisecond)
	err := w.Sleep(w.keeperOf(name), force)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), reason) {
		w.t.Errorf("sleep of %s: %v, want it refused: %s", name, err, reason)
	}
	inNeed := strings.Contains(reason, "needed by") || strings.Contains(reason, "way up") || strings.Contains(reason, "manage")
	if got, want := errors.Is(err, ErrUnlessForced), !force && !inNeed; got != want {
		w.t.Errorf("sleep of %s: %v: force helps: %t, want %t", name, err, got, want)
	}
}

func (w *world) dismissed(name string, force bool) {
	w.t.Helper()
	time.Sleep(time.Millisecond) // it was used before, not now
	if err := w.Sleep(w.keeperOf(name), force); err != nil {
		w.t.Errorf("sleep of %s: %v", name, err)
	}
}

func TestAnAppIsPutToSleepByHandBeforeItsTimeAndWokenByTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo().label("paastis.max_idle_time", "never"))
		w.visit("solo-web")
		w.dismissed("solo-web", false)
		time.Sleep(time.Second)
		w.wantState("solo-web", Asleep)
		if d := w.Detail(w.Named("solo-web")); d.Reason.Kind != reason.PutToSleep {
			t.Errorf("it sleeps because %q", d.Reason)
		}
		w.dismissed("solo-web", false) // it does already
		if w.visit("solo-web") != Ready {
			t.Error("the next visitor is not let in")
		}
		time.Sleep(24 * time.Hour)
		w.wantCalls("start solo-web, stop solo-web, start solo-web")
	})
}

func TestAnAppThatIsWatchedSleepsByHandOnceItWasSeenQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveMetered(t, "", true, solo())
		w.visit("solo-web")
		w.dismissed("solo-web", false)
		time.Sleep(30 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppInUseIsNotPutToSleepByHandUnlessForced(t *testing.T) {
	for _, c := range []struct {
		use    func(w *world, a *fakeApp)
		reason string
	}{
		{func(w *world, _ *fakeApp) { w.Named("solo-web").Enter(time.Now(), true) }, "1 open request"},
		{func(w *world, _ *fakeApp) { w.Pin(w.Named("solo-web"), time.Now().Add(time.Hour)) }, "pinned until"},
		{func(w *world, _ *fakeApp) {
			w.Reload(settingsFor(w.t, "rules: [{pattern: solo-web, keep_awake: '00:00-24:00 UTC'}]"))
		}, "kept awake by keep_awake"},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			w := liveMetered(t, "", true, a)
			w.visit("solo-web")
			c.use(w, a)
			w.wantRefused("solo-web", false, c.reason)
			time.Sleep(time.Second)
			w.wantState("solo-web", Ready)
			w.dismissed("solo-web", true)
			time.Sleep(time.Second)
			w.wantState("solo-web", Asleep)
			if d := w.Detail(w.Named("solo-web")); !d.PinnedUntil.IsZero() {
				t.Error("it is pinned still")
			}
			time.Sleep(time.Hour)
			w.wantState("solo-web", Asleep)
		})
	}
}

func TestTrafficThatIsSeenOnlyThenKeepsAnAppAwakeThatIsToSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		w.set(func() { a.connections = 1 })
		w.dismissed("solo-web", false)
		time.Sleep(time.Minute)
		w.wantState("solo-web", Ready)
		w.set(func() { a.connections = 0 })
		time.Sleep(time.Minute)
		w.wantState("solo-web", Ready) // it was given up: its idle time counts again
		w.set(func() { a.connections = 1 })
		w.dismissed("solo-web", true)
		time.Sleep(time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAPinThatComesBeforeTheStopEndsWhatWasSaidOfSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveMetered(t, "", true, solo())
		w.visit("solo-web")
		w.dismissed("solo-web", false)
		w.Pin(w.Named("solo-web"), time.Now().Add(time.Hour))
		time.Sleep(time.Second)
		w.Pin(w.Named("solo-web"), time.Time{})
		time.Sleep(5 * time.Minute)
		w.wantState("solo-web", Ready)
	})
}

func TestWhatWasSeenOfAnAppLongAgoDoesNotRefuseItsSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.connections = 1
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(11 * time.Minute)
		w.wantAwake("solo-web", "1 open connection")
		w.wantRefused("solo-web", false, "1 open connection")
		time.Sleep(1500 * time.Millisecond) // between two looks
		w.visit("solo-web")
		w.set(func() { a.connections = 0 })
		time.Sleep(time.Minute)
		w.dismissed("solo-web", false)
		time.Sleep(30 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppThatAnAwakeOneNeedsIsNeverPutToSleepByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		for _, force := range []bool{false, true} {
			w.wantRefused("shop-db", force, `needed by "shop-back"`)
		}
		w.dismissed("shop-front", false)
		time.Sleep(time.Second)
		w.wantState("shop-front", Asleep)
		w.dismissed("shop-back", true)
		time.Sleep(time.Second)
		w.dismissed("shop-db", false)
		time.Sleep(time.Second)
		w.wantState("shop-db", Asleep)
	})
}

func TestAppsOfACircleArePutToSleepTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test")
		w := liveMetered(t, reviewApps, true, front, back)
		w.visit("pix-app-review-pr1-front")
		time.Sleep(time.Second)
		w.dismissed("pix-app-review-pr1-back", false)
		time.Sleep(30 * time.Second)
		w.wantState("pix-app-review-pr1-front", Asleep)
		w.wantState("pix-app-review-pr1-back", Asleep)
	})
}

func TestAnAppOnItsWayUpIsNotPutToSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Boot = time.Minute
		w := live(t, "", a)
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(time.Second)
		w.wantRefused("solo-web", true, "on its way up")
	})
}

func TestARequestThatComesBeforeTheStopKeepsAnAppAwakeThatIsToSleep(t *testing.T) {
	for _, force := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(solo())
			w := liveOn(t, f, Options{Providers: []provider.Provider{slowMeter{metered{f, true}, 3 * time.Second}}, Settings: settingsFor(t, "")})
			w.visit("solo-web")
			w.dismissed("solo-web", force)
			time.Sleep(time.Second)
			if w.visit("solo-web") != Ready {
				t.Error("the visitor is not let in")
			}
			time.Sleep(9 * time.Minute)
			w.wantCalls("start solo-web")
		})
	}
}

func TestAStopByHandThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.StopErr = errors.New("no")
		w := live(t, "", a)
		w.visit("solo-web")
		w.dismissed("solo-web", false)
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
		w.set(func() { a.StopErr = nil })
		time.Sleep(5 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppThatPaastisDoesNotManageIsNotPutToSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("other", "one").awake())
		w.wantRefused("other-one", true, "does not manage it: nothing enables it")
	})
}

func TestAnAppWhoseRoutesCannotBeTurnedSleepsOnlyByForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := liveDirect(t, Options{}, solo())
		w.visit("solo-web")
		b.stop()
		time.Sleep(5 * time.Minute)
		w.wantRefused("solo-web", false, "no Traefik fetches its routes")
		w.dismissed("solo-web", true)
		time.Sleep(5 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAFailedAppThatRunsIsPutToSleepByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("paastis.start_timeout", "5s")
		a.Boot = 24 * time.Hour
		w := live(t, "", a)
		w.visit("solo-web")
		w.wantState("solo-web", Failed)
		w.dismissed("solo-web", false)
		time.Sleep(time.Second)
		w.wantState("solo-web", Asleep)
		w.wantCalls("start solo-web, stop solo-web")
	})
}

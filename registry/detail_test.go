package registry

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

func (w *world) detail(name string) Detail {
	w.t.Helper()
	return w.Detail(w.keeperOf(name))
}

// wantStop fails the test if the app's next stop is another; zero: none is foreseen.
func (w *world) wantStop(name string, want time.Time) {
	w.t.Helper()
	if got := w.detail(name).NextStop; !got.Equal(want) {
		w.t.Errorf("%s stops at %s, want %s", name, got, want)
	}
}

func TestDetailsAreOfManagedAppsAndTheirLinksByStackAndName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", append(shop(), service("aside", "web", "nothing?", "slow:started").routed("a.test").
			label("paastis.linked_apps", "other-one"), service("aside", "slow"),
			service("other", "one").awake(), service("other", "two").awake())...)
		var names []string
		for _, d := range w.Details() {
			names = append(names, d.Name)
		}
		if want := []string{"aside-slow", "aside-web", "other-one", "shop-back", "shop-db", "shop-front"}; !slices.Equal(names, want) {
			t.Errorf("details of %q, want %q", names, want)
		}
		web, one := w.detail("aside-web"), w.detail("other-one")
		want := []Need{
			{Name: "aside-slow", Condition: "started"}, {Name: "other-one", Condition: "healthy"},
			{Name: "fake/aside-nothing", Condition: "healthy", Optional: true, Missing: true},
		}
		if !slices.Equal(web.Needs, want) {
			t.Errorf("it needs %+v, want %+v", web.Needs, want)
		}
		if one.Managed || one.State != Ready || !slices.Equal(one.NeededBy, []string{"aside-web"}) || one.Reason.IsZero() {
			t.Errorf("of an app that is not managed it says %+v", one)
		}
		if web.Provider != "fake" || web.OwnName != "aside-web" || web.Stack != "aside" || web.MaxIdle != 10*time.Minute ||
			web.Mode != "auto" || !slices.Equal(web.URLs, []string{"http://a.test/"}) {
			t.Errorf("of the app it says %+v", web)
		}
	})
}

func TestAppsOfACircleNameEachOtherAsTheirGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, reviewApps, service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back"))
		if got := w.detail("pix-app-review-pr1-front").Group; !slices.Equal(got, []string{"pix-app-review-pr1-back"}) {
			t.Errorf("the group is %q", got)
		}
	})
}

func TestADetailSaysWhyAnAppIsAwakeAtTheMomentOfAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		time.Sleep(3*time.Minute + 25*time.Second)
		if d := w.detail("shop-front"); d.Reason.String() != "used 3m25s ago, sleeps after 10m0s" || d.State != Ready {
			t.Errorf("front is %s because %q", d.State, d.Reason)
		}
		if d := w.detail("shop-db"); d.Reason.String() != `needed by "shop-back"` {
			t.Errorf("db is awake because %q", d.Reason)
		}
		w.Named("shop-front").Enter(time.Now(), true)
		if d := w.detail("shop-front"); d.Reason.String() != "1 open request" || d.Open != 1 {
			t.Errorf("front is awake because %q with %d open", d.Reason, d.Open)
		}
	})
}

func TestAnAppThatIsStoppedSleepsForTheReasonOfItsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.visit("solo-web")
		used := time.Now()
		time.Sleep(time.Hour)
		d := w.detail("solo-web")
		if d.State != Asleep || d.Reason.String() != "unused for 10m0s" || !d.LastActivity.Equal(used) || !d.NextStop.IsZero() {
			t.Errorf("it says %+v", d)
		}
		if d.UsualWake < time.Second || len(d.Wakes) != 1 || d.Wakes[0].Failed != nil {
			t.Errorf("of its wakes it says %s, %+v", d.UsualWake, d.Wakes)
		}
	})
}

func TestAReadyAppWhoseNeedIsDownIsOnItsWayAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143} })
		synctest.Wait()
		if d := w.detail("shop-front"); d.State != Starting || d.Reason.String() != "an app that it needs is down" {
			t.Errorf("front is %s because %q", d.State, d.Reason)
		}
	})
}

func TestTheNextStopIsForeseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveMetered(t, `rules: [{pattern: shop-front, keep_awake: '00:30-01:00 UTC'}, {pattern: shop-db, max_idle_time: 2m}]`, true, shop()...)
		w.wantStop("shop-front", time.Time{})
		w.visit("shop-front")
		used := time.Now()
		w.wantStop("shop-front", used.Add(10*time.Minute))
		w.wantStop("shop-db", used.Add(10*time.Minute)) // with those that need it
		time.Sleep(time.Minute)
		w.Pin(w.Named("shop-front"), used.Add(40*time.Minute)) // then its window goes on
		w.wantStop("shop-front", time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC))
		w.wantStop("shop-back", time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC))
		w.Named("shop-front").Enter(time.Now(), true)
		w.wantStop("shop-front", time.Time{})
		w.wantStop("shop-db", time.Time{})
		w.Named("shop-front").Leave(time.Now(), true)
		w.Pin(w.Named("shop-front"), time.Time{})
		foreseen := w.detail("shop-front").NextStop
		for w.detail("shop-front").State == Ready {
			time.Sleep(time.Second)
		}
		if late := time.Since(foreseen); late < 0 || late > 20*time.Second {
			t.Errorf("it stopped %s after the time foreseen", late)
		}
	})
}

func TestNoStopIsForeseenOfAnAppThatNeverSleepsOrIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, never := solo(), service("solo", "never").routed("n.test").label("paastis.max_idle_time", "never")
		always := service("solo", "always").routed("al.test").label("paastis.keep_awake", "00:00-24:00 UTC")
		a.connections = 1
		w := liveMetered(t, "", true, a, never, always)
		for _, name := range []string{"solo-web", "solo-never", "solo-always"} {
			w.visit(name)
		}
		time.Sleep(30 * time.Minute)
		for _, name := range []string{"solo-web", "solo-never", "solo-always"} {
			w.wantStop(name, time.Time{})
		}
		if d := w.detail("solo-never"); d.MaxIdle != rules.Never {
			t.Errorf("its idle time is %s", d.MaxIdle)
		}
	})
}

func TestTheOwnerReadsTheLogsOfAFailureWhateverVisitorsMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Crash, a.logs = 3, []string{"no database"}
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		synctest.Wait()
		d := w.detail("solo-web")
		if d.Failure == nil || d.Failure.Kind != Ended || d.Failure.ExitCode != 3 || !slices.Equal(d.Failure.Logs, a.logs) || !d.Failure.RetryAt.After(time.Now()) {
			t.Errorf("the failure is %+v", d.Failure)
		}
		if !d.Reason.Equal(d.Failure.Reason) || len(d.Wakes) != 1 || !d.Wakes[0].Failed.Equal(d.Reason) {
			t.Errorf("it failed because %q, its wakes are %+v", d.Reason, d.Wakes)
		}
		if v := w.View(w.Named("solo-web")); v.Logs != nil {
			t.Errorf("visitors read %q", v.Logs)
		}
	})
}

func TestWherePeopleAreLedToHTTPSNoURLOfHTTPIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.label("traefik.http.routers.tls.rule", "Host(`solo.test`) || Host(`www.solo.test`)").label("traefik.http.routers.tls.entrypoints", "websecure")
		w := live(t, "", a)
		if got, want := w.detail("solo-web").URLs, []string{"https://solo.test/", "https://www.solo.test/"}; !slices.Equal(got, want) {
			t.Errorf("its URLs are %q, want %q", got, want)
		}
	})
}

func TestHealthTellsOfAProviderThatIsLostAndOfItsReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", append(shop(), service("aside", "web", "nothing").routed("a.test"))...)
		w.visit("shop-front")
		h := w.Health()
		if len(h.Providers) != 1 || h.Providers[0] != (ProviderHealth{Name: "fake", Connected: true}) ||
			h.Apps[Ready] != 3 || h.Apps[Asleep] != 1 || len(h.Problems) != 1 {
			t.Errorf("health: %+v", h)
		}
		w.Drop(errors.New("fake: connection reset"))
		synctest.Wait()
		if h := w.Health(); h.Providers[0] != (ProviderHealth{Name: "fake", Error: "fake: connection reset", Since: time.Now(), Why: reason.ProviderRefused}) {
			t.Errorf("health: %+v", h)
		}
		time.Sleep(time.Second)
		if h := w.Health(); !h.Providers[0].Connected {
			t.Errorf("health: %+v", h)
		}
	})
}

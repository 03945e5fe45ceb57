package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

const (
	startChain = "start shop-db, start shop-back, start shop-front"
	stopChain  = "stop shop-front, stop shop-back, stop shop-db"
)

func shop() []*fakeApp {
	return []*fakeApp{
		service("shop", "front", "back").routed("shop.test"),
		service("shop", "back", "db"),
		service("shop", "db"),
	}
}

func TestFirstRequestWakesAllThatTheAppNeedsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		began := time.Now()
		if got := w.visit("shop-front"); got != Ready {
			t.Fatalf("visitor got %s", got)
		}
		w.wantCalls(startChain)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("three boots of 1 s one after the other took %s", took)
		}
	})
}

func TestAllSleepAgainInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		w.took()
		time.Sleep(10*time.Minute - time.Second)
		w.wantCalls("")
		time.Sleep(2 * time.Second)
		w.wantCalls(stopChain)
		for _, name := range []string{"shop-front", "shop-back", "shop-db"} {
			w.wantState(name, Asleep)
		}
	})
}

func TestUseOfAnAppKeepsAllThatItNeedsAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		w.took()
		for range 24 * 12 { // a day, a request every five minutes
			time.Sleep(5 * time.Minute)
			w.visit("shop-front")
		}
		w.wantCalls("")
		time.Sleep(11 * time.Minute)
		w.wantCalls(stopChain)
	})
}

func TestSharedDatabaseStaysAwakeWhileAnyDependentIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blog := service("blog", "web").routed("blog.test").label("paastis.linked_apps", "shop-db")
		w := live(t, "", append(shop(), blog)...)
		w.visit("shop-front")
		w.visit("blog-web")
		w.took()
		for range 3 {
			time.Sleep(6 * time.Minute)
			w.visit("blog-web")
		}
		w.wantCalls("stop shop-front, stop shop-back")
		w.wantState("shop-db", Ready)
		time.Sleep(11 * time.Minute)
		w.wantCalls("stop blog-web, stop shop-db")
	})
}

func TestAnAppThatNobodyEnabledKeepsWhatItNeedsAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cron := service("shop", "cron", "db").awake()
		w := live(t, "", append(shop(), cron)...)
		w.visit("shop-front")
		w.took()
		time.Sleep(time.Hour)
		w.wantCalls("stop shop-front, stop shop-back")
		w.change("shop-cron", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID} })
		time.Sleep(time.Second)
		w.wantCalls("stop shop-db")
	})
}

const reviewApps = `
rules:
  - pattern: 'pix-app-review-pr(\d+)-(back|front)'
    linked_apps:
      - 'pix-app-review-pr$1-front'
      - 'pix-app-review-pr$1-back'
`

func TestReviewAppsOfOnePullRequestWakeAndSleepTogetherAndTouchNoOther(t *testing.T) {
	for _, entry := range []string{"front", "back"} {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, reviewApps,
				service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test"),
				service("pix-app-review-pr2", "front").routed("f2.test"), service("pix-app-review-pr2", "back").routed("b2.test"))
			began := time.Now()
			w.visit("pix-app-review-pr1-" + entry)
			if took := time.Since(began); took != time.Second {
				t.Errorf("two boots of 1 s side by side took %s", took)
			}
			calls := w.took()
			if strings.Count(calls, "start") != 2 || strings.Contains(calls, "pr2") {
				t.Errorf("calls: %s", calls)
			}
			time.Sleep(time.Hour)
			if calls := w.took(); strings.Count(calls, "stop") != 2 || strings.Contains(calls, "pr2") {
				t.Errorf("calls: %s", calls)
			}
		})
	}
}

func TestACircleStaysAwakeAsLongAsOneOfItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, reviewApps,
			service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test"))
		w.visit("pix-app-review-pr1-front")
		w.took()
		for range 10 {
			time.Sleep(6 * time.Minute)
			w.visit("pix-app-review-pr1-back")
		}
		w.wantCalls("")
	})
}

func TestTenThousandFirstRequestsMakeOneStartPerApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		var wg sync.WaitGroup
		for range 10_000 {
			wg.Go(func() {
				if got := w.visit("shop-front"); got != Ready {
					t.Errorf("a visitor got %s", got)
				}
			})
		}
		wg.Wait()
		w.wantCalls(startChain)
	})
}

func TestTheWakeGoesOnWhenTheVisitorLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		k := w.Named("shop-front")
		w.Wake(k, false)
		if got := w.Await(ctx, k); got != Starting {
			t.Errorf("left while %s", got)
		}
		time.Sleep(5 * time.Second)
		w.wantState("shop-front", Ready)
	})
}

func TestAppsThatRanBeforePaastisGetAFullIdlePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		for _, a := range apps {
			a.awake()
		}
		w := live(t, "", apps...)
		if !w.Named("shop-front").Pass(time.Now()) {
			t.Error("the first request of a running app did not pass")
		}
		time.Sleep(9 * time.Minute)
		w.wantCalls("")
		time.Sleep(2 * time.Minute)
		w.wantCalls(stopChain)
	})
}

func TestAnAppThatNobodyEnabledIsNeverTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("other", "web").awake(), service("other", "asleep"),
			service("off", "web").routed("off.test").label("paastis.enable", "false").awake())
		time.Sleep(24 * time.Hour)
		w.wantCalls("")
		for _, name := range []string{"other-web", "other-asleep", "off-web"} {
			if w.Named(name) != nil {
				t.Errorf("%s counts as ours", name)
			}
		}
	})
}

func TestAnAppThatNeverSleepsKeepsWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		apps[0].label("paastis.max_idle_time", "never")
		w := live(t, "", apps...)
		w.visit("shop-front")
		w.took()
		time.Sleep(7 * 24 * time.Hour)
		w.wantCalls("")
	})
}

func TestARequestWhileAnAppStopsQueuesTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test")
		a.Stopping = 5 * time.Second
		w := live(t, "", a)
		w.visit("solo-web")
		time.Sleep(10*time.Minute + time.Second)
		w.wantState("solo-web", Stopping)
		if w.Named("solo-web").Pass(time.Now()) {
			t.Error("a request passed to an app that stops")
		}
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
		w.wantCalls("start solo-web, stop solo-web, start solo-web")
	})
}

func TestWhatOthersDoToAnAppIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		w.visit("solo-web")
		time.Sleep(2 * time.Minute)
		w.change("solo-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
		synctest.Wait()
		w.wantState("solo-web", Asleep)

		w.change("solo-web", func(i *inventory.Instance) { i.Status, i.Health = inventory.Running, inventory.HealthStarting })
		synctest.Wait()
		w.wantState("solo-web", Starting)
		w.change("solo-web", func(i *inventory.Instance) { i.Health = inventory.Healthy })
		synctest.Wait()
		w.wantState("solo-web", Ready)

		w.takeAway("solo-web")
		if w.Named("solo-web") != nil {
			t.Error("a removed app is still ours")
		}
		w.add(service("solo", "web").routed("solo.test"))
		synctest.Wait()
		w.took()
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("the visitor of a recreated app got %s", got)
		}
		w.wantCalls("start solo-web")
	})
}

func TestARequestRepairsAnAppWhoseNeedsWereStoppedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", shop()...)
		w.visit("shop-front")
		w.took()
		time.Sleep(2 * time.Minute)
		w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID} })
		time.Sleep(time.Second)
		w.wantCalls("")
		if w.Named("shop-back").Pass(time.Now()) {
			t.Error("a request passed to an app whose database is down")
		}
		if got := w.visit("shop-back"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
		w.wantCalls("start shop-db")
	})
}

func TestAMissingLinkedAppIsToldAndSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test").label("paastis.linked_apps", "solo-cache"))
		if got := w.visit("solo-web"); got != Ready {
			t.Fatalf("visitor got %s", got)
		}
		problems := w.Inventory().Problems().String()
		if !strings.Contains(problems, `"solo-cache"`) {
			t.Errorf("problems: %s", problems)
		}
		steps := w.View(w.Named("solo-web")).Steps
		if len(steps) != 1 || steps[0].Progress != Skipped {
			t.Errorf("steps: %+v", steps)
		}
	})
}

func TestALinkedAppThatFailsIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		apps[2].Crash = 3
		w := live(t, "", apps...)
		if got := w.visit("shop-front"); got != Failed {
			t.Fatalf("visitor got %s", got)
		}
		reason := w.View(w.Named("shop-front")).Reason.String()
		if !strings.Contains(reason, "shop-db") || !strings.Contains(reason, "exit code 3") {
			t.Errorf("reason: %s", reason)
		}
		w.wantCalls("start shop-db")
	})
}

func TestAnOptionalLinkedAppThatFailsHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := service("solo", "web", "cache?").routed("solo.test")
		cache := service("solo", "cache")
		cache.Crash = 1
		w := live(t, "", web, cache)
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
	})
}

func TestAJobRunsBeforeTheAppThatWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		migrate := service("solo", "migrate", "db")
		migrate.Job, migrate.NoHealth = true, true
		w := live(t, "", service("solo", "web", "migrate:completed", "db").routed("solo.test"), migrate, service("solo", "db"))
		if got := w.visit("solo-web"); got != Ready {
			t.Fatalf("visitor got %s", got)
		}
		w.wantCalls("start solo-db, start solo-migrate, start solo-web")
		time.Sleep(5 * time.Minute)
		if !w.Named("solo-web").Pass(time.Now()) {
			t.Error("the ended job closed the app")
		}
		time.Sleep(time.Hour)
		w.wantCalls("stop solo-web, stop solo-db")
		w.visit("solo-web")
		w.wantCalls("start solo-db, start solo-migrate, start solo-web")
	})
}

func TestACrashingAppIsStartedAtMostFiveTimesInTheFirstMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test")
		a.Boot, a.Crash = 100*time.Millisecond, 1
		w := live(t, "", a)
		for range 600 { // somebody tries ten times a second, for a minute
			w.Wake(w.Named("solo-web"), false)
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(w.Started("solo-web")); n < 2 || n > 5 {
			t.Errorf("%d starts in the first minute", n)
		}
		w.wantState("solo-web", Failed)

		w.fake.mu.Lock()
		a.Crash = 0
		w.fake.mu.Unlock()
		w.Wake(w.Named("solo-web"), true)
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestAnAppThatIsNeverHealthyFailsAtItsDeadlineAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test").label("paastis.start_timeout", "30s")
		a.Boot = time.Hour
		w := live(t, "", a)
		began := time.Now()
		if got := w.visit("solo-web"); got != Failed {
			t.Errorf("visitor got %s", got)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("failed after %s", took)
		}
		if reason := w.View(w.Named("solo-web")).Reason.String(); reason != "It was not healthy within 30s." {
			t.Errorf("reason: %s", reason)
		}
	})
}

func TestAStartThatIsRefusedFailsWithAReasonAndIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test")
		a.Err = errors.New("fake: secret-host refused")
		w := live(t, "", a)
		if got := w.visit("solo-web"); got != Failed {
			t.Errorf("visitor got %s", got)
		}
		if reason := w.View(w.Named("solo-web")).Reason.String(); reason == "" || strings.Contains(reason, "secret-host") {
			t.Errorf("reason: %q", reason)
		}
		w.fake.mu.Lock()
		a.Err = nil
		w.fake.mu.Unlock()
		time.Sleep(3 * time.Second)
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
	})
}

func TestAStopThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test")
		w := live(t, "", a)
		w.visit("solo-web")
		w.fake.mu.Lock()
		a.StopErr = errors.New("fake: busy")
		w.fake.mu.Unlock()
		time.Sleep(10*time.Minute + time.Second)
		w.wantState("solo-web", Ready)
		if !w.Named("solo-web").Open() {
			t.Error("an app that could not be stopped takes no requests")
		}
		w.fake.mu.Lock()
		a.StopErr = nil
		w.fake.mu.Unlock()
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestWithoutAStaticServerTheAppWaitsForTraefik(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("solo", "web").routed("solo.test")
		delete(a.Labels, "traefik.http.services.solo-web.loadbalancer.server.url")
		w := live(t, "", a)
		began := time.Now()
		w.visit("solo-web")
		if took := time.Since(began); took != a.Boot+2*time.Second+noticeSlack {
			t.Errorf("passed after %s", took)
		}
	})
}

func TestReloadedRulesTakeEffectOnAppsThatAreAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		w.visit("solo-web")
		w.took()
		w.Reload(settingsFor(t, "rules: [{pattern: solo-web, max_idle_time: 2m}]"))
		time.Sleep(2*time.Minute + time.Second)
		w.wantCalls("stop solo-web")
	})
}

func TestALostProviderIsWatchedAgainAndWhatChangedIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		w.visit("solo-web")
		time.Sleep(2 * time.Minute)
		w.Drop(errors.New("fake: connection lost"))
		w.fake.mu.Lock()
		i := &w.apps["solo-web"].Instances[0]
		*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137}
		w.fake.mu.Unlock()
		time.Sleep(time.Second)
		w.wantState("solo-web", Asleep)
	})
}

// A socket proxy may allow the list of containers, and refuse their events.
func TestAProviderThatRefusesEventsIsAskedWithAGrowingPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := newFake(service("solo", "web").routed("solo.test")), &strings.Builder{}
		eventless := &eventless{fake: f}
		r, stop := begin(t, Options{Providers: []provider.Provider{eventless}, Settings: settingsFor(t, ""), Log: slog.New(slog.NewTextHandler(out, nil))})
		time.Sleep(10 * time.Minute)
		if h := r.Health().Providers[0]; !strings.Contains(h.Error, "refused") {
			t.Errorf("health: %+v", h)
		}
		stop()
		if n := eventless.asked.Load(); n < 30 || n > 60 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		if n := strings.Count(out.String(), "level=WARN"); n != 1 {
			t.Errorf("told %d times:\n%s", n, out)
		}
	})
}

// eventless lists everything, and has no events.
type eventless struct {
	*fake
	asked atomic.Int64
}

func (p *eventless) Watch(ctx context.Context, report func(provider.Report)) error {
	p.asked.Add(1)
	all, err := p.List(ctx)
	if err == nil {
		report(all)
	}
	return errors.New("fake: events refused")
}

func TestALostEventIsFoundByTheAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		w.visit("solo-web")
		w.fake.mu.Lock()
		i := &w.apps["solo-web"].Instances[0]
		*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137}
		w.fake.mu.Unlock()
		time.Sleep(DefaultAudit + time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAReportThatIsOutOfDateIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		old := w.Snapshot("solo-web")
		w.visit("solo-web")
		w.Tell(provider.Report{Apps: []inventory.App{old}, Version: old.Version})
		synctest.Wait()
		w.wantState("solo-web", Ready)
	})
}

func TestLabelsThatDoNotChangeAreKeptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front").routed("front.test"))
		time.Sleep(5 * time.Minute) // audits report it with labels of their own
		k := w.keeperOf("shop-front")
		w.Registry.mu.Lock()
		defer w.Registry.mu.Unlock()
		if reflect.ValueOf(k.app.Labels).Pointer() != reflect.ValueOf(k.Definition().App.Labels).Pointer() {
			t.Error("the app's labels are kept twice")
		}
	})
}

func TestAWaitingVisitorIsLetGoWhenTheAppIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("solo", "web").routed("solo.test"))
		got := make(chan State)
		go func() { got <- w.visit("solo-web") }()
		time.Sleep(500 * time.Millisecond)
		w.takeAway("solo-web")
		if s := <-got; s != Failed {
			t.Errorf("visitor got %s", s)
		}
	})
}

func TestManyStacksLiveThroughAWeekSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*fakeApp
		for i := range 40 {
			stack := fmt.Sprintf("s%02d", i)
			apps = append(apps, service(stack, "front", "db").routed(stack+".test"), service(stack, "db"))
		}
		w := live(t, "", apps...)
		for hour := range 7 * 24 {
			name := fmt.Sprintf("s%02d-front", hour%40)
			if got := w.visit(name); got != Ready {
				t.Fatalf("hour %d: visitor of %s got %s", hour, name, got)
			}
			time.Sleep(time.Hour)
		}
		for _, e := range w.Inventory().Definitions {
			w.wantState(e.Name, Asleep)
		}
	})
}

package registry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

func TestAFailedAppThatRunsIsStoppedWithoutTakingRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("paastis.start_timeout", "30s")
		a.Boot = 24 * time.Hour
		f := newFake(a)
		w := liveOn(t, f, Options{Providers: []provider.Provider{slowMeter{metered{f, true}, 3 * time.Second}}, Settings: settingsFor(t, "")})
		w.visit("solo-web")
		w.wantState("solo-web", Failed)
		for began := time.Now(); time.Since(began) < 11*time.Minute; time.Sleep(time.Second) {
			if w.Named("solo-web").Open() {
				t.Fatal("requests pass to an app that was never healthy")
			}
		}
		w.wantCalls("start solo-web, stop solo-web")
	})
}

func TestReloadThatEnablesARunningAppGivesItAFullIdlePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("other", "web").awake())
		time.Sleep(24 * time.Hour)
		w.Reload(settingsFor(t, "rules: [{pattern: other-web}]"))
		time.Sleep(time.Second)
		w.wantCalls("")
	})
}

func TestReloadThatEnablesAnAppStartedLaterDoesNotFailIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("other", "web"))
		w.change("other-web", func(i *inventory.Instance) {
			i.Status, i.Health, i.StartedAt = inventory.Running, inventory.Healthy, time.Now()
		})
		time.Sleep(24 * time.Hour)
		w.Reload(settingsFor(t, "rules: [{pattern: other-web}]"))
		time.Sleep(time.Second)
		w.wantState("other-web", Ready)
	})
}

type slowBusy struct{ metered }

func (m slowBusy) Execute(ctx context.Context, name string, c []string) (int, error) {
	time.Sleep(time.Second)
	return m.metered.Execute(ctx, name, c)
}

func TestACircleStaysAwakeWhileOneOfItIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test")
		back.label("paastis.busy", "exec:busy") // exit 0: busy
		f := newFake(front, back)
		w := liveOn(t, f, Options{Providers: []provider.Provider{slowBusy{metered{f, true}}}, Settings: settingsFor(t, reviewApps)})
		w.visit("pix-app-review-pr1-front")
		w.took()
		time.Sleep(time.Hour)
		w.wantCalls("")
	})
}

type lateBusy struct {
	metered
	r *Registry
}

func TestACircleStaysAwakeIfTheLastLookFindsOneOfItBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test")
		back.label("paastis.busy", "exec:busy")
		f := newFake(front, back)
		p := &lateBusy{metered: metered{f, true}}
		w := liveOn(t, f, Options{Providers: []provider.Provider{p}, Settings: settingsFor(t, reviewApps)})
		p.r = w.Registry
		w.visit("pix-app-review-pr1-front")
		w.took()
		time.Sleep(11 * time.Minute)
		w.wantCalls("")
	})
}

func TestAStreamIsRememberedWhenANeedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := service("shop", "front", "db").routed("shop.test")
		front.Labels["paastis.max_idle_time"] = "2m"
		front.rate = 15
		w := liveMetered(t, "", false, front, service("shop", "db"))
		w.visit("shop-front")
		w.Named("shop-front").Stream()
		time.Sleep(90 * time.Second)
		w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
		synctest.Wait()
		w.visit("shop-front") // db is back; the stream of before goes on
		time.Sleep(time.Hour)
		w.wantState("shop-front", Ready)
	})
}

func TestAFailedStopDoesNotWakeTheAppAfterTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		w := live(t, "", a)
		w.visit("solo-web")
		w.set(func() { a.StopErr = errors.New("no") })
		time.Sleep(10*time.Minute + 50*time.Millisecond)
		w.wantState("solo-web", Stopping)
		w.Named("solo-web").Pass(time.Now())
		w.Wake(w.Named("solo-web"), false)
		time.Sleep(time.Second)
		w.set(func() { a.StopErr = nil })
		w.took()
		time.Sleep(time.Hour)
		w.wantCalls("stop solo-web")
	})
}

func TestAnAppThatWasStoppedByHalfDoesNotTakeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().awake()
		a.Instances = append(a.Instances, inventory.Instance{Name: "solo-web-2", ID: "id2", Status: inventory.Running, Health: inventory.Healthy})
		a.StopErr = errors.New("container 2: no")
		w := live(t, "", a)
		time.Sleep(10*time.Minute + 50*time.Millisecond)
		w.wantState("solo-web", Stopping)
		w.change("solo-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143} })
		time.Sleep(time.Second)
		if w.visit("solo-web") != Ready {
			t.Error("not ready")
		}
		w.wantCalls("stop solo-web, start solo-web")
	})
}

func TestTheReasonWhyAnAppStaysAwakeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.connections = 1
		f := newFake(a)
		var log bytes.Buffer
		r := New(Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, ""), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Probe: func(ctx context.Context, t inventory.Target) error { return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.Load(ctx); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		synctest.Wait()
		r.Wake(r.Named("solo-web"), false)
		time.Sleep(24 * time.Hour)
		cancel()
		<-done
		if n := strings.Count(log.String(), "1 open connection"); n != 1 {
			t.Errorf("the log says %d times in a day why it stays awake:\n%s", n, log.String())
		}
	})
}

func TestAClockThatIsPutBackDoesNotKeepAnAppAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.visit("solo-web")
		w.Named("solo-web").Pass(time.Now().Add(365 * 24 * time.Hour)) // by the clock of that moment
		time.Sleep(2 * time.Hour)
		w.wantState("solo-web", Asleep)
	})
}

package registry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// lineCounter is a log that counts the lines of each moment.
type lineCounter struct {
	slog.Handler
	t *testing.T
	n int
}

func (c *lineCounter) Handle(ctx context.Context, r slog.Record) error {
	if c.n++; c.n > 200 {
		c.t.Error("the registry logs without end")
		<-ctx.Done()
	}
	return wary{c.Handler, c.t}.Handle(ctx, r)
}

const pair = `rules: [{pattern: '^pr1-(front|back)$', linked_apps: [pr1-front, pr1-back]}]`

func TestAVisitAfterSomethingDeepDownWasStoppedWakesIt(t *testing.T) {
	slow := func(a *fakeApp) *fakeApp { a.Ordering, a.Boot = 500*time.Millisecond, 500*time.Millisecond; return a }
	job := func(a *fakeApp) *fakeApp { a.NoHealth, a.Job, a.Boot = true, true, 2*time.Second; return a }
	for name, c := range map[string]struct {
		yml, stop, visit string
		apps             func() []*fakeApp
	}{
		"a circle and its database, by the front": {pair, "pr1-db", "pr1-front", func() []*fakeApp {
			return []*fakeApp{service("pr1", "front").routed("pr1.test"), service("pr1", "back", "db"), slow(service("pr1", "db"))}
		}},
		"the same by the back": {pair, "pr1-db", "pr1-back", func() []*fakeApp {
			return []*fakeApp{service("pr1", "front").routed("pr1.test"), service("pr1", "back", "db").routed("back.test"), slow(service("pr1", "db"))}
		}},
		"a circle behind a front": {`rules: [{pattern: '^pr1-(api|back)$', linked_apps: [pr1-api, pr1-back]}]`, "pr1-disk", "pr1-front", func() []*fakeApp {
			return []*fakeApp{service("pr1", "front", "api").routed("pr1.test"), service("pr1", "api"), service("pr1", "back", "db"), service("pr1", "db", "disk"), slow(service("pr1", "disk"))}
		}},
		"a group with a need outside": {`rules: [{pattern: '^pr1-(front|back|api)$', app_group: pr1}]`, "pr1-db", "pr1-front", func() []*fakeApp {
			return []*fakeApp{service("pr1", "front").routed("pr1.test"), service("pr1", "api"), service("pr1", "back", "db"), slow(service("pr1", "db"))}
		}},
		"a group with a migration": {`rules: [{pattern: '^pr1-', app_group: pr1}]`, "pr1-migrate", "pr1-front", func() []*fakeApp {
			return []*fakeApp{service("pr1", "front", "back").routed("pr1.test"), service("pr1", "back", "migrate:completed", "db"), job(service("pr1", "migrate", "db")), service("pr1", "db")}
		}},
		"a chain of four": {"", "pr1-db", "pr1-app", func() []*fakeApp {
			return []*fakeApp{service("pr1", "app", "backend").routed("pr1.test"), service("pr1", "backend", "cache"), service("pr1", "cache", "db"), slow(service("pr1", "db"))}
		}},
		"another chain of four": {"", "pr1-db", "pr1-nginx", func() []*fakeApp {
			return []*fakeApp{service("pr1", "nginx", "front").routed("pr1.test"), service("pr1", "front", "api"), service("pr1", "api", "db"), slow(service("pr1", "db"))}
		}},
		"a chain with an optional link and one that is met by a start": {"", "pr1-db", "pr1-app", func() []*fakeApp {
			return []*fakeApp{service("pr1", "app", "backend:started", "search?").routed("pr1.test"), service("pr1", "backend", "cache"), service("pr1", "cache", "db:started"), slow(service("pr1", "db")), service("pr1", "search", "db")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &lineCounter{slog.NewTextHandler(t.Output(), nil), t, 0}
				f := newFake(c.apps()...)
				r, stop := begin(t, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, c.yml), Log: slog.New(log)})
				defer stop()
				w := &world{Registry: r, fake: f, t: t}
				if got := w.visit(c.visit); got != Ready {
					t.Fatalf("the first visitor got %s", got)
				}
				f.change(c.stop, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 0} })
				for range 20 { // the page asks again and again
					time.Sleep(100 * time.Millisecond)
					if !r.Named(c.visit).Pass(time.Now()) {
						r.Wake(r.Named(c.visit), false)
					}
				}
				if got := w.visit(c.visit); got != Ready {
					t.Errorf("the second visitor got %s", got)
				}
			})
		})
	}
}

// After a reboot of the machine front and back run (restart: always), their database does not.
func TestACircleThatWasFoundRunningWithoutItsDatabaseOpensWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, pair, service("pr1", "front").routed("pr1.test").awake(), service("pr1", "back", "db").awake(), service("pr1", "db"))
		w.wantCalls("")
		w.wantState("pr1-front", Starting)
		if w.Named("pr1-front").Open() {
			t.Error("requests pass to the front, whose database does not run")
		}
		if got := w.visit("pr1-front"); got != Ready {
			t.Errorf("the visitor got %s", got)
		}
		w.wantCalls("start pr1-db")
	})
}

func TestAnAppIsCalledReadyWhenItIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front", "back").routed("shop.test"), service("shop", "back", "db"), service("shop", "db"))
		w.visit("shop-front")
		w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 0} })
		synctest.Wait()
		w.visit("shop-front")
		var states []string
		for _, e := range w.Events(0, "shop-front", 0) {
			states = append(states, e.State.String())
		}
		if got, want := strings.Join(states, " "), "starting ready starting starting ready"; got != want {
			t.Errorf("events of the front: %s, want %s", got, want)
		}
	})
}

func TestRepeatedWakesForTheSameNeedMakeNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := service("pr1", "db")
		db.Boot = 30 * time.Second
		w := live(t, pair, service("pr1", "front").routed("pr1.test"), service("pr1", "back", "db"), db)
		w.visit("pr1-front")
		w.change("pr1-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 0} })
		synctest.Wait()
		w.Wake(w.Named("pr1-front"), false)
		time.Sleep(time.Second)
		before := len(w.Events(0, "", 0))
		for range 20 {
			w.Wake(w.Named("pr1-front"), false)
			w.Wake(w.Named("pr1-back"), false)
			time.Sleep(time.Second)
		}
		if n := len(w.Events(0, "", 0)) - before; n > 0 {
			t.Errorf("%d events while nothing happened", n)
		}
	})
}

// A Compose stack with a one-shot migration, linked by app_group or by the README's rule.
func TestAMigrationRunsOncePerWakeHoweverItsStackIsLinked(t *testing.T) {
	for name, yml := range map[string]string{
		"app_group":   `rules: [{pattern: '^pr1-', app_group: pr1}]`,
		"linked_apps": `rules: [{pattern: '^pr1-(front|back|migrate)$', linked_apps: [pr1-front, pr1-back, pr1-migrate]}]`,
		"none":        "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				job := service("pr1", "migrate", "db")
				job.NoHealth, job.Job, job.Boot = true, true, 2*time.Second
				w := live(t, yml, service("pr1", "front", "back").routed("pr1.test"),
					service("pr1", "back", "migrate:completed", "db"), job, service("pr1", "db"))
				for wake := range 2 {
					passed := 0
					for range 60 { // a browser, for a minute
						if w.Named("pr1-front").Pass(time.Now()) {
							passed++
						} else {
							w.Wake(w.Named("pr1-front"), false)
						}
						time.Sleep(time.Second)
					}
					if v := w.View(w.Named("pr1-front")); passed < 50 {
						t.Errorf("wake %d: %d of 60 requests passed; front is %s: %s", wake, passed, v.State, v.Reason)
					}
					time.Sleep(time.Hour)
				}
				want := "start pr1-db, start pr1-migrate, start pr1-back, start pr1-front, stop pr1-front, stop pr1-back, stop pr1-db"
				w.wantCalls(want + ", " + want)
			})
		})
	}
}

func TestALongMigrationIsNeitherCutNorRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := service("shop", "migrate", "db")
		job.NoHealth, job.Job, job.Boot = true, true, 20*time.Minute
		f := newFake(service("shop", "front", "migrate:completed").routed("shop.test"), job, service("shop", "db"))
		w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, false}}, Settings: settingsFor(t, "")})
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(19 * time.Minute)
		w.wantCalls("start shop-db, start shop-migrate")
		time.Sleep(2 * time.Minute)
		w.wantState("shop-front", Ready)
		time.Sleep(time.Hour)
		w.wantCalls("start shop-front, stop shop-front, stop shop-db")
	})
}

func TestAJobThatNeverEndsFailsWhoWaitsForItAndMaySleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := service("shop", "migrate").label("paastis.job_timeout", "10m")
		job.NoHealth = true
		w := live(t, "", service("shop", "front", "migrate:completed").routed("shop.test"), job)
		if got := w.visit("shop-front"); got != Failed {
			t.Errorf("the visitor got %s", got)
		}
		if v := w.View(w.Named("shop-front")); v.Reason.String() != "shop-migrate, which it needs, failed: It did not end within 10m0s." {
			t.Errorf("it says %q", v.Reason)
		}
		time.Sleep(time.Hour)
		w.wantCalls("start shop-migrate, stop shop-migrate")
	})
}

func TestComposesOrderHoldsWithinACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, `rules: [{pattern: '^shop-', app_group: shop}]`,
			service("shop", "front", "back").routed("shop.test"), service("shop", "back", "db"), service("shop", "db"), service("shop", "mail"))
		w.visit("shop-front")
		time.Sleep(time.Hour)
		var order []string // without mail, which needs nothing
		for call := range strings.SplitSeq(w.took(), ", ") {
			if !strings.HasSuffix(call, "mail") {
				order = append(order, call)
			}
		}
		want := "start shop-db, start shop-back, start shop-front, stop shop-front, stop shop-back, stop shop-db"
		if got := strings.Join(order, ", "); got != want {
			t.Errorf("calls:\n got %s\nwant %s", got, want)
		}
	})
}

func TestOnePassMovesAnAppSoOftenAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Options{Providers: []provider.Provider{newFake()}, Settings: settingsFor(t, ""), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		now := time.Now()
		p := newPass(r, now)
		k := &Keeper{}
		k.define(&inventory.Definition{Name: "x"})
		for range mostChanges - 1 {
			p.changed = false
			if p.noteChange(k); !p.changed {
				t.Fatal("the pass does not go on after a move")
			}
		}
		p.changed = false
		for range 3 {
			if p.noteChange(k); p.changed {
				t.Error("the pass goes on and on")
			}
		}
		if len(r.journal.lines) != 1 || !p.next.After(now) || p.next.After(now.Add(time.Minute)) {
			t.Errorf("%d lines are logged, the next pass is at %s", len(r.journal.lines), p.next)
		}
	})
}

func TestATimerIsNeverSetToThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(solo())
		s := settingsFor(t, "rules: [{pattern: '.*', max_idle_time: 1s}]")
		w := liveOn(t, f, Options{Providers: []provider.Provider{slowMeter{metered{f, true}, 2 * time.Second}}, Settings: s})
		balance(t, w.Registry, "10.0.0.2")
		w.visit("solo-web")
		k := w.Named("solo-web")
		for lastLook := false; !lastLook; time.Sleep(10 * time.Millisecond) {
			w.Registry.mu.Lock()
			lastLook = k.state == Draining && !k.routing.withdrawnAt.IsZero() && time.Now().After(k.routing.withdrawnAt) && k.usage.sampling
			w.Registry.mu.Unlock()
		}
		if next := w.mover.advance(time.Now()); !next.After(time.Now()) {
			t.Errorf("the next pass is to be %s ago", time.Since(next))
		}
	})
}

func TestAStopThatIsUnderWayIsNotForgottenByAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Stopping = 3 * time.Second
		w := live(t, "", a)
		w.visit("solo-web")
		for !strings.Contains(w.took(), "stop") {
			time.Sleep(time.Second)
		}
		w.Reload(settingsFor(t, "rules: [{pattern: '^solo-', enable: false}]"))
		synctest.Wait()
		w.Reload(settingsFor(t, ""))
		synctest.Wait()
		if w.Named("solo-web").Pass(time.Now()) {
			t.Error("a request passes to an app that is being stopped")
		}
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("the visitor got %s", got)
		}
		w.wantCalls("start solo-web")
	})
}

func TestALogThatIsStuckHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := stuckLog{slog.DiscardHandler, make(chan struct{})}
		f := newFake(solo())
		r := New(Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Log: slog.New(stuck)})
		if err := r.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		go r.Wake(r.Named("solo-web"), false)
		synctest.Wait() // it is stuck in its line
		answered := make(chan State)
		go func() { answered <- r.View(r.Named("solo-web")).State }()
		select {
		case s := <-answered:
			if s != Starting {
				t.Errorf("the app is %s", s)
			}
		case <-time.After(time.Second):
			t.Error("nobody gets an answer while the log is stuck")
		}
		close(stuck.until)
		synctest.Wait()
	})
}

func TestALogThatIsStuckTakesNoMoreThanSoManyLinesAndTellsOfTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		stuck := stuckLog{slog.NewTextHandler(&log, nil), make(chan struct{})}
		r := New(Options{Settings: settingsFor(t, ""), Log: slog.New(stuck)})
		line := func() {
			r.mu.Lock()
			r.journal.say(slog.LevelInfo, "something happens")
			r.unlock()
		}
		go line()
		synctest.Wait() // it is stuck in its line
		for range mostLines + 25 {
			line()
		}
		if len(r.journal.lines) > mostLines {
			t.Errorf("%d lines wait", len(r.journal.lines))
		}
		close(stuck.until)
		synctest.Wait()
		if n := strings.Count(log.String(), "something happens"); n != mostLines+1 || !strings.Contains(log.String(), `lines are missing here" lines=25`) {
			t.Errorf("%d lines; the end is %q", n, log.String()[log.Len()-200:])
		}
	})
}

type stuckLog struct {
	slog.Handler
	until chan struct{}
}

func (stuckLog) Enabled(context.Context, slog.Level) bool { return true }

func (s stuckLog) Handle(ctx context.Context, r slog.Record) error {
	<-s.until
	return s.Handler.Handle(ctx, r)
}

// wakeGroupOf plays the wake of a group of so many apps, whose starts and health checks come
// one after the other, as those of an engine do.
func wakeGroupOf(b *testing.B, n int) {
	var apps []inventory.App
	for i := range n {
		apps = append(apps, service("s", fmt.Sprintf("a%04d", i)).routed(fmt.Sprintf("a%04d.test", i)).App.App)
	}
	f := &fake{}
	r := New(Options{Providers: []provider.Provider{f}, Settings: benchSettings(b), Log: slog.New(slog.DiscardHandler)})
	r.intake.apply(f, provider.Report{Apps: apps, Complete: true})
	r.Wake(r.Named("s-a0000"), false)
	r.mover.advance(time.Now())
	for i, health := range []inventory.Health{inventory.HealthStarting, inventory.Healthy} {
		for _, app := range apps {
			app.Version, app.Instances = uint64(i+1), []inventory.Instance{{Name: app.Name, ID: app.Name, Status: inventory.Running, Health: health, StartedAt: time.Unix(1, 0)}}
			r.intake.apply(f, provider.Report{Apps: []inventory.App{app}, Version: app.Version})
			r.mu.Lock()
			r.keepers.byID["fake/"+app.Name].busy = false // its start has returned
			r.mu.Unlock()
			r.mover.advance(time.Now())
		}
	}
	if !r.Named("s-a0000").Open() {
		b.Fatal("the group did not wake")
	}
}

func benchSettings(b *testing.B) inventory.Settings {
	set, err := rules.ParseFile("paastis.yml", []byte("rules: [{pattern: '.*', app_group: all, max_concurrent_starts: 0}]"))
	if err != nil {
		b.Fatal(err)
	}
	return inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"}
}

// BenchmarkAGroupWakes wakes all apps of one app_group by one visit, so that ns/app tells
// how the cost grows with the group.
func BenchmarkAGroupWakes(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				wakeGroupOf(b, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/app")
		})
	}
}

// The apps of a group that have an order wait for each other: the time of the first one, which
// is healthy, does not run while the next one starts.
func TestTheTimesOfAGroupThatStartsInOrderDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		for _, a := range apps {
			a.Boot = 20 * time.Second
		}
		w := live(t, "rules: [{pattern: '^shop-', app_group: shop, start_timeout: 30s}]", apps...)
		if got := w.visit("shop-front"); got != Ready {
			t.Errorf("a visitor got %s: %s", got, w.View(w.keeperOf("shop-front")).Reason)
		}
		w.wantCalls("start shop-db, start shop-back, start shop-front")
	})
}

func TestAnAppOfAGroupThatNeverComesUpStillFailsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		for _, a := range apps {
			a.Boot = 20 * time.Second
		}
		apps[0].Never = []string{apps[0].Instances[0].Name}
		w := live(t, "rules: [{pattern: '^shop-', app_group: shop, start_timeout: 30s}]", apps...)
		begun := time.Now()
		if got := w.visit("shop-front"); got != Failed || time.Since(begun) > 2*time.Minute {
			t.Errorf("a visitor got %s after %s", got, time.Since(begun))
		}
	})
}

// A circle of which each app wakes the other must not fail and wake again and again.
func TestACircleThatNeedsAJobWithoutEndFailsWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := service("shop", "migration")
		job.Boot, job.Job, job.NoHealth = time.Hour, true, true
		w := live(t, "rules: [{pattern: '.*', job_timeout: 1m, start_timeout: 3m}]", job,
			service("shop", "front", "back", "migration:completed").routed("shop.test"),
			service("shop", "back", "front", "migration:completed").routed("back.test"))
		for range 150 {
			w.Wake(w.Named("shop-front"), false)
			time.Sleep(time.Second)
		}
		w.wantState("shop-front", Failed)
		if n := len(w.Events(0, "shop-front", 0)); n > 30 {
			t.Errorf("%d events of one app", n)
		}
	})
}

func TestAnAppThatSomebodyPausedIsNoneThatEndedWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front", "helper:started").routed("shop.test"), service("shop", "helper"))
		w.visit("shop-front")
		w.change("shop-helper", func(i *inventory.Instance) { i.Status = inventory.Paused })
		synctest.Wait()
		if w.Named("shop-front").Open() {
			t.Error("requests pass to the front, whose helper is frozen")
		}
	})
}

func TestWhatAJobOfACircleLacksKeepsNobodyElseFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed, lake := service("shop", "seed", "lake:completed").label("paastis.linked_apps", "shop-back"), service("shop", "lake")
		seed.NoHealth, seed.Job, lake.NoHealth = true, true, true // the lake never ends
		w := live(t, "", service("shop", "front").routed("shop.test").label("paastis.linked_apps", "shop-back, shop-seed:completed").awake(),
			service("shop", "back", "front"), seed, lake)
		if got := w.visit("shop-front"); got != Ready {
			t.Errorf("the visitor got %s", got)
		}
		if calls := w.took(); !strings.Contains(calls, "start shop-back") {
			t.Errorf("calls: %s", calls)
		}
	})
}

func TestAJobThatDoesNotEndIsNotStoppedUnderWhoIsConnectedToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := service("shop", "migrate").label("paastis.job_timeout", "10m")
		job.NoHealth, job.connections = true, 1
		w := liveMetered(t, "", true, service("shop", "front", "migrate:completed").routed("shop.test"), job)
		if got := w.visit("shop-front"); got != Failed {
			t.Errorf("the visitor got %s", got)
		}
		time.Sleep(time.Hour)
		w.wantCalls("start shop-migrate")
		w.set(func() { job.connections = 0 })
		time.Sleep(time.Hour)
		w.wantCalls("stop shop-migrate")
	})
}

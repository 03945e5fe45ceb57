package registry

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// migration is a job that front waits for.
func migration(takes time.Duration) (front, job *fakeApp) {
	front, job = service("shop", "front", "migrate:completed").routed("shop.test"), service("shop", "migrate")
	job.NoHealth, job.Job, job.Boot = true, true, takes
	return front, job
}

// TestAJobHasALimitOfItsOwn: who waits fails with it, and is told why.
func TestAJobHasALimitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, job := migration(24 * time.Hour)
		w := live(t, "", front, job.label("paastis.job_timeout", "2h"))
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(2*time.Hour - time.Minute)
		w.wantState("shop-front", Starting)
		time.Sleep(2 * time.Minute)
		w.wantState("shop-front", Failed)
		if got, want := w.View(w.Named("shop-front")).Reason.String(), "shop-migrate, which it needs, failed: It did not end within 2h0m0s."; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		since := w.Detail(w.keeperOf("shop-migrate")).Since
		for range 50 { // somebody comes again and again
			w.Wake(w.Named("shop-front"), true)
			time.Sleep(10 * time.Second)
		}
		w.wantState("shop-front", Failed)
		if again := w.Detail(w.keeperOf("shop-migrate")).Since; !again.Equal(since) {
			t.Errorf("its limit is told again at %v", again)
		}
		w.wantCalls("start shop-migrate")
		for range 10 {
			time.Sleep(10 * time.Second)
			w.Wake(w.Named("shop-front"), true)
		}
		w.wantCalls("stop shop-migrate, start shop-migrate")
	})
}

// TestAJobIsNotAskedWhetherItIsHealthy: it has the image of the app that it prepares, and so
// its health check and its port.
func TestAJobIsNotAskedWhetherItIsHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, job := migration(30 * time.Minute)
		job.NoHealth = false
		w := live(t, "", front, job)
		began := time.Now()
		if s := w.visit("shop-front"); s != Ready || time.Since(began) > 31*time.Minute {
			t.Errorf("front is %s after %s: %s", s, time.Since(began), w.View(w.Named("shop-front")).Reason)
		}
		w.wantCalls("start shop-migrate, start shop-front")
	})
}

// TestWhoWaitsForAJobThatFailsHasItsExitCodeAndItsLog, through other apps as well.
func TestWhoWaitsForAJobThatFailsHasItsExitCodeAndItsLog(t *testing.T) {
	for name, c := range map[string]struct {
		front, job string // show_logs
		want       string // what a visitor reads
	}{
		"shown by both": {"true", "true", "no such table"},
		"not of front":  {"false", "true", ""},
		"not of job":    {"true", "false", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				front, job := service("shop", "front", "back").routed("shop.test"), service("shop", "migrate")
				job.NoHealth, job.Job, job.Crash, job.logs = true, true, 3, []string{"no such table"}
				front.label("paastis.show_logs", c.front)
				job.label("paastis.show_logs", c.job)
				f := newFake(front, service("shop", "back", "migrate:completed"), job)
				w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, false}}, Settings: settingsFor(t, "")})
				if s := w.visit("shop-front"); s != Failed {
					t.Fatalf("front is %s", s)
				}
				time.Sleep(time.Second)
				k := w.Named("shop-front")
				if got := strings.Join(w.View(k).Logs, "\n"); got != c.want {
					t.Errorf("a visitor reads %q, want %q", got, c.want)
				}
				d := w.Detail(k).Failure
				if d == nil || d.ExitCode != 3 || strings.Join(d.Logs, "\n") != "no such table" {
					t.Errorf("its owner reads %+v", d)
				}
			})
		})
	}
}

// TestAJobRunsOnceBesideReplicas: one of two replicas that dies runs no migration.
func TestAJobRunsOnceBesideReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, job := migration(20 * time.Second)
		second := inventory.Instance{Name: "shop-front-2", ID: "second", Status: inventory.Running, Health: inventory.Healthy}
		front.Instances = append(front.Instances, second)
		w := live(t, "", front, job)
		time.Sleep(time.Minute)
		if s := w.visit("shop-front"); s != Ready {
			t.Errorf("front is %s", s)
		}
		time.Sleep(time.Minute)
		w.wantCalls("start shop-front")
	})
}

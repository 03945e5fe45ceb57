package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// watch is a run of Watch. Its reports may be read when the bubble is idle.
type watch struct {
	reports []provider.Report
	err     error
	ended   chan struct{}
	leave   context.CancelFunc
	// query is what it asked the engine for.
	query url.Values
}

// watchOn starts to watch, and waits for the first report.
func watchOn(t *testing.T, e *engine, p *Provider) *watch {
	w := startWatch(t, p, func(provider.Report) {})
	w.query = <-e.subscriptions
	synctest.Wait()
	return w
}

func startWatch(t *testing.T, p *Provider, also func(provider.Report)) *watch {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watch{ended: make(chan struct{}), leave: cancel}
	go func() {
		defer close(w.ended)
		w.err = p.Watch(ctx, func(r provider.Report) {
			w.reports = append(w.reports, r)
			also(r)
		})
	}()
	return w
}

// since is what was reported since it was last asked.
func (w *watch) since() []provider.Report {
	synctest.Wait()
	reports := w.reports
	w.reports = nil
	return reports
}

// only is the one report since it was last asked.
func (w *watch) only(t *testing.T) provider.Report {
	t.Helper()
	reports := w.since()
	if len(reports) != 1 {
		t.Fatalf("got %d reports: %v", len(reports), reports)
	}
	return reports[0]
}

func (w *watch) stop(t *testing.T) {
	t.Helper()
	w.leave()
	<-w.ended
	if w.err != nil {
		t.Errorf("watch ended with %v", w.err)
	}
}

func TestWatchReportsEverythingThenEveryChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1", "shop-back-1")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		first := w.only(t)
		equal(t, "complete", first.Complete, true)
		equal(t, "apps", appNames(first), []string{"shop-back", "shop-front"})

		e.change("shop-front-1", exits(137))
		e.happens("die", e.id("shop-front-1"))
		died := w.only(t)
		equal(t, "complete", died.Complete, false)
		equal(t, "apps", appNames(died), []string{"shop-front"})
		equal(t, "exit code", died.Apps[0].Instances[0].ExitCode, 137)
		if died.Version <= first.Version || died.Apps[0].Version != died.Version {
			t.Errorf("versions %d, then %d with app %d", first.Version, died.Version, died.Apps[0].Version)
		}
	})
}

func TestWatchSubscribesToWhatChangesAnAppBeforeItLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		release := e.hold("list")
		w := startWatch(t, e.provider(), func(provider.Report) {})
		defer w.stop(t)
		query := <-e.subscriptions
		synctest.Wait()

		var filters map[string]map[string]bool
		if err := json.Unmarshal([]byte(query.Get("filters")), &filters); err != nil {
			t.Fatal(err)
		}
		equal(t, "types", filters["type"], map[string]bool{"container": true})
		for _, action := range []string{"create", "start", "die", "stop", "pause", "unpause", "destroy", "rename", "health_status", "oom", "update"} {
			equal(t, action, filters["event"][action], true)
		}
		equal(t, "exec", filters["event"]["exec_die"], false)
		equal(t, "since", query.Get("since"), "")

		e.add(another(t, "late", "tty"))
		e.happens("start", e.id("late"))
		release()
		reports := w.since()
		equal(t, "reports", len(reports), 2)
		equal(t, "in the list", appNames(reports[0]), []string{"shop-front"})
		equal(t, "after it", appNames(reports[1]), []string{"late"})
	})
}

func TestHealthIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		for _, c := range []struct {
			status api.HealthStatus
			failed int
			want   inventory.Health
		}{
			{api.Starting, 0, inventory.HealthStarting},
			{api.Healthy, 0, inventory.Healthy},
			{api.Unhealthy, 3, inventory.Unhealthy},
			{api.Unhealthy, 0, inventory.HealthStarting},
		} {
			e.change("shop-front-1", func(front *api.InspectResponse) {
				front.State.Health = &api.Health{Status: c.status, FailingStreak: c.failed}
			})
			e.happens("health_status: "+string(c.status), e.id("shop-front-1"))
			equal(t, string(c.status), w.only(t).Apps[0].Instances[0].Health, c.want)
		}
	})
}

func TestAppIsGoneWithItsLastContainer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		e.add(another(t, "shop-front-2", "shop-front-1", labelled(labelNumber, "2")))
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		first := e.id("shop-front-1")

		for _, name := range []string{"shop-front-1", "shop-front-2"} {
			id := e.id(name)
			e.remove(name)
			e.happens("destroy", id)
			synctest.Wait()
		}
		e.happens("destroy", first)
		reports := w.since()
		equal(t, "reports", len(reports), 2)
		equal(t, "one left", instanceNames(reports[0].Apps[0]), []string{"shop-front-2"})
		equal(t, "gone", reports[1].Gone, []string{"shop-front"})
		equal(t, "apps", len(reports[1].Apps), 0)
		if reports[1].Version <= reports[0].Version {
			t.Errorf("version %d after %d", reports[1].Version, reports[0].Version)
		}
	})
}

func TestGoneIsReportedEvenIfAListNoticedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "tty")
		p := e.provider()
		w := watchOn(t, e, p)
		defer w.stop(t)
		w.since()
		id := e.id("tty")
		e.remove("tty")
		listOf(t, p)
		e.happens("destroy", id)
		equal(t, "gone", w.only(t).Gone, []string{"tty"})
	})
}

func TestRenamedContainerIsAnotherApp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "tty")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		e.change("tty", renamed("terminal"))
		e.happens("rename", e.id("terminal"))
		report := w.only(t)
		equal(t, "gone", report.Gone, []string{"tty"})
		equal(t, "apps", appNames(report), []string{"terminal"})
	})
}

func TestAppLivesOnWhileComposeRecreatesItsContainer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		old := e.id("shop-front-1")
		successor := another(t, "17600320cc1d_shop-front-1", "shop-front-1", exits(0))
		happens := func(action, id string) { e.happens(action, id); synctest.Wait() }

		e.add(successor)
		happens("create", successor.ID)
		e.change("shop-front-1", exits(0))
		happens("die", old)
		e.remove("shop-front-1")
		happens("destroy", old)
		e.change("17600320cc1d_shop-front-1", renamed("shop-front-1"))
		happens("rename", successor.ID)
		e.change("shop-front-1", runs)
		happens("start", successor.ID)

		reports := w.since()
		equal(t, "reports", len(reports), 5)
		for i, report := range reports {
			equal(t, fmt.Sprint(i), appNames(report), []string{"shop-front"})
			equal(t, fmt.Sprint(i), len(report.Gone), 0)
		}
		equal(t, "side by side", len(reports[0].Apps[0].Instances), 2)
		last := reports[4].Apps[0]
		equal(t, "instances", instanceNames(last), []string{"shop-front-1"})
		equal(t, "ID", last.Instances[0].ID, successor.ID)
		equal(t, "status", last.Instances[0].Status, inventory.Running)
	})
}

func TestEventsOfTheForgottenDoNoHarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1", "shop-front-run-5d1f")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		e.happens("destroy", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
		e.happens("start", e.id("shop-front-run-5d1f"))
		e.happens("start", "")
		equal(t, "reports", len(w.since()), 0)
		e.happens("create", e.id("shop-front-1"))
		equal(t, "as it is now", w.only(t).Apps[0].Instances[0].Status, inventory.Running)
	})
}

func TestWatchResumesAfterTheEngineWasAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1", "shop-back-1")
		p := e.provider()
		w := watchOn(t, e, p)
		w.since()
		e.happens("start", e.id("shop-front-1"))
		w.since()
		e.hangUp()
		<-w.ended
		failed(t, w.err, "docker: the engine ended the stream of events")
		e.made()

		e.remove("shop-back-1")
		again := watchOn(t, e, p)
		defer again.stop(t)
		equal(t, "since", again.query.Get("since"), "1795486851.000000123")
		equal(t, "apps", appNames(again.only(t)), []string{"shop-front"})
		equal(t, "a new look at all", e.made(), []string{"list", "inspect shop-front-1"})
	})
}

func TestWatchEndsWithinSecondsWhenTheEngineHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider())
		time.Sleep(time.Hour)
		if w.err != nil {
			t.Errorf("of an engine to which nothing happens it ended with %v", w.err)
		}
		hung := time.Now()
		e.freeze()
		<-w.ended
		failed(t, w.err, "docker: cannot reach the engine at unix:///var/run/docker.sock: no answer in time; is it running, and may Paastis read the socket?")
		if took := time.Since(hung); took > 15*time.Second {
			t.Errorf("that was noticed after %s", took)
		}
	})
}

func TestWatchGoesOnWhereTheQuestionWhetherTheEngineIsThereIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider(func(c *Config) { c.APIVersion = "1.41" }))
		defer w.stop(t)
		e.refuse("ping", 403, "Forbidden")
		time.Sleep(time.Hour)
		w.since()
		e.happens("start", e.id("shop-front-1"))
		w.only(t)
	})
}

func TestWatchFailsWithItsFirstListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.refuse("list", 403, "Forbidden")
		w := startWatch(t, e.provider(), func(provider.Report) { t.Error("a report") })
		<-w.ended
		failed(t, w.err, "docker: list containers: Forbidden")
	})
}

func TestBurstOfEventsEndsInFewLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		e.made()
		release := e.hold("inspect shop-front-1")
		for range 500 {
			e.happens("die", e.id("shop-front-1"))
		}
		synctest.Wait()
		release()
		equal(t, "reports", len(w.since()), 2)
		equal(t, "looks", len(e.made()), 2)
	})
}

func TestEventsAreReadWhileAReportIsTakenIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		for i := range 300 {
			e.add(another(t, fmt.Sprintf("app-%03d", i), "tty"))
		}
		busy := make(chan struct{})
		w := startWatch(t, e.provider(), func(provider.Report) { <-busy })
		defer w.stop(t)
		<-e.subscriptions
		synctest.Wait()
		for i := range 300 {
			e.happens("start", e.id(fmt.Sprintf("app-%03d", i)))
		}
		synctest.Wait()
		close(busy)
		reports := w.since()
		equal(t, "reports", len(reports), 2)
		equal(t, "apps", len(reports[1].Apps), 300)
		equal(t, "sorted", slices.IsSorted(appNames(reports[1])), true)
	})
}

func TestWatchEndsWithoutAnErrorWhenItsCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		w := watchOn(t, e, e.provider())
		w.stop(t)
	})
}

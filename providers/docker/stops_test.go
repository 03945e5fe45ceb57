package docker

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// stoppedBy tells that an app was stopped by somebody else.
func stoppedBy(app inventory.App) bool { return !app.Instances[0].StoppedManually.IsZero() }

func TestWhoHasStoppedAContainerIsToldByItsEvents(t *testing.T) {
	t.Parallel()
	ended := exits(143)
	for what, c := range map[string]struct {
		events string
		then   func(*api.InspectResponse)
		want   bool
	}{
		"docker stop":                   {"kill 15, die, stop", ended, true},
		"a stop that had to be forced":  {"kill 15, kill 9, die, stop", ended, true},
		"docker stop of what is paused": {"pause, kill 15, unpause, die, stop", ended, true},
		"docker kill":                   {"kill 9, die", ended, true},
		"docker kill by a name":         {"kill SIGINT, die", ended, true},
		"podman stop":                   {"stop, died", ended, true},
		"docker pause":                  {"pause", pauses, true},
		"pause and unpause":             {"pause, unpause", runs, false},
		"a pause that is over":          {"pause, unpause, die", ended, false},
		"docker restart":                {"kill 15, die, stop, start", runs, false},
		"a crash after a restart":       {"kill 15, die, stop, start, die", ended, false},
		"a crash":                       {"die", ended, false},
		"its own end":                   {"die", exits(0), false},
		"out of memory":                 {"oom, die", exits(137), false},
		"a reload":                      {"kill 1", runs, false},
		"a reload that it dies of":      {"kill HUP, die", ended, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, "shop-front-1")
				e.clock += int64(time.Hour) // it has started by then
				w := watchOn(t, e, e.provider())
				defer w.stop(t)
				w.since()
				e.change("shop-front-1", c.then)
				for action := range strings.SplitSeq(c.events, ", ") {
					e.happens(action, e.id("shop-front-1"))
				}
				e.happens("update", e.id("shop-front-1"))
				reports := w.since()
				if got := stoppedBy(reports[len(reports)-1].Apps[0]); got != c.want {
					t.Errorf("stopped by somebody else: %t, want %t", got, c.want)
				}
			})
		})
	}
}

// Who stops several containers at once tells all of them first.
func TestWhatIsAboutToEndByHandIsTold(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]bool{"kill 15": true, "kill 1": false, "update": false} {
		synctest.Test(t, func(t *testing.T) {
			e := newEngine(t, "shop-front-1")
			e.clock += int64(time.Hour)
			w := watchOn(t, e, e.provider())
			defer w.stop(t)
			w.since()
			e.happens(event, e.id("shop-front-1"))
			e.happens("update", e.id("shop-front-1"))
			reports := w.since()
			if got := reports[len(reports)-1].Apps[0].Instances[0].Ending; got != want {
				t.Errorf("%s: it is about to end: %t, want %t", event, got, want)
			}
		})
	}
}

func TestAStopIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		e.clock += int64(time.Hour)
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		e.change("shop-front-1", exits(143))
		var told []time.Time
		for _, action := range []string{"kill 15", "die", "stop"} {
			e.happens(action, e.id("shop-front-1"))
			for _, report := range w.since() {
				told = append(told, report.Apps[0].Instances[0].StoppedManually)
			}
		}
		if len(told) != 2 || told[0].IsZero() || !told[1].Equal(told[0]) {
			t.Errorf("stopped at %s", told)
		}
	})
}

func TestASignalIsNotTheReasonForWhatHappensMuchLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		e.clock += int64(time.Hour)
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.since()
		e.happens("kill 15", e.id("shop-front-1")) // which it ignores
		e.clock += int64(time.Hour)
		e.change("shop-front-1", exits(1))
		e.happens("die", e.id("shop-front-1"))
		equal(t, "stopped by somebody else", stoppedBy(w.only(t).Apps[0]), false)
	})
}

func TestPaastisOwnOrdersAreNobodyElses(t *testing.T) {
	t.Parallel()
	for method, actions := range map[rules.StopMethod]string{rules.StopContainer: "kill 15, die, stop", rules.PauseContainer: "pause"} {
		t.Run(method.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, "shop-front-1")
				e.clock += int64(time.Hour)
				p := e.provider()
				w := watchOn(t, e, p)
				defer w.stop(t)
				w.since()
				stop := func() inventory.App {
					app, err := p.Stop(t.Context(), "shop-front", method)
					if err != nil {
						t.Fatal(err)
					}
					for action := range strings.SplitSeq(actions, ", ") {
						e.happens(action, e.id("shop-front-1"))
					}
					reports := w.since()
					equal(t, "right after", stoppedBy(app), false)
					return reports[len(reports)-1].Apps[0]
				}
				equal(t, "by Paastis", stoppedBy(stop()), false)

				e.change("shop-front-1", runs)
				e.happens("start", e.id("shop-front-1"))
				e.refuse(method.String()+" shop-front-1", 500, "no")
				if _, err := p.Stop(t.Context(), "shop-front", method); err == nil {
					t.Fatal("a refused order is no error")
				}
				e.change("shop-front-1", exits(143))
				for _, action := range []string{"kill 15", "die", "stop"} {
					e.happens(action, e.id("shop-front-1"))
				}
				reports := w.since()
				equal(t, "by somebody else, after an order that was refused", stoppedBy(reports[len(reports)-1].Apps[0]), true)
			})
		})
	}
}

func TestWhatGoesDownWithTheEngineWasStoppedByNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1", "shop-back-1")
		e.clock += int64(time.Hour)
		p := e.provider()
		w := watchOn(t, e, p)
		w.since()
		stop := func(name string) {
			e.change(name, exits(143))
			for _, action := range []string{"kill 15", "die", "stop"} {
				e.happens(action, e.id(name))
			}
			synctest.Wait()
		}
		stop("shop-front-1")
		time.Sleep(time.Minute)
		stop("shop-back-1")
		time.Sleep(10 * time.Second)
		e.hangUp()
		<-w.ended

		again := watchOn(t, e, p)
		defer again.stop(t)
		all := again.only(t)
		equal(t, "long before", stoppedBy(appIn(t, all, "shop-front")), true)
		equal(t, "with the engine", stoppedBy(appIn(t, all, "shop-back")), false)
		seconds, _, _ := strings.Cut(again.query.Get("since"), ".")
		since, err := strconv.ParseInt(seconds, 10, 64)
		if first := time.Unix(0, e.clock-int64(2*time.Second)); err != nil || !time.Unix(since, 0).Before(first) {
			t.Errorf("asked for events since %d, want those again of a stop at %s, in case it was the connection alone", since, first)
		}
		for _, action := range []string{"kill 15", "die", "stop"} {
			e.happens(action, e.id("shop-back-1"))
		}
		reports := again.since()
		equal(t, "once it is told again", stoppedBy(appIn(t, reports[len(reports)-1], "shop-back")), true)
	})
}

package registry

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
)

// failedSearch is what Compose leaves behind where web does not require search: search has
// failed, and web was started after it, for the first time.
func failedSearch() (web, search *fakeApp) {
	web, search = service("lab", "web", "search").routed("shop.test").awake(), service("lab", "search")
	search.Crash = 3
	search.Instances[0].ExitCode = 3
	search.Instances[0].StartedAt = time.Now().Add(-20 * time.Second)
	search.Instances[0].EndedAt = time.Now().Add(-10 * time.Second)
	web.Instances[0].StartedAt = time.Now().Add(-9 * time.Second)
	return web, search
}

func TestAnAppWakesWithoutWhatComposeDidNotRequire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web, search := failedSearch()
		w := live(t, "", web, search)
		for range 3 {
			if s := w.visit("lab-web"); s != Ready {
				t.Fatalf("web is %s: %s", s, w.View(w.Named("lab-web")).Reason)
			}
			w.wantState("lab-web", Ready)
			time.Sleep(11 * time.Minute)
			w.wantState("lab-web", Asleep)
		}
	})
}

// TestAnAppThatRunsIsNotClosedByAFailureOfWhatItDoesWithout: the door stays open, whatever
// becomes of search.
func TestAnAppThatRunsIsNotClosedByAFailureOfWhatItDoesWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web, search := failedSearch()
		w := live(t, "", web, search)
		for range 3 {
			w.change("lab-search", func(i *inventory.Instance) {
				i.Status, i.Health, i.StartedAt = inventory.Running, inventory.Healthy, time.Now()
			})
			time.Sleep(10 * time.Second)
			w.change("lab-search", func(i *inventory.Instance) { i.Status, i.ExitCode, i.EndedAt = inventory.Exited, 3, time.Now() })
			if !w.Named("lab-web").Pass(time.Now()) {
				t.Fatal("web is closed, for search failed")
			}
		}
	})
}

func TestWhatIsEvidentlyNotRequired(t *testing.T) {
	ended := func(code int) func(*inventory.Instance) {
		return func(i *inventory.Instance) { i.ExitCode, i.EndedAt = code, time.Now().Add(-10*time.Second) }
	}
	for name, c := range map[string]struct {
		search, web func(*inventory.Instance)
		live        bool // web is started under Paastis's eyes
		want        bool
	}{
		"failed before":                 {ended(3), nil, false, true},
		"seen to start after":           {ended(3), nil, true, true},
		"out of memory":                 {func(i *inventory.Instance) { ended(137)(i); i.OOMKilled = true }, nil, false, true},
		"failed after":                  {func(i *inventory.Instance) { ended(3)(i); i.EndedAt = time.Now() }, nil, false, false},
		"ended well":                    {ended(0), nil, false, false},
		"stopped by somebody":           {ended(143), nil, false, false},
		"never started":                 {func(*inventory.Instance) {}, nil, false, false},
		"started again, a moment later": {ended(3), func(i *inventory.Instance) { i.EndedAt = time.Now().Add(-time.Hour) }, true, true},
		"started again, by a machine that boots for example": {func(i *inventory.Instance) { i.ExitCode, i.EndedAt = 3, time.Now().Add(-time.Hour) }, func(i *inventory.Instance) { i.EndedAt = time.Now().Add(-2 * time.Hour) }, true, false},
		"asleep, and was started a moment later":             {ended(3), func(i *inventory.Instance) { i.Status, i.EndedAt = inventory.Exited, time.Now() }, false, true},
		"unhealthy as it started":                            {func(i *inventory.Instance) { i.Status, i.Health = inventory.Running, inventory.Unhealthy }, nil, true, true},
		"unhealthy as it was started again":                  {func(i *inventory.Instance) { i.Status, i.Health = inventory.Running, inventory.Unhealthy }, func(i *inventory.Instance) { i.EndedAt = time.Now().Add(-time.Hour) }, true, false},
		"unhealthy now":                                      {func(i *inventory.Instance) { i.Status, i.Health = inventory.Running, inventory.Unhealthy }, nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				web, search := service("lab", "web", "search").routed("shop.test"), service("lab", "search")
				c.search(&search.Instances[0])
				start := func(i *inventory.Instance) {
					i.Status, i.Health, i.StartedAt = inventory.Running, inventory.Healthy, time.Now().Add(-5*time.Second)
					if c.web != nil {
						c.web(i)
					}
				}
				if !c.live {
					start(&web.Instances[0])
				}
				w := live(t, "", web, search)
				if c.live {
					w.change("lab-web", start)
				}
				if links := w.Inventory().Graph.Links("lab-web"); len(links) != 1 || links[0].Optional != c.want {
					t.Errorf("links %v, want optional %v", links, c.want)
				}
			})
		})
	}
}

func TestWhatAnAppDoesWithoutIsRememberedWhereStateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web, search := failedSearch()
		f, store := newFake(web, search), history.NewFileStore(t.TempDir()+"/state.json")
		o := Options{Settings: settingsFor(t, ""), Store: store, Log: slog.New(slog.DiscardHandler)}
		runs(t, f, o, func(r *Registry) { time.Sleep(11 * time.Minute) })
		web.Instances[0].EndedAt = time.Now()
		runs(t, f, o, func(r *Registry) {
			r.Wake(r.Named("lab-web"), false)
			if s := r.Await(t.Context(), r.Named("lab-web")); s != Ready {
				t.Errorf("web is %s: %s", s, r.View(r.Named("lab-web")).Reason)
			}
		})
	})
}

// TestOptionalAppsHoldUpNobody: neither one that is never healthy, nor one that does not even
// start, of whatever origin the link is.
func TestOptionalAppsHoldUpNobody(t *testing.T) {
	front := func(needs ...string) *fakeApp { return service("pr1", "front", needs...).routed("pr1.test") }
	for name, c := range map[string]struct {
		rules string
		front *fakeApp
		slow  []string // needs of cache
	}{
		"by its provider":      {"", front("cache?"), nil},
		"by a label":           {"", front().label("paastis.linked_apps", "pr1-cache?"), nil},
		"in a group":           {`rules: [{pattern: '^pr1-', app_group: pr1, linked_apps: [{name: pr1-cache, optional: true}]}]`, front("back"), nil},
		"in a circle":          {`rules: [{pattern: '^pr1-', linked_apps: [pr1-front, pr1-back, {name: pr1-cache, optional: true}]}]`, front("back"), nil},
		"in a circle, ordered": {`rules: [{pattern: '^pr1-cache$', linked_apps: [pr1-front]}]`, front("cache?"), nil},
	} {
		for what, fault := range map[string]func(*fakeApp){
			"is never healthy":      func(a *fakeApp) { a.Boot = time.Hour },
			"takes a minute":        func(a *fakeApp) { a.Boot = time.Minute },
			"crashes after a while": func(a *fakeApp) { a.Boot, a.Crash = 30*time.Second, 3 },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cache := service("pr1", "cache", c.slow...)
					fault(cache)
					again := *c.front
					back := service("pr1", "back")
					for _, a := range []*fakeApp{&again, back, cache} {
						a.label("paastis.max_concurrent_starts", "1") // nor does it take the turn of others
					}
					w := live(t, c.rules, &again, back, cache)
					began := time.Now()
					if s := w.visit("pr1-front"); s != Ready || time.Since(began) > 5*time.Second {
						t.Errorf("front is %s after %s", s, time.Since(began))
					}
					time.Sleep(3 * time.Minute)
					w.wantState("pr1-front", Ready)
				})
			})
		}
	}
}

// TestAnOptionalAppThatMovesDoesNotStopTheClockOfOneThatStarted: what hangs fails in time.
func TestAnOptionalAppThatMovesDoesNotStopTheClockOfOneThatStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, cache := service("shop", "front", "cache?").routed("shop.test"), service("shop", "cache")
		front.Boot, cache.Boot = time.Hour, time.Hour
		cache.label("paastis.start_timeout", "30m")
		w := live(t, "", front, cache)
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(6 * time.Minute)
		w.wantState("shop-front", Failed)
	})
}

func TestTheEndOfAnOptionalJobIsWaitedForAndItsFailureIsNot(t *testing.T) {
	for name, code := range map[string]int{"ends well": 0, "fails": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				job := service("shop", "migrate")
				job.NoHealth, job.Job, job.Boot, job.Crash = true, true, 20*time.Second, code
				front := service("shop", "front").routed("shop.test").label("paastis.linked_apps", "shop-migrate:completed?")
				w := live(t, "", front, job)
				began := time.Now()
				if s, took := w.visit("shop-front"), time.Since(began); s != Ready || took < 20*time.Second || took > 25*time.Second {
					t.Errorf("front is %s after %s", s, took)
				}
			})
		})
	}
}

// TestWhatAnAppDoesWithoutIsToldWithoutARunningPaastis: by the containers, and by its state.
func TestWhatAnAppDoesWithoutIsToldWithoutARunningPaastis(t *testing.T) {
	web, search := failedSearch()
	all := []inventory.App{search.App.App, web.App.App, service("lab", "db").App.App}
	if got := web.StartedWithout(all); len(got) != 1 || got[0] != "lab-search" {
		t.Errorf("containers tell %q", got)
	}
	if got := search.StartedWithout(all); got != nil {
		t.Errorf("of one that needs nothing: %q", got)
	}
	path := t.TempDir() + "/state.json"
	if err := history.NewFileStore(path).Save(t.Context(), history.State{Apps: map[string]history.App{"docker/lab-web": {Without: []string{"lab-search"}}}}); err != nil {
		t.Fatal(err)
	}
	if got := history.ReadWithout(path)["docker/lab-web"]; len(got) != 1 || got[0] != "lab-search" {
		t.Errorf("the state tells %q", got)
	}
	if got := history.ReadWithout(path + ".not"); got != nil {
		t.Errorf("no state tells %q", got)
	}
}

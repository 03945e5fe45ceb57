package scalingo_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// wantReason wants a state of an app for a reason.
func (w *world) wantReason(name string, state registry.State, kind reason.Kind) {
	w.t.Helper()
	view := w.reg.Detail(w.reg.Named(name))
	if got := view.Reason; view.State != state || got.Kind != kind && (got.Because == nil || got.Because.Kind != kind) {
		w.t.Errorf("%s is %s: %s (%s), want %s: %s", name, view.State, got.Kind, got, state, kind)
	}
}

// wantProtected wants an app to be left alone for a reason.
func (w *world) wantProtected(name string, why reason.Kind) {
	w.t.Helper()
	for _, e := range w.reg.Inventory().Definitions {
		if e.Name == name && (e.App.Protected != why || e.Managed) {
			w.t.Errorf("%s is protected by %q, and managed: %v; want %s", name, e.App.Protected, e.Managed, why)
		}
	}
}

// wantCalls wants no more calls than that since the last time.
func (w *world) wantCalls(what string, most int) {
	w.t.Helper()
	if n := w.Calls.Of(); n > most {
		w.t.Errorf("%s: %d calls, more than %d", what, n, most)
	}
	w.Calls.Reset()
}

func TestWakeOutlivesAStormOf429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			time.Sleep(time.Minute)
			w.Calls.Reset()
			w.Faults.Add(paastest.Fault{For: 5 * time.Minute, Status: 429, Body: "Retry later", Header: http.Header{"Content-Type": {"text/plain"}}})
			w.visit("shop")
			time.Sleep(5 * time.Minute)
			w.wantCalls("five minutes of 429", 20)
			w.await("shop", 10*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestSessionThatEndsEarlyIsRenewedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			before := w.Exchanges()
			w.EndSessions()
			time.Sleep(2 * time.Minute)
			w.await("shop", time.Minute)
			if n := w.Exchanges() - before; n != 1 {
				t.Errorf("the token was exchanged %d times", n)
			}
			time.Sleep(5 * time.Minute)
			w.Calls.Reset()
			time.Sleep(3 * time.Hour)
			if n := w.Calls.Of("POST /v1/tokens/exchange"); n < 3 || n > 4 {
				t.Errorf("in three hours the token was exchanged %d times", n)
			}
		})
	})
}

func TestTokenThatWasDeletedIsToldAndNotTriedAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			w.RevokeToken()
			w.EndSessions()
			time.Sleep(3 * time.Minute)
			w.Calls.Reset()
			w.visit("shop")
			time.Sleep(30 * time.Second)
			w.wantReason("shop", registry.Failed, reason.TokenRefused)
			time.Sleep(time.Hour)
			w.wantCalls("an hour without a token", 120)
			if !w.log.has("https://dashboard.scalingo.com/account/tokens") || w.log.has("tk-us-played-1") {
				t.Error("what to do is not told, or the token is")
			}
			w.RenewToken("tk-us-played-1")
			time.Sleep(15 * time.Minute)
			w.await("shop", 5*time.Minute)
			w.wantScale("shop", shopsScale, 1)
			for _, line := range []string{"the platform does not accept the token", "the platform accepts the token again"} {
				if n := w.log.times(line); n != 1 {
					t.Errorf("the log has %d times: %s", n, line)
				}
			}
		})
	})
}

func TestAppsAreAsLastKnownWhileTheAPIIsDownAndAWakeIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.Create("osc-fr1", "blog", scalingotest.Type{Name: "web", Amount: 1, Size: "S"})
		w.lives(func() {
			for began := time.Now(); w.Status("shop") != "stopped"; time.Sleep(time.Second) {
				w.await("blog", time.Minute)
				if time.Since(began) > time.Hour {
					t.Fatal("it does not sleep")
				}
			}
			time.Sleep(time.Minute)
			w.Faults.Add(paastest.Fault{For: 10 * time.Minute, Status: 503, Body: "<h1>503</h1>"})
			time.Sleep(2 * time.Minute)
			w.Calls.Reset()
			w.wantWithin(0, "blog", registry.Ready)
			w.visit("shop")
			time.Sleep(8 * time.Minute)
			w.wantCalls("eight minutes of 503", 120)
			time.Sleep(time.Minute)
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestAnswersThatAreCutScaleNothingWrongly(t *testing.T) {
	for what, fault := range map[string]paastest.Fault{
		"the order is carried out and not answered": {Route: scaleCall, Lost: true, Times: 1},
		"its answer is cut":                         {Route: scaleCall, Cut: true, Times: 1},
		"it is refused with a 502":                  {Route: scaleCall, Status: 502, Times: 1},
		"it is not heard":                           {Route: scaleCall, Down: true, Times: 1},
		"lists are cut":                             {Route: listCall, Cut: true, Times: 3},
		"operations are cut":                        {Route: "GET /v1/apps/{app}/operations/{id}", Cut: true, Times: 2},
		"formations are cut":                        {Route: "GET /v1/apps/{app}/containers", Cut: true, Times: 2},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, scalingotest.Config{})
				w.shop()
				w.lives(func() {
					w.Faults.Add(fault)
					w.sleeps()
					w.Faults.Clear()
					w.await("shop", 2*time.Minute)
					w.wantScale("shop", shopsScale, 1)
					w.sleeps()
					w.Faults.Add(fault)
					w.await("shop", 3*time.Minute)
					w.Faults.Clear()
					time.Sleep(time.Minute)
					w.wantScale("shop", shopsScale, 1)
				})
			})
		})
	}
}

func TestAnswersOfAnotherFormScaleNothingWrongly(t *testing.T) {
	for _, field := range []string{"apps", "containers", "amount", "autoscalers", "base_url", "status", "name", "events", "type_data"} {
		t.Run(field, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, scalingotest.Config{})
				w.shop()
				w.lives(func() {
					time.Sleep(time.Minute)
					remove := w.Faults.Add(paastest.Fault{Route: "GET /", Change: paastest.Retype(field)})
					time.Sleep(5 * time.Minute)
					w.wantWithin(0, "shop", registry.Ready)
					time.Sleep(25 * time.Minute)
					if got := w.Formation("shop"); got != shopsScale && got != "cron:0:S web:0:L worker:0:M" {
						t.Errorf("it is scaled to %s", got)
					}
					remove()
					time.Sleep(20 * time.Minute)
					w.sleeps()
					w.await("shop", time.Minute)
					w.wantScale("shop", shopsScale, 1)
				})
			})
		})
	}
}

func TestUnknownFieldsAreNoMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.Faults.Add(paastest.Fault{Change: paastest.AddFields(map[string]any{"mood": map[string]any{"is": "good"}, "disabled_by": 3})})
		w.lives(func() {
			w.sleeps()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestAppOfAnUnknownStatusIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			time.Sleep(time.Minute)
			w.SetStatus("shop", "hibernating")
			time.Sleep(2 * time.Hour)
			w.wantProtected("shop", reason.UnknownState)
			if n := w.Calls.Of(scaleCall); n != 0 || w.Formation("shop") != shopsScale {
				t.Errorf("it was scaled %d times", n)
			}
			if !w.log.has("status=hibernating") {
				t.Error("its status is not told")
			}
			w.SetStatus("shop", "running")
			w.sleeps()
		})
	})
}

func TestAppThatTheTokenMayNotScaleIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.Limit("shop")
		w.lives(func() {
			time.Sleep(12 * time.Hour)
			if n := w.Calls.Of(scaleCall); n != 1 {
				t.Errorf("it was tried %d times in twelve hours", n)
			}
			w.wantProtected("shop", reason.NotAllowed)
			w.Promote("shop")
			time.Sleep(time.Minute)
			w.sleeps()
		})
	})
}

func TestTrialThatIsOverIsToldAndTriedAgainWhenSomebodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			w.EndTrial()
			w.visit("shop")
			time.Sleep(10 * time.Second)
			w.wantReason("shop", registry.Failed, reason.PaymentRequired)
			w.Calls.Reset()
			time.Sleep(time.Hour)
			if n := w.Calls.Of(scaleCall); n > 30 {
				t.Errorf("it was tried %d times in an hour", n)
			}
			w.Pay()
			time.Sleep(5 * time.Minute)
			w.await("shop", 5*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestOperationThatFailsIsToldWithTheWordsOfScalingoInTheLogAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			w.Break("shop", "container web-1 failed to start")
			w.visit("shop")
			time.Sleep(30 * time.Second)
			w.wantReason("shop", registry.Failed, reason.OperationFailed)
			if !w.log.has("container web-1 failed to start") {
				t.Error("what Scalingo says is not told")
			}
			w.Break("shop", "")
			time.Sleep(5 * time.Minute)
			w.await("shop", 5*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestStopThatFailsIsToldAndTheAppStaysAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.FailNextOperation("shop", "the scheduler is away")
		w.lives(func() {
			for range 1200 {
				if time.Sleep(time.Second); w.log.has("the scheduler is away") {
					break
				}
			}
			w.wantScale("shop", shopsScale, 1)
			if !w.log.has("the scheduler is away") {
				t.Error("what Scalingo says is not told")
			}
			w.sleeps()
			w.await("shop", time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestAppThatHasCrashedIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.await("shop", time.Minute)
			time.Sleep(5 * time.Minute)
			w.Crash("shop")
			time.Sleep(time.Minute)
			w.wantWithin(0, "shop", registry.Asleep)
			w.await("shop", 2*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestOrderWaitsForAnotherOperationOfTheApp(t *testing.T) {
	for _, busy := range []int{409, 422, 400} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, scalingotest.Config{Busy: busy, Boot: time.Minute})
			w.shop()
			w.lives(func() {
				time.Sleep(9*time.Minute + 50*time.Second)
				w.Order("shop", scalingotest.Type{Name: "worker", Amount: 2})
				w.sleeps()
				w.Order("shop", scalingotest.Type{Name: "web", Amount: 1})
				w.await("shop", 3*time.Minute)
				if got := w.Formation("shop"); got != "cron:0:S web:1:L worker:0:M" {
					t.Errorf("it is scaled to %s", got)
				}
			})
		})
	}
}

func TestWhatOthersScaleAtTheSameTimeFailsNoWakeForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		others := w.fleetOf(5)
		w.lives(func() {
			w.sleeps()
			for _, name := range others {
				w.Boots(name, 30*time.Second)
				w.Order(name, scalingotest.Type{Name: "web", Amount: 1})
			}
			w.visit("shop")
			time.Sleep(3 * time.Minute)
			w.await("shop", 5*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestTokenInAFileMayBeReplacedWhilePaastisRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	put := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{})
		p.Create("osc-fr1", "shop")
		put(p.Token())
		made, err := scalingo.New(scalingo.Config{TokenFile: file, Transport: p.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := made.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.RenewToken("tk-us-played-2")
		p.EndSessions()
		put("tk-us-played-2")
		time.Sleep(2 * time.Minute)
		if _, err := made.List(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if _, err := scalingo.New(scalingo.Config{TokenFile: file + ".none"}); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("of a file that is not there: %v", err)
	}
}

func TestMaintenanceOfScalingoIsToldAsThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.lives(func() {
			w.sleeps()
			w.Faults.Add(paastest.Fault{Route: scaleCall, For: 5 * time.Minute, Status: 503, Body: `{"error":"Scalingo is under maintenance"}`})
			w.visit("shop")
			time.Sleep(30 * time.Second)
			w.wantReason("shop", registry.Failed, reason.InMaintenance)
			time.Sleep(10 * time.Minute)
			w.await("shop", 5*time.Minute)
			w.wantScale("shop", shopsScale, 1)
		})
	})
}

func TestAppIsAwakeWhileScalingoTellsOfItsUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.shop()
		w.RunOneOffs("shop", 1)
		w.lives(func() {
			time.Sleep(2 * time.Hour)
			w.wantReason("shop", registry.Ready, reason.OneOffs)
			w.RunOneOffs("shop", 0)
			for range 60 { // by its own URL
				w.Visit("shop", 1)
				time.Sleep(time.Minute)
			}
			w.wantReason("shop", registry.Ready, reason.RoutedRequests)
			if n := w.Calls.Of(scaleCall); n != 0 {
				t.Errorf("it was scaled %d times", n)
			}
			w.wantCalls("three hours of an app that is in use", 3*60*4+3*60)
			w.sleeps()
		})
	})
}

func TestOrderThatIsRefusedForAnotherOneIsGivenAfterThat(t *testing.T) {
	for _, busy := range []int{409, 422, 400} {
		synctest.Test(t, func(t *testing.T) {
			p := scalingotest.New(scalingotest.Config{Regions: []string{"osc-fr1"}, Busy: busy})
			p.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 1, Size: "M"}, scalingotest.Type{Name: "worker", Size: "M"})
			made := connect(t, p)
			listed := func() {
				t.Helper()
				if _, err := made.List(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			listed()
			p.Order("shop", scalingotest.Type{Name: "worker", Amount: 2}) // it is not known of that yet
			if app, err := made.Stop(t.Context(), "shop", rules.StopContainer); err != nil || app.Up() || p.Formation("shop") != "web:0:M worker:0:M" {
				t.Errorf("stopped: %v, %+v, %s", err, app, p.Formation("shop"))
			}
			listed()
			p.Order("shop", scalingotest.Type{Name: "web", Amount: 3})
			if app, err := made.Start(t.Context(), "shop"); err != nil || !app.Up() || p.Formation("shop") != "web:3:M worker:0:M" {
				t.Errorf("started: %v, %+v, %s", err, app, p.Formation("shop"))
			}
		})
	}
}

// An order to stop whose answer was lost may be carried out: what is kept of the app is from before.
func TestNothingIsCapturedOfAnAppThatIsScaledToNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{Regions: []string{"osc-fr1"}})
		p.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 1, Size: "M"})
		made := connect(t, p)
		if kept, err := made.Capture(t.Context(), "shop"); err != nil || len(kept) == 0 {
			t.Fatalf("%s, %v", kept, err)
		}
		for _, after := range []time.Duration{0, time.Minute} { // on its way, and there
			p.Order("shop", scalingotest.Type{Name: "web"})
			time.Sleep(after)
			if kept, err := made.Capture(t.Context(), "shop"); err == nil || reason.Of(err).Kind != reason.PlatformBusy {
				t.Errorf("%q is kept, %v", kept, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestEventsThatCannotBeReadAreMadeUpForByListings(t *testing.T) {
	for what, fault := range map[string]paastest.Fault{
		"the token may not":       {Status: 403, Body: `{"error":"forbidden"}`},
		"they have another form":  {Change: paastest.Retype("events")},
		"there are none any more": {Change: paastest.Drop("events")},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, scalingotest.Config{})
				w.shop()
				for _, route := range []string{"GET /v1/events", "GET /v1/apps/{app}/events"} {
					fault.Route = route
					w.Faults.Add(fault)
				}
				w.lives(func() {
					w.await("shop", time.Minute)
					time.Sleep(3 * time.Minute)
					w.Stop("shop")
					w.wantWithin(30*time.Second, "shop", registry.Asleep)
					w.Scale("shop", scalingotest.Type{Name: "web", Amount: 2}, scalingotest.Type{Name: "worker", Amount: 1})
					w.wantWithin(30*time.Second, "shop", registry.Ready)
					time.Sleep(5 * time.Minute)
					w.wantCalls("nine minutes", 9*10)
					w.sleeps()
				})
				w.lives(func() {
					w.await("shop", time.Minute)
					w.wantScale("shop", shopsScale, 0) // he has scaled it himself: that turns it off
				})
			})
		})
	}
}

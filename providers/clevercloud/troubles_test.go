package clevercloud_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
)

const (
	orderRoute       = "POST /v2/organisations/{owner}/applications/{app}/instances"
	stopRoute        = "DELETE /v2/organisations/{owner}/applications/{app}/instances"
	summaryRoute     = "GET /v2/summary"
	deploymentsRoute = "GET /v2/organisations/{owner}/deployments"
)

// calm is how many calls a minute are none of a tight loop.
const calm = 60

// page makes an answer one that is no object any more.
func page(any) any { return "a page" }

// withoutIDs leaves out the ids of all apps.
func withoutIDs(answer any) any {
	for _, o := range answer.(map[string]any)["organisations"].([]any) {
		for _, a := range o.(map[string]any)["applications"].([]any) {
			delete(a.(map[string]any), "id")
		}
	}
	return answer
}

func TestAnOrderWhoseAnswerIsLostIsNoFailure(t *testing.T) {
	for what, fault := range map[string]paastest.Fault{
		"it is lost": {Lost: true}, "it is cut": {Cut: true}, "it is a page": {Change: page}, "it has no id": {Change: paastest.Drop("deploymentId")},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
				h.lives(func() {
					fault.Route = orderRoute
					defer h.Faults.Add(fault)()
					h.wake("shop")
					time.Sleep(2 * time.Minute)
					if got := h.stages("shop"); !slices.Equal(got, []registry.State{registry.Starting, registry.Ready}) || h.Orders(id) != 1 {
						t.Errorf("it went through %v, by %d orders", got, h.Orders(id))
					}
				})
			})
		})
	}
}

func TestWhatIsOnItsWayIsNotOrderedByAnotherPaastisAndWhatFailedIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := clevercloudtest.New()
		id := cloud.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Fails: true})
		for n, want := range []int{1, 1, 2} {
			if n == 2 {
				time.Sleep(time.Minute) // it has failed by then
			}
			app, err := connect(t, cloud, bearer, nil).Start(t.Context(), "shop")
			if err != nil || !app.Alive() || cloud.Orders(id) != want {
				t.Errorf("start %d: %v; it is %+v, by %d orders", n, err, app.Instances, cloud.Orders(id))
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(time.Minute)
	})
}

func TestARefusalTellsByWhichRequestItsSupportFindsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := clevercloudtest.New()
		cloud.Put(clevercloudtest.App{Name: "shop"})
		_, err := connect(t, cloud, bearer, nil).Start(t.Context(), "shop")
		if err == nil || err.Error() != `clevercloud: start "shop": POST /v2/organisations/`+clevercloudtest.User+`/applications/`+cloud.ID("shop")+`/instances: 400 bad request: 4016: This application has no commit to deploy (request 01JCLEVER)` {
			t.Errorf("told: %v", err)
		}
		if why := reason.Of(err); why.Kind != reason.NotDeployed {
			t.Errorf("for visitors: %s", why)
		}
	})
}

func TestNoTroubleOfTheAPILosesAWakeOrStartsAnythingTwice(t *testing.T) {
	for what, fault := range map[string]paastest.Fault{
		"it is asked too often, for a minute":          {Status: 429, Body: `{"id":429,"message":"Too many requests"}`, For: time.Minute},
		"it is asked too often, and says for how long": {Status: 429, Header: http.Header{"Retry-After": {"20"}}, Times: 10},
		"it is away for ten minutes":                   {Down: true, For: 10 * time.Minute},
		"it fails for ten minutes":                     {Status: 500, For: 10 * time.Minute},
		"it is slow":                                   {Route: orderRoute, Late: 5 * time.Second},
		"answers are cut":                              {Cut: true, Times: 5},
		"there are more fields":                        {Change: paastest.AddFields(map[string]any{"new": map[string]any{"a": 1}})},
		"the name has another type":                    {Change: paastest.Retype("name")},
		"the domains have another type":                {Change: paastest.Retype("vhosts")},
		"the instance has another type":                {Change: paastest.Retype("instance")},
		"the commit has another type":                  {Route: summaryRoute, Change: paastest.Retype("commit")},
		"deployments have another type of state":       {Route: deploymentsRoute, Change: paastest.Retype("uuid")},
		"deployments cannot be read":                   {Route: deploymentsRoute, Status: 410},
		"a deployment has an unknown state first":      {Route: deploymentsRoute, Change: paastest.Replace("state", "QUEUED"), For: time.Minute},
		"owners have no list":                          {Route: summaryRoute, Change: paastest.Drop("organisations"), For: time.Minute},
		"apps have no id":                              {Route: summaryRoute, Change: withoutIDs, For: time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				shop := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Owner: h.AddOwner("Shop Inc")})
				url := "https://" + strings.Replace(shop, "app_", "app-", 1) + ".cleverapps.io"
				h.Commit(shop, "reverted")
				blog := h.Put(clevercloudtest.App{Name: "blog", Commit: "b1"})
				h.lives(func() {
					time.Sleep(time.Minute)
					h.Calls.Reset()
					defer h.Faults.Add(fault)()
					h.wake("shop")
					for range 30 { // a visitor's page asks on
						time.Sleep(30 * time.Second)
						h.wake("shop")
						if got := h.Inventory().ByName["shop"].App.URL; got != url {
							t.Fatalf("it is reached at %q", got)
						}
					}
					h.want("shop", registry.Ready)
					h.want("blog", registry.Asleep)
					if h.Runs(shop) != "good" || h.Runs(blog) != "" || h.Orders(shop) != 1 || h.Orders(blog) != 0 {
						t.Errorf("shop runs %q after %d orders, blog %q", h.Runs(shop), h.Orders(shop), h.Runs(blog))
					}
					if n := h.Calls.Peak(); n > calm {
						t.Errorf("%d calls within a minute", n)
					}
				})
			})
		})
	}
}

func TestATokenThatCountsNoMoreIsToldWithWhatToDo(t *testing.T) {
	for what, c := range map[string]struct {
		oauth bool
		end   func(h *house)
		want  string
	}{
		"an API token is revoked":      {false, func(h *house) { h.Revoke() }, "clever tokens create"},
		"an API token has expired":     {false, func(h *house) { h.Expire() }, "expired: make another"},
		"an OAuth token has expired":   {true, func(h *house) { h.Expire() }, "it lives for 3 months"},
		"the clock is ten minutes off": {true, func(h *house) { h.Skew(10 * time.Minute) }, "the clock here differs from Clever Cloud's by -10m0s"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				if c.oauth {
					h.by = oauth
				}
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
				h.lives(func() {
					time.Sleep(time.Minute)
					c.end(h)
					h.Calls.Reset()
					h.wake("shop")
					time.Sleep(10 * time.Minute)
					h.want("shop", registry.Failed)
					if v := h.View(h.Named("shop")); v.Reason.Kind != "token_refused" && v.Reason.Kind != "token_expired" {
						t.Errorf("a visitor reads: %s (%s)", v.Reason, v.Reason.Kind)
					}
					problems := h.Health().Problems.String()
					if !strings.Contains(problems, c.want) {
						t.Errorf("its owner reads: %s", problems)
					}
					for _, secret := range []string{clevercloudtest.Token, clevercloudtest.ConsumerSecret, clevercloudtest.OAuthSecret} {
						if strings.Contains(h.said()+problems, secret) {
							t.Error("a secret is told")
						}
					}
					if n := h.Calls.Peak(); n > calm {
						t.Errorf("%d calls within a minute", n)
					}
					h.Restore()
					h.Skew(-h.Skewed())
					time.Sleep(2 * time.Minute)
					h.wake("shop")
					time.Sleep(2 * time.Minute)
					h.want("shop", registry.Ready)
					if n := h.Orders(id); n != 1 {
						t.Errorf("%d orders", n)
					}
				})
			})
		})
	}
}

func TestAStateThatNobodyKnowsLeavesAnAppAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		awake := h.Put(clevercloudtest.App{Name: "awake", Commit: "c1", Awake: true})
		asleep := h.Put(clevercloudtest.App{Name: "asleep", Commit: "c1"})
		fresh := h.Put(clevercloudtest.App{Name: "fresh", Commit: "c1", Awake: true})
		h.SetState(fresh, "HIBERNATED")
		h.lives(func() {
			time.Sleep(time.Minute)
			h.SetState(awake, "HIBERNATED")
			h.SetState(asleep, "HIBERNATED")
			time.Sleep(time.Hour)
			if got := h.stages("awake"); slices.Contains(got, registry.Asleep) || slices.Contains(got, registry.Failed) {
				t.Errorf("it went through %v", got)
			}
			h.want("asleep", registry.Asleep)
			if h.Runs(awake) == "" || h.Runs(fresh) == "" || h.Orders(asleep) != 0 {
				t.Errorf("they run %q, %q, %q", h.Runs(awake), h.Runs(fresh), h.Runs(asleep))
			}
			h.wake("fresh")
			h.wake("asleep")
			time.Sleep(2 * time.Minute)
			h.want("fresh", registry.Ready)
			if h.Orders(fresh) != 0 || h.Orders(asleep) != 1 {
				t.Errorf("of one that runs %d orders, of one that does not %d", h.Orders(fresh), h.Orders(asleep))
			}
			if n := strings.Count(h.said(), "has a state that Paastis does not know"); n != 1 {
				t.Errorf("it was told %d times", n)
			}
		})
	})
}

func TestAnAppThatDoesNotEndIsToldAndStoppedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true})
		deaf := h.Faults.Add(paastest.Fault{Route: stopRoute, Status: 200, Body: `{"message":"The application has successfully been stopped."}`})
		h.lives(func() {
			time.Sleep(20 * time.Minute)
			var told string
			for _, e := range h.Events(0, "shop", 100) {
				if e.Reason.Kind == "stop_refused" {
					told = string(e.Reason.Because.Kind)
				}
			}
			if told != "platform_busy" || h.Runs(id) == "" {
				t.Errorf("told: %q; it runs %q", told, h.Runs(id))
			}
			deaf()
			time.Sleep(10 * time.Minute)
			h.want("shop", registry.Asleep)
			if n := h.Calls.Peak(); n > calm {
				t.Errorf("%d calls within a minute", n)
			}
		})
	})
}

func TestEventsMakeAWakeKnownSoonerAndTheirLossOnlyLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.by = oauth
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Boot: 26 * time.Second})
		h.lives(func() {
			time.Sleep(3 * time.Second)
			if h.Sockets() != 1 {
				t.Fatalf("%d sockets\n%s", h.Sockets(), h.said())
			}
			h.wake("shop")
			time.Sleep(26*time.Second + 2500*time.Millisecond)
			h.want("shop", registry.Ready)
			time.Sleep(10 * time.Minute)
			h.DropSockets()
			h.Cloud.Stop(id)
			time.Sleep(5 * time.Second)
			if h.Sockets() != 1 {
				t.Errorf("%d sockets after they were cut", h.Sockets())
			}
			h.want("shop", registry.Asleep) // the socket that is back lets it be asked for
			h.LoseEvents()
			h.wake("shop")
			time.Sleep(45 * time.Second)
			h.want("shop", registry.Ready)
			time.Sleep(time.Hour)
			if n := h.Calls.Of("GET /v2/events/event-socket"); h.Sockets() != 1 || n != 2 {
				t.Errorf("%d sockets after an hour, of %d", h.Sockets(), n)
			}
		})
		synctest.Wait()
		if h.Sockets() != 0 {
			t.Error("a socket is left")
		}
	})
}

func TestFiveHundredAppsCostFewCallsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.rules += "    max_concurrent_starts: 0\n"
		owner := h.AddOwner("Shop Inc")
		for n := range 250 {
			h.review(n, owner)
		}
		h.lives(func() {
			time.Sleep(time.Minute)
			h.Calls.Reset()
			time.Sleep(15 * time.Minute)
			asleep := len(h.Calls.Log())
			if peak := h.Calls.Peak(); peak > 5 || asleep > 15*3 {
				t.Errorf("while all sleep: %d calls in 15 minutes, %d within a minute", asleep, peak)
			}
			h.Calls.Reset()
			began := time.Now()
			for n := range 250 { // nine o'clock
				h.wake(fmt.Sprintf("shop-pr%d-front", n))
			}
			ready := func() (n int) {
				for _, d := range h.Details() {
					if d.State == registry.Ready {
						n++
					}
				}
				return n
			}
			for ready() < 500 && time.Since(began) < time.Hour {
				time.Sleep(5 * time.Second)
			}
			t.Logf("all 500 woken within %s by %d calls, at most %d within a minute", time.Since(began).Round(time.Second), h.Calls.Of(), h.Calls.Peak())
			if time.Since(began) > 5*time.Minute || h.Calls.Peak() > 300 || h.Calls.Of(orderRoute) != 500 {
				t.Errorf("%d are ready after %s, by %d orders", ready(), time.Since(began), h.Calls.Of(orderRoute))
			}
			h.Calls.Reset()
			time.Sleep(50 * time.Minute)
			t.Logf("all went to sleep by %d calls, at most %d within a minute", h.Calls.Of(), h.Calls.Peak())
			if ready() != 0 {
				t.Errorf("%d are awake", ready())
			}
			if h.Calls.Peak() > 300 {
				t.Errorf("%d calls within a minute", h.Calls.Peak())
			}
		})
	})
}

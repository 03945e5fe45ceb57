package heroku_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
)

func TestAnAppInMaintenanceIsNeitherSleptNorWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("awake"))
		h.Create(scaled("asleep"))
		o := before(t, h)
		o.sleep("asleep")
		for _, name := range []string{"awake", "asleep"} {
			h.Alter(name, func(a *herokutest.App) { a.Maintenance = true })
		}
		orders := o.orders("awake") + o.orders("asleep")
		if state := o.wake("asleep"); state != registry.Failed || o.failure("asleep") != "in_maintenance" {
			t.Errorf("asked for, it is %s: %q", state, o.failure("asleep"))
		}
		time.Sleep(time.Hour)
		if state, why := o.state("awake"), o.Detail(o.Named("awake")).Reason.Kind; state != registry.Ready || why != "in_maintenance" {
			t.Errorf("awake and unused for an hour, it is %s: %s", state, why)
		}
		_ = o.Sleep(o.Named("awake"), true)
		time.Sleep(time.Minute)
		if n := o.orders("awake") + o.orders("asleep") - orders; n != 0 {
			t.Errorf("there were %d orders", n)
		}
		for _, name := range []string{"awake", "asleep"} {
			h.Alter(name, func(a *herokutest.App) { a.Maintenance = false })
		}
		time.Sleep(time.Hour)
		o.wantFormation("awake", toNone)
		if state := o.wake("asleep"); state != registry.Ready {
			t.Errorf("back, and asked for, it is %s", state)
		}
		o.wantFormation("asleep", scaledFormation)
	})
}

func TestWhatHerokuRefusesIsTold(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		app   herokutest.App
		event func(*herokutest.Heroku)
	}{
		"payment_required": {app: herokutest.App{Name: "shop", Delinquent: true}},
		"blocked":          {app: herokutest.App{Name: "shop", Suspended: true}},
		"not_allowed":      {app: herokutest.App{Name: "shop", ReadOnly: true, Team: "acme", Space: "den", Fir: true}},
		"not_deployed":     {app: herokutest.App{Name: "shop", Undeployed: true}},
		"token_refused":    {app: herokutest.App{Name: "shop"}, event: func(h *herokutest.Heroku) { h.Revoke(herokutest.Token) }},
		"token_expired":    {app: herokutest.App{Name: "shop"}, event: func(h *herokutest.Heroku) { h.Expire(herokutest.Token) }},
		"operation_failed": {app: herokutest.App{Name: "shop", Crashes: true}},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(c.app)
				o := before(t, h)
				if c.event != nil {
					c.event(h)
				}
				if state := o.wake("shop"); state != registry.Failed || o.failure("shop") != want {
					t.Errorf("it is %s: %q", state, o.failure("shop"))
				}
				if o.log.has(herokutest.Token) {
					t.Error("the log has the token")
				}
				if strings.HasPrefix(want, "token") && !o.log.has("heroku authorizations:create") {
					t.Error("nobody is told what to do")
				}
				h.Calls.Reset()
				time.Sleep(time.Hour)
				if n := h.Calls.Of(); n > 60*(4+4) { // a listing and a try each 15 s at most, and looks
					t.Errorf("%d calls in an hour", n)
				}
			})
		})
	}
}

func TestAnotherTokenInTheFileIsReadOnceTheOldOneIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop"})
		var file atomic.Value
		file.Store(herokutest.Token)
		o := before(t, h, func(c *heroku.Config) { c.Token = func() (string, error) { return file.Load().(string), nil } })
		h.Expire(herokutest.Token)
		h.Issue("HRKU-another")
		time.Sleep(5 * time.Minute)
		file.Store("HRKU-another")
		if state := o.wake("shop"); state != registry.Ready {
			t.Errorf("it is %s: %s", state, o.failure("shop"))
		}
	})
}

// trouble is what Heroku may suffer from for a while.
var trouble = map[string]paastest.Fault{
	"a storm of 429":                {Status: http.StatusTooManyRequests, Body: `{"id":"rate_limit","message":"Your account reached the API rate limit"}`},
	"a storm of 429 that says when": {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"20"}}, Body: "Retry later"},
	"503":                           {Status: http.StatusServiceUnavailable, Body: "<html>"},
	"no connection":                 {Down: true},
	"no answer":                     {Hang: true},
	"answers that are cut":          {Cut: true},
	"answers that are lost":         {Lost: true},
	"quantities that are texts":     {Change: paastest.Retype("quantity")},
	"no quantities":                 {Change: paastest.Drop("quantity")},
	"states that are objects":       {Change: paastest.Retype("state")},
	"no states":                     {Change: paastest.Drop("state")},
	"states that nobody knows":      {Change: paastest.Replace("state", "wobbling")},
	"no ids":                        {Change: paastest.Drop("id")},
	"names that are objects":        {Change: paastest.Retype("name")},
	"a maintenance that is a text":  {Change: paastest.Retype("maintenance")},
	"a web_url that is an object":   {Change: paastest.Retype("web_url")},
	"more fields than are known":    {Change: paastest.AddFields(map[string]any{"novelty": map[string]any{"is": 1}})},
	"a page of a proxy":             {Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>Welcome</html>"},
	"an empty list":                 {Route: "GET /apps/{app}/dynos", Status: http.StatusOK, Body: "[]"},
}

func TestTroubleOfHerokuScalesNothingWronglyAndLosesNoWake(t *testing.T) {
	t.Parallel()
	for what, fault := range trouble {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("slept"))
				h.Create(scaled("waits"))
				h.Create(herokutest.App{Name: "used", Formation: []herokutest.Type{{Name: "web", Quantity: 2}}})
				o := before(t, h)
				o.sleep("slept")
				o.sleep("waits")
				time.Sleep(5 * time.Minute)
				fault.For = 10 * time.Minute
				h.Faults.Add(fault)
				h.Calls.Reset()
				o.Wake(o.Named("slept"), false)
				for range 10 {
					time.Sleep(time.Minute)
					if h.Runs("used") != 0 && h.Runs("used") != 2 {
						t.Fatalf("used is scaled to %s", h.Formation("used"))
					}
				}
				if n := h.Calls.Of(); n > 10*40 {
					t.Errorf("%d calls in 10 minutes of it:", n)
				}
				o.wantFormation("waits", toNone)
				time.Sleep(5 * time.Minute)
				o.Wake(o.Named("slept"), true)
				time.Sleep(2 * time.Minute)
				for _, name := range []string{"slept", "waits"} {
					if state := o.wake(name); state != registry.Ready {
						t.Errorf("over, %s is %s: %s", name, state, o.failure(name))
					}
					o.wantFormation(name, scaledFormation)
				}
				time.Sleep(40 * time.Minute)
				for _, name := range []string{"slept", "waits"} {
					o.wantFormation(name, toNone)
				}
				o.wantFormation("used", "web: 0 × Standard-1X")
				o.wake("used")
				o.wantFormation("used", "web: 2 × Standard-1X")
			})
		})
	}
}

func TestWhoWaitsIsToldWhileHerokuIsAskedTooOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		o.sleep("shop")
		fault := trouble["a storm of 429"]
		fault.For = 90 * time.Second
		h.Faults.Add(fault)
		o.Wake(o.Named("shop"), false)
		time.Sleep(10 * time.Second)
		if v := o.View(o.Named("shop")); v.State != registry.Starting || v.Reason.Kind != reason.RateLimited {
			t.Errorf("its page says that it is %s: %s", v.State, v.Reason)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if state := o.Await(ctx, o.Named("shop")); state != registry.Ready {
			t.Errorf("whoever has waited gets %s: %s", state, o.failure("shop"))
		}
		o.sleep("shop")
		fault.For = 20 * time.Minute
		h.Faults.Add(fault)
		o.Wake(o.Named("shop"), false)
		if state := o.Await(t.Context(), o.Named("shop")); state != registry.Failed || o.failure("shop") != "rate_limited" {
			t.Errorf("in a longer storm it is %s: %s", state, o.failure("shop"))
		}
		o.wantFormation("shop", toNone)
		time.Sleep(30 * time.Minute)
		if state := o.wake("shop"); state != registry.Ready {
			t.Errorf("over, it is %s: %s", state, o.failure("shop"))
		}
		o.wantFormation("shop", scaledFormation)
	})
}

func TestAWakeComesUpThoughItsDynosCannotBeRead(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]paastest.Fault{
		"states that are objects": {Route: "GET /apps/{app}/dynos", Change: paastest.Retype("state")},
		"none is listed":          {Route: "GET /apps/{app}/dynos", Status: http.StatusOK, Body: "[]"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				o.sleep("shop")
				h.Faults.Add(fault)
				if state := o.wake("shop"); state != registry.Ready || h.State("shop") != "up" {
					t.Errorf("it is %s, and %s at Heroku", state, h.State("shop"))
				}
			})
		})
	}
}

func TestOneAppThatCannotBeLookedAtKeepsNoOtherFromBeingKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		for _, name := range []string{"first", "broken", "last"} {
			h.Create(herokutest.App{Name: name, Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
		}
		h.Faults.Add(paastest.Fault{Route: "GET /apps/" + h.IDOf("broken") + "/dynos", Cut: true})
		report, err := connect(t, h).List(t.Context())
		if err != nil || len(report.Apps) != 3 {
			t.Fatalf("%d apps: %v", len(report.Apps), err)
		}
		for _, a := range report.Apps {
			if a.Alive() != (a.Name != "broken") {
				t.Errorf("%s has %+v", a.Name, a.Instances)
			}
		}
	})
}

func TestErrorsOfHerokuHaveTheirReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		id, says   string
		want       reason.Kind
		alsoSaying string
	}{
		{401, "unauthorized", "Invalid credentials provided.", reason.TokenRefused, "heroku authorizations:create"},
		{401, "unauthorized", "Expired token", reason.TokenExpired, "heroku authorizations:create"},
		{403, "forbidden", "Your session has expired.", reason.TokenExpired, "heroku authorizations:create"},
		{402, "delinquent", "", reason.PaymentRequired, ""},
		{422, "verification_needed", "Please verify your account", reason.PaymentRequired, "verify your account"},
		{403, "suspended", "", reason.Blocked, ""},
		{403, "forbidden", "You do not have access to the app shop.", reason.NotAllowed, ""},
		{409, "conflict", "", reason.PlatformBusy, ""},
		{422, "invalid_params", "No such size as Huge.", reason.ProviderRefused, "No such size as Huge."},
		{503, "maintenance", "", reason.ProviderUnreachable, ""},
	} {
		t.Run(c.id+" "+c.says, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				h.Scale("shop", "web", 0)
				h.Scale("shop", "worker", 0)
				body := fmt.Sprintf(`{"id":%q,"message":%q,"url":"https://devcenter.heroku.com"}`, c.id, c.says)
				h.Faults.Add(paastest.Fault{Route: "PATCH /apps/{app}/formation", Status: c.status, Body: body})
				_, err := connect(t, h).Start(t.Context(), "shop")
				if err == nil || reason.Of(err).Kind != c.want || !strings.Contains(err.Error(), `heroku: start "shop"`) || !strings.Contains(err.Error(), c.alsoSaying) {
					t.Errorf("%v: %s, want %s", err, reason.Of(err).Kind, c.want)
				}
			})
		})
	}
}

func TestAnOrderWhoseAnswerCannotBeReadIsCarriedOut(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]paastest.Fault{
		"quantities that are texts": {Change: paastest.Retype("quantity")},
		"no quantities":             {Change: paastest.Drop("quantity")},
		"an object":                 {Change: func(any) any { return map[string]any{"ok": true} }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				fault.Route = "PATCH /apps/{app}/formation"
				h.Faults.Add(fault)
				time.Sleep(30 * time.Minute)
				if state := o.state("shop"); state != registry.Asleep || o.log.has("stop failed") {
					t.Errorf("unused, it is %s", state)
				}
				o.wantFormation("shop", toNone)
				if state := o.wake("shop"); state != registry.Ready || o.orders("shop") != 2 {
					t.Errorf("asked for, it is %s after %d orders: %s", state, o.orders("shop"), o.failure("shop"))
				}
				o.wantFormation("shop", scaledFormation)
			})
		})
	}
}

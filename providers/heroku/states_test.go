package heroku_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

func TestDynosThatTakeTheirTimeToEndAreNotTakenForStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		a := scaled("shop")
		a.Linger = 2 * time.Minute
		h.Create(a)
		o := before(t, h)
		time.Sleep(30 * time.Minute)
		if n := o.log.count("started by someone else"); n != 0 || o.state("shop") != registry.Asleep {
			t.Errorf("it is %s, and was taken for started %d times", o.state("shop"), n)
		}
		o.wake("shop")
		o.wantFormation("shop", scaledFormation)
	})
}

func TestDynosThatAreNotListedAtOnceAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Lag: 40 * time.Second, Boot: 50 * time.Second})
		o := before(t, h)
		if state := o.wake("shop"); state != registry.Ready || o.orders("shop") != 1 {
			t.Errorf("it is %s after %d orders", state, o.orders("shop"))
		}
	})
}

func TestALookThatWasBegunBeforeAnOrderDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(14 * time.Minute)
		h.Faults.Add(paastest.Fault{Route: "GET /apps/{app}/dynos", Late: 25 * time.Second, For: 5 * time.Minute})
		time.Sleep(16 * time.Minute)
		if n := o.log.count("started by someone else"); n != 0 || o.state("shop") != registry.Asleep {
			t.Errorf("it is %s, and was taken for started %d times", o.state("shop"), n)
		}
		if n := h.Calls.Of("GET /apps/{app}/formation"); n != 1 {
			t.Errorf("it was asked %d times to what it is scaled", n)
		}
	})
}

func TestACrashedAppIsRestartedForWhoComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
		o := before(t, h)
		time.Sleep(5 * time.Minute)
		h.Crash("shop", "web")
		time.Sleep(2 * time.Minute)
		if state := o.state("shop"); state == registry.Ready {
			t.Errorf("crashed, it is %s", state)
		}
		if state := o.wake("shop"); state != registry.Ready || o.orders("shop") != 0 {
			t.Errorf("asked for, it is %s after %d orders: %s", state, o.orders("shop"), o.failure("shop"))
		}
		if n := h.Calls.Of("DELETE /apps/{app}/formations/{type}"); n != 1 {
			t.Errorf("it was restarted %d times", n)
		}
	})
}

func TestOneOffDynosKeepAnAppAwake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(10 * time.Minute)
		h.RunOneOff("shop")
		time.Sleep(time.Hour)
		if state, why := o.state("shop"), o.Detail(o.Named("shop")).Reason.Kind; state != registry.Ready || why != "one_off_containers" {
			t.Errorf("while a migration runs it is %s: %s", state, why)
		}
		o.wantFormation("shop", scaledFormation)
		h.EndOneOffs("shop")
		time.Sleep(10 * time.Minute)
		if state := o.state("shop"); state != registry.Asleep {
			t.Errorf("when it is over it is %s", state)
		}
	})
}

func TestOneOffDynosOfASleepingAppDoNotWakeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(30 * time.Minute)
		h.RunOneOff("shop")
		time.Sleep(30 * time.Minute)
		if state := o.state("shop"); state != registry.Asleep {
			t.Errorf("it is %s", state)
		}
	})
}

func TestTheURLIsReadAnewWhenTheNameChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", PlainURL: true, Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
		h.Create(herokutest.App{Name: "quiet", NoURL: true, Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
		o := before(t, h)
		if got := urlOf(o, "shop"); got != "https://shop.herokuapp.com" {
			t.Errorf("its URL is %q", got)
		}
		h.Rename("shop", "store")
		time.Sleep(2 * time.Minute)
		if got := urlOf(o, "store"); got+"/" != h.URL("store") || o.Named("shop") != nil {
			t.Errorf("renamed, its URL is %q", got)
		}
		time.Sleep(20 * time.Minute)
		h.Rename("store", "market") // nobody has listed since
		if state := o.wake("store"); state != registry.Failed && state != registry.Ready {
			t.Errorf("renamed a moment ago, it is %s", state)
		}
		time.Sleep(2 * time.Minute)
		if state := o.wake("market"); state != registry.Ready {
			t.Errorf("by its new name it is %s: %s", state, o.failure("market"))
		}
		if got := urlOf(o, "quiet"); got != "" {
			t.Errorf("of one without a URL %q is told", got)
		}
	})
}

// urlOf is the URL of an app as the registry knows it.
func urlOf(o *house, name string) string { return o.Named(name).Definition().App.URL }

func TestAStateThatNobodyKnowsIsFoundOutByAskingTheApp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Boot: 20 * time.Second})
		o := before(t, h)
		h.Faults.Add(paastest.Fault{Route: "GET /apps/{app}/dynos", Change: paastest.Replace("state", "provisioned")})
		if state := o.wake("shop"); state != registry.Ready || h.State("shop") != "up" {
			t.Errorf("it is %s, and %s at Heroku", state, h.State("shop"))
		}
		if n := o.log.count("state=provisioned"); n != 1 {
			t.Errorf("that is told %d times", n)
		}
	})
}

func TestANewAppIsNotTakenForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		time.Sleep(2 * time.Minute)
		h.Create(scaled("store"))
		time.Sleep(2 * time.Minute)
		h.Delete("shop")
		time.Sleep(2 * time.Minute)
		h.Create(scaled("market"))
		time.Sleep(2 * time.Minute)
		if o.log.has("another name") || o.Named("shop") != nil || o.state("market") != registry.Ready {
			t.Errorf("it is told that an app was renamed, or shop is still there")
		}
	})
}

func TestAnAppThatIsCreatedAnewUnderAnOldNameIsNotScaledAsTheOldOne(t *testing.T) {
	t.Parallel()
	for what, seen := range map[string]time.Duration{"between two listings": 0, "with a listing between": 2 * time.Minute} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := herokutest.New()
				h.Create(scaled("shop"))
				o := before(t, h)
				o.sleep("shop")
				h.Delete("shop")
				time.Sleep(seen)
				h.Create(herokutest.App{Name: "shop", Formation: []herokutest.Type{{Name: "web", Size: "Basic"}, {Name: "worker", Size: "Basic"}}})
				time.Sleep(2 * time.Minute)
				if state := o.wake("shop"); state != registry.Ready {
					t.Errorf("it is %s: %s", state, o.failure("shop"))
				}
				o.wantFormation("shop", "web: 1 × Basic, worker: 0 × Basic")
			})
		})
	}
}

func TestNoOrderIsGivenForAnEcoAppThatIsLeftToHeroku(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(eco("hobby"))
		p := connect(t, h)
		_, captured := p.Capture(t.Context(), "hobby")
		_, stopped := p.Stop(t.Context(), "hobby", rules.StopContainer)
		for _, err := range []error{captured, stopped} {
			if err == nil || reason.Of(err).Kind != reason.SleepsByItself || h.Runs("hobby") != 2 {
				t.Errorf("%v, and it has %d dynos", err, h.Runs("hobby"))
			}
		}
	})
}

func TestACrashOfWebIsToldAtOnceAndWhatRunsBesideItSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		o.sleep("shop")
		h.Alter("shop", func(a *herokutest.App) { a.Crashes = true })
		began := time.Now()
		if state := o.wake("shop"); state != registry.Failed || o.failure("shop") != "operation_failed" || time.Since(began) > 30*time.Second {
			t.Errorf("after %s it is %s: %s", time.Since(began), state, o.failure("shop"))
		}
		time.Sleep(time.Hour)
		o.wantFormation("shop", toNone)
		h.Alter("shop", func(a *herokutest.App) { a.Crashes = false })
		if state := o.wake("shop"); state != registry.Ready {
			t.Errorf("mended, it is %s: %s", state, o.failure("shop"))
		}
		o.wantFormation("shop", scaledFormation)
	})
}

func TestTheLastLinesOfAnAppThatCrashesAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Crashes: true, Log: []string{"one", "two", "heroku[web.1]: Process exited with status 1"}})
		o := before(t, h)
		if state := o.wake("shop"); state != registry.Failed {
			t.Errorf("it is %s", state)
		}
		time.Sleep(time.Minute)
		f := o.Detail(o.Named("shop")).Failure
		if f == nil || len(f.Logs) != 3 || f.Logs[2] != "heroku[web.1]: Process exited with status 1" {
			t.Errorf("kept is %+v", f)
		}
		if last, err := o.provider.Logs(t.Context(), "shop", 1); err != nil || len(last) != 1 {
			t.Errorf("the last line is %q: %v", last, err)
		}
		if _, err := o.provider.Logs(t.Context(), "nobody", 1); err == nil {
			t.Error("one that does not exist has a log")
		}
	})
}

func TestAWakeThatIsAskedForWhileItStopsComesAfterIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		h.Faults.Add(paastest.Fault{Route: "PATCH /apps/{app}/formation", Late: 10 * time.Second})
		for o.state("shop") != registry.Stopping {
			time.Sleep(time.Second)
		}
		if state := o.wake("shop"); state != registry.Ready {
			t.Errorf("it is %s", state)
		}
		o.wantFormation("shop", scaledFormation)
	})
}

func TestWhatAnAppRunsIsToldWhileItSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(scaled("shop"))
		o := before(t, h)
		want := fmt.Sprint([]provider.Part{{Type: "web", Size: "Standard-1X", Amount: 2}, {Type: "worker", Size: "Standard-2X", Amount: 1}})
		if got := fmt.Sprint(o.provider.Formation("shop", nil)); got != want {
			t.Errorf("awake: %s", got)
		}
		time.Sleep(30 * time.Minute)
		if got := fmt.Sprint(o.provider.Formation("shop", nil)); got != want {
			t.Errorf("asleep: %s", got)
		}
		kept := []byte(`{"formation":[{"type":"web","quantity":3,"size":"Basic"}]}`)
		if got := fmt.Sprint(o.provider.Formation("shop", kept)); got != fmt.Sprint([]provider.Part{{Type: "web", Size: "Basic", Amount: 3}}) {
			t.Errorf("by what is kept: %s", got)
		}
	})
}

func TestTheConditionOfTheAccountIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop"})
		o := before(t, h)
		if c := o.provider.Condition(); c.Remaining < 4000 || !c.Why.IsZero() {
			t.Errorf("at first: %+v", c)
		}
		h.Expire(herokutest.Token)
		time.Sleep(2 * time.Minute)
		if c := o.provider.Condition(); c.Why.Kind != "token_expired" {
			t.Errorf("its token has expired: %+v", c)
		}
		h.Issue(herokutest.Token)
		h.Faults.Add(paastest.Fault{Status: http.StatusBadGateway, For: 5 * time.Minute})
		time.Sleep(3 * time.Minute)
		if c := o.provider.Condition(); c.Breaker == provider.BreakerClosed {
			t.Errorf("it fails time after time: %+v", c)
		}
		time.Sleep(5 * time.Minute)
		if c := o.provider.Condition(); c.Breaker != provider.BreakerClosed || !c.Why.IsZero() {
			t.Errorf("it is back: %+v", c)
		}
	})
}

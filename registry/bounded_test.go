package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// platform is a provider that starts two apps at once, whose measures cost something and tell of
// the time before.
type platform struct {
	*fake
	uses     map[string]reason.Reason
	measured map[string]int
	takes    time.Duration // a measure
}

func (*platform) MaxStarts() int              { return 2 }
func (*platform) MeasurePause() time.Duration { return 2 * time.Minute }

func (*platform) Condition() provider.Condition {
	return provider.Condition{Breaker: provider.BreakerOpen, Why: reason.Reason{Kind: reason.TokenRefused}, Waiting: 3, Remaining: -1}
}

func (p *platform) Measure(_ context.Context, name string, _ provider.Want) (idle.Usage, error) {
	p.mu.Lock()
	takes := p.takes
	p.mu.Unlock()
	time.Sleep(takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measured[name]++
	if p.apps[name].measureErr != nil {
		return idle.Usage{}, errors.New("fake: cannot be measured")
	}
	return idle.Usage{Connections: idle.UnknownConnections, Use: p.uses[name]}, nil
}

// set changes what it plays.
func (p *platform) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// count is how often an app was measured.
func (p *platform) count(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.measured[name]
}

func livePlatform(t *testing.T, yml string, apps ...*fakeApp) (*world, *platform) {
	t.Helper()
	p := &platform{newFake(apps...), map[string]reason.Reason{}, map[string]int{}, 0}
	return liveOn(t, p.fake, Options{Providers: []provider.Provider{p}, Settings: settingsFor(t, yml)}), p
}

func TestWhoCameFirstStartsFirstWhereAProviderStartsFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*fakeApp
		for i := range 6 {
			a := service(fmt.Sprintf("s%d", i), "web").routed(fmt.Sprintf("s%d.test", i))
			a.Boot = 10 * time.Second
			a.label("paastis.start_timeout", "15s")
			apps = append(apps, a)
		}
		w, _ := livePlatform(t, "", apps...)
		for i := range 6 {
			w.Wake(w.Named(fmt.Sprintf("s%d-web", 5-i)), false) // the last by name comes first
			time.Sleep(time.Millisecond)
		}
		for _, want := range []string{"start s5-web; start s4-web", "start s3-web; start s2-web", "start s1-web; start s0-web"} {
			time.Sleep(time.Second)
			if got := w.took(); !sameCalls(got, want) {
				t.Errorf("took %q, not %q", got, want)
			}
			if v := w.View(w.Named("s0-web")); strings.HasPrefix(want, "start s5") && v.Reason.String() != "It waits for its turn: number 4 in the queue, 2 other apps on the way up." {
				t.Errorf("the last in the queue says %q", v.Reason)
			}
			time.Sleep(9*time.Second + 20*time.Millisecond)
		}
		for _, a := range apps {
			w.wantState(a.Name, Ready)
		}
	})
}

// sameCalls reports whether both are the same calls, in any order.
func sameCalls(got, want string) bool {
	for _, call := range strings.Split(want, "; ") {
		if !strings.Contains(got, call) {
			return false
		}
	}
	return strings.Count(got, "start") == strings.Count(want, "start")
}

func TestWhoWaitsForAnAppInAQueueHearsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := shop()
		for _, name := range []string{"a", "b"} {
			a := service(name, "web").routed(name + ".test")
			a.Boot = 10 * time.Second
			apps = append(apps, a)
		}
		w, _ := livePlatform(t, "", apps...)
		w.Wake(w.Named("a-web"), false)
		w.Wake(w.Named("b-web"), false)
		time.Sleep(time.Second)
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(time.Second)
		var told bool
		for _, name := range []string{"shop-db", "shop-back", "shop-front"} {
			v := w.View(w.Named(name))
			told = told || name != "shop-db" && strings.Contains(v.Reason.String(), "number 1 in the queue")
		}
		if !told {
			t.Errorf("nobody who waits for the database hears of the queue: %q", w.View(w.Named("shop-back")).Reason)
		}
	})
}

func TestAMeasureThatCostsACallIsMadeOnceBeforeAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := livePlatform(t, "", service("shop", "web").routed("shop.test"))
		w.visit("shop-web")
		time.Sleep(11 * time.Minute)
		w.wantState("shop-web", Asleep)
		if got := p.count("shop-web"); got != 1 {
			t.Errorf("measured %d times", got)
		}
	})
}

func TestAUseThatAPlatformTellsOfKeepsAnAppAwakeAndIsAskedForSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := livePlatform(t, "", service("shop", "web").routed("shop.test"))
		p.set(func() { p.uses["shop-web"] = reason.Reason{Kind: reason.OneOffs, Count: 2} })
		w.visit("shop-web")
		time.Sleep(30 * time.Minute)
		w.wantState("shop-web", Ready)
		if got := p.count("shop-web"); got < 9 || got > 11 {
			t.Errorf("measured %d times in twenty minutes", got)
		}
		if got := w.Detail(w.Named("shop-web")).Reason.String(); got != "2 one-off containers run in it" {
			t.Errorf("awake because: %q", got)
		}
		p.set(func() { delete(p.uses, "shop-web") })
		time.Sleep(3 * time.Minute)
		w.wantState("shop-web", Asleep)
	})
}

func TestAStreamThatAPlatformCannotSeeKeepsItsAppAwake(t *testing.T) {
	for _, unseen := range []string{"awake", "sleep"} {
		t.Run(unseen, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := livePlatform(t, "rules: [{pattern: '.*', unseen: "+unseen+"}]", service("shop", "web").routed("shop.test"))
				w.visit("shop-web")
				w.Named("shop-web").lasting.Store(lastingStream)
				time.Sleep(time.Hour)
				if unseen == "sleep" {
					w.wantState("shop-web", Asleep)
					return
				}
				w.wantState("shop-web", Ready)
				if got := w.Detail(w.Named("shop-web")).Reason.Kind; got != reason.StreamUnseen {
					t.Errorf("awake because: %q", got)
				}
			})
		})
	}
}

func TestHealthTellsHowItStandsWithTheCallsOfAProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := livePlatform(t, "", service("shop", "web"))
		if got := w.Health().Providers[0].Calls; got == nil || got.Breaker != provider.BreakerOpen || got.Waiting != 3 {
			t.Errorf("its calls: %+v", got)
		}
		p.Fail(reason.NewError(reason.TokenRefused, "fake: 401 unauthorized"))
		time.Sleep(5 * time.Minute)
		if got := w.Health(); !strings.Contains(got.Problems.String(), `provider "fake" turns Paastis away`) {
			t.Errorf("its problems: %s", got.Problems)
		}
	})
}

// In direct mode Paastis carries all requests of an app whose use nothing else tells of as it goes
// on: none is unseen, so nothing has to be guessed, and no route has to turn.
func TestAnAppWhoseRequestsPaastisCarriesSleepsInDirectMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := livePlatform(t, "", service("shop", "web").routed("shop.test"))
		balance(t, w.Registry, "10.0.0.9")
		w.visit("shop-web")
		time.Sleep(10*time.Minute + 5*time.Second) // no route has to turn
		w.wantState("shop-web", Asleep)
		if got := p.count("shop-web"); got != 1 {
			t.Errorf("measured %d times", got)
		}
	})
}

// A measure takes its time, and who comes meanwhile is counted by the platform as well.
func TestAUseDuringAMeasureIsNotToldAsOneThatNobodyKnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := livePlatform(t, "rules: [{pattern: '.*', max_idle_time: 1m}]", service("shop", "web").routed("shop.test"))
		p.set(func() { p.takes = 10 * time.Second })
		w.visit("shop-web")
		time.Sleep(65 * time.Second)
		p.set(func() { p.uses["shop-web"] = reason.Reason{Kind: reason.RoutedRequests, Count: 1} })
		w.visit("shop-web")
		time.Sleep(6 * time.Second)
		p.set(func() { delete(p.uses, "shop-web") })
		time.Sleep(70 * time.Second)
		w.wantState("shop-web", Asleep)
	})
}

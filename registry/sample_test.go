package registry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

func solo() *fakeApp { return service("solo", "web").routed("solo.test") }

func TestADownloadKeepsItsAppAwakeUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.rate = 50_000
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		time.Sleep(2 * time.Hour)
		w.wantAwake("solo-web", "traffic 50 kB/s")
		w.set(func() { a.moved, a.rate = a.moved+a.rate*8000, 0 })
		time.Sleep(30 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

// TestTheConnectionThatTraefikKeepsToAServerOfH2CKeepsNoAppAwake: that one is never closed.
func TestTheConnectionThatTraefikKeepsToAServerOfH2CKeepsNoAppAwake(t *testing.T) {
	for server, awake := range map[string]bool{"port=8080 scheme=h2c": false, "url=h2c://solo-web-1:8080": false, "url=http://solo-web-1:8080": true} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.connections = 1
			delete(a.Labels, "traefik.http.services.solo-web.loadbalancer.server.url")
			for option := range strings.FieldsSeq(server) {
				key, value, _ := strings.Cut(option, "=")
				a.label("traefik.http.services.solo-web.loadbalancer.server."+key, value)
			}
			w := liveMetered(t, "", true, a)
			w.visit("solo-web")
			time.Sleep(16 * time.Minute)
			if is := w.View(w.keeperOf("solo-web")).State == Ready; is != awake {
				t.Errorf("%s: awake %t, want %t", server, is, awake)
			}
		})
	}
}

func TestChatterUnderTheFloorDoesNotKeepAnAppAwake(t *testing.T) {
	for _, c := range []struct {
		floor string
		rate  uint64
		awake bool
	}{
		{"", 50, false}, {"", 100, true}, {"traffic_floor: 3kB", 100, false}, {"traffic_floor: off", 1_000_000, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.rate = c.rate
			w := liveMetered(t, "rules: [{pattern: solo-web, max_idle_time: 10m, "+c.floor+"}]", false, a)
			w.visit("solo-web")
			time.Sleep(10*time.Minute + time.Second)
			if awake := w.View(w.keeperOf("solo-web")).State == Ready; awake != c.awake {
				t.Errorf("%q, %d B/s: awake %t, want %t", c.floor, c.rate, awake, c.awake)
			}
		})
	}
}

func TestAStreamThatSaysLittleKeepsItsAppAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Labels["paastis.max_idle_time"] = "10s"
		a.rate = 15 // a ping every 20 s
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		w.Named("solo-web").Stream()
		time.Sleep(time.Hour)
		w.wantState("solo-web", Ready)
		w.set(func() { a.moved, a.rate = 15*4000, 0 })
		time.Sleep(90 * time.Second)
		time.Sleep(31 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestWithoutAStreamTheSameChatterDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Labels["paastis.max_idle_time"] = "10s"
		a.rate = 15
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		time.Sleep(11 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestASilentConnectionKeepsItsAppAwakeWhereConnectionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Labels["paastis.max_idle_time"] = "10s"
		a.connections = 1
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		w.Named("solo-web").Stream()
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "1 open connection")
		w.set(func() { a.connections = 0 })
		time.Sleep(6 * time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppThatCannotBeLookedAtStaysAwakeAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.measureErr = errors.New("403")
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "it could not be looked at: 403\nfake: cannot be measured")
		w.set(func() { a.measureErr = nil })
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestCPUCountsAsUseIfAskedFor(t *testing.T) {
	for floor, awake := range map[string]bool{"": false, "cpu_floor: 5%": true, "cpu_floor: 50%": false} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.cpu = 20
			w := liveMetered(t, "rules: [{pattern: solo-web, "+floor+"}]", true, a)
			w.visit("solo-web")
			time.Sleep(11 * time.Minute)
			if got := w.View(w.keeperOf("solo-web")).State == Ready; got != awake {
				t.Errorf("%q: awake %t", floor, got)
			}
		})
	}
}

func TestAnAppThatSaysItIsBusyStaysAwake(t *testing.T) {
	for code, want := range map[int]string{
		0:  "it says that it is busy (exec:busy --jobs)",
		1:  "",
		42: `its busy check does not work: "busy" ended with 42, neither 0 (busy) nor 1 (not busy)`,
	} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.busy = code
			a.Labels["paastis.busy"] = "exec:busy --jobs"
			w := liveMetered(t, "", true, a)
			w.visit("solo-web")
			time.Sleep(11 * time.Minute)
			if want == "" {
				w.wantState("solo-web", Asleep)
			} else {
				w.wantAwake("solo-web", want)
			}
		})
	}
}

func TestAnAppSaysByURLThatItIsBusy(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusOK: "it says that it is busy (http:/busy)", http.StatusNoContent: "", http.StatusNotFound: "answered 404",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/busy" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
		}))
		address := netip.MustParseAddrPort(srv.Listener.Addr().String())
		e := &inventory.Definition{Resolved: &rules.Resolved{}}
		e.Busy, e.Probe.Port = rules.Busy{Path: "/busy"}, address.Port()
		got := askBusy(t.Context(), newFake(), e, &inventory.App{Name: "solo-web", Instances: []inventory.Instance{{Status: inventory.Running, Address: address.Addr()}}})
		if (want == "") != got.IsZero() || !strings.Contains(got.String(), want) {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
		srv.Close()
	}
}

func TestARequestDuringTheLastLookCancelsTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(solo())
		slow := slowMeter{metered{f, true}, 3 * time.Second}
		w := liveOn(t, f, Options{Providers: []provider.Provider{slow}, Settings: settingsFor(t, "")})
		w.visit("solo-web")
		w.took()
		for range 1000 {
			time.Sleep(time.Second)
			if w.View(w.keeperOf("solo-web")).State == Draining {
				break
			}
		}
		w.wantState("solo-web", Draining)
		if w.Named("solo-web").Open() {
			t.Error("a draining app takes requests")
		}
		if got := w.visit("solo-web"); got != Ready {
			t.Errorf("the visitor of a draining app got %s", got)
		}
		time.Sleep(9 * time.Minute)
		w.wantCalls("")
		w.wantState("solo-web", Ready)
	})
}

// slowMeter takes its time.
type slowMeter struct {
	metered
	takes time.Duration
}

func (m slowMeter) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	time.Sleep(m.takes)
	return m.metered.Measure(ctx, name, want)
}

func TestUseOfOneAppOfACircleKeepsTheOthersAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test")
		back.connections = 2
		w := liveMetered(t, reviewApps, true, front, back)
		w.visit("pix-app-review-pr1-front")
		time.Sleep(time.Hour)
		w.wantAwake("pix-app-review-pr1-front", "pix-app-review-pr1-back: 2 open connections")
		w.set(func() { back.connections = 0 })
		time.Sleep(time.Minute)
		w.wantState("pix-app-review-pr1-front", Asleep)
		w.wantState("pix-app-review-pr1-back", Asleep)
	})
}

// unanswered is a provider that says nothing of an app's use before it is told to stop.
type unanswered struct{ metered }

func (unanswered) Measure(ctx context.Context, _ string, _ provider.Want) (idle.Usage, error) {
	<-ctx.Done()
	return idle.Usage{}, ctx.Err()
}

func TestALookThatTheEndOfPaastisCutsShortIsNoFault(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		10*time.Minute + time.Second: 0, // it looks
		time.Hour:                    1, // it has looked in vain, for once of itself
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(solo())
			log := logOf(t, unanswered{metered{f, false}}, func(r *Registry) {
				r.Wake(r.Named("solo-web"), false)
				time.Sleep(wait)
			})
			if got := strings.Count(log, "its use cannot be seen"); got != want {
				t.Errorf("after %s: told %d times:\n%s", wait, got, log)
			}
		})
	}
}

package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

// come is a request of a visitor's that came by the published route of an app. Lines are
// as for ask.
func come(app, path string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://"+app+".test/.paastis/"+registrytest.Mark(app)+path, nil)
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	for _, line := range lines {
		if method, ok := strings.CutPrefix(line, "method "); ok {
			r.Method = method
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// routed is an app with a route that is published.
func routed(name string, needs ...string) *registrytest.App {
	return service(name, needs...).Found(name+".test").Label("paastis.port", "8080")
}

// directContract is what who came by a published route gets, when, and which orders
// follow. Paastis shares no network with the app here; the proxy's own tests show what
// gets through.
var directContract = map[string]map[string]string{
	"person": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page failed at once, orders -",
	},
	"program": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 problem ready after 10s, orders start shop",
		"starting": "503 problem ready after 7s, orders -",
		"stopping": "503 problem ready after 22s, orders start shop",
		"failed":   "503 problem failed at once, orders -",
	},
	"unled": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 problem ready after 10s, orders start shop",
		"starting": "503 problem ready after 7s, orders -",
		"stopping": "503 problem ready after 22s, orders start shop",
		"failed":   "503 problem failed at once, orders -",
	},
	"passive client": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 problem asleep at once, orders -",
		"starting": "503 problem starting at once, orders -",
		"stopping": "503 problem stopping at once, orders -",
		"failed":   "503 problem failed at once, orders -",
	},
	"form": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 problem ready after 10s, orders start shop",
		"starting": "503 problem ready after 7s, orders -",
		"stopping": "503 problem ready after 22s, orders start shop",
		"failed":   "503 page failed at once, orders -",
	},
	"link": {
		"awake":    "503 problem ready at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page starting at once, orders start shop",
	},
	"poll":  contract["poll"],
	"retry": contract["retry"],
}

func TestWhoComesByAPublishedRouteGetsWhatTheContractSays(t *testing.T) {
	for kind, cases := range visitors {
		for visitor, lines := range cases {
			for state, want := range directContract[kind] {
				t.Run(visitor+" while "+state, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := routedInState(t, state)
						began := time.Now()
						w := s.answer(visitBy(lines))
						got := fmt.Sprintf("%s %s", gist(w), after(began))
						time.Sleep(time.Minute)
						if got += ", orders " + s.Took(); got != want {
							t.Errorf("got  %s\nwant %s", got, want)
						}
						wantOwnHeaders(t, w)
						if n := s.registry.Detail(s.registry.Named("shop")).Open; n != 0 {
							t.Errorf("%d requests are still on their way", n)
						}
					})
				})
			}
		}
	}
}

// visitBy is the request of a visitor with these lines; see visitors.
func visitBy(lines []string) *http.Request {
	path := "/"
	if len(lines) > 0 && lines[0][0] == '/' {
		path, lines = lines[0], lines[1:]
	}
	return come("shop", path, lines...)
}

// routedInState is inState of an app with a published route. Traefik is at its address at
// once.
func routedInState(t *testing.T, state string) *testServer {
	t.Helper()
	shop := routed("shop").At("shop.test")
	switch state {
	case "awake":
		shop.Awake()
	case "stopping":
		shop.Awake().Stopping = 15 * time.Second
	case "failed":
		shop.Err = errors.New("no")
	}
	return inStateOf(t, shop, state)
}

func TestProgramIsHeldInDirectModeForAsLongAsTheAppWants(t *testing.T) {
	for label, want := range map[string]string{
		"":    "503 problem starting after 2m0s",
		"10m": "503 problem ready after 5m0s",
		"4s":  "503 problem starting after 4s",
		"0s":  "503 problem starting at once",
	} {
		t.Run(label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").At("shop.test").Label("paastis.start_timeout", "10m").Label("paastis.hold_timeout", "1s")
				if shop.Boot = 5 * time.Minute; label != "" {
					shop.Label("paastis.direct_hold_timeout", label)
				}
				s := live(t, shop)
				began := time.Now()
				w := s.answer(come("shop", "/", "method POST"))
				if got := gist(w) + " " + after(began); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				wantOwnHeaders(t, w)
			})
		})
	}
}

func TestVisitorOfAnAppThatOnlyTraefikReachesIsSentThereOnceItLeadsThere(t *testing.T) {
	for _, path := range []string{"/", "/a//b%2Fc?x=1;y&z=%zz", "/?"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop").At("shop.test"), elsewhere())
				s.fetchEach(t, 5*time.Second)
				began := time.Now()
				w := s.answer(come("shop", path, "method PUT"))
				if got := w.Header().Get("Location"); got != "https://shop.test"+path || w.Code != 307 || w.Body.Len() > 0 {
					t.Errorf("%d to %q", w.Code, got)
				}
				if took := time.Since(began) - 10*time.Second; took < 4*time.Second || took > 9500*time.Millisecond {
					t.Errorf("it is sent there %s after the app was ready: the routes are fetched each 5 s, and used 4 s later at most", took)
				}
				if n := s.log.count("put Paastis on one of its networks"); n != 1 {
					t.Errorf("%d warnings", n)
				}
			})
		})
	}
}

// elsewhere is Paastis, on a network that no app is on.
func elsewhere() *registrytest.App {
	p := service("paastis").Awake()
	p.Protected, p.Networks = inventory.IsPaastis, []string{"web"}
	return p
}

// fetchEach lets a Traefik fetch the routes now and then, until the test ends.
func (s *testServer) fetchEach(t *testing.T, pause time.Duration) {
	t.Helper()
	fetch := func() {
		if w := s.answer(httptest.NewRequest(http.MethodGet, "http://paastis:3000/traefik/config", nil)); w.Code != http.StatusOK {
			t.Errorf("the routes: %d", w.Code)
		}
	}
	fetch()
	go func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(pause):
				fetch()
			}
		}
	}()
}

func TestNobodyIsSentToWhereTheRequestCameFrom(t *testing.T) {
	for name, fetches := range map[string]bool{"no Traefik fetches the routes": false, "Traefik has no server of the app either": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop").Awake(), elsewhere())
				if fetches {
					s.fetchEach(t, time.Second)
				}
				for _, lines := range [][]string{{browser}, nil, {"method PUT"}, {"User-Agent: UptimeRobot"}} {
					w := s.answer(come("shop", "/", lines...))
					if gist(w) != "503 problem ready" || w.Header().Get("Location") != "" || w.Header().Get("Retry-After") != "1" {
						t.Errorf("%q: %s %v", lines, gist(w), w.Header())
					}
				}
			})
		})
	}
}

func TestRouteThatIsNoMoreIsToBeTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop"))
		for _, path := range []string{"", "/", "/x?y", "*"} {
			w := s.answer(come("nobody", path))
			if got := gist(w); got != "503 problem" || w.Header().Get("Refresh") != "1" {
				t.Errorf("%s: %s, Refresh %q", path, got, w.Header().Get("Refresh"))
			}
			wantOwnHeaders(t, w)
		}
		if got := s.Took(); got != "-" {
			t.Errorf("orders %s", got)
		}
	})
}

func TestOptionsOfAllIsARequestLikeAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop").At("shop.test"), elsewhere())
		s.fetchEach(t, time.Second)
		for _, path := range []string{"*", "", "/"} {
			r := come("shop", path, "method OPTIONS")
			if w := s.answer(r); gist(w) != "307 ready" || w.Header().Get("Location") != "https://shop.test/" {
				t.Errorf("%q: %s to %q", path, gist(w), w.Header().Get("Location"))
			}
		}
	})
}

func TestWakesByPublishedRoutesAreLimitedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop"), routed("blog"))
		s.auth.visits.limit = problem.PerMinute(1)
		s.answer(come("shop", "/", browser))
		for want, lines := range map[string][]string{"429 page asleep": {browser}, "429 problem asleep": nil, "503 page asleep": {"X-Paastis-Poll: 1"}} {
			if got := gist(s.answer(come("blog", "/", lines...))); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestPanicIsAnsweredInDirectModeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop"))
		s.auth.visits.page = nil
		if got := gist(s.answer(come("shop", "/", browser))); got != "503 problem" {
			t.Error(got)
		}
		if n := s.log.count("panic in a handler"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		if s.log.count(registrytest.Mark("shop")) > 0 {
			t.Error("the mark is in the log")
		}
	})
}

package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/server/problem"
)

func TestWhoFollowsNoRedirectIsHeldAndThenToldToComeAgain(t *testing.T) {
	grpc := map[string][]string{"a call of gRPC": {"method POST", "Content-Type: application/grpc", "Te: trailers"}}
	for _, cases := range []map[string][]string{visitors["unled"], grpc} {
		for visitor, lines := range cases {
			t.Run(visitor, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := live(t, service("shop").Found("shop.test"))
					w := s.answer(visitWith(lines))
					if w.Code != 503 || w.Header().Get("Location") != "" || w.Header().Get("Retry-After") != "1" || w.Header().Get(problem.StateHeader) != "ready" {
						t.Errorf("%d %v", w.Code, w.Header())
					}
					if w := s.answer(visitWith(lines)); w.Code != 200 {
						t.Errorf("the next time it gets %d", w.Code)
					}
				})
			})
		}
	}
}

func TestAnEventStreamIsSentThereAgainForItGivesUpOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").Found("shop.test"))
		if got := gist(s.answerTo("http://shop.test/events", "Accept: text/event-stream")); got != "307 ready" {
			t.Error(got)
		}
	})
}

func TestWhoIsSentThereAgainStaysWithTheSchemeInUse(t *testing.T) {
	for line, want := range map[string]string{
		"X-Forwarded-Proto: https":            "https",
		"X-Forwarded-Port: 443":               "https",
		"Origin: https://shop.test":           "https",
		"Referer: https://shop.test/cart":     "https",
		"Sec-Fetch-Site: same-origin":         "https",
		`Cf-Visitor: {"scheme":"https"}`:      "https",
		"X-Forwarded-Port: 80":                "http",
		"Origin: https://elsewhere.test":      "http",
		"Referer: https://shop.test.evil/":    "http",
		"Accept: */*":                         "http",
		"X-Forwarded-Proto: http":             "http",
		"Forwarded: for=192.0.2.1;proto=http": "http",
	} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").Found("shop.test"))
				if got := s.answerTo("http://shop.test/a?b", line).Header().Get("Location"); got != want+"://shop.test/a?b" {
					t.Errorf("sent to %q", got)
				}
			})
		})
	}
}

// scriptOf is what the script of another origin sends.
var scriptOf = []string{"Origin: https://spa.test", "Sec-Fetch-Mode: cors", "Accept: */*"}

func TestAScriptOfAnotherOriginMayReadWhyAndWhenToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := routed("shop").At("shop.test")
		slow.Boot = time.Hour
		s := live(t, slow, service("blog").Found("blog.test"), service("wiki").Found("wiki.test"))
		wantShared(t, "503 problem starting", s.answerTo("https://shop.test/", scriptOf...))
		wantShared(t, "503 problem starting", s.answer(come("shop", "/", scriptOf...)))
		wantShared(t, "307 ready", s.answerTo("https://blog.test/", scriptOf...))
		wantShared(t, "503 problem asleep", s.answerTo("https://wiki.test/robots.txt", scriptOf...))
		s.auth.visits.limit = problem.PerMinute(1)
		s.auth.visits.limit.Allows(netip.MustParseAddr("203.0.113.7"), time.Now())
		wantShared(t, "429 problem asleep", s.answerTo("https://wiki.test/", scriptOf...))
	})
}

// wantShared checks that an answer is one that the script of another origin may read.
func wantShared(t *testing.T, want string, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	if gist(w) != want || h.Get("Access-Control-Allow-Origin") != "https://spa.test" || h.Get("Access-Control-Allow-Credentials") != "true" ||
		!strings.Contains(h.Get("Access-Control-Expose-Headers"), "Retry-After") || h.Get("Vary") != "Origin" {
		t.Errorf("%s, want %s: %v", gist(w), want, h)
	}
}

func TestNoPageAndNoPreflightIsForOtherOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := routed("shop").At("shop.test")
		shop.Err = errors.New("no")
		s := live(t, shop)
		for name, lines := range map[string][]string{
			"page":      {browser, "Origin: https://spa.test"},
			"form":      {"method POST", browser, "Origin: https://spa.test"},
			"preflight": {"method OPTIONS", "Origin: https://spa.test", "Access-Control-Request-Method: DELETE"},
		} {
			for _, w := range []*httptest.ResponseRecorder{s.answer(visitWith(lines)), s.answer(visitBy(lines))} {
				for header := range w.Header() {
					if w.Code != 503 || strings.HasPrefix(header, "Access-Control-") {
						t.Errorf("%s: %d %v", name, w.Code, w.Header())
					}
				}
			}
		}
	})
}

func TestACallOfGRPCGetsAStatusOfGRPC(t *testing.T) {
	call := []string{"method POST", "Content-Type: application/grpc+proto", "Te: trailers"}
	for mode, c := range map[string]struct {
		ask    func(*testServer) *httptest.ResponseRecorder
		status int
	}{
		"direct":      {func(s *testServer) *httptest.ResponseRecorder { return s.answer(visitBy(call)) }, 200},
		"forwardauth": {func(s *testServer) *httptest.ResponseRecorder { return s.answer(visitWith(call)) }, 503},
	} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").At("shop.test").Label("paastis.hold_timeout", "2s").Label("paastis.direct_hold_timeout", "2s")
				shop.Boot = time.Minute
				s := live(t, shop)
				w := c.ask(s)
				h := w.Header()
				if w.Code != c.status || w.Body.Len() > 0 || h.Get("Content-Type") != "application/grpc+proto" || h.Get("Grpc-Status") != "14" ||
					h.Get("Grpc-Message") != "The app is waking up: Send the request again in a moment." || h.Get("Grpc-Retry-Pushback-Ms") != h.Get("Retry-After")+"000" {
					t.Errorf("%d %v", w.Code, h)
				}
				wantOwnHeaders(t, w)
			})
		})
	}
}

func TestWhoWakesTooManyHearsWhenTheNextIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop").At("shop.test"), routed("blog").At("blog.test"))
		s.auth.visits.limit = problem.PerMinute(2)
		s.auth.visits.limit.Allows(netip.MustParseAddr("203.0.113.7"), time.Now())
		s.answerTo("http://shop.test/", browser)
		for _, w := range []*httptest.ResponseRecorder{s.answerTo("http://blog.test/"), s.answerTo("http://blog.test/", browser), s.answer(come("blog", "/"))} {
			if w.Code != 429 || w.Header().Get("Retry-After") != "30" {
				t.Errorf("%d %s", w.Code, w.Header().Get("Retry-After"))
			}
		}
	})
}

func TestWhoComesAfterAFailureHearsWhenItIsTriedAgain(t *testing.T) {
	for mode, r := range map[string]*http.Request{"forwardauth": ask("https://shop.test/"), "direct": come("shop", "/")} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").At("shop.test")
				shop.Err = errors.New("no")
				s := inStateOf(t, shop, "failed")
				w := s.answer(r)
				want := problem.Seconds(time.Until(s.view("shop").RetryAt))
				if gist(w) != "503 problem failed" || w.Header().Get("Retry-After") != want {
					t.Errorf("%s, Retry-After %s, want %s", gist(w), w.Header().Get("Retry-After"), want)
				}
			})
		})
	}
}

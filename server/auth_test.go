package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

// browser is the header of a person's visit.
const browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

// visitors are what comes, by what it is taken for. Each asks for /, or for the path
// that its first line names.
var visitors = map[string]map[string][]string{
	"person": {
		"a navigation":            {browser, "Sec-Fetch-Mode: navigate"},
		"an older browser":        {browser},
		"a link in a mail client": {"Accept: text/html"},
		"a frame of a page":       {browser, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"},
	},
	"program": {
		"a fetch of a page":  {browser, "Sec-Fetch-Mode: cors"},
		"an image":           {"Accept: image/webp,*/*", "Sec-Fetch-Mode: no-cors"},
		"an API client":      {"Accept: application/json"},
		"curl":               {"Accept: */*", "User-Agent: curl/8.5.0"},
		"a bare client":      {},
		"a POST of a script": {"method POST", browser, "Sec-Fetch-Mode: cors"},
		"a HEAD":             {"method HEAD", browser},
	},
	"unled": { // they follow no redirect
		"a WebSocket":              {browser, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
		"a preflight request":      {"method OPTIONS", "Sec-Fetch-Mode: cors", "Origin: https://spa.test", "Access-Control-Request-Method: PUT"},
		"a service worker's start": {"Accept: */*", "Service-Worker: script", "Sec-Fetch-Mode: same-origin"},
	},
	"form": {
		"a form":                     {"method POST", browser, "Sec-Fetch-Mode: navigate", "Content-Type: application/x-www-form-urlencoded"},
		"a form of an older browser": {"method POST", browser, "Content-Type: multipart/form-data; boundary=x"},
	},
	"passive client": {
		"a monitor":            {browser, "User-Agent: Mozilla/5.0+(compatible; UptimeRobot/2.0)"},
		"a favicon":            {"/favicon.ico", "Accept: image/*"},
		"robots.txt":           {"/robots.txt", browser},
		"a prefetch":           {browser, "Sec-Fetch-Mode: navigate", "Sec-Purpose: prefetch;prerender"},
		"the monitoring range": {browser, "X-Forwarded-For: 203.0.113.7, 10.9.1.2"},
	},
	"poll":  {"the page's poll": {"X-Paastis-Poll: 1", "Sec-Fetch-Mode: cors", "Accept: */*"}},
	"retry": {"the page's button": {"X-Paastis-Poll: 1", "X-Paastis-Retry: 1", "Sec-Fetch-Mode: cors"}},
	"link":  {"the page's button without script": {browser, "Referer: http://shop.test/"}},
}

// contract is the table of the request contract: what each visitor gets, when, and
// which orders to the provider follow.
var contract = map[string]map[string]string{
	"person": {
		"awake":    "200 at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page failed at once, orders -",
	},
	"program": {
		"awake":    "200 at once, orders -",
		"asleep":   "200 after 10s, orders start shop",
		"starting": "200 after 7s, orders -",
		"stopping": "200 after 22s, orders start shop",
		"failed":   "503 problem failed at once, orders -",
	},
	"unled": {
		"awake":    "200 at once, orders -",
		"asleep":   "200 after 10s, orders start shop",
		"starting": "200 after 7s, orders -",
		"stopping": "200 after 22s, orders start shop",
		"failed":   "503 problem failed at once, orders -",
	},
	"form": {
		"awake":    "200 at once, orders -",
		"asleep":   "200 after 10s, orders start shop",
		"starting": "200 after 7s, orders -",
		"stopping": "200 after 22s, orders start shop",
		"failed":   "503 page failed at once, orders -",
	},
	"passive client": {
		"awake":    "200 at once, orders -",
		"asleep":   "503 problem asleep at once, orders -",
		"starting": "503 problem starting at once, orders -",
		"stopping": "503 problem stopping at once, orders -",
		"failed":   "503 problem failed at once, orders -",
	},
	"poll": {
		"awake":    "503 page ready at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page failed at once, orders -",
	},
	"retry": {
		"awake":    "503 page ready at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page starting at once, orders start shop",
	},
	"link": {
		"awake":    "200 at once, orders -",
		"asleep":   "503 page starting at once, orders start shop",
		"starting": "503 page starting at once, orders -",
		"stopping": "503 page stopping at once, orders start shop",
		"failed":   "503 page starting at once, orders start shop",
	},
}

func TestEachVisitorGetsWhatTheContractSaysInEachState(t *testing.T) {
	for kind, cases := range visitors {
		for visitor, lines := range cases {
			for state, want := range contract[kind] {
				t.Run(visitor+" while "+state, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := inState(t, state)
						began := time.Now()
						w := s.answer(visitWith(lines))
						got := fmt.Sprintf("%s %s", gist(w), after(began))
						time.Sleep(time.Minute)
						if got += ", orders " + s.Took(); got != want {
							t.Errorf("got  %s\nwant %s", got, want)
						}
						wantOwnHeaders(t, w)
					})
				})
			}
		}
	}
}

func TestOnlyWhoGetsToTheAppKeepsItAwake(t *testing.T) {
	for kind, cases := range visitors {
		for visitor, lines := range cases {
			t.Run(visitor, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := inState(t, "awake")
					time.Sleep(idleTime - time.Minute)
					s.answer(visitWith(lines))
					time.Sleep(2 * time.Minute)
					if got, want := s.Took(), inTheEnd(kind); got != want {
						t.Errorf("orders %s, want %s", got, want)
					}
				})
			})
		}
	}
}

// inTheEnd are the orders that follow a visit just before the idle time is over.
func inTheEnd(kind string) string {
	switch kind {
	case "passive client", "poll", "retry":
		return "stop shop"
	default:
		return "-"
	}
}

// visit is the question about a request with these lines; see visitors.
func visitWith(lines []string) *http.Request {
	path := "/"
	if len(lines) > 0 && lines[0][0] == '/' {
		path, lines = lines[0], lines[1:]
	}
	return ask("http://shop.test"+path, lines...)
}

// inState is a test server with one app, shop.test, in a state.
func inState(t *testing.T, state string) *testServer {
	t.Helper()
	shop := service("shop").At("shop.test")
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

// inStateOf is a test server with an app, shop.test, that gets into the state if it is made so.
func inStateOf(t *testing.T, shop *registrytest.App, state string) *testServer {
	t.Helper()
	s := live(t, shop)
	switch state {
	case "starting":
		s.answerTo("http://shop.test/", browser)
		time.Sleep(3 * time.Second)
	case "stopping":
		time.Sleep(idleTime + 3*time.Second)
	case "failed":
		s.answerTo("http://shop.test/", browser)
		time.Sleep(time.Second)
		s.Change("shop", func(a *registrytest.App) { a.Refusal = time.Millisecond }) // so that one sees it start again
	}
	if state != "awake" && s.view("shop").State.String() != state {
		t.Fatalf("the app is %s, want %s", s.view("shop").State, state)
	}
	s.Took()
	return s
}

// gist is an answer in short: status, kind of body, state.
func gist(w *httptest.ResponseRecorder) string {
	kind, ok := map[string]string{
		"text/html; charset=utf-8": "page",
		"application/problem+json": "problem",
		"":                         "",
	}[w.Header().Get("Content-Type")]
	if !ok {
		kind = w.Header().Get("Content-Type")
	}
	return strings.Join(strings.Fields(fmt.Sprint(w.Code, " ", kind, " ", w.Header().Get(problem.StateHeader))), " ")
}

// wantOwnHeaders checks what every answer of Paastis's own carries.
func wantOwnHeaders(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code == 200 {
		return
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := w.Header().Get("Retry-After"); w.Code == 503 && (got == "" || got == "0" || strings.Trim(got, "0123456789") != "") {
		t.Errorf("Retry-After %q", got)
	}
}

// after says how long something took.
func after(began time.Time) string {
	if took := time.Since(began); took != 0 {
		return "after " + took.String()
	}
	return "at once"
}

func TestHeldProgramGoesThroughTheMomentAllIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop", "db").At("shop.test"), service("db"))
		began := time.Now()
		w := s.answerTo("http://shop.test/api")
		if got := gist(w) + " " + after(began); got != "200 after 20s" {
			t.Error(got)
		}
		if got := s.Took(); got != "start db, start shop" {
			t.Errorf("orders %s", got)
		}
	})
}

func TestHeldProgramIsSentThereAgainWhereTraefikHasToFindTheAddress(t *testing.T) {
	for url, lines := range map[string][]string{
		"https://shop.test/":                   nil,
		"http://shop.test:8080/a?b=c&d=%2Fe":   nil,
		"https://shop.test/a%20b%2Fc//d?q=%3C": {"method POST"},
	} {
		t.Run(url, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").Found("shop.test"))
				began := time.Now()
				w := s.answerTo(url, lines...)
				if got := gist(w) + " " + after(began); got != "307 ready after 14s" {
					t.Error(got)
				}
				if got := w.Header().Get("Location"); got != url {
					t.Errorf("sent to %q", got)
				}
				wantOwnHeaders(t, w)
			})
		})
	}
}

func TestHeldProgramOfNoSayableHostIsToAskAgain(t *testing.T) {
	for _, host := range []string{"", "user@shop.test", "shop.test\\evil", "a b"} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").Found("shop.test"))
				w := s.answer(askFor("shop", "X-Forwarded-Host: "+host))
				if got := gist(w); got != "503 problem ready" || w.Header().Get("Location") != "" {
					t.Errorf("%s, sent to %q", got, w.Header().Get("Location"))
				}
			})
		})
	}
}

func TestProgramIsHeldForTheHoldTimeoutAndNeverLongerThan25Seconds(t *testing.T) {
	for label, want := range map[string]string{
		"":    "503 problem starting after 25s",
		"40s": "503 problem starting after 25s", // a bad label counts as none
		"4s":  "503 problem starting after 4s",
		"0s":  "503 problem starting at once",
	} {
		t.Run(label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := service("shop").At("shop.test")
				if shop.Boot = time.Minute; label != "" {
					shop.Label("paastis.hold_timeout", label)
				}
				s := live(t, shop)
				began := time.Now()
				w := s.answerTo("http://shop.test/")
				if got := gist(w) + " " + after(began); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				wantOwnHeaders(t, w)
			})
		})
	}
}

func TestHeldProgramHearsOfAFailureAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := service("db")
		db.Err = errors.New("no")
		s := live(t, service("shop", "db").At("shop.test"), db)
		began := time.Now()
		if got := gist(s.answerTo("http://shop.test/")) + " " + after(began); got != "503 problem failed at once" {
			t.Error(got)
		}
	})
}

func TestVisitorWhoLeavesEndsTheHoldAndNotTheWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test"))
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, leave)
		began := time.Now()
		s.answer(ask("http://shop.test/").WithContext(ctx))
		if got := after(began); got != "after 3s" {
			t.Errorf("held until %s", got)
		}
		time.Sleep(10 * time.Second)
		if got := s.answerTo("http://shop.test/").Code; got != 200 {
			t.Errorf("who comes after the wake gets %d", got)
		}
	})
}

func TestAThousandProgramsShareOneWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test"))
		var passed atomic.Int32
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if s.answerTo("http://shop.test/").Code == 200 {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if got := s.Took(); passed.Load() != 1000 || got != "start shop" {
			t.Errorf("%d passed, orders %s", passed.Load(), got)
		}
	})
}

// TestTraefikMayAskWithTheVisitorsMethod is about preserveRequestMethod of ForwardAuth.
func TestTraefikMayAskWithTheVisitorsMethod(t *testing.T) {
	for _, method := range []string{"HEAD", "OPTIONS", "POST", "TRACE", "PROPFIND", "MKCOL", "LOCK", "REPORT", "PURGE", "QUERY", "BREW"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").At("shop.test"), service("blog").Found("blog.test"))
				for host, want := range map[string]string{"shop.test": "200", "blog.test": "307 ready"} {
					r := ask("http://"+host+"/dav/", "method "+method)
					r.Method = method
					if got := gist(s.answer(r)); got != want {
						t.Errorf("%s: %s, want %s", host, got, want)
					}
				}
				if got := s.Took(); got != "start shop, start blog" && got != "start blog, start shop" {
					t.Errorf("orders %s", got)
				}
			})
		})
	}
}

func TestAnyMethodIsCarriedToAnApp(t *testing.T) {
	s := onSockets(t, behind(t, echoing))
	for _, method := range []string{"PROPFIND", "MKCOL", "LOCK", "REPORT", "PURGE", "QUERY", "BREW"} {
		if got := read(t, do(t, s.to(method, "/dav/", strings.NewReader("<x/>"), "User-Agent: ")).Body); !strings.HasPrefix(got, method+" /dav/ ") {
			t.Errorf("%s arrives as %q", method, got)
		}
	}
}

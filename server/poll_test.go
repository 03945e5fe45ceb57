package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
)

var pollMark = regexp.MustCompile(`<main data-poll="([^"]+)"`)

// pollOf is what the script of a page sends with its poll.
func pollOf(page string) string {
	found := pollMark.FindStringSubmatch(page)
	if found == nil {
		return "1"
	}
	return found[1]
}

// pollAfter asks as the script of a page does that was the answer before.
func (s *testServer) pollAfter(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	return s.answerTo("http://shop.test/", "X-Paastis-Poll: "+pollOf(w.Body.String()))
}

func TestPollIsAnsweredTheMomentSomethingChanges(t *testing.T) {
	for mode, poll := range map[string]func(s *testServer, shows string) *httptest.ResponseRecorder{
		"ForwardAuth": func(s *testServer, shows string) *httptest.ResponseRecorder {
			return s.answerTo("http://shop.test/", "X-Paastis-Poll: "+shows)
		},
		"direct": func(s *testServer, shows string) *httptest.ResponseRecorder {
			return s.answer(come("shop", "/", "X-Paastis-Poll: "+shows))
		},
	} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop", "back").At("shop.test"), service("back", "db"), service("db"))
				s.answerTo("http://shop.test/", browser)
				synctest.Wait()
				began, shows := time.Now(), "1"
				var got []string
				for state := ""; state != "ready"; {
					w := poll(s, shows)
					shows, state = pollOf(w.Body.String()), w.Header().Get(problem.StateHeader)
					var steps []string
					for _, m := range regexp.MustCompile(`<li class="(\w+)">(\w+)<`).FindAllStringSubmatch(w.Body.String(), -1) {
						steps = append(steps, m[2]+" "+m[1])
					}
					got = append(got, fmt.Sprintf("%s %s: %s", after(began), state, strings.Join(steps, ", ")))
					synctest.Wait()
				}
				want := []string{
					"at once starting: db starting, back queued",
					"after 10s starting: db healthy, back starting",
					"after 20s starting: db healthy, back healthy",
					"after 30s ready: db healthy, back healthy",
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		})
	}
}

func TestPollIsHeldFor20SecondsWhileNothingChanges(t *testing.T) {
	for state, boot := range map[string]time.Duration{"starting": time.Minute, "failed": 0} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := service("shop").At("shop.test")
				if shop.Boot = boot; state == "failed" {
					shop.Err = errors.New("no")
				}
				s := inStateOf(t, shop, state)
				page := s.answerTo("http://shop.test/", browser)
				began := time.Now()
				same := s.pollAfter(page)
				if got := gist(same) + " " + after(began); got != "503 page "+state+" after 20s" {
					t.Error(got)
				}
				if is, was := pollOf(same.Body.String()), pollOf(page.Body.String()); is != was {
					t.Errorf("it polls with %s, then %s", was, is)
				}
			})
		})
	}
}

func TestPollEndsWithTheVisitorAndWithTheServer(t *testing.T) {
	for name, leaves := range map[string]bool{"the visitor": true, "the server": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := inState(t, "starting")
				shows := pollOf(s.answerTo("http://shop.test/", browser).Body.String())
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				time.AfterFunc(3*time.Second, map[bool]func(){true: leave, false: s.close}[leaves])
				began := time.Now()
				s.answer(ask("http://shop.test/", "X-Paastis-Poll: "+shows).WithContext(ctx))
				if got := after(began); got != "after 3s" {
					t.Errorf("ended %s", got)
				}
			})
		})
	}
}

func TestPageSaysOnceThatItTakesLongerThanUsual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := service("shop").At("shop.test")
		s := live(t, shop)
		if page := s.answerTo("http://shop.test/", browser).Body.String(); !strings.Contains(page, "How long this takes is not known yet.") {
			t.Errorf("the first page says\n%s", page)
		}
		time.Sleep(idleTime + time.Minute)
		s.Change("shop", func(a *registrytest.App) { a.Boot = 40 * time.Second })
		w, began := s.answerTo("http://shop.test/", browser), time.Now()
		if page := w.Body.String(); !strings.Contains(page, "Usually ready in about 10 seconds.") {
			t.Errorf("the second page says\n%s", page)
		}
		synctest.Wait()
		var got []string
		for gist(w) != "503 page ready" {
			w = s.pollAfter(w)
			says := "nothing"
			if strings.Contains(w.Body.String(), "It takes longer than usual (10 seconds).") {
				says = "late"
			}
			got = append(got, fmt.Sprintf("%s %s", says, after(began)))
		}
		if want := "[late after 13.5s late after 33.5s nothing after 40s]"; fmt.Sprint(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestPageOfWhoMayNotWakeTheAppTriesAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test"), service("blog").At("blog.test"))
		s.auth.visits.limit = problem.PerMinute(6)
		for range 6 {
			s.auth.visits.limit.Allows(netip.MustParseAddr("203.0.113.7"), time.Now())
		}
		page := s.answerTo("http://shop.test/", browser)
		if got := gist(page); got != "429 page asleep" || !strings.Contains(page.Body.String(), "Too many apps") {
			t.Fatalf("%s\n%s", got, page.Body)
		}
		began := time.Now()
		if got := gist(s.pollAfter(page)) + " " + after(began); got != "503 page starting after 10s" {
			t.Error(got)
		}
	})
}

// tab is a browser that shows a page and does what its script says.
type tab struct {
	polls   int // requests of the script's
	reloads int // after which it showed the app
	seen    []string
}

// open opens shop.test until it shows the app.
func (tb *tab) open(s *testServer) {
	w := s.answerTo("http://shop.test/", browser)
	for w.Header().Get(problem.StateHeader) != "ready" {
		tb.seen = append(tb.seen, pollOf(w.Body.String()))
		time.Sleep(100 * time.Millisecond) // the script's
		w = s.pollAfter(w)
		tb.polls++
	}
	if s.answerTo("http://shop.test/", browser).Code == 200 {
		tb.reloads++
	}
}

func TestAHundredPagesCostTwoRequestsForEachChangeAndNoneOfTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop", "back", "mail").At("shop.test"), service("back", "db"), service("db"), service("mail"))
		lists := s.Lists()
		var all sync.WaitGroup
		tabs := make([]tab, 100)
		for i := range tabs {
			all.Go(func() { tabs[i].open(s) })
		}
		all.Wait()
		for i := range tabs {
			pictures := map[string]bool{}
			for _, shows := range tabs[i].seen {
				pictures[shows] = true
			}
			if changes := len(pictures); changes < 3 || tabs[i].polls > 2*changes || tabs[i].reloads != 1 {
				t.Fatalf("tab %d: %d changes, %d polls, %d reloads", i, changes, tabs[i].polls, tabs[i].reloads)
			}
		}
		lists = s.Lists() - lists
		if got := s.Took(); strings.Count(got, ",") != 3 || lists != 0 {
			t.Errorf("orders %s, and %d looks at everything", got, lists)
		}
	})
}

func TestAppGetsOneRequestOfAPageInDirectMode(t *testing.T) {
	var asked atomic.Int32
	app := behind(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, "%s poll %t", r.URL, r.Header[page.PollHeader] != nil)
	})
	app.Boot = 200 * time.Millisecond
	s := onSockets(t, app)
	page, state := read(t, do(t, s.to("GET", "/cart?id=7", nil, browser)).Body), ""
	for state != "ready" {
		resp := do(t, s.to("GET", "/cart?id=7", nil, "X-Paastis-Poll: "+pollOf(page)))
		page, state = read(t, resp.Body), resp.Header.Get(problem.StateHeader)
	}
	if got := read(t, do(t, s.to("GET", "/cart?id=7", nil, browser)).Body); got != "/cart?id=7 poll false" || asked.Load() != 1 {
		t.Errorf("the app was asked %d times, and got %s", asked.Load(), got)
	}
}

func TestOnlyALinkFromThePageToItselfIsARetry(t *testing.T) {
	for referer, want := range map[string]bool{
		"http://shop.test/cart?id=7":      true,
		"https://shop.test/cart?id=7":     true, // a proxy before Traefik may speak TLS
		"http://shop.test/cart":           false,
		"http://shop.test/":               false,
		"http://shop.test:8080/cart?id=7": false,
		"http://evil.test/cart?id=7":      false,
		"/cart?id=7":                      false,
		"":                                false,
		"http://%zz/":                     false,
	} {
		req, err := traefik.FromForwardAuth(ask("http://shop.test/cart?id=7", "Referer: "+referer).Header)
		if err != nil {
			t.Fatal(err)
		}
		if got := retriesByLink(&req); got != want {
			t.Errorf("from %q: %t", referer, got)
		}
	}
}

func TestRetryThatComesTooSoonIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := service("shop").At("shop.test")
		shop.Err = errors.New("no")
		s := live(t, shop)
		s.answerTo("http://shop.test/", browser)
		synctest.Wait() // it has failed in this instant
		shows := pollOf(s.answerTo("http://shop.test/", browser).Body.String())
		s.Took()
		w := s.answerTo("http://shop.test/", "X-Paastis-Poll: "+shows, "X-Paastis-Retry: 1")
		if got, orders := gist(w), s.Took(); got != "503 page failed" || orders != "-" {
			t.Errorf("%s, orders %s", got, orders)
		}
	})
}

func TestPageThatAsksByItselfDoesNotLookLikeARetry(t *testing.T) {
	for state, want := range map[string]string{"starting": "no-referrer, refresh", "stopping": "no-referrer, refresh", "failed": "same-origin"} {
		synctest.Test(t, func(t *testing.T) {
			w := inState(t, state).answerTo("http://shop.test/", browser)
			got := w.Header().Get("Referrer-Policy")
			if strings.Contains(w.Body.String(), `http-equiv=refresh`) {
				got += ", refresh"
			}
			if got != want {
				t.Errorf("%s: %s, want %s", state, got, want)
			}
		})
	}
}

func TestPageMayBeInAFrameAndIsWhatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inState(t, "starting").answerTo("http://shop.test/", browser, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe").Header()
		if h.Get("X-Frame-Options") != "" || strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors") {
			t.Errorf("it may not: %q", h)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Language") != "en" {
			t.Errorf("headers %q", h)
		}
	})
}

func TestHostOfAVisitorIsNotOnThePage(t *testing.T) {
	for key, host := range hostile {
		synctest.Test(t, func(t *testing.T) {
			s := inState(t, "starting")
			want := s.answer(askFor("shop", browser)).Body.String()
			if got := s.answer(askFor("shop", browser, "X-Forwarded-Host: "+host)).Body.String(); got != want {
				t.Errorf("%s: the page is\n%s", key, got)
			}
		})
	}
}

func TestTabTellsTheState(t *testing.T) {
	for state, want := range map[string]string{"starting": "⏳ shop is waking up", "awake": "✓ shop is ready", "failed": "⚠ shop could not start"} {
		synctest.Test(t, func(t *testing.T) {
			if page := inState(t, state).answerTo("http://shop.test/", "X-Paastis-Poll: 1").Body.String(); !strings.Contains(page, "<title>"+want+"</title>") {
				t.Errorf("%s:\n%s", state, page)
			}
		})
	}
}

func TestForgottenPageOfAnAppThatFailedDoesNotWakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := service("shop").At("shop.test").Label("paastis.start_timeout", "1m").Label("paastis.max_idle_time", "15m")
		shop.Boot = 1000 * time.Hour
		s := live(t, shop)
		shows := pollOf(s.answerTo("http://shop.test/", browser).Body.String())
		poll := func(lines ...string) (state string) {
			w := s.answerTo("http://shop.test/", append(lines, "X-Paastis-Poll: "+shows)...)
			if shown := pollMark.FindStringSubmatch(w.Body.String()); shown != nil {
				shows = shown[1]
			}
			return w.Header().Get(problem.StateHeader)
		}
		state, polls := "", 0
		for began := time.Now(); time.Since(began) < 6*time.Hour; polls++ {
			state = poll()
			time.Sleep(99 * time.Millisecond)
		}
		if orders := s.Took(); state != "failed" || orders != "start shop, stop shop" || polls > 6*60*3+5 {
			t.Fatalf("six hours and %d polls later the page says that it is %s: %s", polls, state, orders)
		}
		done := make(chan string)
		go func() { done <- poll() }()
		time.Sleep(time.Second)
		s.answerTo("http://shop.test/", "X-Paastis-Poll: "+shows, "X-Paastis-Retry: 1")
		state = <-done
		synctest.Wait()
		if orders := s.Took(); state != "starting" || orders != "start shop" {
			t.Errorf("the button made it %s: %s", state, orders)
		}
	})
}

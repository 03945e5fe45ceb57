package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/server/problem"
)

// form is what a browser sends with a form.
var form = []string{"method POST", browser, "Sec-Fetch-Mode: navigate", "Content-Type: application/x-www-form-urlencoded"}

const notSent = "What you sent has not reached it."

func TestFormIsSentOnByTheBrowserItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").Found("shop.test"))
		w := s.answerTo("https://shop.test/order?id=7", form...)
		if got := gist(w); got != "307 ready" || w.Header().Get("Location") != "https://shop.test/order?id=7" {
			t.Errorf("%s to %q", got, w.Header().Get("Location"))
		}
	})
}

func TestFormIsCarriedToTheAppWithItsBody(t *testing.T) {
	app := behind(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Method, body)
	})
	app.Boot = 100 * time.Millisecond
	s := onSockets(t, app)
	if got := read(t, do(t, s.to("POST", "/order", strings.NewReader("size=7"), form[1:]...)).Body); got != "POST size=7" {
		t.Errorf("got %q", got)
	}
}

func TestFormHasToBeSentAgainOnlyIfItCouldNotBeHeld(t *testing.T) {
	for name, send := range map[string]func(*testServer) *httptest.ResponseRecorder{
		"ForwardAuth": func(s *testServer) *httptest.ResponseRecorder { return s.answerTo("http://shop.test/order", form...) },
		"direct":      func(s *testServer) *httptest.ResponseRecorder { return s.answer(come("shop", "/order", form...)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").At("shop.test")
				shop.Boot = 4 * time.Minute
				s := live(t, shop)
				w := send(s)
				page := w.Body.String()
				if got := gist(w); got != "503 page starting" {
					t.Fatal(got)
				}
				for _, want := range []string{notSent + " Once it is ready, go back", " data-form", "Go back</a>"} {
					if !strings.Contains(page, want) {
						t.Errorf("%q is not in\n%s", want, page)
					}
				}
				for _, harm := range []string{"refresh", "by itself"} {
					if strings.Contains(page, harm) {
						t.Errorf("%q is in\n%s", harm, page)
					}
				}
				time.Sleep(4 * time.Minute)
				w = s.answerTo("http://shop.test/order", "X-Paastis-Poll: "+pollOf(page))
				if got, page := gist(w), w.Body.String(); got != "503 page ready" || !strings.Contains(page, notSent+" Go back and send it again.") {
					t.Errorf("later %s\n%s", got, page)
				}
			})
		})
	}
}

func TestFormForAnAppThatFailsIsNotSentAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inState(t, "failed").answerTo("http://shop.test/order", form...)
		for _, want := range []string{notSent, "Try again</a>", "It could not be started"} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%q is not in\n%s", want, w.Body)
			}
		}
	})
}

func TestFormOfAnAddressThatWokeTooManyAppsIsNotSentAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop").At("shop.test"), service("blog").At("blog.test"))
		s.auth.visits.limit = problem.PerMinute(1)
		s.answerTo("http://blog.test/", browser)
		for _, w := range []*httptest.ResponseRecorder{s.answerTo("http://shop.test/order", form...), s.answer(come("shop", "/order", form...))} {
			if got := gist(w); got != "429 page asleep" || !strings.Contains(w.Body.String(), notSent) || !strings.Contains(w.Body.String(), "Too many apps") {
				t.Errorf("%s\n%s", got, w.Body)
			}
		}
	})
}

package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

func TestOneAddressWakesOnlySoManyAppsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*registrytest.App
		for i := range 6 {
			apps = append(apps, service(fmt.Sprintf("app%d", i)).At(fmt.Sprintf("app%d.test", i)))
		}
		s := live(t, apps...)
		s.auth.visits.limit = problem.PerMinute(3)
		for i := range 3 {
			s.answerTo(fmt.Sprintf("http://app%d.test/", i), "Accept: text/html")
		}
		synctest.Wait()
		s.Took()

		person := s.answerTo("http://app3.test/", "Accept: text/html")
		if person.Code != http.StatusTooManyRequests || !strings.Contains(person.Body.String(), "Too many apps were woken from your address") {
			t.Errorf("a person got %d %s", person.Code, person.Body)
		}
		program := s.answerTo("http://app3.test/", "Accept: application/json")
		if program.Code != http.StatusTooManyRequests || program.Header().Get("Content-Type") != "application/problem+json" || program.Header().Get("Retry-After") == "" {
			t.Errorf("a program got %d %s", program.Code, program.Body)
		}
		poll := s.answerTo("http://app3.test/", "X-Paastis-Poll: 1")
		if poll.Code != http.StatusServiceUnavailable || !strings.Contains(poll.Body.String(), "Too many apps") {
			t.Errorf("the page got %d %s", poll.Code, poll.Body)
		}
		synctest.Wait()
		if got := s.Took(); got != "-" {
			t.Errorf("woken all the same: %s", got)
		}

		if got := s.answerTo("http://app0.test/", "Accept: text/html"); got.Code != http.StatusServiceUnavailable {
			t.Errorf("an app that wakes already: %d", got.Code)
		}
		if got := s.answerTo("http://app4.test/", "Accept: text/html", "X-Forwarded-For: 203.0.113.8"); got.Code != http.StatusServiceUnavailable {
			t.Errorf("another address: %d", got.Code)
		}
		time.Sleep(20 * time.Second)
		if got := s.answerTo("http://app5.test/", "Accept: text/html"); got.Code != http.StatusServiceUnavailable {
			t.Errorf("after its share of a minute: %d", got.Code)
		}
	})
}

func TestAsksForAFailedAppAreNoWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := service("broken").At("broken.test")
		broken.Err = errors.New("no")
		s := live(t, broken, service("shop").At("shop.test"))
		s.auth.visits.limit = problem.PerMinute(10)
		for range 60 { // a program that asks every 100 ms, of an app in its back-off
			if got := s.answerTo("http://broken.test/", "Accept: application/json"); got.Code == http.StatusTooManyRequests {
				t.Errorf("the program got %d %s", got.Code, got.Body)
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		starts := s.Took()
		if got := s.answerTo("http://shop.test/", "Accept: text/html"); got.Code != http.StatusServiceUnavailable {
			t.Errorf("a neighbour who wants another app got %d; woken so far: %s", got.Code, starts)
		}
	})
}

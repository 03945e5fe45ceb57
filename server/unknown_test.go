package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/registrytest"
)

// beforeItsProvider is a server whose provider does not answer yet.
func beforeItsProvider(t *testing.T, apps ...*registrytest.App) *testServer {
	t.Helper()
	p := registrytest.NewProvider(apps...).Fail(errors.New("nobody is there"))
	s := beginBy(t, registrytest.NewStore(), p, p).open()
	synctest.Wait()
	return s
}

func TestTraefikKeepsItsRoutesUntilTheAppsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beforeItsProvider(t, service("shop").Found("shop.test").Label("paastis.port", "8080").Awake())
		for range 3 {
			if w := s.answer(askRoutes()); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "nobody is there") {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			time.Sleep(5 * time.Second)
		}
		if w := s.answer(askRoutes("from 203.0.113.7")); w.Code != http.StatusForbidden {
			t.Errorf("a stranger gets %d", w.Code)
		}
		if s.fetches() != 0 {
			t.Error("Traefik counts as one that has the routes")
		}
		s.Answer()
		time.Sleep(4 * time.Second)
		if w := s.answer(askRoutes()); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "shop.test") {
			t.Errorf("once they are known: %d: %s", w.Code, w.Body)
		}
	})
}

func TestRequestsFindPaastisBeforeItsProviderAsAfterItsLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beforeItsProvider(t, service("shop").Found("shop.test").Label("paastis.port", "8080"))
		if w := s.answer(httptest.NewRequest(http.MethodGet, "http://paastis:3000/healthz", nil)); w.Code != http.StatusOK {
			t.Errorf("its own health is %d", w.Code)
		}
		for _, host := range []string{"shop.test", "other.test"} {
			if w := s.answer(ask("http://" + host + "/")); w.Code != http.StatusOK {
				t.Errorf("Traefik's question about %s gets %d", host, w.Code)
			}
		}
		marked := func(mark string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, "http://shop.test/.paastis/"+mark+"/", nil)
			r.Header.Set("Accept", "text/html")
			return s.answer(r)
		}
		if w := marked(registrytest.Mark("shop")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Refresh") == "" || !strings.Contains(w.Body.String(), "not known yet") {
			t.Errorf("by a published route: %d: %s", w.Code, w.Body)
		}
		if w := marked("x.shop"); w.Code != http.StatusNotFound {
			t.Errorf("by a mark that is none: %d", w.Code)
		}
		s.Answer()
		time.Sleep(4 * time.Second)
		if w := s.answer(ask("http://shop.test/", "Accept: text/html")); w.Code != http.StatusServiceUnavailable || s.view("shop").State != registry.Starting {
			t.Errorf("once it is there: %d, the app is %s", w.Code, s.view("shop").State)
		}
	})
}

func TestARequestRightAfterTheStartWaitsForAProviderThatIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beforeItsProvider(t, service("shop").Found("shop.test").Label("paastis.port", "8080"))
		time.AfterFunc(time.Second, func() { s.Answer() })
		if w := s.answer(ask("http://shop.test/", "Accept: text/html")); w.Code != http.StatusServiceUnavailable || w.Header().Get("X-Paastis-State") != "starting" {
			t.Errorf("the first visitor gets %d, %v", w.Code, w.Header())
		}
		if w := s.answer(ask("http://other.test/")); w.Code != http.StatusOK {
			t.Errorf("who asks for no app of ours gets %d", w.Code)
		}
	})
}

func TestARequestWaitsNoLongerForAProviderThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beforeItsProvider(t, service("shop").Found("shop.test").Label("paastis.port", "8080"))
		began := time.Now()
		for range 2 {
			if w := s.answer(ask("http://shop.test/")); w.Code != http.StatusOK || time.Since(began) > 5*time.Second {
				t.Errorf("after %s it gets %d", time.Since(began), w.Code)
			}
		}
	})
}

package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/registrytest"
)

// A platform that Paastis runs on has a router before it, which knows it by its host alone, ends
// TLS, and asks from any of its own addresses. Traefik is somewhere else.

// behindRouter is a request as the router of a platform carries it, from one of its addresses.
// Lines are headers.
func behindRouter(path, from string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://paastis.platform.test"+path, nil)
	r.RemoteAddr = from + ":41234"
	for _, line := range append(lines, "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Forwarded-For: 192.0.2.80") {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// onPlatform is a server with an app that sleeps, of which Traefik gets the route with a token.
func onPlatform(t *testing.T) *testServer {
	s := live(t, routed("shop"), elsewhere())
	s.routes.access = routesAccess{token: "s3cret"}
	return s
}

func TestTraefikReachesPaastisOnAPlatformByHTTPSAndByItsOwnHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onPlatform(t)
		if w := s.answer(behindRouter("/traefik/config", "10.0.0.2")); w.Code != http.StatusForbidden {
			t.Errorf("without the token: %d", w.Code)
		}
		w := s.answer(behindRouter("/traefik/config", "10.0.0.2", "Authorization: Bearer s3cret"))
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, `"url":"https://paastis.platform.test"`) || !strings.Contains(body, `"passHostHeader":false`) {
			t.Errorf("%d: %s", w.Code, body)
		}
	})
}

func TestATraefikWhosePollsComeByManyRoutersIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop").Awake().Label("paastis.max_idle_time", "1m").Label("paastis.unseen", "sleep"), elsewhere())
		s.routes.access = routesAccess{token: "s3cret"}
		for i := range 180 {
			router := fmt.Sprintf("10.0.0.%d", 1+i*37%200)
			s.answer(behindRouter("/traefik/config", router, "Authorization: Bearer s3cret"))
			time.Sleep(time.Second)
		}
		if got := s.Took(); got != "stop shop" {
			t.Errorf("orders %q after three minutes without a visitor", got)
		}
	})
}

func TestAVisitorGetsToAPaastisOnAPlatformByTheHostThatTraefikTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onPlatform(t)
		s.answer(behindRouter("/traefik/config", "10.0.0.2", "Authorization: Bearer s3cret"))
		path := come("shop", "/cart").URL.Path
		w := s.answer(behindRouter(path, "10.0.0.3", browser, "X-Forwarded-Host: shop.test"))
		synctest.Wait()
		if got := gist(w); got != "503 page starting" || s.Took() != "start shop" {
			t.Errorf("%s, orders %q", got, s.Took())
		}
		if w := s.answer(behindRouter(path, "10.0.0.3", browser)); w.Code != http.StatusNotFound {
			t.Errorf("by no other host: %d", w.Code)
		}
		stranger := behindRouter(path, "10.0.0.3", browser, "X-Forwarded-Host: shop.test")
		stranger.Host = "elsewhere.test"
		if w := s.answer(stranger); w.Code != http.StatusNotFound {
			t.Errorf("by a host that Traefik does not ask at: %d", w.Code)
		}
		if w := s.answer(behindRouter(path, "10.0.0.3", browser, "X-Forwarded-Host: blog.test")); w.Code != http.StatusNotFound {
			t.Errorf("for another host: %d", w.Code)
		}
		if w := s.answer(behindRouter("/.paastis/guess/cart", "10.0.0.3", browser, "X-Forwarded-Host: shop.test")); w.Code != http.StatusNotFound {
			t.Errorf("without the mark: %d", w.Code)
		}
	})
}

func TestAPaastisThatThePlatformHasRestartedSendsVisitorsBackToTheirHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginOn(t, nil, routed("shop"), elsewhere())
		s.routes.access, s.direct.far = routesAccess{token: "s3cret"}, true
		synctest.Wait()
		time.AfterFunc(3*time.Second, func() {
			s.answer(behindRouter("/traefik/config", "10.0.0.2", "Authorization: Bearer s3cret"))
		})
		before := "/.paastis/" + registrytest.Mark("shop") + "/cart"
		w := s.answer(behindRouter(before, "10.0.0.3", browser, "X-Forwarded-Host: shop.test"))
		if to := w.Header().Get("Location"); gist(w) != "307 starting" || to != "https://shop.test/cart" {
			t.Errorf("%s to %q", gist(w), to)
		}
		if w := s.answer(behindRouter(before, "10.0.0.3", browser, "X-Forwarded-Host: blog.test")); w.Code != http.StatusNotFound {
			t.Errorf("for another host: %d", w.Code)
		}
	})
}

// Whoever has Traefik believe that another host was asked for is no visitor of that host: a Traefik
// that leads requests here by the host of Paastis has fetched the routes by it, and has a token.
func TestWhoMakesUpAHostAndAMarkIsTurnedAway(t *testing.T) {
	for name, far := range map[string]bool{"nobody has a token": false, "no Traefik leads here by that host": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := beginOn(t, nil, routed("shop"), elsewhere())
				s.routes.access, s.direct.far = routesAccess{sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, far
				synctest.Wait()
				time.AfterFunc(3*time.Second, func() {
					r := httptest.NewRequest(http.MethodGet, "http://paastis:3000/traefik/config", nil)
					r.RemoteAddr = "10.0.0.2:4711"
					s.answer(r)
				})
				w := s.answer(behindRouter("/.paastis/"+registrytest.Mark("shop")+"/cart", "10.0.0.3", browser, "X-Forwarded-Host: shop.test"))
				if w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
					t.Errorf("%s to %q", gist(w), w.Header().Get("Location"))
				}
			})
		})
	}
}

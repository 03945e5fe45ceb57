package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// askRoutes is Traefik's request for the routes, from an address of its own network.
// Lines are headers; "query token=x" is a query, "from 203.0.113.7" an address,
// "method HEAD" a method.
func askRoutes(lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://paastis:3000/traefik/config", nil)
	r.RemoteAddr = "10.0.0.2:41234"
	for _, line := range lines {
		switch what, value, _ := strings.Cut(line, " "); what {
		case "query":
			r.URL.RawQuery = value
		case "from":
			r.RemoteAddr = value + ":41234"
		case "method":
			r.Method = value
		default:
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
	}
	return r
}

// fetches is how many Traefiks are known to have got the routes.
func (s *testServer) fetches() int { return s.log.count("Traefik fetches its routes") }

// open lets the network 10.0.0.0/8 have the routes.
func (s *testServer) open() *testServer {
	s.routes.access = routesAccess{sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	return s
}

func TestTraefikGetsTheRoutesWithPaastisAtTheAddressThatItAskedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").Found("shop.test").Label("paastis.port", "8080")).open()
		w := s.answer(askRoutes())
		var got struct {
			HTTP struct {
				Routers  map[string]struct{ Rule string }
				Services map[string]struct {
					LoadBalancer struct{ Servers []struct{ URL string } }
				}
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%d: %v in %s", w.Code, err, w.Body)
		}
		shop := got.HTTP.Services["shop"].LoadBalancer.Servers
		if len(shop) != 1 || !strings.HasPrefix(shop[0].URL, "http://paastis:3000") {
			t.Errorf("the app sleeps, and its servers are %v", shop)
		}
		h := w.Header()
		if h.Get("Content-Type") != "application/json" || h.Get("ETag") == "" || h.Get(versionHeader) == "" {
			t.Errorf("headers %v", h)
		}
		if s.fetches() != 1 {
			t.Errorf("%d Traefiks have got the routes", s.fetches())
		}
	})
}

func TestRoutesGoToWhoHasTheTokenOrElseComesFromTheNetwork(t *testing.T) {
	const forwarded = "X-Forwarded-For: 10.0.0.9"
	for _, c := range []struct {
		name, token string
		lines       []string
		want        int
	}{
		{"the network", "", nil, 200},
		{"the network in IPv6's words", "", []string{"from [::ffff:10.0.0.2]"}, 200},
		{"another network", "", []string{"from 203.0.113.7"}, 403},
		{"the network, for a stranger", "", []string{forwarded}, 403},
		{"the network, for another host", "", []string{"X-Forwarded-Host: shop.test"}, 403},
		{"the network, for whom it may concern", "", []string{"Forwarded: for=10.0.0.9"}, 403},
		{"an empty token where none is set", "", []string{"from 203.0.113.7", "query token="}, 403},
		{"the token in the query", "s3cret", []string{"query token=s3cret"}, 200},
		{"the token as bearer", "s3cret", []string{"Authorization: Bearer s3cret"}, 200},
		{"the token as bearer, in small letters", "s3cret", []string{"Authorization: bearer s3cret"}, 200},
		{"the token by way of a proxy, from far away", "s3cret", []string{"query token=s3cret", forwarded, "from 203.0.113.7"}, 200},
		{"the network without the token", "s3cret", nil, 403},
		{"an empty token", "s3cret", []string{"query token="}, 403},
		{"a part of the token", "s3cret", []string{"query token=s3cre"}, 403},
		{"the token and more", "s3cret", []string{"Authorization: Bearer s3cret2"}, 403},
		{"the token as a password", "s3cret", []string{"Authorization: Basic s3cret"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").Found("shop.test")).open()
				s.routes.access.token = c.token
				w := s.answer(askRoutes(c.lines...))
				if w.Code != c.want {
					t.Errorf("%d: %s", w.Code, w.Body)
				}
				if got := s.fetches() == 1; got != (c.want == 200) {
					t.Errorf("%d Traefiks have got the routes", s.fetches())
				}
				if c.want == 403 && (gist(w) != "403 problem" || strings.Contains(w.Body.String(), "shop")) {
					t.Errorf("%s: %s", gist(w), w.Body)
				}
				if s.log.count("s3cre") != 0 {
					t.Error("the token is in the log")
				}
			})
		})
	}
}

func TestRefusedRoutesAreLoggedOnceAMinuteForEachWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		const warning = "level=WARN msg=\"routes refused"
		for range 100 {
			s.answer(askRoutes())
			s.answer(askRoutes("from 10.0.0.3"))
			time.Sleep(500 * time.Millisecond)
		}
		if got := s.log.count(warning); got != 2 {
			t.Errorf("%d warnings in 50 s", got)
		}
		time.Sleep(time.Minute)
		s.answer(askRoutes())
		if got := s.log.count(warning); got != 3 {
			t.Errorf("%d warnings after more than a minute", got)
		}
	})
}

func TestRoutesThatAreTheSameAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").Found("shop.test").Label("paastis.port", "8080")).open()
		s.answer(askRoutes()) // that it asks at all may change them
		first := s.answer(askRoutes())
		etag := first.Header().Get("ETag")
		for _, tag := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
			w := s.answer(askRoutes("If-None-Match: " + tag))
			if w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("ETag") != etag || w.Header().Get(versionHeader) == "" {
				t.Errorf("%s: %d with %v", tag, w.Code, w.Header())
			}
		}
		s.answerTo("http://shop.test/", browser)
		time.Sleep(time.Minute) // it is awake now
		if w := s.answer(askRoutes("If-None-Match: " + `"other"`)); w.Code != 200 {
			t.Errorf("%d to another tag", w.Code)
		}
	})
}

func TestLookAtTheRoutesIsNoFetch(t *testing.T) {
	for name, line := range map[string]string{"HEAD": "method HEAD", "curl": "Accept: */*", "a browser": browser} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, service("shop").Found("shop.test")).open()
				w := s.answer(askRoutes(line))
				if w.Code != 200 || (w.Body.Len() == 0) != (name == "HEAD") || w.Header().Get("ETag") == "" || s.fetches() != 0 {
					t.Errorf("%d with %d bytes, %d fetches", w.Code, w.Body.Len(), s.fetches())
				}
			})
		})
	}
}

// deaf is a connection that has gone.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("gone") }

// deafAtTheEnd is one that goes while the answer is on its way.
type deafAtTheEnd struct{ *httptest.ResponseRecorder }

func (deafAtTheEnd) FlushError() error { return errors.New("gone") }

func TestTraefikThatLeftHasNotGotTheRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").Found("shop.test")).open()
		s.ServeHTTP(deaf{httptest.NewRecorder()}, askRoutes())
		s.ServeHTTP(deafAtTheEnd{httptest.NewRecorder()}, askRoutes())
		s.ServeHTTP(deafAtTheEnd{httptest.NewRecorder()}, askRoutes("If-None-Match: *"))
		if s.fetches() != 0 {
			t.Errorf("%d Traefiks have got the routes", s.fetches())
		}
	})
}

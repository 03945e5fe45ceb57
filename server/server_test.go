package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

func TestRequestsBelongToTheAppThatTheirRouterOrHostNames(t *testing.T) {
	const asleep, passes = "503 problem starting", "200"
	for _, c := range []struct{ name, query, url, want, orders string }{
		{"a router's host", "", "http://shop.test/", asleep, "start shop"},
		{"a router's host in capitals, with a port", "", "http://SHOP.test:8080/", asleep, "start shop"},
		{"the first DNS label", "", "http://shop.apps.example.com/", asleep, "start shop"},
		{"the middleware's address", "app=blog", "http://whatever.test/", asleep, "start blog"},
		{"the address before the host", "app=blog", "http://shop.test/", asleep, "start blog"},
		{"an empty name in the address", "app=", "http://shop.test/", asleep, "start shop"},
		{"an address that cannot be read", "app=%zz", "http://shop.test/", asleep, "start shop"},
		{"the visitor's own query is none of the address", "", "http://shop.test/?app=blog", asleep, "start shop"},
		{"an unknown host", "", "http://nobody.test/", passes, "-"},
		{"an unknown name in the address", "app=nobody", "http://shop.test/", passes, "-"},
		{"the host of an app that is not managed", "", "http://alien.test/", passes, "-"},
		{"the label of an app that is not managed", "", "http://alien.example.com/", passes, "-"},
		{"the name of an app that is not managed", "app=alien", "http://shop.test/", passes, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alien := service("alien").At("alien.test")
				delete(alien.Labels, "paastis.enable")
				s := live(t, impatient(service("shop").At("shop.test")), impatient(service("blog")), alien)
				r := ask(c.url)
				r.URL.RawQuery = c.query
				got := gist(s.answer(r))
				synctest.Wait()
				if orders := s.Took(); got != c.want || orders != c.orders {
					t.Errorf("got %s, orders %s", got, orders)
				}
				if unknown := s.registry.Health().Unknown; (unknown == 1) != (c.want == passes) {
					t.Errorf("%d requests of no app of ours", unknown)
				}
			})
		})
	}
}

// impatient makes an app hold no request, so that a test need not wait.
func impatient(a *registrytest.App) *registrytest.App { return a.Label("paastis.hold_timeout", "0s") }

func TestWhatIsNoQuestionGetsAProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test"))
		for _, c := range []struct {
			method, path, uri, want string
		}{
			{"GET", "/auth", "", "403 problem"},
			{"POST", "/auth", "", "403 problem"},
			{"GET", "/auth", "/%zz", "403 problem"},
			{"GET", "/auth", "shop", "403 problem"},
			{"GET", "/", "", "404 problem"},
			{"GET", "/auth/more", "/", "404 problem"},
			{"POST", "/healthz", "", "405 problem"},
		} {
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Header.Set("X-Forwarded-Host", "shop.test")
			r.Header.Set("X-Forwarded-Uri", c.uri)
			w := s.answer(r)
			if got := gist(w); got != c.want {
				t.Errorf("%s %s: got %s, want %s", c.method, c.path, got, c.want)
			}
			if p := problemIn(t, w); p.Status != w.Code || p.Title == "" {
				t.Errorf("%s %s: %+v", c.method, c.path, p)
			}
		}
		if got := s.Took(); got != "-" {
			t.Errorf("orders %s", got)
		}
	})
}

func TestProblemSaysWhatHoldsForWhoAsks(t *testing.T) {
	const stays, again = "Requests of this kind do not wake it.", "Send the request again in a moment."
	for _, c := range []struct{ state, line, title, detail string }{
		{"asleep", "User-Agent: Pingdom", "The app is asleep", stays},
		{"starting", "User-Agent: Pingdom", "The app is waking up", again},
		{"stopping", "User-Agent: Pingdom", "The app is stopping", stays},
		{"asleep", "User-Agent: curl", "The app is waking up", again},
		{"stopping", "User-Agent: curl", "The app is waking up", again},
	} {
		t.Run(c.line+" while "+c.state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := inState(t, c.state)
				s.Change("shop", func(a *registrytest.App) { a.Boot = time.Minute }) // longer than a program is held
				p := problemIn(t, s.answerTo("http://shop.test/", c.line))
				if p.Title != c.title || p.Detail != c.detail || p.App != "shop" || p.Status != 503 {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestHeadGetsNoBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, impatient(service("shop").At("shop.test")))
		direct := httptest.NewRequest(http.MethodHead, "/nowhere", nil)
		for want, r := range map[string]*http.Request{
			"503 problem starting": ask("http://shop.test/", "method HEAD", browser),
			"404 problem":          direct,
		} {
			w := s.answer(r)
			if got := gist(w); got != want || w.Body.Len() != 0 {
				t.Errorf("got %s and %q, want %s", got, w.Body, want)
			}
		}
	})
}

func TestPaastisIsHealthyAsSoonAsItServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t).answer(httptest.NewRequest(http.MethodGet, "/healthz", nil))
		if w.Code != 200 || w.Body.String() != "ok\n" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

func TestPanicIsAnsweredAndLoggedAndNotShown(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.echo.GET("/panic", s.recoverPanic(func(echo.Context) error { panic("secret") }))
	// A server without a registry panics at the first question.
	for _, r := range []*http.Request{ask("http://shop.test/", browser), httptest.NewRequest("GET", "/panic", nil)} {
		w := s.answer(r)
		if got := gist(w); got != "503 problem" {
			t.Errorf("%s: got %s", r.URL.Path, got)
		}
		wantOwnHeaders(t, w)
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "nil pointer") {
			t.Errorf("shown: %s", w.Body)
		}
	}
	for _, want := range []string{"cause=secret", "nil pointer", "server_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &log)
		}
	}
}

func TestPanicAfterTheAnswerBeganAddsNothing(t *testing.T) {
	s := New(Options{Log: slog.New(slog.DiscardHandler)})
	s.echo.GET("/panic", s.recoverPanic(func(c echo.Context) error { _ = c.String(200, "half"); panic("late") }))
	if w := s.answer(httptest.NewRequest("GET", "/panic", nil)); w.Code != 200 || w.Body.String() != "half" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestErrorOfAHandlerIsNotShown(t *testing.T) {
	s := New(Options{Log: slog.New(slog.DiscardHandler)})
	s.echo.GET("/error", func(echo.Context) error { return errors.New("secret") })
	w := s.answer(httptest.NewRequest("GET", "/error", nil))
	if got := gist(w); got != "500 problem" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%s: %s", got, w.Body)
	}
}

func TestServerThatEndsLetsHeldRequestsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test"))
		ctx, end := context.WithCancel(t.Context())
		ln := newPipes()
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, ln) }()
		time.AfterFunc(3*time.Second, end)
		began := time.Now()
		status, body := ln.get(t, ask("http://shop.test/"))
		if took := time.Since(began).Round(time.Second); status != 503 || took != 3*time.Second {
			t.Errorf("%d after %s", status, took)
		}
		if !strings.Contains(body, `"state":"starting"`) {
			t.Errorf("the answer is %q", body)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the server ended after %s", took)
		}
	})
}

func TestServerThatCannotGoOnSaysWhy(t *testing.T) {
	ln := newPipes()
	ln.Close()
	s := New(Options{Log: slog.New(slog.DiscardHandler)})
	if err := s.Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
}

// pipes is a listener in memory, for bubbles.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn)}
	p.closed, p.close = context.WithCancel(context.Background())
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// get sends a request on a connection of its own, and returns status and body.
func (p *pipes) get(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			p.conns <- there
			return here, nil
		},
	}}
	r.RequestURI = "" // of requests that were received
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) (p problem.Document) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("%v in %q", err, w.Body)
	}
	return p
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/registrytest"
)

// connections counts those that requests come by.
type connections struct {
	mu  sync.Mutex
	all map[string]bool
}

func (c *connections) note(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]bool{}
	}
	c.all[r.RemoteAddr] = true
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

func TestRequestsToTheURLOfAnAppThatMayBeSentAgainShareConnections(t *testing.T) {
	for method, many := range map[string]bool{"GET": false, "HEAD": false, "OPTIONS": false, "POST": true, "DELETE": true} {
		var came connections
		s := onSockets(t, hosted(t, authority, "localhost", func(_ http.ResponseWriter, r *http.Request) { came.note(r) }))
		for range 5 {
			if resp := do(t, s.to(method, "/", nil)); resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s", method, resp.Status)
			}
		}
		if n := came.count(); (n == 5) != many || (n == 1) == many {
			t.Errorf("5 times %s: %d connections", method, n)
		}
	}
}

func TestARequestByAConnectionThatAPlatformHasClosedIsSentAgain(t *testing.T) {
	var came connections
	server := authority.Serve(t, "localhost", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.note(r)
		fmt.Fprint(w, r.URL.Path)
	}))
	app := service("shop").Found("shop.test")
	app.Boot, app.URL = 100*time.Millisecond, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	s := onSockets(t, app)
	for n := range 5 {
		path := fmt.Sprintf("/%d", n)
		if got := read(t, do(t, s.to("GET", path, nil)).Body); got != path {
			t.Errorf("%s gets %q", path, got)
		}
		server.CloseClientConnections()
	}
	if n := came.count(); n != 5 {
		t.Errorf("%d connections", n)
	}
}

func TestARequestThatFindsNobodyAtTheURLOfAnAppWaitsForIt(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "app") }).Awake()
	s := onSockets(t, app)
	soon(t, "it is ready", func() bool { return s.view("shop").State == registry.Ready })
	missed := 0
	transport := newKeptTransport()
	defer transport.CloseIdleConnections()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if missed < 2 {
			missed++
			return nil, errors.New("nobody is there")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, app.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&kept{transport, s.registry.Named("shop"), t.Context()}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := read(t, resp.Body); got != "app" || missed != 2 {
		t.Errorf("it gets %q after %d misses", got, missed)
	}
	impatient, end := context.WithCancel(t.Context())
	end()
	another := newKeptTransport()
	another.DialContext = func(context.Context, string, string) (net.Conn, error) {
		missed++
		return nil, errors.New("nobody is there")
	}
	if _, err := (&kept{another, s.registry.Named("shop"), impatient}).RoundTrip(r); missed != 3 || err == nil {
		t.Errorf("without patience: %v after %d misses", err, missed-2)
	}
}

// brittle is a connection that may break under the next request.
type brittle struct {
	net.Conn
	broken atomic.Bool
}

func (b *brittle) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, errors.New("it broke")
	}
	return b.Conn.Write(p)
}

func TestARequestUnderWhichAKeptConnectionBreaksIsSentAgain(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "app") }).Awake()
	s := onSockets(t, app)
	soon(t, "it is ready", func() bool { return s.view("shop").State == registry.Ready })
	var opened []*brittle
	transport := newKeptTransport()
	defer transport.CloseIdleConnections()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		opened = append(opened, &brittle{Conn: conn})
		return opened[len(opened)-1], err
	}
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, app.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&kept{transport, s.registry.Named("shop"), t.Context()}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, resp.Body); got != "app" {
			t.Errorf("it gets %q", got)
		}
		_ = resp.Body.Close()
		opened[len(opened)-1].broken.Store(true)
	}
	if len(opened) != 3 {
		t.Errorf("%d connections", len(opened))
	}
}

func TestNothingIsSentToTheURLOfAnAppThatHasBegunToSleep(t *testing.T) {
	s := onSockets(t, hosted(t, authority, "localhost", func(http.ResponseWriter, *http.Request) {}))
	o := &kept{newKeptTransport(), s.registry.Named("shop"), t.Context()}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.RoundTrip(r); !errors.Is(err, errClosed) {
		t.Errorf("of an app that sleeps: %v", err)
	}
}

func TestARequestThatReachesNobodyAtTheURLOfAnAppIsToldSo(t *testing.T) {
	s := onSockets(t, hosted(t, registrytest.NewAuthority(), "localhost", func(http.ResponseWriter, *http.Request) {}))
	resp := do(t, s.to("GET", "/", nil))
	if body := read(t, resp.Body); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "its certificate is not trusted") {
		t.Errorf("%d: %s", resp.StatusCode, body)
	}
}

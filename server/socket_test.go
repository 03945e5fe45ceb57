package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/registrytest"
)

// Tests of the way through Paastis have sockets, and so the real clock.

// socketServer is a test server that serves on a socket, in real time. Traefik fetches its routes.
type socketServer struct {
	*testServer
	url string // of Paastis
	end func() // ends it, and returns when it has ended
}

// onSockets runs a test server on a socket until the test ends.
func onSockets(t *testing.T, apps ...*registrytest.App) *socketServer {
	t.Helper()
	return serving(t, begin(t, apps...))
}

// serving makes a test server serve.
func serving(t *testing.T, of *testServer) *socketServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &socketServer{testServer: of, url: "http://" + ln.Addr().String()}
	s.registry.Publisher().Fetched(netip.MustParseAddr("10.0.0.2"), s.url, 0)
	ctx, end := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.Serve(ctx, ln); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	}()
	s.end = func() { end(); <-served }
	t.Cleanup(func() {
		s.drainLimit = 0
		s.end()
		if n := s.using("shop"); n != 0 {
			t.Errorf("at the end, %d requests are on their way to the app", n)
		}
	})
	return s
}

// behind is an app, shop.test, that is served by a handler. It sleeps, and boots in 100
// ms. Its server listens all the time: what is asleep about it is what its provider says.
func behind(t *testing.T, h http.HandlerFunc) *registrytest.App {
	t.Helper()
	app := httptest.NewUnstartedServer(h)
	app.Config.DisableGeneralOptionsHandler = true
	app.Start()
	t.Cleanup(app.Close)
	return at(app.Listener.Addr())
}

// at is an app, shop.test, that listens on an address once it is awake.
func at(address net.Addr) *registrytest.App {
	listens := netip.MustParseAddrPort(address.String())
	_, port, _ := net.SplitHostPort(address.String())
	a := service("shop").Found("shop.test").Label("paastis.port", port)
	a.Boot, a.Address = 100*time.Millisecond, listens.Addr()
	return a
}

// speaks makes an app speak a protocol: https or h2c.
func speaks(a *registrytest.App, scheme string) *registrytest.App {
	a.Label("traefik.http.services.shop.loadbalancer.server.scheme", scheme)
	return a.Label("traefik.http.services.shop.loadbalancer.server.port", a.Labels["paastis.port"])
}

// to is a request as Traefik sends it by the published route of shop.test. Lines are
// headers.
func (s *socketServer) to(method, path string, body io.Reader, lines ...string) *http.Request {
	r, err := http.NewRequest(method, s.url, body)
	if err != nil {
		panic(err)
	}
	r.URL.Opaque = "/.paastis/" + registrytest.Mark("shop") + path // so that it goes out as it is
	r.Host = "shop.test"
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// visitor is a client that keeps no connection and follows nothing.
func visitor() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, ExpectContinueTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do sends a request on a connection of its own.
func do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	resp, err := visitor().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// read is a body to its end.
func read(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("the body ends with %v", err)
	}
	return string(text)
}

// readLine is so much of a body as there is text in a line of it.
func readLine(t *testing.T, r io.Reader) string {
	t.Helper()
	var line strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Errorf("after %q the body ends with %v", line.String(), err)
			return line.String()
		}
		if b[0] == '\n' {
			return line.String()
		}
		line.Write(b)
	}
}

// using is how many requests Paastis carries to an app now.
func (s *socketServer) using(name string) int { return s.registry.Detail(s.registry.Named(name)).Open }

// soon fails the test unless something comes true within a few seconds.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 5 s: %s", what)
		}
	}
}

// flag is raised once.
type flag struct {
	once   sync.Once
	raised chan struct{}
}

func newFlag() *flag { return &flag{raised: make(chan struct{})} }

func (f *flag) raise() { f.once.Do(func() { close(f.raised) }) }

// is fails the test unless the flag is raised within a few seconds.
func (f *flag) is(t *testing.T, what string) {
	t.Helper()
	select {
	case <-f.raised:
	case <-time.After(5 * time.Second):
		t.Errorf("not so after 5 s: %s", what)
	}
}

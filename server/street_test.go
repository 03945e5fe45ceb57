package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Tests of the way through Paastis have sockets, and so the real clock.

// street is a site that serves on a socket, in real time.
type street struct {
	*site
	url string // of Paastis
	end func() // ends it, and returns when it has ended
}

// onSockets runs a site on a socket until the test ends.
func onSockets(t *testing.T, apps ...*fakeApp) *street {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &street{site: begin(t, apps...), url: "http://" + ln.Addr().String()}
	ctx, end := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.Serve(ctx, ln); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	}()
	s.end = func() { end(); <-served }
	t.Cleanup(s.end)
	return s
}

// behind is an app, shop.test, that is served by a handler. It sleeps, and boots in 100
// ms. Its server listens all the time: what is asleep about it is what its provider says.
func behind(t *testing.T, h http.Handler) *fakeApp {
	t.Helper()
	app := httptest.NewServer(h)
	t.Cleanup(app.Close)
	return at(app.Listener.Addr())
}

// at is an app, shop.test, that listens on an address once it is awake.
func at(address net.Addr) *fakeApp {
	listens := netip.MustParseAddrPort(address.String())
	a := service("shop").found("shop.test").label("paastis.port", port(listens))
	a.boot, a.address = 100*time.Millisecond, listens.Addr()
	return a
}

func port(a netip.AddrPort) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// to is a request as Traefik sends it by the published route of shop.test. Lines are
// headers.
func (s *street) to(method, path string, body io.Reader, lines ...string) *http.Request {
	r, err := http.NewRequest(method, s.url, body)
	if err != nil {
		panic(err)
	}
	r.URL.Opaque = "/.paastis/shop" + path // so that it goes out as it is
	r.Host = "shop.test"
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// do sends a request on a connection of its own.
func do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, ExpectContinueTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
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

// using is how many requests Paastis carries to an app now.
func (s *street) using(name string) int64 { return s.registry.Named(name).Using() }

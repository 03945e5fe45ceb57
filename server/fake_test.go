package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// service is an app that is asleep, boots for 10 s and asks for Paastis by a label. It
// has no route.
var service = registrytest.NewApp

// testServer is a server over a running registry of played apps, inside a synctest bubble.
type testServer struct {
	*Server
	*registrytest.Provider
	registry *registry.Registry
	log      *logged
}

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// count is how many times a text was logged so far.
func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// idleTime is after how long an unused app of a test server is stopped.
const idleTime = 10 * time.Minute

// live runs a test server until the test ends. Its server never wakes for DefaultNeverWake and
// for requests by way of 10.9.0.0/16.
func live(t *testing.T, apps ...*registrytest.App) *testServer {
	t.Helper()
	s := begin(t, apps...)
	synctest.Wait()
	return s
}

// begin is live without a bubble.
func begin(t *testing.T, apps ...*registrytest.App) *testServer {
	t.Helper()
	return beginOn(t, registrytest.NewStore(), apps...)
}

// beginOn is begin with a store of the test's own; nil: none.
func beginOn(t *testing.T, store history.Store, apps ...*registrytest.App) *testServer {
	t.Helper()
	p := registrytest.NewProvider(apps...)
	return beginBy(t, store, p, p)
}

// beginBy is beginOn with a provider of the test's own, which knows the apps of p.
func beginBy(t *testing.T, store history.Store, p *registrytest.Provider, by provider.Provider) *testServer {
	t.Helper()
	defaults := rules.Defaults()
	defaults.MaxIdleTime = idleTime
	kept := &logged{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), kept), &slog.HandlerOptions{Level: slog.LevelDebug}))
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: []provider.Provider{by},
		Settings:  inventory.Settings{Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second},
		Log:       log,
		Store:     store,
	}))
	return &testServer{Server: New(Options{
		Registry: reg, Classifier: monitors(t), Log: log,
		ConfigSources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")},
	}), Provider: p, registry: reg, log: kept}
}

func (s *testServer) view(name string) registry.View { return s.registry.View(s.registry.Named(name)) }

// monitors is the classifier of the tests.
func monitors(t *testing.T) Classifier {
	t.Helper()
	never := DefaultNeverWake()
	never.Sources = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}
	c, err := NewClassifier(never)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ask is a question of ForwardAuth's about a GET of a URL. Header lines such as
// "Accept: text/html" are added; a line of "method POST" is the visitor's method.
func ask(rawURL string, lines ...string) *http.Request {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://paastis:3000/auth", nil)
	r.Header.Set("X-Forwarded-Method", http.MethodGet)
	r.Header.Set("X-Forwarded-Proto", u.Scheme)
	r.Header.Set("X-Forwarded-Host", u.Host)
	r.Header.Set("X-Forwarded-Uri", u.RequestURI())
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	for _, line := range lines {
		if method, ok := strings.CutPrefix(line, "method "); ok {
			r.Header.Set("X-Forwarded-Method", method)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// answer serves one request, to its end.
func (s *Server) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// answerTo serves ForwardAuth's question about a GET.
func (s *Server) answerTo(rawURL string, lines ...string) *httptest.ResponseRecorder {
	return s.answer(ask(rawURL, lines...))
}

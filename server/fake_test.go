package server

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// fake is a provider that runs apps in memory, on the bubble's clock.
type fake struct {
	mu      sync.Mutex
	apps    map[string]*fakeApp
	version uint64
	changes chan registry.Report // for Watch
	calls   []string             // "start shop", "stop shop", in order
	lists   int                  // calls of List
}

// fakeApp is an app with what is to happen to it.
type fakeApp struct {
	app      registry.App
	boot     time.Duration // from its start to healthy
	stopping time.Duration // how long a stop takes
	startErr error
	refusal  time.Duration // how long that takes
	address  netip.Addr    // while it runs, if there is a socket
}

// service is an app that is asleep, boots for 10 s and asks for Paastis by a label. It
// has no route.
func service(name string, needs ...string) *fakeApp {
	a := &fakeApp{boot: 10 * time.Second, stopping: 100 * time.Millisecond, app: registry.App{
		Name: name, Origin: "container " + name, Labels: map[string]string{"paastis.enable": "true"},
		Instances: []registry.Instance{{Name: name, ID: name}},
	}}
	for _, n := range needs {
		a.app.Links = append(a.app.Links, rules.Link{Name: n})
	}
	return a
}

// at gives the app a host, and Traefik its address for good.
func (a *fakeApp) at(host string) *fakeApp {
	a.found(host)
	return a.label("traefik.http.services."+a.app.Name+".loadbalancer.server.url", "http://"+a.app.Name+":8080")
}

// found gives the app a host; its address is for Traefik to find.
func (a *fakeApp) found(host string) *fakeApp {
	return a.label("traefik.http.routers."+a.app.Name+".rule", "Host(`"+host+"`)")
}

func (a *fakeApp) label(key, value string) *fakeApp {
	a.app.Labels[key] = value
	return a
}

func (a *fakeApp) awake() *fakeApp {
	i := &a.app.Instances[0]
	i.Status, i.Health, i.Address = registry.Running, registry.Healthy, a.address
	return a
}

func (f *fake) Name() string { return "fake" }

func (f *fake) List(context.Context) (registry.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists++
	r := registry.Report{Complete: true}
	for _, name := range slices.Sorted(maps.Keys(f.apps)) {
		r.Apps = append(r.Apps, f.snapshot(f.apps[name]))
	}
	r.Version = f.version
	return r, nil
}

// snapshot is an app as it is now. Called with the lock held.
func (f *fake) snapshot(a *fakeApp) registry.App {
	f.version++
	app := a.app
	app.Instances, app.Version = slices.Clone(app.Instances), f.version
	return app
}

func (f *fake) Watch(ctx context.Context, report func(registry.Report)) error {
	all, _ := f.List(ctx)
	report(all)
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-f.changes:
			report(change)
		}
	}
}

func (f *fake) Start(_ context.Context, name string) (registry.App, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "start "+name)
	a := f.apps[name]
	if a.startErr != nil {
		refusal := a.refusal
		f.mu.Unlock()
		time.Sleep(refusal)
		f.mu.Lock()
		return registry.App{}, a.startErr
	}
	a.app.Instances[0] = registry.Instance{
		Name: name, ID: name, Status: registry.Running, Health: registry.HealthStarting, StartedAt: time.Now(), Address: a.address,
	}
	time.AfterFunc(a.boot, func() { f.boot(a) })
	return f.snapshot(a), nil
}

// boot makes a started app healthy, and reports it.
func (f *fake) boot(a *fakeApp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a.app.Instances[0].Health = registry.Healthy
	f.changes <- registry.Report{Apps: []registry.App{f.snapshot(a)}, Version: f.version}
}

func (f *fake) Stop(_ context.Context, name string, _ rules.StopMethod) (registry.App, error) {
	f.mu.Lock()
	f.calls = append(f.calls, "stop "+name)
	a := f.apps[name]
	f.mu.Unlock()
	time.Sleep(a.stopping) // on the bubble's clock
	f.mu.Lock()
	defer f.mu.Unlock()
	a.app.Instances[0] = registry.Instance{Name: name, ID: name, ExitCode: 143}
	return f.snapshot(a), nil
}

// took are the calls since the last time somebody asked; "-" for none.
func (f *fake) took() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := strings.Join(f.calls, ", ")
	f.calls = nil
	if calls == "" {
		return "-"
	}
	return calls
}

// site is a server over a running registry over a fake, inside a synctest bubble.
type site struct {
	*Server
	*fake
	log *logged
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

// idleTime is after how long an unused app of a site is stopped.
const idleTime = 10 * time.Minute

// live runs a site until the test ends. Its server never wakes for DefaultNeverWake and
// for requests by way of 10.9.0.0/16.
func live(t *testing.T, apps ...*fakeApp) *site {
	t.Helper()
	s := begin(t, apps...)
	synctest.Wait()
	return s
}

// begin is live without a bubble.
func begin(t *testing.T, apps ...*fakeApp) *site {
	t.Helper()
	f := &fake{apps: map[string]*fakeApp{}, changes: make(chan registry.Report, 100)}
	for _, a := range apps {
		f.apps[a.app.Name] = a
	}
	defaults := rules.Defaults()
	defaults.MaxIdleTime = idleTime
	kept := &logged{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), kept), &slog.HandlerOptions{Level: slog.LevelDebug}))
	reg := registry.New(registry.Options{
		Providers: []registry.Provider{f},
		Settings:  registry.Settings{Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second},
		Log:       log,
		Probe:     func(context.Context, registry.Target) error { return nil },
	})
	if err := reg.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); reg.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	return &site{Server: New(Options{
		Registry: reg, Classifier: monitors(t), Log: log,
		ConfigSources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")},
	}), fake: f, log: kept}
}

func (s *site) view(name string) registry.View { return s.registry.View(s.registry.Named(name)) }

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

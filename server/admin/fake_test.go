package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// token is what lets into the rooms of the tests.
const token = "correct-horse-battery-staple"

// fake is a provider whose apps are up 10 s after their start, on the bubble's clock.
type fake struct {
	mu      sync.Mutex
	apps    map[string]*registry.App
	version uint64
	changes chan registry.Report // for Watch
	calls   []string             // "start shop", "stop shop", in order
	broken  string               // the app that cannot be started
	lost    chan struct{}        // closed when the provider does not answer any more
}

var errLost = errors.New("fake: nobody answers")

// asleep is an app that Paastis manages, with a route.
func asleep(name string, needs ...string) *registry.App {
	a := &registry.App{
		Name: name, Stack: strings.Split(name, "-")[0], Origin: "container " + name,
		Labels: map[string]string{
			"paastis.enable":                                             "true",
			"traefik.http.routers." + name + ".rule":                     "Host(`" + name + ".test`)",
			"traefik.http.services." + name + ".loadbalancer.server.url": "http://" + name + ":80",
		},
		Instances: []registry.Instance{{Name: name, ID: name}},
	}
	for _, n := range needs {
		a.Links = append(a.Links, rules.Link{Name: n})
	}
	return a
}

// stranger is an app that nobody enabled.
func stranger(name string) *registry.App {
	return &registry.App{Name: name, Origin: "container " + name, Instances: []registry.Instance{{Name: name, ID: name}}}
}

func (f *fake) Name() string { return "fake" }

func (f *fake) List(context.Context) (registry.Report, error) {
	select {
	case <-f.lost:
		return registry.Report{}, errLost
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := registry.Report{Complete: true}
	for _, name := range slices.Sorted(maps.Keys(f.apps)) {
		r.Apps = append(r.Apps, f.snapshot(f.apps[name]))
	}
	r.Version = f.version
	return r, nil
}

// snapshot is an app as it is now. Called with the lock held.
func (f *fake) snapshot(a *registry.App) registry.App {
	f.version++
	app := *a
	app.Instances, app.Version = slices.Clone(a.Instances), f.version
	return app
}

func (f *fake) Watch(ctx context.Context, report func(registry.Report)) error {
	if all, err := f.List(ctx); err == nil {
		report(all)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.lost:
			return errLost
		case change := <-f.changes:
			report(change)
		}
	}
}

func (f *fake) Start(_ context.Context, name string) (registry.App, error) {
	if name == f.broken {
		return f.order("start", name, registry.Instance{ExitCode: 3}), errors.New("fake: it is broken")
	}
	time.AfterFunc(10*time.Second, func() {
		f.become(name, registry.Instance{Status: registry.Running, Health: registry.Healthy, StartedAt: time.Now()})
	})
	return f.order("start", name, registry.Instance{Status: registry.Running, Health: registry.HealthStarting, StartedAt: time.Now()}), nil
}

func (f *fake) Stop(_ context.Context, name string, _ rules.StopMethod) (registry.App, error) {
	return f.order("stop", name, registry.Instance{ExitCode: 143}), nil
}

func (f *fake) order(call, name string, i registry.Instance) registry.App {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call+" "+name)
	return f.set(name, i)
}

// become makes an app something else, and reports it.
func (f *fake) become(name string, i registry.Instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes <- registry.Report{Apps: []registry.App{f.set(name, i)}, Version: f.version}
}

// remove removes an app, and reports it.
func (f *fake) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.apps, name)
	f.version++
	f.changes <- registry.Report{Gone: []string{name}, Version: f.version}
}

func (f *fake) set(name string, i registry.Instance) registry.App {
	i.Name, i.ID = name, name
	f.apps[name].Instances[0] = i
	return f.snapshot(f.apps[name])
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

// logged keeps what is written, such as a log.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) has(text string) bool { return strings.Contains(l.String(), text) }

// room is an Admin over a running registry over a fake, inside a synctest bubble.
type room struct {
	*Admin
	*fake
	logs *logged
}

// open runs a room until the test ends.
func open(t *testing.T, apps ...*registry.App) *room { return openWith(t, "", apps...) }

// openWith is open with rules, as paastis.yml has them.
func openWith(t *testing.T, rulesText string, apps ...*registry.App) *room {
	t.Helper()
	f := &fake{apps: map[string]*registry.App{}, changes: make(chan registry.Report, 100), lost: make(chan struct{})}
	for _, a := range apps {
		f.apps[a.Name] = a
	}
	kept := &logged{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), kept), &slog.HandlerOptions{Level: slog.LevelDebug}))
	defaults := rules.Defaults()
	defaults.MaxIdleTime = 10 * time.Minute
	set, err := rules.ParseFile("paastis.yml", []byte(rulesText))
	if err != nil {
		t.Fatal(err)
	}
	reg := registry.New(registry.Options{
		Providers: []registry.Provider{f},
		Settings:  registry.Settings{Rules: set, Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second},
		Log:       log,
		Probe:     func(context.Context, registry.Target) error { return nil },
	})
	if err := reg.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); reg.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	synctest.Wait()
	sum, err := SumOf(token)
	if err != nil {
		t.Fatal(err)
	}
	return &room{Admin: New(Options{Registry: reg, Token: sum, Log: log, Version: "test", Started: time.Now()}), fake: f, logs: kept}
}

// request is one to the room, of nobody in particular. Lines are headers; a body may be
// among them as "body …".
func request(method, target string, lines ...string) *http.Request {
	var body string
	header := http.Header{}
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "body "); ok {
			body = text
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	r := httptest.NewRequest(method, "http://paastis.test"+target, strings.NewReader(body))
	r.Header = header
	return r
}

// answer serves a request, to its end.
func (r *room) answer(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// ask asks as nobody.
func (r *room) ask(method, target string, lines ...string) *httptest.ResponseRecorder {
	return r.answer(request(method, target, lines...))
}

// bearer is the header of who knows the token.
const bearer = "Authorization: Bearer " + token

// order asks with the token, and then lets happen what can.
func (r *room) order(method, target string, lines ...string) *httptest.ResponseRecorder {
	w := r.ask(method, target, append(lines, bearer)...)
	synctest.Wait()
	return w
}

// form is the lines of a form that was sent.
func form(text string) []string {
	return []string{"Content-Type: application/x-www-form-urlencoded", "Accept: text/html", "body " + text}
}

// logsIn is a session: its cookie, and its CSRF secret, as lines.
func (r *room) logsIn(t *testing.T) (cookie, csrf string) {
	t.Helper()
	w := r.ask(http.MethodPost, "/login", form("token="+token)...)
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		t.Fatalf("log-in: %d %s", w.Code, w.Body)
	}
	c := w.Result().Cookies()[0]
	cookie = "Cookie: " + c.Name + "=" + c.Value
	var s sessionDocument
	decode(t, r.ask(http.MethodGet, "/api/v1/session", cookie), &s)
	return cookie, csrfHeader + ": " + s.CSRF
}

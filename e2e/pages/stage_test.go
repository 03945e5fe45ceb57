package pages

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
)

// stage is the real server over a real registry, with a provider that plays the apps, and
// before it what does Traefik's part of ForwardAuth. Its apps are at http://NAME.test:PORT/.
type stage struct {
	*cast
	front *httptest.Server
	hosts map[string]string // :: host that visitors say → X-Forwarded-Host; for hostile ones
}

// actor is an app, and what is to happen to it. Its fields are guarded by cast.
type actor struct {
	app      registry.App
	boot     time.Duration // from its start to healthy
	refuses  bool          // it cannot be started
	requests []string      // what reached it: "GET /path?query body"
}

// cast is a provider of actors.
type cast struct {
	mu      sync.Mutex
	actors  map[string]*actor
	version uint64
	changes chan registry.Report
}

// play makes an app that is asleep and boots for some time, with labels "key=value".
func play(name string, boot time.Duration, labels ...string) *actor {
	a := &actor{boot: boot, app: registry.App{Name: name, Origin: "container " + name, Instances: []registry.Instance{{Name: name, ID: name}}, Labels: map[string]string{
		"paastis.enable":                                  "true",
		"traefik.http.routers.r.rule":                     "Host(`" + name + ".test`)",
		"traefik.http.services.s.loadbalancer.server.url": "http://" + name + ":80",
	}}}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		a.app.Labels[key] = value
	}
	return a
}

// newStage puts apps on a stage until the test ends.
func newStage(t *testing.T, actors ...*actor) *stage {
	t.Helper()
	c := &cast{actors: map[string]*actor{}, changes: make(chan registry.Report, 100)}
	for _, a := range actors {
		c.actors[a.app.Name] = a
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	reg := registry.New(registry.Options{
		Providers: []registry.Provider{c}, Log: log,
		Settings: registry.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
		Probe:    func(context.Context, registry.Target) error { return nil },
	})
	if err := reg.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	visitors, err := server.NewClassifier(server.DefaultNeverWake())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { defer close(done); reg.Run(ctx) }()
	paastis := httptest.NewServer(server.New(server.Options{Registry: reg, Classifier: visitors, Log: log}))
	s := &stage{cast: c, hosts: map[string]string{}}
	s.front = httptest.NewServer(s.forward(paastis.URL + "/auth"))
	t.Cleanup(func() { // polls are held, and a browser keeps its connections
		s.front.CloseClientConnections()
		s.front.Close()
		paastis.CloseClientConnections()
		paastis.Close()
		cancel()
		<-done
	})
	return s
}

// url is an app's, as a visitor writes it.
func (s *stage) url(name, path string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(s.front.URL, "http://"), ":")
	return "http://" + name + ".test:" + port + path
}

// forward does what Traefik's ForwardAuth does: it asks with the visitor's headers and no
// body, lets through what is answered with 2xx, and hands any other answer to the visitor.
func (s *stage) forward(auth string) http.HandlerFunc {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(w http.ResponseWriter, r *http.Request) {
		question, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, auth, nil)
		question.Header = r.Header.Clone()
		host, _, _ := strings.Cut(r.Host, ":")
		forwarded := r.Host
		if h := s.hosts[host]; h != "" {
			forwarded = h
			question.URL.RawQuery = "app=" + strings.TrimSuffix(host, ".test")
		}
		for name, value := range map[string]string{"Method": r.Method, "Proto": "http", "Host": forwarded, "Uri": r.URL.RequestURI(), "For": "203.0.113.7"} {
			question.Header.Set("X-Forwarded-"+name, value)
		}
		answer, err := client.Do(question)
		if err != nil {
			http.Error(w, "ForwardAuth failed", http.StatusInternalServerError)
			return
		}
		defer answer.Body.Close()
		if answer.StatusCode/100 == 2 {
			s.perform(w, r, strings.TrimSuffix(host, ".test"))
			return
		}
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}
}

// perform answers as the app does: 502 unless it is up.
func (s *stage) perform(w http.ResponseWriter, r *http.Request, name string) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.actors[name]
	if a == nil || a.app.Instances[0].Health != registry.Healthy {
		http.Error(w, "Bad Gateway", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Path == "/favicon.ico" {
		return
	}
	a.requests = append(a.requests, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>the app</title><main><h1>This is %s</h1></main>`, name)
}

// reached are the requests that an app has got so far.
func (c *cast) reached(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.actors[name].requests)
}

// change is for what happens to an app.
func (c *cast) change(name string, how func(a *actor)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	how(c.actors[name])
}

func (c *cast) Name() string { return "stage" }

func (c *cast) List(context.Context) (registry.Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := registry.Report{Complete: true}
	for _, name := range slices.Sorted(maps.Keys(c.actors)) {
		r.Apps = append(r.Apps, c.snapshot(c.actors[name]))
	}
	r.Version = c.version
	return r, nil
}

// snapshot is an app as it is now. Called with the lock held.
func (c *cast) snapshot(a *actor) registry.App {
	c.version++
	app := a.app
	app.Instances, app.Version = slices.Clone(app.Instances), c.version
	return app
}

func (c *cast) Watch(ctx context.Context, report func(registry.Report)) error {
	all, _ := c.List(ctx)
	report(all)
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-c.changes:
			report(change)
		}
	}
}

func (c *cast) Start(_ context.Context, name string) (registry.App, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.actors[name]
	if a.refuses {
		return registry.App{}, noImage{}
	}
	a.app.Instances[0] = registry.Instance{Name: name, ID: name, Status: registry.Running, Health: registry.HealthStarting, StartedAt: time.Now()}
	time.AfterFunc(a.boot, func() { c.booted(a) })
	return c.snapshot(a), nil
}

// booted is the end of a start.
func (c *cast) booted(a *actor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.app.Instances[0].Health = registry.Healthy
	c.changes <- registry.Report{Apps: []registry.App{c.snapshot(a)}, Version: c.version}
}

func (c *cast) Stop(_ context.Context, name string, _ rules.StopMethod) (registry.App, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.actors[name]
	a.app.Instances[0] = registry.Instance{Name: name, ID: name}
	return c.snapshot(a), nil
}

// noImage is why an app refuses, as a visitor may read it.
type noImage struct{}

func (noImage) Error() string   { return "stage: no such image" }
func (noImage) Visible() string { return "the image is missing" }

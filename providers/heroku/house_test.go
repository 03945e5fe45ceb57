package heroku_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// reviewRules are those of a team with review apps, each a front and a back.
const reviewRules = `
rules:
  - pattern: '^review-pr(\d+)-(front|back)$'
    linked_apps: ['review-pr$1-front', 'review-pr$1-back']
  - pattern: '.*'
    start_timeout: 5m
`

// house is a Paastis before a Heroku.
type house struct {
	*herokutest.Heroku
	*registry.Registry
	t        *testing.T
	store    *registrytest.Store
	provider *heroku.Provider
	log      *lines
	end      func()
}

// lines is what a Paastis logs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool { return l.count(text) > 0 }

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// before runs a Paastis before a Heroku until the test ends, or end is called.
func before(t *testing.T, h *herokutest.Heroku, how ...func(*heroku.Config)) *house {
	t.Helper()
	o := &house{Heroku: h, t: t, store: registrytest.NewStore(), log: &lines{}}
	o.begin(o.store, how...)
	return o
}

// begin runs another Paastis, with a store. Nil: it has none.
func (o *house) begin(store history.Store, how ...func(*heroku.Config)) {
	o.t.Helper()
	log := slog.New(slog.NewTextHandler(o.log, nil))
	o.provider = connect(o.t, o.Heroku, append([]func(*heroku.Config){func(c *heroku.Config) { c.Log = log }}, how...)...)
	o.Registry = registry.New(registry.Options{
		Providers: []provider.Provider{o.provider}, Log: log, Store: store, Probe: o.probe,
		Settings: o.settings("max_idle_time: 15m"),
	})
	ctx, cancel := context.WithCancel(o.t.Context())
	if err := o.Load(ctx); err != nil {
		o.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); o.Run(ctx) }()
	o.end = func() { cancel(); <-done }
	o.t.Cleanup(o.end)
	synctest.Wait()
}

// settings are reviewRules, and a property of all apps.
func (o *house) settings(property string) inventory.Settings {
	o.t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(reviewRules+"    "+property+"\n"))
	if err != nil {
		o.t.Fatal(err)
	}
	return inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"}
}

// probe asks an app at its URL, as the registry does by itself.
func (o *house) probe(ctx context.Context, target inventory.Target) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.Scheme+"://"+target.Address+target.Path, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "Paastis")
	answer, err := o.RouterTransport().RoundTrip(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if slices.Contains([]int{502, 503, 504}, answer.StatusCode) {
		return registry.StatusError{Status: answer.StatusCode}
	}
	return nil
}

// wake asks for an app, and returns the state that it gets to.
func (o *house) wake(name string) registry.State {
	o.t.Helper()
	k := o.Named(name)
	if k == nil {
		o.t.Fatalf("there is no app %s", name)
	}
	o.Wake(k, true)
	ctx, cancel := context.WithTimeout(o.t.Context(), 10*time.Minute)
	defer cancel()
	return o.Await(ctx, k)
}

// sleep puts an app to sleep by hand, and waits until it does.
func (o *house) sleep(name string) {
	o.t.Helper()
	time.Sleep(time.Minute) // it may be on its way up
	if err := o.Sleep(o.Named(name), true); err != nil {
		o.t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if state := o.state(name); state != registry.Asleep {
		o.t.Fatalf("%s was to sleep, and is %s", name, state)
	}
}

// state is that of an app.
func (o *house) state(name string) registry.State {
	o.t.Helper()
	synctest.Wait()
	return o.Detail(o.Named(name)).State
}

// failure is why an app has failed, by its code. Empty: it has not.
func (o *house) failure(name string) string {
	f, failed := o.Failure(o.Named(name))
	if !failed {
		return ""
	}
	return string(f.Reason.Kind)
}

// wantFormation wants an app to be scaled so.
func (o *house) wantFormation(name, want string) {
	o.t.Helper()
	if got := o.Heroku.Formation(name); got != want {
		o.t.Errorf("%s is scaled to %q, want %q", name, got, want)
	}
}

// orders is how often an app was scaled.
func (o *house) orders(name string) (n int) {
	id := o.IDOf(name)
	for _, call := range o.Calls.Log() {
		if call.Method == http.MethodPatch && strings.Contains(call.Path, id) {
			n++
		}
	}
	return n
}

// scaled is an app that runs two web dynos and a worker of another size.
func scaled(name string) herokutest.App {
	return herokutest.App{Name: name, Formation: []herokutest.Type{
		{Name: "web", Quantity: 2, Size: "Standard-1X"}, {Name: "worker", Quantity: 1, Size: "Standard-2X"}, {Name: "clock"},
	}}
}

const (
	scaledFormation = "web: 2 × Standard-1X, worker: 1 × Standard-2X, clock: 0 × Standard-1X"
	toNone          = "web: 0 × Standard-1X, worker: 0 × Standard-2X, clock: 0 × Standard-1X"
)

// copyOf is a store with what another one has now.
func copyOf(store *registrytest.Store) *registrytest.Store {
	other := registrytest.NewStore()
	state, err := store.Load(context.Background())
	if err == nil {
		err = other.Save(context.Background(), state)
	}
	if err != nil {
		panic(err) // they are in memory
	}
	return other
}

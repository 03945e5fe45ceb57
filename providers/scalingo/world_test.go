package scalingo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// world is a Paastis that looks after a played account.
type world struct {
	*scalingotest.Platform
	t     *testing.T
	store *registrytest.Store
	rules string
	more  []provider.Provider // beside the account
	limit string              // max_idle_time
	reg   *registry.Registry
	log   *journal
}

// journal is what Paastis logs.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) has(text string) bool { return j.times(text) > 0 }

// times is how often the log has a text.
func (j *journal) times(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

func newWorld(t *testing.T, cfg scalingotest.Config) *world {
	if cfg.Regions == nil {
		cfg.Regions = []string{"osc-fr1"}
	}
	return &world{
		t: t, Platform: scalingotest.New(cfg), store: registrytest.NewStore(),
		rules: "rules: [{pattern: '.*'}]", limit: "10m", log: &journal{},
	}
}

// lives runs a Paastis for as long as do takes. That it ends is all that it hears of it: what it
// was about to do is not done.
func (w *world) lives(do func()) {
	w.t.Helper()
	ctx, end := context.WithCancel(w.t.Context())
	defer end()
	w.reg = registry.New(w.options())
	if err := w.reg.Load(ctx); err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); w.reg.Run(ctx) }()
	do()
	end()
	<-done
}

func (w *world) options() registry.Options {
	set, err := rules.ParseFile("paastis.yml", []byte(w.rules))
	if err != nil {
		w.t.Fatal(err)
	}
	defaults := rules.Defaults()
	if err := defaults.SetGlobal("max_idle_time", w.limit, "test"); err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	p, err := scalingo.New(scalingo.Config{Token: "tk-us-played-1", Transport: w.Transport(), Log: log})
	if err != nil {
		w.t.Fatal(err)
	}
	return registry.Options{
		Providers: append([]provider.Provider{p}, w.more...), Log: log, Store: w.store, Probe: w.probe,
		Settings: inventory.Settings{Rules: set, Defaults: defaults, Middleware: "paastis"},
	}
}

// probe asks the platform's router for an app, as Paastis's own probe does.
func (w *world) probe(ctx context.Context, target inventory.Target) error {
	if !target.ByURL {
		return nil // it is none of Scalingo's
	}
	host, _, _ := strings.Cut(target.Address, ":")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/", nil)
	if err != nil {
		return err
	}
	answer, err := w.Transport().RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 502 && answer.StatusCode <= 504 {
		return fmt.Errorf("the platform answers for it: %s", answer.Status)
	}
	return nil
}

// visit asks for an app, as a visitor of it does.
func (w *world) visit(name string) {
	if k := w.reg.Named(name); !k.Pass(time.Now()) {
		w.reg.Wake(k, false)
	}
}

// await visits an app until it is ready, for as long as it may take.
func (w *world) await(name string, limit time.Duration) {
	w.t.Helper()
	w.visit(name)
	w.wantWithin(limit, name, registry.Ready)
}

// wantWithin wants an app to come to a state.
func (w *world) wantWithin(limit time.Duration, name string, want registry.State) {
	w.t.Helper()
	for late := time.Now().Add(limit); ; time.Sleep(time.Second) {
		var view registry.View
		if k := w.reg.Named(name); k != nil {
			if view = w.reg.View(k); view.State == want {
				return
			}
		}
		if time.Now().After(late) {
			w.t.Fatalf("%s is %s within %s (%s), want %s", name, view.State, limit, view.Reason, want)
		}
	}
}

// wantScale wants an app to be scaled, with so many autoscalers that are on.
func (w *world) wantScale(name, want string, autoscalers int) {
	w.t.Helper()
	if got := w.Formation(name); got != want || w.Autoscaling(name) != autoscalers {
		w.t.Errorf("%s is scaled to %s, %d autoscalers; want %s, %d", name, got, w.Autoscaling(name), want, autoscalers)
	}
}

const (
	scaleCall = "POST /v1/apps/{app}/scale"
	listCall  = "GET /v1/apps"
)

// fleetOf makes so many apps that sleep.
func (w *world) fleetOf(n int) []string {
	var names []string
	for i := range n {
		name := fmt.Sprintf("review-%03d", i)
		w.Create("osc-fr1", name)
		names = append(names, name)
	}
	return names
}

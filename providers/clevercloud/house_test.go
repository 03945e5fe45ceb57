package clevercloud_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// reviews is a paastis.yml of review apps, front and back each.
const reviews = `
rules:
  - pattern: '^shop-pr(\d+)-(back|front)$'
    linked_apps: ['shop-pr$1-front', 'shop-pr$1-back']
    max_idle_time: 30m
    start_timeout: 5m
  - pattern: '.*'
    start_timeout: 5m
`

// house is a Paastis over a Clever Cloud, for one or several lives.
type house struct {
	*clevercloudtest.Cloud
	t     *testing.T
	by    clevercloud.Settings
	rules string
	store history.Store
	mu    sync.Mutex
	log   bytes.Buffer // guarded by mu

	*registry.Registry // of the life that goes on
	provider           *clevercloud.Provider
}

func newHouse(t *testing.T) *house {
	return &house{Cloud: clevercloudtest.New(), t: t, by: bearer, rules: reviews, store: registrytest.NewStore()}
}

func (h *house) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

// said is what the log has.
func (h *house) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// lives runs a Paastis for as long as do takes.
func (h *house) lives(do func()) {
	h.t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(h.rules))
	if err != nil {
		h.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(h, nil))
	h.provider = connect(h.t, h.Cloud, h.by, log)
	h.Registry = registry.New(registry.Options{
		Providers: []provider.Provider{h.provider}, Log: log, Store: h.store, Probe: h.probe,
		Settings: inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"},
	})
	ctx, end := context.WithCancel(h.t.Context())
	if err := h.Load(ctx); err != nil {
		h.t.Logf("load: %v", err)
	}
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	time.Sleep(2 * time.Second)
	do()
	end()
	<-done
}

// probe asks for an app at its URL, through the load balancer.
func (h *house) probe(ctx context.Context, t inventory.Target) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Scheme+"://"+t.Address+t.Path, nil)
	if err != nil {
		return err
	}
	answer, err := h.Transport().RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 502 && answer.StatusCode <= 504 {
		return registry.StatusError{Status: answer.StatusCode}
	}
	return nil
}

// wake asks for an app.
func (h *house) wake(name string) {
	h.t.Helper()
	k := h.Named(name)
	if k == nil {
		h.t.Fatalf("nobody knows %s", name)
	}
	h.Wake(k, false)
}

// want wants an app to be in a state, as its visitors see it.
func (h *house) want(name string, state registry.State) {
	h.t.Helper()
	k := h.Named(name)
	if k == nil {
		h.t.Fatalf("nobody knows %s", name)
	}
	if v := h.View(k); v.State != state {
		h.t.Errorf("%s is %v, not %v: %s", name, v.State, state, v.Reason)
	}
}

// review makes the apps of a pull request, asleep.
func (h *house) review(n int, owner string) {
	for _, part := range []string{"front", "back"} {
		h.Put(clevercloudtest.App{Name: fmt.Sprintf("shop-pr%d-%s", n, part), Owner: owner, Commit: fmt.Sprintf("pr%d-%s", n, part)})
	}
}

// stages are the states that an app went through, in order.
func (h *house) stages(name string) (all []registry.State) {
	for _, e := range h.Events(0, name, 100) {
		if len(all) == 0 || all[len(all)-1] != e.State {
			all = append(all, e.State)
		}
	}
	return all
}

package providers_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// platform is one of those that are played, as what is alike in all of them needs it. Apps have two
// containers that serve and one that works, where there are several kinds.
type platform interface {
	provider(t *testing.T, log *slog.Logger) provider.Provider
	create(name string, awake bool)
	remove(name string)
	// scale and push are done by its owner, and return what it is to run from then on; empty: what
	// it ran before.
	scale(name string, web, worker int) (runs string)
	push(name string) (runs string)
	crash(name string)
	// revoke ends the token of Paastis, and the sessions that it was exchanged for.
	revoke()
	// runs is to what an app is scaled, "web 2 worker 1", or what commit it runs; empty: nothing.
	runs(name string) string
	// settled reports whether nothing is done to an app just now.
	settled(name string) bool
	faults() *paastest.Faults
	wakeRoute() string
	sleepRoute() string
	listRoute() string
	router() http.RoundTripper
}

// platforms makes each of them anew.
var platforms = map[string]func() platform{
	"scalingo": func() platform {
		return scalingoPlayed{scalingotest.New(scalingotest.Config{Regions: []string{"osc-fr1"}})}
	},
	"heroku":      func() platform { return herokuPlayed{herokutest.New()} },
	"clevercloud": func() platform { return &cleverPlayed{Cloud: clevercloudtest.New(), ids: map[string]string{}} },
}

type scalingoPlayed struct{ *scalingotest.Platform }

func (p scalingoPlayed) provider(t *testing.T, log *slog.Logger) provider.Provider {
	made, err := scalingo.New(scalingo.Config{Token: "tk-us-played-1", Transport: p.Transport(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (p scalingoPlayed) create(name string, awake bool) {
	p.Create("osc-fr1", name, scalingotest.Type{Name: "web", Size: "L"}, scalingotest.Type{Name: "worker", Size: "M"})
	if awake {
		p.scale(name, 2, 1)
	}
}

func (p scalingoPlayed) remove(name string) { p.Delete(name) }
func (p scalingoPlayed) push(name string) string {
	p.Deploy(name, scalingotest.Type{Name: "web"}, scalingotest.Type{Name: "worker"})
	return ""
}
func (p scalingoPlayed) crash(name string) { p.Crash(name) }

func (p scalingoPlayed) scale(name string, web, worker int) string {
	p.Scale(name, scalingotest.Type{Name: "web", Amount: web}, scalingotest.Type{Name: "worker", Amount: worker})
	return p.runs(name)
}

func (p scalingoPlayed) runs(name string) string {
	var web, worker int
	for _, part := range strings.Fields(p.Formation(name)) {
		kind, rest, _ := strings.Cut(part, ":")
		fmt.Sscanf(rest, "%d", map[string]*int{"web": &web, "worker": &worker}[kind])
	}
	return scaledTo(web, worker)
}

func (p scalingoPlayed) settled(name string) bool {
	return slices.Contains([]string{"running", "stopped", "crashed"}, p.Status(name))
}
func (p scalingoPlayed) faults() *paastest.Faults  { return p.Faults }
func (scalingoPlayed) wakeRoute() string           { return "POST /v1/apps/{app}/scale" }
func (scalingoPlayed) sleepRoute() string          { return "POST /v1/apps/{app}/scale" }
func (scalingoPlayed) listRoute() string           { return "GET /v1/apps" }
func (p scalingoPlayed) router() http.RoundTripper { return p.Transport() }

func (p scalingoPlayed) revoke() {
	p.RevokeToken()
	p.EndSessions()
}

func scaledTo(web, worker int) string {
	if web+worker == 0 {
		return ""
	}
	return fmt.Sprintf("web %d worker %d", web, worker)
}

// withoutNamed leaves objects of that name out of all lists.
func withoutNamed(name string) func(any) any {
	var drop func(any) any
	drop = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for key, part := range v {
				v[key] = drop(part)
			}
			return v
		case []any:
			v = slices.DeleteFunc(v, func(one any) bool {
				o, is := one.(map[string]any)
				return is && o["name"] == name
			})
			for n := range v {
				v[n] = drop(v[n])
			}
			return v
		}
		return v
	}
	return drop
}

type herokuPlayed struct{ *herokutest.Heroku }

func (h herokuPlayed) provider(t *testing.T, log *slog.Logger) provider.Provider {
	made, err := heroku.New(heroku.Config{
		Token:     func() (string, error) { return herokutest.Token, nil },
		Transport: h.APITransport(), Door: h.RouterTransport(), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (h herokuPlayed) create(name string, awake bool) {
	a := herokutest.App{Name: name, Formation: []herokutest.Type{{Name: "web", Size: "Standard-1X"}, {Name: "worker", Size: "Standard-2X"}}}
	if awake {
		a.Formation[0].Quantity, a.Formation[1].Quantity = 2, 1
	}
	h.Create(a)
}
func (h herokuPlayed) remove(name string) { h.Delete(name) }
func (h herokuPlayed) push(name string) string {
	h.Deploy(name, "web", "worker")
	return ""
}
func (h herokuPlayed) crash(name string)         { h.Crash(name, "web") }
func (h herokuPlayed) settled(string) bool       { return true }
func (h herokuPlayed) faults() *paastest.Faults  { return h.Faults }
func (herokuPlayed) wakeRoute() string           { return "PATCH /apps/{app}/formation" }
func (herokuPlayed) sleepRoute() string          { return "PATCH /apps/{app}/formation" }
func (herokuPlayed) listRoute() string           { return "GET /apps" }
func (h herokuPlayed) router() http.RoundTripper { return h.RouterTransport() }

func (h herokuPlayed) scale(name string, web, worker int) string {
	h.Scale(name, "web", web)
	h.Scale(name, "worker", worker)
	return h.runs(name)
}
func (h herokuPlayed) runs(name string) string {
	var web, worker int
	for _, part := range strings.Split(h.Formation(name), ", ") {
		kind, rest, _ := strings.Cut(part, ": ")
		fmt.Sscanf(rest, "%d", map[string]*int{"web": &web, "worker": &worker}[kind])
	}
	return scaledTo(web, worker)
}

func (h herokuPlayed) revoke() { h.Revoke(herokutest.Token) }

type cleverPlayed struct {
	*clevercloudtest.Cloud
	ids    map[string]string
	pushed int
}

func (c *cleverPlayed) provider(t *testing.T, log *slog.Logger) provider.Provider {
	made, err := clevercloud.New(clevercloud.Config{Settings: clevercloud.Settings{Token: clevercloudtest.Token}, Transport: c.Transport(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return made
}
func (c *cleverPlayed) create(name string, awake bool) {
	c.ids[name] = c.Put(clevercloudtest.App{Name: name, Commit: "c0", Awake: awake, Instances: 2, Flavor: "M"})
}
func (c *cleverPlayed) remove(name string) { c.Delete(c.ids[name]) }

func (c *cleverPlayed) scale(name string, web, _ int) string {
	c.Scale(c.ids[name], web, "M")
	c.Start(c.ids[name])
	return c.runs(name)
}

// push takes as long as a deployment does.
func (c *cleverPlayed) push(name string) string {
	c.pushed++
	commit := fmt.Sprintf("c%d", c.pushed)
	c.Push(c.ids[name], commit)
	time.Sleep(26 * time.Second)
	return commit
}
func (c *cleverPlayed) crash(string)             {} // it starts such by itself
func (c *cleverPlayed) runs(name string) string  { return c.Runs(c.ids[name]) }
func (c *cleverPlayed) revoke()                  { c.Revoke() }
func (c *cleverPlayed) settled(string) bool      { return true }
func (c *cleverPlayed) faults() *paastest.Faults { return c.Faults }
func (c *cleverPlayed) wakeRoute() string {
	return "POST /v2/organisations/{owner}/applications/{app}/instances"
}
func (c *cleverPlayed) sleepRoute() string {
	return "DELETE /v2/organisations/{owner}/applications/{app}/instances"
}
func (c *cleverPlayed) listRoute() string         { return "GET /v2/summary" }
func (c *cleverPlayed) router() http.RoundTripper { return c.Transport() }

// paastis is a Paastis before a played platform, for one or several lives.
type paastis struct {
	platform
	t     *testing.T
	store history.Store
	reg   *registry.Registry
	log   *journal
	end   func()
	kill  func()
}

// journal is what Paastis logs, each line with its time.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(&j.text, "%s ", time.Now().Format("15:04:05"))
	return j.text.Write(p)
}

func (j *journal) note(format string, args ...any) { fmt.Fprintf(j, format+"\n", args...) }

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// before makes a Paastis that does not run yet.
func before(t *testing.T, p platform) *paastis {
	return &paastis{platform: p, t: t, store: registrytest.NewStore(), log: &journal{}}
}

// mortal is a store that keeps nothing any more once its Paastis was killed.
type mortal struct {
	history.Store
	dead *atomic.Bool
}

func (s mortal) Save(ctx context.Context, m history.State) error {
	if s.dead.Load() {
		return nil
	}
	return s.Store.Save(ctx, m)
}

// begin runs a Paastis until end or kill is called.
func (w *paastis) begin() {
	w.t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte("rules: [{pattern: '.*', start_timeout: 5m, max_idle_time: 10m}]"))
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			return slog.Attr{}
		}
		return a
	}}))
	var dead atomic.Bool
	w.reg = registry.New(registry.Options{
		Providers: []provider.Provider{w.provider(w.t, log)}, Log: log, Store: mortal{w.store, &dead}, Probe: w.probe,
		Settings: inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"},
	})
	ctx, end := context.WithCancel(w.t.Context())
	if err := w.reg.Load(ctx); err != nil {
		w.log.note("load: %v", err) // it is followed all the same
	}
	done := make(chan struct{})
	go func() { defer close(done); w.reg.Run(ctx) }()
	w.end = func() { end(); <-done }
	w.kill = func() { dead.Store(true); end(); <-done }
}

func (w *paastis) probe(ctx context.Context, target inventory.Target) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	host, _, _ := strings.Cut(strings.TrimSuffix(target.Address, "/"), ":")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/", nil)
	if err != nil {
		return err
	}
	answer, err := w.router().RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 502 && answer.StatusCode <= 504 {
		return registry.StatusError{Status: answer.StatusCode}
	}
	return nil
}

// visit asks for an app as a visitor does, and reports whether it is let through.
func (w *paastis) visit(name string) bool {
	k := w.reg.Named(name)
	if k == nil {
		return false
	}
	if k.Pass(time.Now()) {
		return true
	}
	w.reg.Wake(k, false)
	return false
}

func (w *paastis) state(name string) registry.State {
	k := w.reg.Named(name)
	if k == nil {
		return registry.Failed
	}
	return w.reg.View(k).State
}

func (w *paastis) why(name string) string {
	k := w.reg.Named(name)
	if k == nil {
		return "unknown app"
	}
	return w.reg.View(k).Reason.String()
}

// comesUp reports whether an app is let through to within a time, by a visitor who looks each 2 s.
func (w *paastis) comesUp(name string, limit time.Duration) bool {
	for late := time.Now().Add(limit); time.Now().Before(late); time.Sleep(2 * time.Second) {
		if w.visit(name) {
			return true
		}
	}
	return false
}

// within reports whether an app gets to a state.
func (w *paastis) within(limit time.Duration, name string, s registry.State) bool {
	for late := time.Now().Add(limit); ; time.Sleep(time.Second) {
		if w.state(name) == s {
			return true
		}
		if time.Now().After(late) {
			return false
		}
	}
}

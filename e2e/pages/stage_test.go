package pages

import (
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
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
)

// stage is the real server over a real registry of played apps, and before it what does
// Traefik's part of ForwardAuth. Its apps are at http://NAME.test:PORT/.
type stage struct {
	*registrytest.Provider
	front *httptest.Server
	hosts map[string]string // :: host that visitors say → X-Forwarded-Host; for hostile ones

	mu       sync.Mutex
	requests map[string][]string // :: app → what reached it: "GET /path?query body"
}

// play makes an app that is asleep and boots for some time, with labels "key=value".
func play(name string, boot time.Duration, labels ...string) *registrytest.App {
	a := registrytest.NewApp(name).At(name + ".test")
	a.Boot = boot
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		a.Label(key, value)
	}
	return a
}

// newStage puts apps on a stage until the test ends.
func newStage(t *testing.T, apps ...*registrytest.App) *stage {
	t.Helper()
	p := registrytest.NewProvider(apps...)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: []provider.Provider{p}, Log: log,
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
	}))
	visitors, err := server.NewClassifier(server.DefaultNeverWake())
	if err != nil {
		t.Fatal(err)
	}
	paastis := httptest.NewServer(server.New(server.Options{Registry: reg, Classifier: visitors, Log: log}))
	s := &stage{Provider: p, hosts: map[string]string{}, requests: map[string][]string{}}
	s.front = httptest.NewServer(s.forward(paastis.URL + "/auth"))
	t.Cleanup(func() { // polls are held, and a browser keeps its connections
		s.front.CloseClientConnections()
		s.front.Close()
		paastis.CloseClientConnections()
		paastis.Close()
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
	up := false
	s.Change(name, func(a *registrytest.App) { up = a != nil && a.Instances[0].Health == inventory.Healthy })
	if !up {
		http.Error(w, "Bad Gateway", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Path == "/favicon.ico" {
		return
	}
	s.mu.Lock()
	s.requests[name] = append(s.requests[name], strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	s.mu.Unlock()
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>the app</title><main><h1>This is %s</h1></main>`, name)
}

// reached are the requests that an app has got so far.
func (s *stage) reached(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests[name])
}

// noImage is why an app cannot be started, as a visitor may read it.
type noImage struct{}

func (noImage) Error() string { return "stage: no such image" }
func (noImage) Reason() reason.Reason {
	return reason.Reason{Kind: reason.ProviderRefused, Text: "the image is missing"}
}

// Package scalingotest plays Scalingo: its auth service, the API of its regions and its routers,
// with all that they keep in memory.
//
//	p := scalingotest.New(scalingotest.Config{})
//	p.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 2, Size: "L"})
//	client := &http.Client{Transport: p.Transport()}
//
// It goes by the clock of who calls: nothing happens between two calls, and all that was due
// meanwhile has happened when one comes. So it works in synctest bubbles, and behind a socket.
//
// What is played is what https://developers.scalingo.com documents, and github.com/Scalingo/go-scalingo
// reads. Where they are silent the comment says so.
package scalingotest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
)

// Config is how a Platform behaves. The zero value is Scalingo as it is documented.
type Config struct {
	// Regions are the names of those that the account has. Nil: osc-fr1 and osc-secnum-fr1.
	Regions []string
	// Boot is how long an app takes to come up, Down how long to end. Zero: 8 s and 3 s.
	Boot, Down time.Duration
	// PerMinute is how many calls an account may make within a minute. Zero: 60.
	PerMinute int
	// InFlight is how many apps of an account may be scaled at once; what is more is taken, and
	// fails. Zero: 5. That number is not documented.
	InFlight int
	// Answers makes what an app of a name answers while it is up. Nil: it says who it is, and what
	// it was asked.
	Answers func(app string) http.Handler
	// WithSizes lets events spell "2:L", as the vendor's client reads them. Else they have
	// numbers, as the documentation has.
	WithSizes bool
	// Busy is the status of an answer to who scales an app that is not settled. Zero: 409. It is
	// not documented.
	Busy int
	// UnknownType is the status of an answer to who scales what the Procfile does not have. Zero:
	// 422. The documentation has 422 for fields, the vendor's client 404 for container types.
	UnknownType int
	// EventsPerPage is how many events a page has at most. Zero: 50.
	EventsPerPage int
}

// Platform is a played Scalingo with one account. Its methods may be called concurrently.
type Platform struct {
	cfg Config
	// Calls counts what comes to the auth service and the APIs, Faults is what goes wrong there.
	Calls  *paastest.Calls
	Faults *paastest.Faults

	api, router http.Handler

	mu       sync.Mutex
	skew     time.Duration // how far its clock is ahead
	token    string        // the account's; empty: it was deleted
	sessions map[string]time.Time
	issued   int // tokens were exchanged so often
	trial    bool
	calls    []time.Time // within the last minute
	apps     []*app
	events   []event // the oldest first
	deaf     bool    // nothing is noted as an event
	ids      int
}

// New is a platform with an account that has no app yet.
func New(cfg Config) *Platform {
	if cfg.Regions == nil {
		cfg.Regions = []string{"osc-fr1", "osc-secnum-fr1"}
	}
	cfg.Boot, cfg.Down = cmp.Or(cfg.Boot, 8*time.Second), cmp.Or(cfg.Down, 3*time.Second)
	cfg.PerMinute, cfg.InFlight = cmp.Or(cfg.PerMinute, 60), cmp.Or(cfg.InFlight, 5)
	cfg.Busy, cfg.UnknownType = cmp.Or(cfg.Busy, http.StatusConflict), cmp.Or(cfg.UnknownType, http.StatusUnprocessableEntity)
	cfg.EventsPerPage = cmp.Or(cfg.EventsPerPage, 50)
	p := &Platform{cfg: cfg, token: "tk-us-played-1", sessions: map[string]time.Time{}}
	mux := p.routes()
	p.Faults = paastest.NewFaults(mux)
	p.Calls = paastest.NewCalls(p.Faults, mux)
	p.api, p.router = p.Calls, http.HandlerFunc(p.route)
	return p
}

// API is the auth service and the APIs of all regions, told apart by host; by another host it is
// the auth service and the first region.
func (p *Platform) API() http.Handler { return p.api }

// Router is what visitors of apps come to: by host, as they are reached on the internet.
func (p *Platform) Router() http.Handler { return p.router }

// Transport calls the platform in process: hosts of apps at its router, all others at its API.
func (p *Platform) Transport() http.RoundTripper {
	api, router := paastest.InProcess(p.api), paastest.InProcess(p.router)
	return transport(func(r *http.Request) (*http.Response, error) {
		if p.isApps(r.URL.Host) {
			return router.RoundTrip(r)
		}
		return api.RoundTrip(r)
	})
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// isApps reports whether a host is one of an app.
func (p *Platform) isApps(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	host, _, _ = strings.Cut(host, ":")
	return strings.HasSuffix(host, ".scalingo.io") || slices.ContainsFunc(p.apps, func(a *app) bool { return a.domain == host })
}

// now is the platform's time. Called with the lock held.
func (p *Platform) now() time.Time { return time.Now().Add(p.skew) }

// id is one that was not given before. Called with the lock held.
func (p *Platform) id(prefix string) string {
	p.ids++
	return fmt.Sprintf("%s%024x", prefix, p.ids)
}

// lock takes the lock, once all has happened that is due.
func (p *Platform) lock() {
	p.mu.Lock()
	for _, a := range p.apps {
		p.settle(a)
	}
}

// find is an app by its name or its ID; region empty: of any. Nil: there is none. Called with the
// lock held.
func (p *Platform) find(region, name string) *app {
	i := slices.IndexFunc(p.apps, func(a *app) bool {
		return (a.name == name || a.id == name) && (region == "" || a.region == region)
	})
	if i < 0 {
		return nil
	}
	return p.apps[i]
}

// must is an app that has to be there: a test that names another one is wrong. Called with the
// lock held.
func (p *Platform) must(name string) *app {
	region := ""
	if at, of, found := strings.Cut(name, "."); found {
		name, region = at, of
	}
	a := p.find(region, name)
	if a == nil {
		p.mu.Unlock()
		panic("scalingotest: no app " + name)
	}
	return a
}

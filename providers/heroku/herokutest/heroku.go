// Package herokutest plays Heroku: its Platform API and the router in front of its apps, with
// one account.
//
//	people: Create, Scale, Rename, … ──▶ apps, formations, dynos ◀── API(): what the account may
//	                                        ▲                          call, 4,500 calls and 75 more
//	                                        │                          each minute
//	                          Router(): visitors, by Host
//
// A dyno is starting for the time that its app takes to boot, and is up then, or crashed. An app
// on eco dynos is idle once nobody has visited it for 30 minutes, and starts with the next visit.
// Everything goes by time.Now, so it works in synctest bubbles and behind a server on a socket.
// What is played, and where that is known from, is said beside it.
package herokutest

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
)

// Token is one that the account has from the beginning.
const Token = "HRKU-00000000-0000-4000-8000-000000000000"

// Heroku is the platform. Its methods may be called concurrently; those that are about an app
// panic if there is none of that name, for a test has made it.
type Heroku struct {
	// Faults are those of the API, RouterFaults those of the router.
	Faults, RouterFaults *paastest.Faults
	// Calls are those of the API by route, Visits those of the router.
	Calls, Visits *paastest.Calls

	mu       sync.Mutex
	apps     map[string]*app // by id
	tokens   map[string]token
	quota    bucket
	ids      int
	skew     time.Duration
	dropping bool
	ecoUsed  time.Duration
	account  standing
	visitors []Visit
}

// standing is how an account, or an app, stands with Heroku's accountants.
type standing struct{ delinquent, suspended bool }

// New makes a platform without apps.
func New() *Heroku {
	h := &Heroku{apps: map[string]*app{}, tokens: map[string]token{Token: {}}}
	h.quota = newBucket(time.Now())
	routes := h.routes()
	h.Faults = paastest.NewFaults(h.admit(routes))
	h.Calls = paastest.NewCalls(h.Faults, routes)
	h.RouterFaults = paastest.NewFaults(http.HandlerFunc(h.visit))
	h.Visits = paastest.NewCalls(h.RouterFaults, nil)
	return h
}

// API is api.heroku.com.
func (h *Heroku) API() http.Handler { return h.Calls }

// Router is what answers at the names of the apps.
func (h *Heroku) Router() http.Handler { return h.Visits }

// APITransport calls API without a socket, RouterTransport Router, whatever the URL.
func (h *Heroku) APITransport() http.RoundTripper    { return paastest.InProcess(h.API()) }
func (h *Heroku) RouterTransport() http.RoundTripper { return paastest.InProcess(h.Router()) }

// Skew puts the platform's clock forward, or back.
func (h *Heroku) Skew(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.skew += by
}

// DropEmptyTypes has formations without the types that are scaled to none, as others have seen
// them (README of reillyse/solid_queue_autoscaler: "removed from the formation entirely"). They
// can be scaled up again all the same, and have the usual size then unless another is given.
func (h *Heroku) DropEmptyTypes() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropping = true
}

// now is the platform's time. Called with the lock held.
func (h *Heroku) now() time.Time { return time.Now().Add(h.skew) }

// id makes an identifier, each greater than those before. Called with the lock held.
func (h *Heroku) id() string {
	h.ids++
	return fmt.Sprintf("%08x-0000-4000-8000-000000000000", h.ids)
}

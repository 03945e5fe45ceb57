// Package clevercloudtest plays Clever Cloud: its API, the bridge that takes API tokens, and the
// load balancer before the apps. Nothing runs; the time is that of who uses it, which may be a
// synctest bubble's.
//
//	cloud := clevercloudtest.New()
//	id := cloud.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
//	http.Client{Transport: cloud.Transport()} // all three, by host, without a socket
//	cloud.Stop(id)                            // what somebody does in the console
//
// An app goes through its states as there:
//
//	SHOULD_BE_DOWN ── POST instances, git push ──▶ WANTS_TO_BE_UP ── deployment OK ──▶ SHOULD_BE_UP
//	      ▲                                             │ FAIL: it stays so, and nothing runs
//	      └───────────────── DELETE instances ──────────┴──────────────────────────────────┘
//
// A start is a deployment: for a second it is in no list, then it is WIP, and after the time that
// the app takes OK or FAIL. What is not known of the real one is said where it is played.
package clevercloudtest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
)

// The hosts of Clever Cloud.
const (
	APIHost    = "api.clever-cloud.com"
	BridgeHost = "api-bridge.clever-cloud.com"
	appsDomain = ".cleverapps.io"
)

// User is the id of whom the account is of, whose personal space every account has.
const User = "user_00000000-0000-4000-8000-000000000000"

// Cloud is a Clever Cloud with one account. Make it by New. Its methods may be called concurrently.
type Cloud struct {
	// Calls counts what came to the API and to the bridge; Faults are what goes wrong there.
	Calls  *paastest.Calls
	Faults *paastest.Faults

	mux *http.ServeMux

	mu          sync.Mutex
	owners      []owner // the personal space first
	apps        []*app  // in the order in which they were made
	made        int     // how many ids were given
	credentials credentials
	skew        time.Duration // of its clock
	sockets     map[*socket]bool
	deaf        bool // events are lost
}

type owner struct{ id, name string }

// New makes one whose account has nothing but its personal space.
func New() *Cloud {
	c := &Cloud{
		mux: http.NewServeMux(), owners: []owner{{User, "Ada"}}, sockets: map[*socket]bool{},
		credentials: newCredentials(),
	}
	c.route()
	c.Faults = paastest.NewFaults(http.HandlerFunc(c.authorized))
	c.Calls = paastest.NewCalls(c.Faults, c.mux)
	return c
}

// AddOwner gives the account an organisation, and returns its id.
func (c *Cloud) AddOwner(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := owner{"orga_" + c.newUUID(), name}
	c.owners = append(c.owners, o)
	return o.id
}

// API is what is at APIHost: it takes OAuth signatures.
func (c *Cloud) API() http.Handler { return c.door(false) }

// Bridge is what is at BridgeHost: it takes API tokens.
func (c *Cloud) Bridge() http.Handler { return c.door(true) }

// Transport carries requests to the API, the bridge and the apps, by their hosts.
func (c *Cloud) Transport() http.RoundTripper {
	api, bridge, apps := c.API(), c.Bridge(), c.Router()
	return paastest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case APIHost:
			api.ServeHTTP(w, r)
		case BridgeHost:
			bridge.ServeHTTP(w, r)
		default:
			apps.ServeHTTP(w, r)
		}
	}))
}

// Skew puts its clock forward, or back.
func (c *Cloud) Skew(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += by
}

// now is what its clock says. Called with c.mu held.
func (c *Cloud) now() time.Time { return time.Now().Add(c.skew) }

// newUUID is one that nobody has. Called with c.mu held.
func (c *Cloud) newUUID() string {
	c.made++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", c.made, c.made)
}

// find is the app of an id; nil: there is none. Called with c.mu held.
func (c *Cloud) find(id string) *app {
	i := slices.IndexFunc(c.apps, func(a *app) bool { return a.id == id })
	if i < 0 {
		return nil
	}
	return c.apps[i]
}

// Skewed is by how much its clock is forward.
func (c *Cloud) Skewed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}

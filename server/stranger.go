package server

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/paastis/paastis/registry"
)

// A stranger is somebody who asks what only Traefik has to ask. Traefik's own router for
// Paastis's container leads anybody here, and so does one that somebody has made for
// admin.path; an app that was broken into is on a network with Paastis. What comes that way
// looks like a question of Traefik's to whoever looks at paths and headers alone, for the
// headers may be the visitor's own (forwardedHeaders.insecure).

var (
	errStranger = errors.New("it came by a router, or from an app, and not from Traefik itself")
	// errPublic is of all questions where anybody may ask them.
	errPublic = errors.New("anybody gets to this Paastis, for it runs on a platform; only direct mode works there")
)

// carries are headers that proxies add to a request that they carry, and Traefik does not to
// its own.
var carries = []string{"X-Forwarded-", "X-Real-Ip", "X-Traefik-Router", "Forwarded", "Via"}

// carried reports whether a proxy passed on what somebody has asked it for.
func carried(h http.Header) bool {
	for name := range h {
		for _, beginning := range carries {
			if strings.HasPrefix(name, beginning) {
				return true
			}
		}
	}
	return false
}

// isStranger reports whether a question that came from an address, about a request to a host
// with its port, is none of Traefik's: it came by a router that leads to Paastis, or from an
// app. It allocates nothing.
func (f *forwardAuth) isStranger(r *http.Request, asked string, by netip.Addr) bool {
	return asked == r.Host || f.registry.Inventory().IsRouted(r.Host) ||
		f.registry.CallerAt(by) == registry.ManagedApp
}

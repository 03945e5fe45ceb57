package inventory

import (
	"net/url"
	"slices"
	"strings"
)

// findOwnHosts finds the hosts of the routers that lead to Paastis itself, but for those by
// which Traefik asks: there a question cannot be told from a request.
func (inv publishing) findOwnHosts(s Settings) {
	var asked []string
	for _, e := range inv.Definitions {
		if !inv.isPaastis(e, s) {
			continue
		}
		asked = append(asked, inv.askedAt(e)...)
		for _, r := range e.Routers {
			inv.ownHosts = append(inv.ownHosts, r.Match.Hosts()...)
		}
	}
	inv.ownHosts = slices.DeleteFunc(inv.ownHosts, func(host string) bool { return slices.Contains(asked, host) })
}

// askedAt are the hosts at which Traefik may ask Paastis: those of middlewares, and what its
// container is called.
func (inv publishing) askedAt(e *Definition) []string {
	hosts := e.App.Hosts()
	for _, m := range e.Labels.Middlewares {
		if address, err := url.Parse(m.ForwardAuth); err == nil {
			hosts = append(hosts, strings.ToLower(address.Hostname()))
		}
	}
	return hosts
}

// isPaastis reports whether the app is Paastis, by its provider's word or because its labels
// define the middleware.
func (inv publishing) isPaastis(e *Definition, s Settings) bool {
	return e.App.Protected == IsPaastis || s.Middleware != "" && e.Labels.Defines(s.Middleware)
}

// IsRouted reports whether a host, with or without a port, is one of those by which a router
// of Traefik's leads to Paastis itself. A dot at the end, of the host or of the rule's, makes
// it no other one (host in pkg/muxer/http/matcher.go of 3.6.12). It allocates nothing.
func (inv *Inventory) IsRouted(host string) bool {
	owned := inv.ownHosts
	if len(owned) == 0 {
		return false
	}
	if port := strings.LastIndexByte(host, ':'); port > strings.LastIndexByte(host, ']') {
		host = host[:port]
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	return slices.ContainsFunc(owned, func(own string) bool {
		return strings.EqualFold(host, strings.TrimSuffix(own, "."))
	})
}

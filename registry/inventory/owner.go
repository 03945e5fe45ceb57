package inventory

import (
	"net/url"
	"slices"
	"strings"
)

// findOwnHosts finds the hosts of the routers that lead to Paastis itself, but for those by
// which Traefik asks: there a question cannot be told from a request.
func (inv *Inventory) findOwnHosts(s Settings) {
	var asked []string
	for _, e := range inv.Entries {
		if !e.isPaastis(s) {
			continue
		}
		asked = append(asked, e.askedAt()...)
		for _, r := range e.Routers {
			inv.OwnHosts = append(inv.OwnHosts, r.Match.Hosts()...)
		}
	}
	inv.OwnHosts = slices.DeleteFunc(inv.OwnHosts, func(host string) bool { return slices.Contains(asked, host) })
}

// askedAt are the hosts at which Traefik may ask Paastis: those of middlewares, and what its
// container is called.
func (e *Definition) askedAt() []string {
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
func (e *Definition) isPaastis(s Settings) bool {
	return e.App.Protected == IsPaastis || s.Middleware != "" && e.Labels.Defines(s.Middleware)
}

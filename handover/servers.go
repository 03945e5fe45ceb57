package handover

import (
	"cmp"
	"slices"

	"github.com/paastis/paastis/registry/inventory"
)

// Servers are the URLs by which a Traefik reaches those instances of the app behind a route
// that serve, sorted. None if it does not run, or if Traefik reaches it only otherwise. Nil is
// a Traefik of which nothing is known.
func Servers(rt *inventory.Route, app *inventory.App, serving []inventory.Instance, to *Destination) []string {
	if rt.Router.StaticURL != "" {
		return []string{rt.Router.StaticURL}
	}
	if own := rt.Definition.URL; own != nil {
		if len(serving) == 0 {
			return nil
		}
		return []string{own.String()} // which leads to any of them
	}
	network := sharedNetwork(rt, app, to)
	var servers []string
	for _, i := range serving {
		if at := serverOf(rt, app, i, network, to); at != "" {
			servers = append(servers, rt.URL(at).String())
		}
	}
	slices.Sort(servers)
	return servers
}

// serverOf is where a Traefik reaches an instance, in a network that both are in if there is one;
// empty if it does not.
func serverOf(rt *inventory.Route, app *inventory.App, i inventory.Instance, network string, to *Destination) string {
	switch {
	case i.Mapped != nil:
		return i.Mapped.At(rt.Port)
	case network != "" && len(app.Networks) > 1:
		return rt.At(cmp.Or(i.Host, i.Name) + "." + network) // it may have another address elsewhere
	case network != "":
		return rt.At(cmp.Or(i.Host, i.Name))
	case i.Address.IsValid():
		return rt.At(i.Address.String())
	case len(i.Addresses) > 0:
		return rt.At(i.Addresses[0].String())
	case i.Machine.IsValid() && to != nil && to.onHost:
		return rt.At(loopback)
	case i.Machine.IsValid():
		return rt.At(i.Machine.String())
	default:
		return ""
	}
}

// loopback is where a Traefik on the network of the machine finds an app that is there, too.
const loopback = "127.0.0.1"

// sharedNetwork is the network in which Traefik knows the app by the names of its containers: the
// one that labels or Traefik's flags choose, or one that both are in. Empty if there is
// none.
func sharedNetwork(rt *inventory.Route, app *inventory.App, to *Destination) string {
	if to == nil || to.isOfAnother(rt) {
		return ""
	}
	chosen := to.network(rt)
	for _, n := range app.Networks {
		if to.networks.has(n) && (chosen == "" || chosen == n) && (rt.Network == "" || rt.Network == n) {
			return n
		}
	}
	return ""
}

// networks are those that a Traefik is in. Nil: none is known.
type networks []string

// has tells whether names are resolved in a network: not in those that the engine
// itself has made.
func (ns networks) has(network string) bool {
	return network != "bridge" && network != "host" && network != "none" && slices.Contains(ns, network)
}

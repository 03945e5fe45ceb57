package registry

import (
	"math/rand/v2"
	"net/url"

	"github.com/paastis/paastis/registry/inventory"
)

// Upstream is where Paastis itself carries the requests of an app to.
type Upstream struct {
	*url.URL
	// IsOwn tells that it is the app's own URL, which leads there from anywhere: its certificate
	// has to be trusted.
	IsOwn bool
	// KnowsHost tells that its host is what is to be asked for. Else that of the visitor is.
	KnowsHost bool
}

// Address is the host and port to connect to.
func (u *Upstream) Address() string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "https":
		return u.Host + ":443"
	default:
		return u.Host + ":80"
	}
}

// Target is where Paastis itself reaches the app behind a route: one of its instances
// that serve, or its URL if any does. Nil if it reaches none, or if the route leads to somebody
// else, who may be there to guard the app.
func (pub *Publisher) Target(rt *inventory.Route) *Upstream {
	pub.mu.Lock()
	defer pub.unlock()
	k := KeeperOfRoute(rt)
	serving := pub.prober.serving(k)
	switch own := k.Definition().URL; {
	case leadsElsewhere(rt):
		return nil
	case own != nil && len(serving) > 0:
		return &Upstream{own, true, !k.Definition().PassHost}
	}
	var targets []string
	for _, i := range serving {
		at := i.Reach(rt.Port)
		if at == "" && i.Machine.IsValid() {
			at = rt.At(i.Machine.String())
		}
		if at != "" {
			targets = append(targets, at)
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return &Upstream{URL: rt.URL(targets[rand.IntN(len(targets))])}
}

// leadsElsewhere reports whether the route leads to a service of somebody else's, to another app, or
// to another server than the URL of an app that has one: Traefik alone may carry requests there.
func leadsElsewhere(rt *inventory.Route) bool {
	return rt.Foreign != "" || rt.Beside || rt.Definition.URL != nil && !rt.LeadsToURL()
}

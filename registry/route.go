package registry

import (
	"math/rand/v2"
	"net/url"

	"github.com/paastis/paastis/registry/inventory"
)

// Target is where Paastis itself reaches the app behind a route: one of its instances
// that serve. Nil if it reaches none.
func (pub *Publisher) Target(rt *inventory.Route) *url.URL {
	pub.mu.Lock()
	defer pub.unlock()
	var targets []string
	for _, i := range pub.prober.serving(KeeperOfRoute(rt)) {
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
	return rt.URL(targets[rand.IntN(len(targets))])
}

package registry

import (
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// adoptLocked takes over an app that somebody else has started. One that ran before Paastis did
// is ready if it is known to serve; else it is probed first. If something is kept of that one, it
// may have been on its way up as Paastis ended, so it is brought back once more: see stepStarting.
func (i *intake) adoptLocked(k *Keeper, now time.Time) {
	i.transitions.beginAttempt(k, now)
	k.attempt.adopt(now, i.keepers.loading)
	switch {
	case !i.keepers.loading:
		k.resume.keep(nil) // it is as whoever has started it wants it to be
		i.transitions.setState(k, Starting, reason.Reason{Kind: reason.StartedOutside}, now)
	case k.resume.isZero() && i.foundServing(k, now):
		k.usage.begin(now)
		i.transitions.setState(k, Ready, reason.Reason{Kind: reason.FoundRunning}, now)
	default:
		i.transitions.setState(k, Starting, reason.Reason{Kind: reason.FoundRunning}, now)
	}
}

// foundServing reports whether an app that ran before Paastis did serves, as far as can be
// told without a probe. One that nobody visits, and that has had its time to come up, does.
func (i *intake) foundServing(k *Keeper, now time.Time) bool {
	e := k.Definition()
	if len(e.Routers) == 0 && e.App.HealthCheck == nil && k.app.Health() == inventory.NoHealth && !k.app.Restarting() && k.app.RanFor(e.StartTimeout, now) {
		return true
	}
	serving, _ := i.prober.tally(k)
	return serving && (e.HasStaticServers() || k.app.RanFor(longKnown, now))
}

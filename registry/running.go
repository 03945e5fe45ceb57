package registry

import (
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
)

// What an app says of itself by its instances, as its provider last reported them.

// running reports whether every instance runs.
func (a *App) running() bool {
	for _, i := range a.Instances {
		if i.Status != Running {
			return false
		}
	}
	return len(a.Instances) > 0
}

// alive reports whether at least one instance runs.
func (a *App) alive() bool {
	for _, i := range a.Instances {
		if i.Status == Running || i.Status == Restarting {
			return true
		}
	}
	return false
}

// up reports whether some of the app runs: one instance is enough to serve.
func (a *App) up() bool { return a.alive() && !a.restarting() }

// restarting reports whether no instance runs, and that its provider starts one again.
func (a *App) restarting() bool {
	restarting := false
	for _, i := range a.Instances {
		if i.Status == Running {
			return false
		}
		restarting = restarting || i.Status == Restarting
	}
	return restarting
}

// health is the best that the health check of an instance says that runs: one that is well
// is enough.
func (a *App) health() Health {
	best := NoHealth
	order := [...]Health{Healthy, NoHealth, HealthStarting, Unhealthy}
	for n, i := range slices.DeleteFunc(slices.Clone(a.Instances), func(i Instance) bool { return i.Status != Running }) {
		if n == 0 || slices.Index(order[:], i.Health) < slices.Index(order[:], best) {
			best = i.Health
		}
	}
	return best
}

// lastInstance is the instance that tells most about an app that ended: one that
// failed, else the first. The zero value if none is left.
func (a *App) lastInstance() Instance {
	for _, i := range a.Instances {
		if i.Status != Running && (i.OOMKilled || i.crashed()) {
			return i
		}
	}
	return a.First()
}

// ranFor reports whether what runs of the app has done so for a while, or its provider does
// not tell since when.
func (a *App) ranFor(d time.Duration, now time.Time) bool {
	return !slices.ContainsFunc(a.Instances, func(i Instance) bool {
		return i.Status == Running && !i.StartedAt.IsZero() && now.Sub(i.StartedAt) < d
	})
}

// manualStop is when somebody else has stopped the app, by its provider's clock, if that is
// why nothing of it runs. Zero: nobody has.
func (a *App) manualStop() time.Time {
	var last time.Time
	if a.alive() {
		return last
	}
	for _, i := range a.Instances {
		last = latest(last, i.StoppedManually)
	}
	return last
}

// isGoingDown reports whether somebody is about to stop the whole app: a part of it is down,
// and another was told to end.
func (a *App) isGoingDown() bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.Ending })
}

// addresses are those that the app has on any network.
func (a *App) addresses() []netip.Addr { return addressesOf(a.Instances) }

// unwell reports whether no instance runs whose health check, if it counts, has passed.
func (a *App) unwell(e *Entry) bool {
	return !slices.ContainsFunc(a.Instances, func(i Instance) bool {
		return i.Status == Running && (i.Health == NoHealth || i.Health == Healthy || e.Probe.Kind != rules.AutoProbe)
	})
}

package inventory

import (
	"net/netip"
	"slices"
	"time"
)

// What an app says of itself by its instances, as its provider last reported them.

// Running reports whether every instance runs.
func (a *App) Running() bool {
	for _, i := range a.Instances {
		if i.Status != Running {
			return false
		}
	}
	return len(a.Instances) > 0
}

// Alive reports whether at least one instance runs.
func (a *App) Alive() bool {
	for _, i := range a.Instances {
		if i.Status == Running || i.Status == Restarting {
			return true
		}
	}
	return false
}

// Up reports whether some of the app runs: one instance is enough to serve.
func (a *App) Up() bool { return a.Alive() && !a.Restarting() }

// Restarting reports whether no instance runs, and that its provider starts one again.
func (a *App) Restarting() bool {
	restarting := false
	for _, i := range a.Instances {
		if i.Status == Running {
			return false
		}
		restarting = restarting || i.Status == Restarting
	}
	return restarting
}

// Health is the best that the health check of an instance says that runs: one that is well
// is enough.
func (a *App) Health() Health {
	best := NoHealth
	order := [...]Health{Healthy, NoHealth, HealthStarting, Unhealthy}
	for n, i := range slices.DeleteFunc(slices.Clone(a.Instances), func(i Instance) bool { return i.Status != Running }) {
		if n == 0 || slices.Index(order[:], i.Health) < slices.Index(order[:], best) {
			best = i.Health
		}
	}
	return best
}

// LastInstance is the instance that tells most about an app that ended: one that
// failed, else the first. The zero value if none is left.
func (a *App) LastInstance() Instance {
	for _, i := range a.Instances {
		if i.Status != Running && (i.OOMKilled || i.Crashed()) {
			return i
		}
	}
	return a.First()
}

// RanFor reports whether what runs of the app has done so for a while, or its provider does
// not tell since when.
func (a *App) RanFor(d time.Duration, now time.Time) bool {
	return !slices.ContainsFunc(a.Instances, func(i Instance) bool {
		return i.Status == Running && !i.StartedAt.IsZero() && now.Sub(i.StartedAt) < d
	})
}

// ManualStop is when somebody else has stopped the app, by its provider's clock, if that is
// why nothing of it runs. Zero: nobody has.
func (a *App) ManualStop() time.Time {
	var last time.Time
	if a.Alive() {
		return last
	}
	for _, i := range a.Instances {
		if i.StoppedManually.After(last) {
			last = i.StoppedManually
		}
	}
	return last
}

// IsGoingDown reports whether somebody is about to stop the whole app: a part of it is down,
// and another was told to end.
func (a *App) IsGoingDown() bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.Ending })
}

// Addresses are those that the app has on any network.
func (a *App) Addresses() []netip.Addr { return AddressesOf(a.Instances) }

// Unwell reports whether no instance runs whose health check has passed, if it has one that
// counts.
func (a *App) Unwell(counts bool) bool {
	return !slices.ContainsFunc(a.Instances, func(i Instance) bool {
		return i.Status == Running && (i.Health == NoHealth || i.Health == Healthy || !counts)
	})
}

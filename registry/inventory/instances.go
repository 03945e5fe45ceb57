package inventory

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/traefik"
)

// IsAt reports whether an instance has an address.
func (a App) IsAt(address netip.Addr) bool {
	for _, i := range a.Instances {
		if slices.ContainsFunc(i.Addresses, func(a netip.Addr) bool { return a.Unmap() == address }) {
			return true
		}
	}
	return false
}

// Restarts is how often the app's provider says that it started instances again.
func (a App) Restarts() int {
	n := 0
	for _, i := range a.Instances {
		n += i.Restarts
	}
	return n
}

// Hosts are the names by which others reach the app: its own, its service's and those of
// its instances.
func (a App) Hosts() []string {
	names := []string{a.Name, strings.TrimPrefix(a.Name, a.Stack+"-")}
	for _, i := range a.Instances {
		names = append(names, i.Name)
	}
	return names
}

// AddressesOf are those of instances, on any network.
func AddressesOf(instances []Instance) []netip.Addr {
	var all []netip.Addr
	for _, i := range instances {
		for _, a := range i.Addresses {
			all = append(all, a.Unmap())
		}
	}
	return all
}

// RanThrough reports whether an instance has been up from one report to the next.
func RanThrough(was, is *App) bool {
	return slices.ContainsFunc(was.Instances, func(a Instance) bool {
		return a.Up() && slices.ContainsFunc(is.Instances, func(b Instance) bool {
			return b.Up() && a.ID == b.ID && a.StartedAt.Equal(b.StartedAt)
		})
	})
}

// Up reports whether the instance was started and has not ended since; it may be frozen.
func (i Instance) Up() bool { return i.Status == Running || i.Status == Paused }

// Well tells that nothing is known against the instance's health.
func (i Instance) Well() bool { return i.Health == NoHealth || i.Health == Healthy }

// ShareDefinition lets a report that differs from an earlier one in nothing but its status
// have the maps and slices of that one, which the app's definition has too: with the provider's
// own they would be kept twice.
func (a *App) ShareDefinition(earlier *App) {
	a.Labels, a.Links, a.Ports, a.Networks = earlier.Labels, earlier.Links, earlier.Ports, earlier.Networks
	a.Stack, a.Origin, a.HealthCheck, a.Traefik = earlier.Stack, earlier.Origin, earlier.HealthCheck, earlier.Traefik
	a.Aliases, a.Unstartable, a.Routers, a.URL = earlier.Aliases, earlier.Unstartable, earlier.Routers, earlier.URL
}

// SameDefinition reports whether two reports of an app differ in nothing but its status.
func SameDefinition(a, b *App) bool {
	return a.Stack == b.Stack && a.Origin == b.Origin && a.Protected == b.Protected &&
		a.Ephemeral == b.Ephemeral && a.Published == b.Published && a.Unstartable == b.Unstartable && a.URL == b.URL && a.CreatedAt.Equal(b.CreatedAt) && slices.Equal(a.Aliases, b.Aliases) &&
		maps.Equal(a.Labels, b.Labels) && slices.EqualFunc(a.Routers, b.Routers, traefik.Router.Equal) && slices.Equal(a.Links, b.Links) &&
		slices.Equal(a.Ports, b.Ports) && slices.Equal(a.Networks, b.Networks) &&
		sameMappings(a, b) && (a.Traefik == nil) == (b.Traefik == nil) && (a.Traefik == nil || a.Traefik.Equal(*b.Traefik)) &&
		(a.HealthCheck == nil) == (b.HealthCheck == nil) &&
		(a.HealthCheck == nil || *a.HealthCheck == *b.HealthCheck)
}

// Crashed reports whether the instance ended by a fault of its own: not well, and not by
// one of the signals with which people and providers stop things.
func (i Instance) Crashed() bool {
	const killed, terminated, interrupted = 128 + 9, 128 + 15, 128 + 2
	switch i.ExitCode {
	case 0, killed, terminated, interrupted:
		return false
	}
	return true
}

// First is how long after an instance's start its health is checked for the first time.
func (h *HealthCheck) First() time.Duration { return cmp.Or(h.StartInterval, h.Interval) }

// RunningSince is when the first of an app's instances was started, of those that run. Zero:
// none does, or its provider does not tell.
func (a App) RunningSince() time.Time {
	var first time.Time
	for _, i := range a.Instances {
		if i.Status == Running && (first.IsZero() || i.StartedAt.Before(first)) {
			first = i.StartedAt
		}
	}
	return first
}

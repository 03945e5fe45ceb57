package traefik

import (
	"slices"
	"strings"
)

// internalEntryPoint is that of Traefik's own API and metrics. No router gets it unasked.
const internalEntryPoint = "traefik"

// Static is what of a Traefik's static configuration decides which routers of its Docker
// or Swarm provider it has. The zero value is that of a Traefik of which nothing is known:
// it is taken for one with Traefik's own defaults.
type Static struct {
	// Constraints of the provider. Nil: not known, taken for none.
	Constraints *Constraint
	// ExposedByDefault of the provider. Nil: not known, taken for true.
	ExposedByDefault *bool
	// Network of the provider, in which it reaches an app whose labels choose none. Empty:
	// none, or not known.
	Network string
	// EntryPoints that it has. Nil: not known, any name may be one.
	EntryPoints []EntryPoint
	// KeepsUnhealthy reports whether it has the routers of apps that are not healthy, too (its
	// allowEmptyServices).
	KeepsUnhealthy bool
	// DefaultRule of the provider. Empty: Traefik's own, or not known.
	DefaultRule string
	// Unread says why nothing of this could be read, for people: `it is in a file`. Empty:
	// it was, or nobody has tried.
	Unread string
	// Fetches reports whether Traefik has an HTTP provider, by which it may have the routes of
	// Paastis.
	Fetches bool
}

// EntryPoint is an entry point that takes HTTP.
type EntryPoint struct {
	Name string
	// AsDefault: a router that names no entry point listens on it. If it is set on none of
	// a Traefik's entry points, it is as if on all.
	AsDefault bool
	// TLS: routers on it take HTTPS, whatever they say themselves.
	TLS bool
	// Port that it listens on. Zero: nothing is known but its name.
	Port uint16
	// HostPort is a port of the machine that leads to Port, by which visitors may know it.
	// Zero: none is known.
	HostPort uint16
	// Middlewares are those that stand before those of its routers, as "a,b@file".
	Middlewares string
	Timeouts
}

// Way is a way by which requests get to a router: an entry point, as far as a request
// shows by which one it came.
type Way struct {
	// Port that the entry point listens on, or that of the machine that leads there. Zero: not
	// known.
	Port uint16
	// TLS reports whether the router takes HTTPS there, else HTTP.
	TLS bool
}

// Keeps reports whether such a Traefik makes routers of an app with these labels: whether
// it is exposed, and not left out by the constraints.
func (s Static) Keeps(l Labels) bool {
	return s.Exposes(l) && s.Constraints.Match(l.raw)
}

// Exposes reports whether an app with these labels is exposed, by itself or by default.
func (s Static) Exposes(l Labels) bool {
	if l.Enable != nil {
		return *l.Enable
	}
	return s.ExposedByDefault == nil || *s.ExposedByDefault
}

// Serves reports whether one of the router's entry points is one that Traefik has.
func (s Static) Serves(r Router) bool {
	return s.EntryPoints == nil || len(s.ListensOn(r)) > 0
}

// ListensOn returns the names of the entry points on which the router takes requests: of
// those that it names the ones that Traefik has, or the default ones. Nil: there is none,
// or the EntryPoints are not known and the router names none.
func (s Static) ListensOn(r Router) []string {
	switch {
	case s.EntryPoints == nil:
		return r.EntryPoints
	case len(r.EntryPoints) == 0:
		return s.defaults()
	}
	var names []string
	for _, e := range s.EntryPoints {
		if slices.Contains(r.EntryPoints, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// Ways returns those by which requests get to the router. Nil: they are not known. None,
// but not nil: it has none of this Traefik's entry points.
func (s Static) Ways(r Router) []Way {
	if s.EntryPoints == nil {
		return nil
	}
	names, ways := s.ListensOn(r), []Way{}
	for _, e := range s.EntryPoints {
		if !slices.Contains(names, e.Name) {
			continue
		}
		if e.Port == 0 {
			return nil
		}
		ways = append(ways, Way{Port: e.Port, TLS: e.TLS || r.TLS})
		if e.HostPort != 0 && e.HostPort != e.Port {
			ways = append(ways, Way{Port: e.HostPort, TLS: e.TLS || r.TLS})
		}
	}
	return ways
}

// Before returns the middlewares that the entry points of a router have for it, in their
// order, none twice.
func (s Static) Before(r Router) []string {
	var all []string
	names := s.ListensOn(r)
	for _, e := range s.EntryPoints {
		if e.Middlewares == "" || !slices.Contains(names, e.Name) {
			continue
		}
		for name := range strings.SplitSeq(e.Middlewares, ",") {
			if name = strings.TrimSpace(name); !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// defaults are the names of the entry points of a router that names none.
func (s Static) defaults() []string {
	chosen := slices.ContainsFunc(s.EntryPoints, func(e EntryPoint) bool { return e.AsDefault })
	var names []string
	for _, e := range s.EntryPoints {
		if e.AsDefault || !chosen && e.Name != internalEntryPoint {
			names = append(names, e.Name)
		}
	}
	return names
}

// Over lays what is known here over what is known from elsewhere.
func (s Static) Over(other Static) Static {
	s.Unread, s.Fetches = other.Unread, other.Fetches
	if s.Constraints == nil {
		s.Constraints = other.Constraints
	}
	if s.ExposedByDefault == nil {
		s.ExposedByDefault = other.ExposedByDefault
	}
	if s.Network == "" {
		s.Network = other.Network
	}
	s.KeepsUnhealthy = s.KeepsUnhealthy || other.KeepsUnhealthy
	s.EntryPoints = overEntryPoints(s.EntryPoints, other.EntryPoints)
	if s.DefaultRule == "" {
		s.DefaultRule = other.DefaultRule
	}
	return s
}

// AsUnread returns it as one of which the rest could not be read, and why, for people.
func (s Static) AsUnread(why string) Static {
	s.Unread = why
	return s
}

// WithEntryPoints returns it with these entry points, unless its own are known.
func (s Static) WithEntryPoints(all []EntryPoint) Static {
	if s.EntryPoints == nil {
		s.EntryPoints = all
	}
	return s
}

// WithHostPorts returns it with the port of the machine that leads to each of its entry points'
// own ports. Zero: none does.
func (s Static) WithHostPorts(leadingTo func(port uint16) uint16) Static {
	s.EntryPoints = slices.Clone(s.EntryPoints)
	for i := range s.EntryPoints {
		e := &s.EntryPoints[i]
		e.HostPort = leadingTo(e.Port)
	}
	return s
}

// Equal reports whether both say the same.
func (s Static) Equal(o Static) bool {
	return (s.Constraints == nil) == (o.Constraints == nil) && s.Constraints.String() == o.Constraints.String() &&
		(s.ExposedByDefault == nil) == (o.ExposedByDefault == nil) &&
		(s.ExposedByDefault == nil || *s.ExposedByDefault == *o.ExposedByDefault) &&
		s.KeepsUnhealthy == o.KeepsUnhealthy && s.Network == o.Network && s.DefaultRule == o.DefaultRule && s.Unread == o.Unread && s.Fetches == o.Fetches &&
		(s.EntryPoints == nil) == (o.EntryPoints == nil) && slices.Equal(s.EntryPoints, o.EntryPoints)
}

// overEntryPoints takes from others what is not known of some but their names.
func overEntryPoints(some, others []EntryPoint) []EntryPoint {
	if some == nil {
		return others
	}
	all := slices.Clone(some)
	for i, e := range all {
		place := slices.IndexFunc(others, func(o EntryPoint) bool { return o.Name == e.Name })
		if place < 0 {
			continue
		}
		switch other := others[place]; {
		case e.Port == 0:
			all[i] = other
			all[i].AsDefault = e.AsDefault
		case e.Port == other.Port && e.HostPort == 0:
			all[i].HostPort = other.HostPort
			fallthrough
		default:
			all[i].Timeouts = other.Timeouts // no setting has them
		}
	}
	return all
}

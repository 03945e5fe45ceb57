package inventory

import (
	"net/url"
	"slices"
)

// Outlasted reports whether the first verdict of the app's health check cannot come within
// its start timeout.
func (e *Definition) Outlasted() bool {
	return e.App.HealthCheck != nil && e.App.HealthCheck.First() >= e.StartTimeout
}

// NamedServers are the names of the app's instances to which static servers of its routers
// lead, if all do so. Nil: others will do as well.
func (e *Definition) NamedServers() map[string]bool {
	named := map[string]bool{}
	for _, r := range e.Routers {
		u, err := url.Parse(r.StaticURL)
		if err != nil {
			return nil
		}
		at := slices.IndexFunc(e.App.Instances, func(i Instance) bool { return i.Name == u.Hostname() || i.Mapped.Leads(u) })
		if at < 0 {
			return nil
		}
		named[e.App.Instances[at].Name] = true
	}
	return named
}

// VisitedPorts are the ports that requests come to, as the app's URL, its probe, its routers or
// its labels say. Nil: nothing says.
func (e *Definition) VisitedPorts() []uint16 {
	if e.URL != nil {
		return []uint16{urlPort(e.URL)}
	}
	var ports []uint16
	add := func(port uint16) {
		if port != 0 && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	add(e.Probe.Port)
	add(e.Properties.Port)
	for _, r := range e.Routers {
		add(r.Port)
	}
	return ports
}

// MultiplexedPorts are those that Traefik speaks h2c to. It keeps such a connection open for good:
// its client of HTTP/2 without TLS has no idle timeout (newSmartRoundTripper in
// pkg/server/service/smart_roundtripper.go of 3.6.12). Nil: there are none.
func (e *Definition) MultiplexedPorts() []uint16 {
	var ports []uint16
	for _, r := range e.Routers {
		if r.Port != 0 && e.Labels.Scheme(*r.Router) == "h2c" && !slices.Contains(ports, r.Port) {
			ports = append(ports, r.Port)
		}
	}
	return ports
}

// Follows reports whether nobody but other apps uses the app, as far as anything tells: one of
// them needs it, and nothing says that it listens anywhere, as of a worker. It is in use while
// they are.
func (e *Definition) Follows() bool {
	return e.needed && len(e.Routers) == 0 && len(e.App.Ports) == 0 && len(e.VisitedPorts()) == 0
}

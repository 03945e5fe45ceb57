package inventory

import (
	"net/url"
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
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

// GuessesPort reports whether nothing but the image says where the app listens.
func (e *Definition) GuessesPort() bool {
	return e.URL == nil && e.Probe.Port == 0 && e.Properties.Port == 0 && !slices.ContainsFunc(e.Routers, func(r Router) bool { return r.Port != 0 })
}

// Target is what a probe looks at.
type Target struct {
	// Address is the host, by name or address, and the port of what is probed.
	Address string
	// Path to ask for by HTTP. Empty: connecting is enough.
	Path string
	// Scheme by which it is spoken to: http, https or h2c. Empty: http. A certificate is not
	// checked, unless it is that of a URL: one on a network of one's own is signed by nobody else.
	Scheme string
	// ByURL tells that it is the URL of an app: its name has to be found by DNS, its certificate
	// has to be trusted, and who is asked is a platform before the app.
	ByURL bool
	// Host to ask for. Empty: the address.
	Host string
	// VisitorScheme is by what a visitor comes to the app, as a proxy tells it. Empty: it is
	// not told.
	VisitorScheme string
	// Accepts are the statuses of an app that serves. Nil: all below 400; by a URL, all but 502,
	// 503 and 504, with which platforms answer for an app that does not run.
	Accepts rules.Statuses
	// Patience is how long an answer by HTTP may take. Zero: 5 s.
	Patience time.Duration
}

// Request is what is to be asked by HTTP, at an address, of a port of the app: as its visitors
// ask. One that has a URL is asked at that.
func (e *Definition) Request(address string, port uint16, path string) Target {
	if e.URL != nil {
		return requestByURL(e, path)
	}
	t := Target{
		Address: address, Path: path,
		Host: e.ProbeHost, VisitorScheme: e.ProbeScheme, Accepts: e.ProbeStatus,
	}
	r := visitedBy(e, port)
	if r == nil {
		return t
	}
	if r.Port == port {
		t.Scheme = e.Labels.Scheme(*r.Router)
	}
	if hosts := r.Match.Hosts(); t.Host == "" && len(hosts) > 0 {
		t.Host = hosts[0]
	}
	if t.VisitorScheme == "" {
		t.VisitorScheme = r.visitorScheme()
	}
	return t
}

// visitedBy returns the router by which visitors get to a port of the app, or else its
// first one. Nil: it has none.
func visitedBy(e *Definition, port uint16) *Router {
	for i := range e.Routers {
		if e.Routers[i].Port == port {
			return &e.Routers[i]
		}
	}
	if len(e.Routers) > 0 {
		return &e.Routers[0]
	}
	return nil
}

// visitorScheme is by what visitors come to the router.
func (r *Router) visitorScheme() string {
	if r.TLS || len(r.ways) > 0 && r.ways[0].TLS || r.ways == nil && r.Secure() {
		return "https"
	}
	return "http"
}

// Target is what is to be probed of an instance at a port. Its address is empty if Paastis does
// not reach that.
func (e *Definition) Target(i Instance, port uint16) Target {
	if e.URL != nil {
		return requestByURL(e, e.Probe.Path)
	}
	if e.Probe.Kind != rules.HTTPProbe {
		return Target{Address: i.Reach(port)}
	}
	t := e.Request(i.Reach(port), port, e.Probe.Path)
	if e.Probe.TLS {
		t.Scheme = "https"
	}
	return t
}

// ProbePorts are the ports at which the app is probed, the one first that speaks for it.
// None: it is not known where it listens.
func (e *Definition) ProbePorts() []uint16 {
	if e.URL != nil {
		return []uint16{urlPort(e.URL)}
	}
	if e.Probe.Port != 0 {
		return []uint16{e.Probe.Port}
	}
	var ports []uint16
	for _, r := range e.Routers {
		if r.Port != 0 && !slices.Contains(ports, r.Port) {
			ports = append(ports, r.Port)
		}
	}
	if port := e.Port(); port != 0 && len(ports) == 0 {
		return []uint16{port}
	}
	if e.Probe.Kind == rules.HTTPProbe && len(ports) > 1 {
		return ports[:1] // its path is that of one of them
	}
	return ports
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

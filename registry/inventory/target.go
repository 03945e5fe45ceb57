package inventory

import (
	"cmp"
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
)

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

// Targets are how Paastis itself reaches an app: at what it is probed, and where it is asked.
type Targets struct{ of *Definition }

// Targets are those of the app.
func (e *Definition) Targets() Targets { return Targets{e} }

// Ports are the ports at which the app is probed, the one first that speaks for it.
// None: it is not known where it listens.
func (o Targets) Ports() []uint16 {
	e := o.of
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

// GuessesPort reports whether nothing but the image says where the app listens.
func (o Targets) GuessesPort() bool {
	e := o.of
	return e.URL == nil && e.Probe.Port == 0 && e.Properties.Port == 0 && !slices.ContainsFunc(e.Routers, func(r Router) bool { return r.Port != 0 })
}

// Reaches reports whether Paastis reaches an instance to probe it.
func (o Targets) Reaches(i Instance) bool {
	if o.of.URL != nil {
		return i.Status == Running
	}
	if i.Mapped == nil {
		return i.Address.IsValid()
	}
	ports := o.Ports()
	return len(ports) > 0 && i.Status == Running && i.Reach(ports[0]) != ""
}

// At is what is to be probed of an instance at a port. Its address is empty if Paastis does
// not reach that.
func (o Targets) At(i Instance, port uint16) Target {
	e := o.of
	if e.URL != nil {
		return o.byURL(e.Probe.Path)
	}
	if e.Probe.Kind != rules.HTTPProbe {
		return Target{Address: i.Reach(port)}
	}
	t := o.Request(i.Reach(port), port, e.Probe.Path)
	if e.Probe.TLS {
		t.Scheme = "https"
	}
	return t
}

// Request is what is to be asked by HTTP, at an address, of a port of the app: as its visitors
// ask. One that has a URL is asked at that.
func (o Targets) Request(address string, port uint16, path string) Target {
	e := o.of
	if e.URL != nil {
		return o.byURL(path)
	}
	t := Target{
		Address: address, Path: path,
		Host: e.ProbeHost, VisitorScheme: e.ProbeScheme, Accepts: e.ProbeStatus,
	}
	r := o.visitedBy(port)
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

// byURL is what is to be asked at the app's own URL: with its host, whatever hosts its
// routers have, for its platform knows no others.
func (o Targets) byURL(path string) Target {
	e := o.of
	t := Target{
		Address: e.URL.Host, Path: cmp.Or(path, "/"), Scheme: e.URL.Scheme, ByURL: true,
		Host: e.ProbeHost, VisitorScheme: e.ProbeScheme,
	}
	if e.Origins["probe_status"] != "" {
		t.Accepts = e.ProbeStatus
	}
	return t
}

// visitedBy returns the router by which visitors get to a port of the app, or else its
// first one. Nil: it has none.
func (o Targets) visitedBy(port uint16) *Router {
	e := o.of
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

// Reach is where Paastis reaches a port of the app, by a report of it: at its URL, or at an
// instance that runs. Empty: it does not.
func (o Targets) Reach(app *App, port uint16) string {
	if own := o.of.URL; own != nil {
		return own.Host
	}
	return app.Reach(port)
}

// ReachedAt says where the app is reached: by its URL, or a port of it at its machine. Empty: it is
// reached by its instances' addresses.
func (o Targets) ReachedAt(port uint16) string {
	e := o.of
	m := e.App.Mapping()
	switch {
	case e.URL != nil:
		return e.URL.String()
	case m == nil:
		return ""
	case m.At(port) != "":
		return m.At(port)
	case m.Publishes(port):
		return m.Host + ", at a port that is chosen when it starts"
	default:
		return "no port of " + m.Host
	}
}

package registry

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Mapping is where an instance is reached that has no network in common with Paastis and
// Traefik: at its machine, by the ports that it publishes there. It never changes.
type Mapping struct {
	// Host is the machine's name or address. Required.
	Host string
	// Ports are those of the machine, by the instance's own. Zero: one is chosen when the
	// instance starts. Nil: the instance uses the machine's network, so that each is itself.
	Ports map[uint16]uint16
	// Hidden are addresses of the machine, by the instance's ports, where those are published
	// that are published nowhere else, and that Host does not lead to: mostly 127.0.0.1.
	Hidden map[uint16]netip.Addr
}

// publishes reports whether a port of the instance is, or will be, one at Host.
func (m *Mapping) publishes(port uint16) bool {
	_, published := m.Ports[port]
	return published || m.Ports == nil
}

// at is the machine's host and port that lead to one of the instance; empty: none do now.
func (m *Mapping) at(port uint16) string {
	outside := m.Ports[port]
	if m.Ports == nil {
		outside = port
	}
	if outside == 0 {
		return ""
	}
	return net.JoinHostPort(m.Host, strconv.Itoa(int(outside)))
}

// inside is the port of the instance that one of the machine leads to; false: none.
func (m *Mapping) inside(outside uint16) (uint16, bool) {
	if m.Ports == nil {
		return outside, true
	}
	for own, at := range m.Ports {
		if at == outside {
			return own, true
		}
	}
	return 0, false
}

// leads reports whether a URL is of the instance, by its machine and a port there.
func (m *Mapping) leads(u *url.URL) bool {
	if m == nil || !m.isHost(u.Hostname()) {
		return false
	}
	_, leads := m.inside(urlPort(u))
	return leads
}

// isHost reports whether a host of a URL is the machine, as it is written.
func (m *Mapping) isHost(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		own, err := netip.ParseAddr(m.Host)
		return err == nil && own.Unmap() == a.Unmap()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(m.Host, "."))
}

func (m *Mapping) equal(o *Mapping) bool {
	if m == nil || o == nil {
		return m == o
	}
	return m.Host == o.Host && (m.Ports == nil) == (o.Ports == nil) && maps.Equal(m.Ports, o.Ports) && maps.Equal(m.Hidden, o.Hidden)
}

// urlPort is the port of a URL, that of its scheme if it has none of its own.
func urlPort(u *url.URL) uint16 {
	if u.Port() == "" {
		if u.Scheme == "https" {
			return 443
		}
		return 80
	}
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(port)
}

// reach is the host and port by which Paastis itself reaches a port of the instance. Empty: it
// does not.
func (i Instance) reach(port uint16) string {
	switch {
	case i.Mapped != nil:
		return i.Mapped.at(port)
	case i.Address.IsValid():
		return netip.AddrPortFrom(i.Address, port).String()
	default:
		return ""
	}
}

// Mapping is that of the app's first instance that has one. Nil: Paastis and Traefik share a
// network with the app, or ought to.
func (a App) Mapping() *Mapping {
	for _, i := range a.Instances {
		if i.Mapped != nil {
			return i.Mapped
		}
	}
	return nil
}

// reach is where Paastis reaches a port of the app; empty if it does not.
func (a *App) reach(port uint16) string {
	for _, i := range a.Instances {
		if at := i.reach(port); at != "" && i.Status == Running {
			return at
		}
	}
	return ""
}

// insidePort is the app's own port that a static server URL leads to by a port of its machine,
// which may have another name there; or else the one that is written.
func (a App) insidePort(raw string, port uint16) uint16 {
	u, err := url.Parse(raw)
	if err != nil || raw == "" || slices.Contains(a.Hosts(), u.Hostname()) {
		return port
	}
	for _, i := range a.Instances {
		if i.Mapped == nil {
			continue
		}
		if own, mapped := i.Mapped.inside(port); mapped {
			return own
		}
	}
	return port
}

// LeadsTo reports whether a URL of a server is the app's by the port of its machine.
func (a App) LeadsTo(u *url.URL) bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.Mapped.leads(u) })
}

// sameMappings reports whether the instances of two reports publish the same ports.
func sameMappings(a, b *App) bool {
	return a.Mapping() == nil && b.Mapping() == nil ||
		slices.EqualFunc(a.Instances, b.Instances, func(i, j Instance) bool { return i.Mapped.equal(j.Mapped) })
}

// isProbable reports whether Paastis reaches an instance to probe it.
func (e *Entry) isProbable(i Instance) bool {
	if i.Mapped == nil {
		return i.Address.IsValid()
	}
	ports := e.probePorts()
	return len(ports) > 0 && i.Status == Running && i.reach(ports[0]) != ""
}

// Unpublished says of a port of the app why it is not reached, and what to do. Empty: it is, or
// it is not by ports of its machine that the app is reached.
func (e *Entry) Unpublished(port uint16) string {
	m := e.App.Mapping()
	if m == nil || port == 0 || m.publishes(port) {
		return ""
	}
	own := strconv.Itoa(int(port))
	if at, hidden := m.Hidden[port]; hidden {
		return "its port " + own + " is published at " + at.String() + " alone, and not at " + m.Host + ", the address of its provider: nobody reaches it from elsewhere; publish it there (ports: [\"" + own + "\"])"
	}
	return "its port " + own + " is not published at " + m.Host + ", the address of its provider, so neither Paastis nor Traefik reaches it; publish it (ports: [\"" + own + "\"])"
}

// ReachedAt says where a port of the app is reached at its machine. Empty: it is reached otherwise.
func (e *Entry) ReachedAt(port uint16) string {
	m := e.App.Mapping()
	switch {
	case m == nil:
		return ""
	case m.at(port) != "":
		return m.at(port)
	case m.publishes(port):
		return m.Host + ", at a port that is chosen when it starts"
	default:
		return "no port of " + m.Host
	}
}

// reportUnpublished makes a problem of each port by which an app is to be reached and is not.
func (inv *Inventory) reportUnpublished() {
	for _, e := range inv.Entries {
		if !e.Managed || e.App.Mapping() == nil {
			continue
		}
		for _, port := range e.reachedPorts() {
			if why := e.Unpublished(port); why != "" {
				e.problem("app %q: %s (%s)", e.Name, why, e.App.Origin)
			}
		}
	}
}

// reachedPorts are those of the app that Paastis or Traefik is to reach. A static server URL
// that leads to none of them has a word of its own.
func (e *Entry) reachedPorts() []uint16 {
	ports := []uint16{e.Probe.Port, e.Properties.Port, e.Busy.Port}
	for _, r := range e.Routers {
		if r.StaticURL == "" && r.Foreign() == "" {
			ports = append(ports, r.Port)
		}
	}
	for _, rt := range e.Routes {
		if rt.router.StaticURL == "" && rt.foreign == "" {
			ports = append(ports, rt.port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

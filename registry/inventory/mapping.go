package inventory

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

// Publishes reports whether a port of the instance is, or will be, one at Host.
func (m *Mapping) Publishes(port uint16) bool {
	_, published := m.Ports[port]
	return published || m.Ports == nil
}

// At is the machine's host and port that lead to one of the instance; empty: none do now.
func (m *Mapping) At(port uint16) string {
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

// Leads reports whether a URL is of the instance, by its machine and a port there.
func (m *Mapping) Leads(u *url.URL) bool {
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

// Reach is the host and port by which Paastis itself reaches a port of the instance. Empty: it
// does not.
func (i Instance) Reach(port uint16) string {
	switch {
	case i.Mapped != nil:
		return i.Mapped.At(port)
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

// Reach is where Paastis reaches a port of the app; empty if it does not.
func (a *App) Reach(port uint16) string {
	for _, i := range a.Instances {
		if at := i.Reach(port); at != "" && i.Status == Running {
			return at
		}
	}
	return ""
}

// InsidePort is the app's own port that a static server URL leads to by a port of its machine,
// which may have another name there; or else the one that is written.
func (a App) InsidePort(raw string, port uint16) uint16 {
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
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.Mapped.Leads(u) })
}

// sameMappings reports whether the instances of two reports publish the same ports.
func sameMappings(a, b *App) bool {
	return a.Mapping() == nil && b.Mapping() == nil ||
		slices.EqualFunc(a.Instances, b.Instances, func(i, j Instance) bool { return i.Mapped.equal(j.Mapped) })
}

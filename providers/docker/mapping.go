package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/paastis/paastis/registry/inventory"
)

// binding is a TCP port of a container that is published at the engine's machine.
type binding struct {
	inside uint16
	// outside is the machine's. Zero: the engine chooses one when the container starts.
	outside uint16
	// at is the address of the machine that it is published at. Invalid: all of them.
	at netip.Addr
}

// checkAddress wants a host's name or an IP address. Empty is none.
func checkAddress(address string) error {
	if _, err := netip.ParseAddr(address); err == nil || address == "" {
		return nil
	}
	if strings.ContainsAny(address, ":/@?#[] \t") {
		return fmt.Errorf("address %q: write the host's name or its IP address, without scheme, port and path: apps are reached there by the ports that they publish", address)
	}
	return nil
}

// bindings are where the ports of a container are published: where they are now, while it runs,
// or else where they are to be.
func bindings(config *api.Config, host *api.HostConfig, settings *api.NetworkSettings) []binding {
	all := bindingsOf(settings.Ports)
	known := func(b binding) bool {
		return slices.ContainsFunc(all, func(now binding) bool { return now.inside == b.inside })
	}
	all = append(all, slices.DeleteFunc(bindingsOf(host.PortBindings), known)...)
	if host.PublishAllPorts {
		for _, port := range tcpPorts(config.ExposedPorts) {
			if b := (binding{inside: port}); !known(b) {
				all = append(all, b)
			}
		}
	}
	slices.SortFunc(all, func(a, b binding) int {
		return cmp.Or(cmp.Compare(a.inside, b.inside), a.at.Compare(b.at), cmp.Compare(a.outside, b.outside))
	})
	return slices.Clip(slices.Compact(all))
}

func bindingsOf(ports network.PortMap) []binding {
	var all []binding
	for port, places := range ports {
		if port.Proto() != network.TCP {
			continue
		}
		for _, place := range places {
			// A range, of which the engine takes one at the start, is no number either.
			outside, _ := strconv.ParseUint(place.HostPort, 10, 16)
			b := binding{inside: port.Num(), outside: uint16(outside)}
			if !place.HostIP.IsUnspecified() {
				b.at = place.HostIP
			}
			all = append(all, b)
		}
	}
	return all
}

// mapping is where the container is reached at ports of the machine. Nil: it is not reached so.
func (s *snapshot) mapping(c *container) *inventory.Mapping {
	if s.reachedAt == "" {
		return nil
	}
	m := &inventory.Mapping{Host: s.reachedAt}
	owner := s.networkOwner(c)
	if owner.onHost {
		return m
	}
	m.Ports, m.Hidden = map[uint16]uint16{}, map[uint16]netip.Addr{}
	for _, b := range owner.bindings {
		if !s.isReached(b.at) {
			m.Hidden[b.inside] = b.at
		} else if m.Ports[b.inside] == 0 {
			m.Ports[b.inside] = b.outside
		}
	}
	maps.DeleteFunc(m.Hidden, func(port uint16, _ netip.Addr) bool { _, there := m.Ports[port]; return there })
	return m
}

// isReached reports whether the machine's address leads to what is published at one of its
// addresses. Which those are that a name stands for is not known.
func (s *snapshot) isReached(at netip.Addr) bool {
	own, err := netip.ParseAddr(s.reachedAt)
	switch {
	case !at.IsValid():
		return true
	case err == nil:
		return own.Unmap() == at.Unmap()
	default:
		return !at.IsLoopback() || s.reachedAt == "localhost"
	}
}

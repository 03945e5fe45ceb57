package docker

import (
	"net/netip"

	"github.com/paastis/paastis/registry/inventory"
)

// maxJoins is how many containers may use each other's network in a row.
const maxJoins = 8

// address is where Paastis reaches the container: in a network that both are in, or,
// from the host, in any. Of several it is the first by the network's name.
func (s *snapshot) address(c *container) netip.Addr {
	if c.instance.Status != inventory.Running || s.reachedAt != "" {
		return netip.Addr{}
	}
	owner := s.networkOwner(c)
	if s.beside(owner) {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	for _, at := range owner.networks {
		if len(at.addresses) > 0 && s.attached(at) {
			return at.addresses[0]
		}
	}
	return netip.Addr{}
}

// machine is where Paastis, and who shares a network with it, find the ports of a container
// that uses the network of the machine: at the gateway of a network that Paastis is in.
// Invalid: the container does not, or Paastis is on the machine itself.
func (s *snapshot) machine(c *container) netip.Addr {
	if c.instance.Status != inventory.Running || !s.networkOwner(c).onHost || s.onHost() || s.reachedAt != "" {
		return netip.Addr{}
	}
	for _, at := range s.networkOwner(s.self).networks {
		if at.gateway.IsValid() {
			return at.gateway
		}
	}
	return netip.Addr{}
}

// addresses are all that the container has, by the networks' names, also in networks
// that Paastis is not in. None if it does not run or is on the host's network, or if nobody
// gets there: other engines give the same addresses.
func (s *snapshot) addresses(c *container) []netip.Addr {
	if c.instance.Status != inventory.Running || s.reachedAt != "" && !s.read {
		return nil
	}
	var all []netip.Addr
	for _, at := range s.networkOwner(c).networks {
		all = append(all, at.addresses...)
	}
	return all
}

// networkOwner is the container whose network c uses: mostly c itself.
func (s *snapshot) networkOwner(c *container) *container {
	for range maxJoins {
		lender := s.find(c.joined)
		if lender == nil {
			break
		}
		c = lender
	}
	return c
}

// beside reports whether what listens in the container's network listens on Paastis's
// loopback too.
func (s *snapshot) beside(owner *container) bool {
	if s.onHost() {
		return owner.onHost && s.endpoint.local()
	}
	return owner == s.networkOwner(s.self)
}

// attached reports whether Paastis is in that network, or on the host, which is in all. Two
// networks may have one name; a container that never ran knows no more than the name.
func (s *snapshot) attached(at attachment) bool {
	if s.onHost() {
		return true
	}
	own, found := s.networkOwner(s.self).in(at.network)
	return found && (own.id == at.id || at.id == "")
}

func (s *snapshot) onHost() bool { return s.self == nil || s.networkOwner(s.self).onHost }

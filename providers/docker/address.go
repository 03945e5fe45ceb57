package docker

import (
	"net/netip"

	"github.com/paastis/paastis/registry/inventory"
)

// maxJoins is how many containers may use each other's network in a row.
const maxJoins = 8

// address is where Paastis reaches the container: in a network that both are in, or,
// from the host, in any. Of several it is the first by the network's name.
func (f *snapshot) address(c *container) netip.Addr {
	if c.instance.Status != inventory.Running || f.reachedAt != "" {
		return netip.Addr{}
	}
	owner := f.networkOwner(c)
	if f.beside(owner) {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	for _, at := range owner.networks {
		if len(at.addresses) > 0 && f.attached(at) {
			return at.addresses[0]
		}
	}
	return netip.Addr{}
}

// machine is where Paastis, and who shares a network with it, find the ports of a container
// that uses the network of the machine: at the gateway of a network that Paastis is in.
// Invalid: the container does not, or Paastis is on the machine itself.
func (f *snapshot) machine(c *container) netip.Addr {
	if c.instance.Status != inventory.Running || !f.networkOwner(c).onHost || f.onHost() || f.reachedAt != "" {
		return netip.Addr{}
	}
	for _, at := range f.networkOwner(f.self).networks {
		if at.gateway.IsValid() {
			return at.gateway
		}
	}
	return netip.Addr{}
}

// addresses are all that the container has, by the networks' names, also in networks
// that Paastis is not in. None if it does not run or is on the host's network, or if nobody
// gets there: other engines give the same addresses.
func (f *snapshot) addresses(c *container) []netip.Addr {
	if c.instance.Status != inventory.Running || f.reachedAt != "" && !f.read {
		return nil
	}
	var all []netip.Addr
	for _, at := range f.networkOwner(c).networks {
		all = append(all, at.addresses...)
	}
	return all
}

// networkOwner is the container whose network c uses: mostly c itself.
func (f *snapshot) networkOwner(c *container) *container {
	for range maxJoins {
		lender := f.find(c.joined)
		if lender == nil {
			break
		}
		c = lender
	}
	return c
}

// beside reports whether what listens in the container's network listens on Paastis's
// loopback too.
func (f *snapshot) beside(owner *container) bool {
	if f.onHost() {
		return owner.onHost && f.endpoint.local()
	}
	return owner == f.networkOwner(f.self)
}

// attached reports whether Paastis is in that network, or on the host, which is in all. Two
// networks may have one name; a container that never ran knows no more than the name.
func (f *snapshot) attached(at attachment) bool {
	if f.onHost() {
		return true
	}
	own, found := f.networkOwner(f.self).in(at.network)
	return found && (own.id == at.id || at.id == "")
}

func (f *snapshot) onHost() bool { return f.self == nil || f.networkOwner(f.self).onHost }

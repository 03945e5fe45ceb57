package docker

import (
	"slices"

	"github.com/paastis/paastis/registry/inventory"
)

// Why the use of a container cannot be seen, and what would make it visible.
const (
	procHidden  = "it is on the host's network, whose traffic is not its own, and Paastis does not see the host's processes; give Paastis pid: host"
	portUnknown = "it is on the host's network, and no port of it is known; set paastis.port"
	noCounters  = "the engine counts no traffic of it, and Paastis does not see the host's processes; give Paastis pid: host"
)

// portSet is the ports to which connections count: those that are known and, where nobody
// else listens in the same network, any. Connections to those that are multiplexed tell nothing.
type portSet struct {
	known       []uint16
	any         bool
	multiplexed []uint16
}

// hostPorts are those of a container on the host's network, where others listen too: those
// that are wanted, else those that its image exposes.
func (c *container) hostPorts(wanted []uint16) portSet {
	if len(wanted) == 0 {
		wanted = c.ports
	}
	return portSet{known: wanted}
}

// ownPorts are those of a container in the network of owner, which may be that of another.
func (c *container) ownPorts(owner *container, wanted []uint16) portSet {
	if c == owner {
		return portSet{known: wanted, any: true}
	}
	known := slices.Concat(wanted, c.ports)
	return portSet{known: known, any: len(known) == 0}
}

// isolated reports whether a container has no network at all, so that there is nothing to
// count.
func (c *container) isolated() bool {
	_, none := c.in("none")
	return none
}

// uncounted says why the traffic of a container is not counted. Empty: it is.
func (s *snapshot) uncounted(c *container) string {
	if s.networkOwner(c).onHost {
		return procHidden
	}
	return ""
}

// Unseen says why the use of an app could not be seen: on the host's network nothing but
// connections tells of it, which take the host's /proc and a port. It tells what is known
// from the last look at the containers.
func (p *Provider) Unseen(name string, ports []uint16) string {
	f := p.containers.snapshot()
	for _, c := range f.members(name) {
		switch {
		case !f.networkOwner(c).onHost:
		case !p.sampler.seesProcesses(f):
			return procHidden
		case len(c.hostPorts(ports).known) == 0:
			return portUnknown
		}
	}
	return ""
}

// seesProcesses reports whether the processes of containers show in /proc (Config.Proc).
func (s *sampler) seesProcesses(f *snapshot) bool {
	return slices.ContainsFunc(f.all, func(c *container) bool {
		if c.instance.Status != inventory.Running {
			return false
		}
		_, err := s.processSockets(f, c)
		return err == nil
	})
}

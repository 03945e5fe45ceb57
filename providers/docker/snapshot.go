package docker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// shortID is the length of the IDs that people see.
const shortID = 12

// snapshot is all containers at one moment, and what they are to each other.
type snapshot struct {
	all      []*container
	stops    map[string]stop // :: container ID → who has stopped it; none where that is not known
	version  uint64
	endpoint endpoint
	// reachedAt is where the machine is by whose ports its containers are reached. Empty: they
	// are by their own addresses. read reports whether a Traefik reads their labels.
	reachedAt string
	read      bool
	// self is Paastis's own container. Nil if it runs on the host.
	self *container
}

// snapshot is the newest one. It is never older than one that was made before.
func (i *inspector) snapshot() *snapshot {
	all, stops, version := i.inventory.contents()
	f := &snapshot{all: all, stops: stops, version: version, endpoint: i.engine.endpoint, reachedAt: i.reachedAt, read: i.read, self: i.self.find(all)}
	if slices.ContainsFunc(all, f.isRival) {
		f.stops = nil // it may have been the other Paastis
	}
	return f
}

// everything reports the whole inventory.
func (s *snapshot) everything() provider.Report {
	members := map[string][]*container{}
	for _, c := range s.all {
		if c.app != "" {
			members[c.app] = append(members[c.app], c)
		}
	}
	report := provider.Report{Complete: true, Version: s.version}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		report.Apps = append(report.Apps, s.assemble(name, sift(members[name])))
	}
	return report
}

// report tells of the apps of these names, gone or not.
func (s *snapshot) report(names []string) provider.Report {
	report := provider.Report{Version: s.version}
	for _, name := range names {
		if app, found := s.app(name); found {
			report.Apps = append(report.Apps, app)
		} else {
			report.Gone = append(report.Gone, name)
		}
	}
	return report
}

// app is false if no container belongs to it.
func (s *snapshot) app(name string) (inventory.App, bool) {
	members := s.members(name)
	if len(members) == 0 {
		return inventory.App{}, false
	}
	return s.assemble(name, members), true
}

// members are the containers of the app, the one that speaks for it first.
func (s *snapshot) members(name string) []*container {
	var members []*container
	for _, c := range s.all {
		if name != "" && c.app == name {
			members = append(members, c)
		}
	}
	return sift(members)
}

// assemble makes the app of its members. There must be one.
func (s *snapshot) assemble(name string, members []*container) inventory.App {
	leader := members[0]
	return inventory.App{
		Name:        name,
		Stack:       leader.project,
		Labels:      leader.labels,
		Origin:      fmt.Sprintf("container %q", leader.instance.Name),
		Links:       s.links(leader),
		Aliases:     aliases(members),
		Ephemeral:   slices.ContainsFunc(members, func(c *container) bool { return c.ephemeral }),
		Unstartable: s.unstartable(members),
		Published:   slices.ContainsFunc(members, s.isPublished),
		Instances:   s.instances(members),
		Ports:       leader.ports,
		Networks:    s.networks(members),
		HealthCheck: leader.healthCheck,
		Protected:   s.protection(members),
		Traefik:     leader.traefik,
		Version:     s.version,
	}
}

// isPublished reports whether the container may be reached at a port of the machine.
func (s *snapshot) isPublished(c *container) bool {
	owner := s.networkOwner(c)
	return owner.published || owner.onHost
}

func (s *snapshot) instances(members []*container) []inventory.Instance {
	var instances []inventory.Instance
	for _, c := range members {
		instance := *c.instance
		instance.Address = s.address(c)
		instance.Addresses = s.addresses(c)
		instance.Machine = s.machine(c)
		instance.Mapped = s.mapping(c)
		stop := s.stops[instance.ID]
		instance.StoppedManually, instance.Ending = stop.of(instance), stop.ends(instance, time.Now())
		if owner := s.networkOwner(c); owner != c {
			instance.Host = owner.instance.Name
		}
		instances = append(instances, instance)
	}
	if len(members) == 1 && instances[0].Equal(*members[0].instance) {
		return members[0].reported
	}
	slices.SortFunc(instances, func(a, b inventory.Instance) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return instances
}

func (s *snapshot) networks(members []*container) []string {
	names := map[string]bool{}
	for _, c := range members {
		for _, at := range s.networkOwner(c).networks {
			names[at.network] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// aliases are the names by which others may know the app's containers, but for its own.
func aliases(members []*container) []string {
	var all []string
	for _, c := range members {
		all = append(all, c.service, c.instance.Name, c.hostname)
		for _, at := range c.networks {
			all = append(all, at.names...)
		}
		all = slices.DeleteFunc(all, func(name string) bool { // some engines list the short ID as well
			return name == "" || name == c.app || strings.HasPrefix(c.instance.ID, name)
		})
	}
	slices.Sort(all)
	return slices.Clip(slices.Compact(all))
}

// find is the container of that ID or name, nil if there is none.
func (s *snapshot) find(reference string) *container {
	if reference == "" {
		return nil
	}
	for _, c := range s.all {
		if reference == c.instance.ID || reference == c.instance.Name || len(reference) >= shortID && strings.HasPrefix(c.instance.ID, reference) {
			return c
		}
	}
	return nil
}

// shadowed are the containers that are left out because another app has their name.
func (s *snapshot) shadowed() []*container {
	var out []*container
	for _, c := range s.all {
		if c.app != "" && !slices.Contains(s.members(c.app), c) {
			out = append(out, c)
		}
	}
	return out
}

// sift sorts containers of one name so that the one with the lowest number speaks for
// the app; while Compose replaces it, its successor. Names may clash ("a-b" + "c" is
// "a" + "b-c", and a container may bear a service's name): what does not belong to the
// first one's service is left out, so that it is never stopped along with it.
func sift(members []*container) []*container {
	slices.SortFunc(members, func(a, b *container) int {
		return cmp.Or(
			strings.Compare(b.service, a.service),
			cmp.Compare(a.number, b.number),
			b.created.Compare(a.created),
			strings.Compare(a.instance.ID, b.instance.ID),
		)
	})
	return slices.DeleteFunc(members, func(c *container) bool {
		return c.project != members[0].project || c.service != members[0].service
	})
}

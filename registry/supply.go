package registry

import (
	"slices"

	"github.com/paastis/paastis/registry/inventory"
)

// supply knows whether all is up that an app needs. There is one notion of it: on the way up,
// while awake, and for opening the door. What it finds of a component is remembered
// until a keeper changes. Guarded by the registry's lock, which is held whenever it is used.
type supply struct {
	epoch      uint64 // grows whenever what is remembered may no longer hold
	components map[*inventory.Component]*remembered
	groups     map[*inventory.Group]*groupRemembered
}

// remembered is what was found of a component's keepers in one epoch: it holds until the
// next. Guarded by the registry's lock.
type remembered struct {
	supply       uint64 // the epoch of what follows; 0: nothing was found so far
	unmet        []bool // :: place of a member → something that it needs is not up
	outside      bool   // what the members need outside the component is up
	inTransition bool   // something that is not is in transition
	rises        bool   // a member is on its way, and not healthy so far
}

// groupRemembered is what was found of the keepers of a group in one epoch.
type groupRemembered struct {
	epoch   uint64
	waiting []*inventory.Definition // members that are not healthy, or jobs
	special []*inventory.Definition // those of them that failed, are held down, or are jobs
	asked   uint64                  // the epoch in which all that can be woken was
}

// begin forgets what is remembered of the apps of an inventory before.
func (s *supply) begin() {
	s.touch()
	s.components, s.groups = map[*inventory.Component]*remembered{}, map[*inventory.Group]*groupRemembered{}
}

// of is what is remembered of a component.
func (s *supply) of(c *inventory.Component) *remembered {
	known := s.components[c]
	if known == nil {
		known = &remembered{}
		s.components[c] = known
	}
	return known
}

// ofGroup is what is remembered of a group.
func (s *supply) ofGroup(g *inventory.Group) *groupRemembered {
	known := s.groups[g]
	if known == nil {
		known = &groupRemembered{}
		s.groups[g] = known
	}
	return known
}

// touch ends what is remembered of components: a keeper has changed. Called with the lock
// held.
func (s *supply) touch() { s.epoch++ }

// holds reports whether a need is met and what the linked app needs itself is up. Called
// with the lock held.
func (s *supply) holds(n inventory.Need, by *Keeper) bool {
	return met(n, by) && (!n.To.Managed || n.To.Job || s.supplied(KeeperOf(n.To)))
}

// supplied reports whether all is up that the app cannot do without, and all that this
// needs, and so on: there is no other notion of it. Called with the lock held.
func (s *supply) supplied(k *Keeper) bool {
	e := k.Definition()
	return !s.find(e.Component).unmet[e.Place]
}

// suppliedOutside reports whether all is up that the apps of a component need outside it.
// Called with the lock held.
func (s *supply) suppliedOutside(c *inventory.Component) bool {
	return s.find(c).outside
}

// outsideInTransition reports whether something is in transition that the apps of a component need
// outside it.
func (s *supply) outsideInTransition(c *inventory.Component) bool {
	return s.find(c).inTransition
}

// find finds which members of a component lack something, unless nothing has changed
// since it was last found. It begins with what each member lacks itself, and goes on to
// those that need it: that the others of a circle are well does not make one of them well.
func (s *supply) find(c *inventory.Component) *remembered {
	known := s.of(c)
	if known.supply == s.epoch {
		return known
	}
	known.supply, known.outside, known.inTransition = s.epoch, true, false
	known.rises = slices.ContainsFunc(c.Members, func(m *inventory.Definition) bool {
		return m.Managed && KeeperOf(m).inTransition() && !KeeperOf(m).healthy()
	})
	if known.unmet == nil {
		known.unmet = make([]bool, len(c.Members))
	}
	unmet := known.unmet
	var queue []int
	for place, m := range c.Members {
		outside, inside := s.lacks(m)
		unmet[place] = outside || inside
		if unmet[place] {
			queue = append(queue, place)
		}
		if outside && m.Managed && !m.Job { // what a job needs comes before that alone
			known.outside = false
			known.inTransition = known.inTransition || slices.ContainsFunc(m.Needs, s.isOutsideInTransition)
		}
	}
	spread := func(places []int) {
		for _, place := range places {
			if !unmet[place] {
				unmet[place] = true
				queue = append(queue, place)
			}
		}
	}
	grouped := false
	for ; len(queue) > 0; queue = queue[1:] {
		place := queue[0]
		if m := c.Members[place]; m.Job || !m.Managed {
			continue // what it lacks is no lack of others
		}
		if c.Inside != nil {
			spread(c.Inside[place])
		}
		if !grouped {
			grouped = c.SpreadInGroups(place, spread)
		}
	}
	return known
}

// isOutsideInTransition reports whether an app at the end of a link out of a component is in transition.
func (s *supply) isOutsideInTransition(n inventory.Need) bool {
	return !n.Inside && !n.Optional && n.To.Managed && KeeperOf(n.To).inTransition()
}

// lacks reports whether something that an app needs itself is not up, outside its component
// or inside. Called with the lock held.
func (s *supply) lacks(e *inventory.Definition) (outside, inside bool) {
	for _, n := range e.Needs {
		switch {
		case n.Optional:
		case n.Inside:
			inside = inside || !met(n, KeeperOf(e))
		default:
			outside = outside || !s.holds(n, KeeperOf(e))
		}
	}
	if e.Group != nil && !inside {
		inside = s.lacksInGroup(e)
	}
	return outside, inside
}

// lacksInGroup reports whether another app of its group, to which it has no link of its
// own, is not up.
func (s *supply) lacksInGroup(e *inventory.Definition) bool {
	return slices.ContainsFunc(s.waitingIn(e.Group), func(m *inventory.Definition) bool {
		return e.NeedsByGroup(m) && !met(inventory.Need{To: m, Inside: true}, KeeperOf(e))
	})
}

// waitingIn are the members of a group that are not healthy, or jobs.
func (s *supply) waitingIn(g *inventory.Group) []*inventory.Definition {
	return s.lookAt(g).waiting
}

// specialIn are those of waitingIn that failed, are held down, or are jobs.
func (s *supply) specialIn(g *inventory.Group) []*inventory.Definition {
	return s.lookAt(g).special
}

// lookAt finds them, unless nothing has changed since they were last found.
func (s *supply) lookAt(g *inventory.Group) *groupRemembered {
	known := s.ofGroup(g)
	if known.epoch == s.epoch {
		return known
	}
	known.epoch = s.epoch
	known.waiting, known.special = nil, nil // others may still go through them
	for _, m := range g.Members {
		if !m.Job && met(inventory.Need{To: m, Inside: true}, nil) {
			continue
		}
		known.waiting = append(known.waiting, m)
		if m.Job || KeeperOf(m).state == Failed || KeeperOf(m).isHeldDown() {
			known.special = append(known.special, m)
		}
	}
	return known
}

// unmetNeeds are the names of the apps that this one still waits for, sorted. Nil: it waits
// for its turn.
func (s *supply) unmetNeeds(k *Keeper) []string {
	e := k.Definition()
	var names []string
	for _, n := range e.Needs {
		if !n.Optional && !s.holds(n, k) {
			names = append(names, n.To.Name)
		}
	}
	if e.Group != nil {
		for _, m := range s.waitingIn(e.Group) {
			if e.NeedsByGroup(m) && !met(inventory.Need{To: m, Inside: true}, k) {
				names = append(names, m.Name)
			}
		}
	}
	if names == nil {
		names = s.unsuppliedNeeds(k)
	}
	slices.Sort(names)
	return names
}

// unsuppliedNeeds are the names of the apps that one waits for though it could do without
// them, or that are healthy themselves: optional ones that come before it, and those of its
// group that lack something.
func (s *supply) unsuppliedNeeds(k *Keeper) []string {
	e := k.Definition()
	var names []string
	for _, n := range e.Needs {
		if n.Optional && n.Before() && n.To.Managed && KeeperOf(n.To).state != Failed && !met(n, k) {
			names = append(names, n.To.Name)
		}
	}
	if e.Group != nil {
		for _, m := range e.Group.Members {
			if e.NeedsByGroup(m) && !s.holds(inventory.Need{To: m, Inside: true}, k) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

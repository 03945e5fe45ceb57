package registry

import "slices"

// supply knows whether all is up that an app needs. There is one notion of it: on the way up,
// while awake, and for opening the door. What it finds of a component is remembered there,
// until a keeper changes. Guarded by the registry's lock, which is held whenever it is used.
type supply struct {
	epoch uint64 // grows whenever what is remembered of components may no longer hold
}

// touch ends what is remembered of components: a keeper has changed. Called with the lock
// held.
func (s *supply) touch() { s.epoch++ }

// holds reports whether a need is met and what the linked app needs itself is up. Called
// with the lock held.
func (s *supply) holds(n need, by *Keeper) bool {
	return n.met(by) && (!n.to.Managed || n.to.job || s.supplied(n.to.keeper))
}

// supplied reports whether all is up that the app cannot do without, and all that this
// needs, and so on: there is no other notion of it. Called with the lock held.
func (s *supply) supplied(k *Keeper) bool {
	e := k.Entry()
	s.find(e.component)
	return !e.component.remembered.lacking[e.place]
}

// suppliedOutside reports whether all is up that the apps of a component need outside it.
// Called with the lock held.
func (s *supply) suppliedOutside(c *component) bool {
	s.find(c)
	return c.remembered.outside
}

// outsideMoves reports whether something is on its way that the apps of a component need
// outside it.
func (s *supply) outsideMoves(c *component) bool {
	s.find(c)
	return c.remembered.moves
}

// find finds which members of a component lack something, unless nothing has changed
// since it was last found. It begins with what each member lacks itself, and goes on to
// those that need it: that the others of a circle are well does not make one of them well.
func (s *supply) find(c *component) {
	if c.remembered.supply == s.epoch {
		return
	}
	c.remembered.supply, c.remembered.outside, c.remembered.moves = s.epoch, true, false
	c.remembered.rises = slices.ContainsFunc(c.members, func(m *Entry) bool {
		return m.Managed && m.keeper.moves() && !m.keeper.healthy()
	})
	if c.remembered.lacking == nil {
		c.remembered.lacking = make([]bool, len(c.members))
	}
	lacking := c.remembered.lacking
	var queue []int
	for place, m := range c.members {
		outside, inside := s.lacks(m)
		lacking[place] = outside || inside
		if lacking[place] {
			queue = append(queue, place)
		}
		if outside && m.Managed && !m.job { // what a job needs comes before that alone
			c.remembered.outside = false
			c.remembered.moves = c.remembered.moves || slices.ContainsFunc(m.needs, s.outsideMove)
		}
	}
	spread := func(places []int) {
		for _, place := range places {
			if !lacking[place] {
				lacking[place] = true
				queue = append(queue, place)
			}
		}
	}
	grouped := false
	for ; len(queue) > 0; queue = queue[1:] {
		place := queue[0]
		if m := c.members[place]; m.job || !m.Managed {
			continue // what it lacks is no lack of others
		}
		if c.inside != nil {
			spread(c.inside[place])
		}
		if !grouped {
			grouped = c.spreadInGroups(place, spread)
		}
	}
}

// spreadInGroups lets those know that need a member by a group, and reports whether there
// is one and it is the only group.
func (c *component) spreadInGroups(place int, spread func([]int)) bool {
	for _, g := range c.groups {
		if slices.Contains(g.members, c.members[place]) {
			spread(g.needing)
			return len(c.groups) == 1
		}
	}
	return false
}

// outsideMove reports whether an app at the end of a link out of a component is on its way.
func (s *supply) outsideMove(n need) bool {
	return !n.inside && !n.Optional && n.to.Managed && n.to.keeper.moves()
}

// lacks reports whether something that an app needs itself is not up, outside its component
// or inside. Called with the lock held.
func (s *supply) lacks(e *Entry) (outside, inside bool) {
	for _, n := range e.needs {
		switch {
		case n.Optional:
		case n.inside:
			inside = inside || !n.met(e.keeper)
		default:
			outside = outside || !s.holds(n, e.keeper)
		}
	}
	if e.group != nil && !inside {
		inside = s.lacksInGroup(e)
	}
	return outside, inside
}

// lacksInGroup reports whether another app of its group, to which it has no link of its
// own, is not up.
func (s *supply) lacksInGroup(e *Entry) bool {
	return slices.ContainsFunc(s.waitingIn(e.group), func(m *Entry) bool {
		return e.needsByGroup(m) && !need{to: m, inside: true}.met(e.keeper)
	})
}

// waitingIn are the members of a group that are not healthy, or jobs.
func (s *supply) waitingIn(g *group) []*Entry {
	s.lookAt(g)
	return g.remembered.waiting
}

// specialIn are those of waitingIn that failed, are held down, or are jobs.
func (s *supply) specialIn(g *group) []*Entry {
	s.lookAt(g)
	return g.remembered.special
}

// lookAt finds them, unless nothing has changed since they were last found.
func (s *supply) lookAt(g *group) {
	if g.remembered.epoch == s.epoch {
		return
	}
	g.remembered.epoch = s.epoch
	g.remembered.waiting, g.remembered.special = nil, nil // others may still go through them
	for _, m := range g.members {
		if !m.job && (need{to: m, inside: true}).met(nil) {
			continue
		}
		g.remembered.waiting = append(g.remembered.waiting, m)
		if m.job || m.keeper.state == Failed || m.keeper.isHeldDown() {
			g.remembered.special = append(g.remembered.special, m)
		}
	}
}

// unmetNeeds are the names of the apps that this one still waits for, sorted. Nil: it waits
// for its turn.
func (s *supply) unmetNeeds(k *Keeper) []string {
	e := k.Entry()
	var names []string
	for _, n := range e.needs {
		if !n.Optional && !s.holds(n, k) {
			names = append(names, n.to.Name)
		}
	}
	if e.group != nil {
		for _, m := range s.waitingIn(e.group) {
			if e.needsByGroup(m) && !(need{to: m, inside: true}).met(k) {
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
	e := k.Entry()
	var names []string
	for _, n := range e.needs {
		if n.Optional && n.before() && n.to.Managed && n.to.keeper.state != Failed && !n.met(k) {
			names = append(names, n.to.Name)
		}
	}
	if e.group != nil {
		for _, m := range e.group.members {
			if e.needsByGroup(m) && !s.holds(need{to: m, inside: true}, k) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

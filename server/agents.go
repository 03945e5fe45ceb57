package server

import "strings"

// agents are the parts of user agents that must not wake an app. Every request's user
// agent is searched for all of them, and hardly ever has one: so what is looked at first
// are three bytes, of which few are the beginning of a part. The nil agents have no part.
type agents struct {
	begin  [triples / 64]uint64 // a bit for each triple that a part begins with
	parts  map[uint][]string    // :: triple → the parts that begin with it, in lower case
	others []string             // those that are shorter, or not ASCII
}

// newAgents makes a set of parts, blanks around them cut off; nil if there are none.
func newAgents(parts []string) *agents {
	var a *agents
	for _, part := range parts {
		if part = strings.ToLower(strings.TrimSpace(part)); part == "" {
			continue
		}
		if a == nil {
			a = &agents{parts: map[uint][]string{}}
		}
		a.add(part)
	}
	return a
}

func (a *agents) add(part string) {
	if len(part) < 3 || strings.ContainsFunc(part, func(r rune) bool { return r >= 0x80 }) {
		a.others = append(a.others, part)
		return
	}
	var t uint
	for i := range 3 {
		t = shift(t, part[i])
	}
	a.begin[t/64] |= 1 << (t % 64)
	a.parts[t] = append(a.parts[t], part)
}

// in tells whether a user agent has one of the parts, in any case. It does not allocate.
func (a *agents) in(agent string) bool {
	if a == nil {
		return false
	}
	var t uint
	for i := range len(agent) {
		t = shift(t, agent[i])
		if a.begin[t/64]&(1<<(t%64)) != 0 && i >= 2 && a.at(agent[i-2:], t) {
			return true
		}
	}
	for _, part := range a.others {
		if containsFold(agent, part) {
			return true
		}
	}
	return false
}

// at tells whether a text begins with one of the parts of its triple.
func (a *agents) at(text string, triple uint) bool {
	for _, part := range a.parts[triple] {
		if len(part) <= len(text) && strings.EqualFold(text[:len(part)], part) {
			return true
		}
	}
	return false
}

// triples is how many values a triple has: five bits of each of its bytes, which are
// the same for a letter in either case, and now and then for other bytes too.
const triples = 1 << 15

// shift is the triple one byte on.
func shift(triple uint, next byte) uint { return (triple<<5 | uint(next&31)) % triples }

// containsFold tells whether s contains part, which is in lower case, in any case. It
// does not allocate.
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

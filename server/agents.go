package server

import "strings"

// agents are the parts of user agents that must not wake an app. Every request's user
// agent is searched for all of them, and hardly ever has one: so three bytes are looked at,
// then the next three, for as long as they belong to none. Whatever place a part stands at,
// three of its bytes are looked at that way if it is long enough. The nil agents have no
// part.
type agents struct {
	known  [triples / 64]uint64 // a bit for each triple that parts are found by
	parts  map[uint][]placed    // :: triple → the parts that are found by it
	others []string             // those that are too short, or not ASCII, in lower case
}

// placed is a part, in lower case, and where in it the triple begins by which it is found.
type placed struct {
	text string
	at   int
}

const (
	// stride is from one triple that is looked at to the next.
	stride = 3
	// shortest is the length of a part that has a triple at each place of a stride.
	shortest = 2*stride - 1
)

// usual are user agents of browsers: a part is best found by what none of them has.
const usual = "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/140.0.0.0 mobile safari/537.36 edg/140.0" +
	" (macintosh; intel mac os x 10_15_7) version/17.4 (x11; ubuntu; linux x86_64; rv:140.0) gecko/20100101 firefox/140.0 (linux; android 10; k)" +
	" (iphone; cpu iphone os 17_4 like mac os x) mobile/15e148 crios/140 fxios/140 opr/120 samsungbrowser/28"

// newAgents makes a set of parts, blanks around them cut off; nil if there are none.
func newAgents(parts []string) *agents {
	var a *agents
	for _, part := range parts {
		if part = strings.ToLower(strings.TrimSpace(part)); part == "" {
			continue
		}
		if a == nil {
			a = &agents{parts: map[uint][]placed{}}
		}
		a.add(part)
	}
	return a
}

func (a *agents) add(part string) {
	if len(part) < shortest || strings.ContainsFunc(part, func(r rune) bool { return r >= 0x80 }) {
		a.others = append(a.others, part)
		return
	}
	from := rarest(part)
	for at := from; at < from+stride; at++ {
		t := triple(part[at:])
		a.known[t/64] |= 1 << (t % 64)
		a.parts[t] = append(a.parts[t], placed{part, at})
	}
}

// rarest is where in a part the triples begin that browsers have the fewest of.
func rarest(part string) int {
	best, least := 0, stride+1
	for from := 0; from+shortest <= len(part); from++ {
		seen := 0
		for at := from; at < from+stride; at++ {
			if strings.Contains(usual, part[at:at+stride]) {
				seen++
			}
		}
		if seen < least {
			best, least = from, seen
		}
	}
	return best
}

// in tells whether a user agent has one of the parts, in any case. It does not allocate.
func (a *agents) in(agent string) bool {
	if a == nil {
		return false
	}
	for i := 0; i+stride <= len(agent); i += stride {
		t := triple(agent[i:])
		if a.known[t/64]&(1<<(t%64)) != 0 && a.around(agent, i, t) {
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

// around tells whether a text has one of the parts of the triple that begins at i.
func (a *agents) around(text string, i int, triple uint) bool {
	for _, part := range a.parts[triple] {
		begin := i - part.at
		if end := begin + len(part.text); begin >= 0 && end <= len(text) && strings.EqualFold(text[begin:end], part.text) {
			return true
		}
	}
	return false
}

// triples is how many values a triple has: five bits of each of its bytes, which are
// the same for a letter in either case, and now and then for other bytes too.
const triples = 1 << 15

// triple is that of the first three bytes of a text, which has as many.
func triple(s string) uint {
	return uint(s[0]&31)<<10 | uint(s[1]&31)<<5 | uint(s[2]&31)
}

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

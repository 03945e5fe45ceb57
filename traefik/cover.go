package traefik

import (
	"strconv"
	"strings"
)

// cover is what puts something of its own in place of answers: errors by their status, a
// circuit breaker after some of them. The zero value does not.
type cover struct {
	statuses string // as in the labels of errors: "500-599,404"
	breaks   bool
}

// covers reports whether an answer of a status may not get to the visitor.
func (c cover) covers(status int) bool {
	if c.breaks {
		return true
	}
	for part := range strings.SplitSeq(c.statuses, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.Atoi(low)
		to := from
		if isRange && err == nil {
			to, err = strconv.Atoi(high)
		}
		if err == nil && from <= status && status <= to {
			return true
		}
	}
	return false
}

// Covering returns those of the middlewares before the one of that name that may put
// something of their own in place of its answers of a status; see Uses. It also returns
// those before it of which that is not known. If the one of that name is not seen, there
// are none: it may be anywhere.
func (c Catalog) Covering(names []string, provider, name string, status int) (covering, unknown []string) {
	for m, there := range c.flattened(names, provider) {
		switch {
		case isNamed(m, name):
			return covering, unknown
		case !there || m.opaque:
			unknown = append(unknown, m.Name)
		case m.cover.covers(status):
			covering = append(covering, m.Name)
		}
	}
	return nil, nil
}

// Sparing is the middleware of a name, or, if it is one that looks at the status of answers
// or a chain with such a one in it, what is left without them.
func (c Catalog) Sparing(name string) []string {
	var left []string
	covers := false
	for m := range c.flattened([]string{name}, "") {
		if m.cover != (cover{}) {
			covers = true
		} else {
			left = append(left, m.Name)
		}
	}
	if !covers {
		return []string{name}
	}
	return left
}

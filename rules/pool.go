package rules

import (
	"reflect"
	"strings"
)

// Pool lets apps of which the same is said have one Resolved: of many apps most are like that.
// The zero value is empty.
type Pool struct {
	// known :: the places of rules that apply → the last Resolved of an app without labels of
	// its own.
	known map[string]*Resolved
}

// Share returns what another app has if it is the same as r, else r itself. It must not be
// changed any more.
func (p *Pool) Share(r Resolved) *Resolved {
	if r.own {
		return &r
	}
	places := r.places()
	if known := p.known[places]; known != nil && reflect.DeepEqual(*known, r) {
		return known
	}
	if p.known == nil {
		p.known = map[string]*Resolved{}
	}
	p.known[places] = &r
	return &r
}

// places are those of the rules that apply, a line each.
func (r *Resolved) places() string {
	var places strings.Builder
	for _, m := range r.Matches {
		places.WriteString(m.Origin)
		places.WriteByte('\n')
	}
	return places.String()
}

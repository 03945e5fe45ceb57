package registry

import (
	"log/slog"
	"slices"
	"time"
)

// settleTime is how long a problem lasts before it is told. Containers are made and replaced
// one after the other: for an instant a stack lacks an app, or has one twice.
const settleTime = 10 * time.Second

// problem is one of the inventory's.
type problem struct {
	since time.Time // zero: since Paastis runs
	told  bool
}

// warnings are the inventory's problems, and those of publishing to the Traefiks that fetch
// the routes, a line each. Called with the lock held.
func (r *Registry) warnings() []string {
	var told []string
	for _, p := range r.publisher.pollers {
		told = append(told, p.to.problems...)
	}
	told = append(told, r.contradictions(time.Now())...)
	slices.Sort(told)
	return append(r.definitions.inventory.Load().Problems(), slices.Compact(told)...)
}

// note takes in which problems there are now. Called with the lock held.
func (r *Registry) note(texts []string, now time.Time) {
	if r.loading {
		now = time.Time{}
	}
	before := r.problems
	r.problems = make(map[string]*problem, len(texts))
	for _, text := range texts {
		known := before[text]
		if known == nil {
			known = &problem{since: now}
			r.untold = true
		}
		r.problems[text] = known
	}
}

// tell logs, once, each problem that has lasted.
func (p *pass) tell() {
	if !p.reg.untold {
		return
	}
	p.reg.untold = false
	for _, text := range p.reg.warnings() {
		switch it := p.reg.problems[text]; {
		case it == nil || it.told:
		case p.now.Sub(it.since) >= settleTime:
			p.reg.journal.say(slog.LevelWarn, text)
			it.told = true
		default:
			p.at(it.since.Add(settleTime))
			p.reg.untold = true
		}
	}
}

package registry

import (
	"context"
	"slices"
	"time"
)

// foundLimit is how long the apps that were found running may take to answer before Paastis
// itself begins to.
const foundLimit = time.Second

// mover moves the apps: whenever something has happened, and when time alone may.
type mover struct {
	*core
	keepers  *keeperSet
	tasks    *tasks
	problems *problems
	newPass  func(now time.Time) *pass // is called with r.mu held
}

// run moves the apps until ctx ends, and begins what takes time. It does not wait for that.
func (m *mover) run(ctx context.Context) {
	timer := time.AfterFunc(0, m.nudge)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-m.nudged:
		}
		next := m.advance(time.Now())
		m.tasks.begin(ctx)
		timer.Reset(time.Until(next))
	}
}

// advance moves every app as far as it can go now, leaves what takes time to do, and
// returns when time alone could move one again.
func (m *mover) advance(now time.Time) time.Time {
	m.mu.Lock()
	defer m.unlock()
	p := m.newPass(now)
	for p.changed {
		p.begin()
		for _, k := range slices.Clone(m.keepers.stepped) { // a step may add to them
			if p.changes[k] < mostChanges {
				p.step(k)
			}
		}
	}
	p.at(m.problems.tell(now))
	return p.next
}

// tryFound moves the apps until those that were found running have answered their probes, or
// had their time: nobody is turned away by one that serves.
func (m *mover) tryFound(ctx context.Context) {
	limit := time.NewTimer(foundLimit)
	defer limit.Stop()
	for {
		m.advance(time.Now())
		m.tasks.beginProbes(ctx)
		m.mu.Lock()
		probing := m.keepers.probesFound()
		m.unlock()
		if !probing {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		case <-m.nudged:
		}
	}
}

package registry

import (
	"iter"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// summaries are what the sleep of apps is decided by, at one moment. They are made and used with
// the registry's lock held.
type summaries struct {
	now       time.Time
	supply    *supply
	publisher *Publisher
	contacts  *contacts
	found     map[*inventory.Component]summaryAt
	lastUse   map[*inventory.Component]time.Time
}

// summaryAt is a summary with the epoch in which it holds.
type summaryAt struct {
	summary
	epoch uint64
}

// newSummaries makes some that nothing is known of so far. Called with the lock held.
func newSummaries(now time.Time, supply *supply, publisher *Publisher, contacts *contacts) *summaries {
	return &summaries{
		now: now, supply: supply, publisher: publisher, contacts: contacts,
		found: map[*inventory.Component]summaryAt{}, lastUse: map[*inventory.Component]time.Time{},
	}
}

// forgetUse takes in that apps may have been used since.
func (o *summaries) forgetUse() { clear(o.lastUse) }

// summary is what the awake apps of a component come to, for the sleep of each of them.
type summary struct {
	maxIdle   time.Duration
	waking    string // one that is on its way up
	open      int
	kept      reason.Reason
	keptUntil time.Time
	unreached reason.Reason
	watched   bool
	quiet     time.Duration
	use       idle.Use
	user      *Keeper  // of whom the use tells
	neededBy  []string // the names of the awake apps outside that need one of them
}

// snapshot is what the idle decision looks at: the app's component as one.
func (o *summaries) snapshot(k *Keeper) idle.Snapshot {
	sum, sampling := o.of(k.Definition().Component), samplingOf(k)
	s := idle.Snapshot{
		MaxIdle: max(k.Definition().MaxIdleTime, sum.maxIdle), LastUse: o.used(k.Definition().Component), NotBefore: k.failures.stopAfter,
		Sampled: sum.watched || sampling.isOn(), Quiet: max(sampling.quiet(), sum.quiet), SleepAsked: k.manual.sleepAsked, Forced: k.manual.sleepForced, Pause: sampling.pause(),
		Waking: sum.waking, Open: sum.open, Kept: sum.kept, KeptUntil: sum.keptUntil, Unreached: sum.unreached, Use: sum.use, NeededBy: sum.neededBy,
	}
	if s.Pause == 0 && (o.publisher.pollers.direct(k) || k.app.Published) {
		s.Every = sampling.every()
	}
	if last, any := k.usage.last(); any {
		s.SampledAt = last.Ended
	}
	if !s.Use.Reason.IsZero() && sum.user != k {
		s.Use.Reason.Apps = []string{sum.user.Name()}
	}
	return s
}

// of finds it, unless nothing has changed since it was last found in this pass.
func (o *summaries) of(c *inventory.Component) *summary {
	sum, found := o.found[c]
	if found && sum.epoch == o.supply.epoch {
		return &sum.summary
	}
	sum = summaryAt{epoch: o.supply.epoch, summary: summary{use: idle.Use{Quiet: true}, neededBy: inventory.NamesOf(needing(c))}}
	for _, e := range c.Members {
		if e.Managed && KeeperOf(e).awake() {
			o.include(&sum.summary, KeeperOf(e))
		}
	}
	o.found[c] = sum
	return &sum.summary
}

// include adds an awake app.
func (o *summaries) include(s *summary, m *Keeper) {
	s.maxIdle = max(s.maxIdle, m.Definition().MaxIdleTime)
	if m.state == Starting {
		s.waking = m.Name()
	}
	s.open += int(m.inFlight.Load())
	if why := o.contacts.unreached(m); !why.IsZero() {
		s.unreached = why
	}
	s.keep(m.manual.kept(m.Definition(), o.now))
	s.keep(o.publisher.pollers.unturnable(m, o.now))
	s.keep(o.publisher.bypass.unseen(m, o.now))
	if run := m.jobRun(); run.goesOn(o.now) {
		s.keep(reason.Reason{Kind: reason.JobRuns, Apps: []string{m.Name()}}, run.deadline)
	}
	sampling := samplingOf(m)
	if !sampling.isOn() || !m.app.Alive() {
		return
	}
	quiet := sampling.quiet()
	use := m.usage.samples.Use(m.Definition().Properties, quiet, m.mayBeSilent(o.now))
	if s.use.Reason.IsZero() {
		s.use.Reason, s.user = use.Reason, m
	}
	s.use.Quiet = s.use.Quiet && use.Quiet
	s.watched = true
	s.quiet = max(s.quiet, quiet)
}

// keep adds what keeps the app awake until a time: what does so the longest counts.
func (s *summary) keep(why reason.Reason, until time.Time) {
	if until.After(s.keptUntil) {
		s.kept, s.keptUntil = why, until
	}
}

// needing are the awake apps outside a component that need one of its members, also by way
// of some that somebody has stopped.
func needing(c *inventory.Component) []*inventory.Definition {
	var found []*inventory.Definition
	seen := map[*inventory.Component]bool{c: true}
	for queue := []*inventory.Component{c}; len(queue) > 0; queue = queue[1:] {
		for _, d := range queue[0].Dependents {
			switch {
			case KeeperOf(d).awake():
				found = append(found, d)
			case !seen[d.Component]:
				seen[d.Component] = true
				queue = append(queue, d.Component)
				for _, m := range d.Component.Members { // each of which needs the one that does not run
					if KeeperOf(m).awake() {
						found = append(found, m)
					}
				}
			}
		}
	}
	return found
}

// used is when a component was last of use, to its own visitors or to those of the apps
// that need it.
func (o *summaries) used(c *inventory.Component) time.Time {
	if last, ok := o.lastUse[c]; ok {
		return last
	}
	var last time.Time
	for _, m := range c.Members {
		last = latest(last, KeeperOf(m).lastUse())
	}
	if len(c.Members) == 1 && len(c.Dependents) == 0 {
		return last
	}
	for _, d := range c.Dependents {
		last = latest(last, o.used(d.Component))
	}
	o.lastUse[c] = last
	return last
}

// usedAfter reports whether a component was used after a time, by itself or by what needs it.
func usedAfter(c *inventory.Component, known time.Time) bool {
	return (&summaries{lastUse: map[*inventory.Component]time.Time{}}).used(c).After(known)
}

// managed are the keepers of the members that Paastis may start and stop.
func managed(c *inventory.Component) iter.Seq[*Keeper] {
	return func(yield func(*Keeper) bool) {
		for _, m := range c.Members {
			if m.Managed && !yield(KeeperOf(m)) {
				return
			}
		}
	}
}

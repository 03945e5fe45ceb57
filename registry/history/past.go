package history

import (
	"slices"
	"time"
)

// Past is what an app did before. The zero value: nothing is known of it. It has no lock.
type Past struct {
	wakes    []Wake    // the last ones, oldest first
	timeline timeline  // what it did, and since when it does what it does
	lastUse  time.Time // in a wake before, or before Paastis started
}

// Use notes when the app was of use in a wake that is over.
func (p *Past) Use(at time.Time) {
	if at.After(p.lastUse) {
		p.lastUse = at
	}
}

// LastUse is when the app was last of use in a wake that is over, or before Paastis started.
// Zero: not known.
func (p *Past) LastUse() time.Time { return p.lastUse }

// AddWake adds a way up, and forgets the oldest of too many.
func (p *Past) AddWake(w Wake) {
	p.wakes = append(p.wakes[max(0, len(p.wakes)-wakesKept+1):], w)
}

// Wakes are the last ways up, oldest first, in a slice of the caller's. Nil: none is known.
func (p *Past) Wakes() []Wake { return slices.Clone(p.wakes) }

// Enter takes in what the app does from a time on.
func (p *Past) Enter(what Phase, at time.Time) { p.timeline.enter(what, at) }

// Current is since when the app does what it does. Zero: nothing is known of it.
func (p *Past) Current() time.Time {
	if p.timeline.from == 0 {
		return time.Time{}
	}
	return time.Unix(0, p.timeline.from)
}

// IsEmpty reports whether the app has done one thing alone so far, or nothing.
func (p *Past) IsEmpty() bool { return len(p.timeline.past) == 0 }

// Spans are the whole history until now, oldest first, without gaps.
func (p *Past) Spans(now time.Time) []Span { return p.timeline.spans(now) }

// Since is what the app did since a time, oldest first, without gaps, until now; no further
// back than Kept. What is not known is Unknown. Nil if the time is not past.
func (p *Past) Since(from, now time.Time) []Span {
	if oldest := now.Add(-Kept); from.Before(oldest) {
		from = oldest
	}
	if !from.Before(now) {
		return nil
	}
	var spans []Span
	for _, s := range p.timeline.spans(now) {
		if s.To.After(from) {
			spans = append(spans, s.after(from))
		}
	}
	switch {
	case len(spans) == 0:
		spans = []Span{{From: from, To: now, State: Unknown}}
	case spans[0].From.After(from):
		spans = slices.Insert(spans, 0, Span{From: from, To: spans[0].From, State: Unknown})
	}
	return spans
}

// Saved is what the app's sleep has spared, for the memory that it takes, in bytes; 0: that is
// not known.
func (p *Past) Saved(ram uint64, now time.Time) Savings {
	of := func(time time.Time) Saving {
		s := Saving{Asleep: p.timeline.slept(time, now), MemoryKnown: ram > 0}
		s.MemoryByteSeconds = s.Asleep.Seconds() * float64(ram)
		return s
	}
	return Savings{Day: of(now.Add(-24 * time.Hour)), Month: of(now.Add(-Kept))}
}

// Restore goes on with what another Paastis has remembered.
func (p *Past) Restore(m App, now time.Time) {
	p.wakes = slices.Clone(m.Wakes[max(0, len(m.Wakes)-wakesKept):])
	if m.LastActivity.Before(now) {
		p.lastUse = m.LastActivity
	}
	p.timeline = timelineOf(m.Spans, now)
}

// UsualWake is how long the app's wakes take: the median of those that it remembers.
// Zero if there was none that succeeded.
func (p *Past) UsualWake() time.Duration {
	var took []time.Duration
	for _, w := range p.wakes {
		if w.Failed == nil {
			took = append(took, w.Took)
		}
	}
	if took == nil {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

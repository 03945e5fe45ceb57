// Package history is what apps did before: of each its last ways up and the times in which it
// was awake or asleep (Past), what that has spared (Savings), and what of it outlives Paastis
// (State), in a file (FileStore).
//
//	asleep 2h ── awake 12m ── asleep 30h ── failed 5m ── awake …
//	└───────────── records: over ─────────────────┘     └ goes on
//
// What is not known is told as Unknown, and counts as no sleep. Nothing here asks what time it
// is but the archive, for when it saves; all else is told. A Past has no lock of its own.
package history

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// Kept is how far back the history of an app goes.
const Kept = 30 * 24 * time.Hour

const (
	// wakesKept is how many of an app's last wakes are remembered.
	wakesKept = 20
	// recordsKept is how many records of an app's history are told apart. Of more, short
	// ones that are longest ago are told with those beside them.
	recordsKept = 400
)

// Wake is one way up of an app.
type Wake struct {
	// At is when it began.
	At time.Time
	// Took is the time until requests could pass, or until it failed.
	Took time.Duration
	// Failed is why it failed. Nil: it did not. It must not be changed.
	Failed *reason.Reason
}

// Phase is what an app did for a time.
type Phase string

const (
	// Unknown: Paastis did not look, or did not manage it.
	Unknown Phase = "unknown"
	// Awake: it ran, or was on its way up or down.
	Awake Phase = "awake"
	// Asleep: it did not run.
	Asleep Phase = "asleep"
	// Failed: it could not be woken.
	Failed Phase = "failed"
)

var phases = []Phase{Unknown, Awake, Asleep, Failed}

// Span is a time of an app's history.
type Span struct {
	From, To time.Time
	State    Phase
	// Asleep is for how long it did not run meanwhile, if State is not all that happened:
	// what was shorter and long ago is told with what was before it.
	Asleep time.Duration
}

// after is the part of a span that is after a time. One that begins later is as it is.
func (s Span) after(from time.Time) Span {
	if s.From.Before(from) {
		s.Asleep = record{from: s.From.UnixNano(), asleep: s.Asleep}.sleptAfter(from.UnixNano(), s.To.UnixNano())
		s.From = from
	}
	return s
}

// Saving is what the sleep of an app has spared.
type Saving struct {
	// Asleep is for how long it slept. What Paastis does not know of does not count.
	Asleep time.Duration
	// MemoryByteSeconds is that time, by the memory that the app took when that was last
	// measured. Zero if it is not known.
	MemoryByteSeconds float64
	MemoryKnown       bool
}

// Savings are those of the last 24 hours and of the last 30 days.
type Savings struct{ Day, Month Saving }

// timeline is what an app has done so far: records of what is over, oldest first, without a
// gap between them, and what goes on. Times are in Unix nanoseconds: it is kept of each app.
type timeline struct {
	past []record
	from int64 // since when it does what it does; 0: nothing is known of it yet
	now  Phase
}

// record is of what is over: it ends where the next begins.
type record struct {
	from   int64
	asleep time.Duration
	did    Phase
}

// enter takes in what the app does from a time on.
func (h *timeline) enter(did Phase, at time.Time) {
	now := at.UnixNano()
	h.rewind(now)
	switch {
	case h.from == 0:
		h.from, h.now = now, did
		return
	case h.now == did:
		return
	case now > h.from:
		h.close(now)
		h.from = now
	}
	h.now = did
}

// rewind forgets what is still to come: the clock was put back.
func (h *timeline) rewind(now int64) {
	if now >= h.from {
		return
	}
	for n := len(h.past); n > 0; n = len(h.past) {
		last := &h.past[n-1]
		if last.from < now {
			last.asleep -= last.sleptAfter(now, h.from)
			break
		}
		h.from, h.past = last.from, h.past[:n-1]
	}
	h.from = now
}

// close makes a record of what goes on: it ends.
func (h *timeline) close(now int64) {
	s := record{from: h.from, did: h.now}
	if s.did == Asleep {
		s.asleep = time.Duration(now - s.from)
	}
	h.past = append(h.past, s)
	first := 0
	for first+1 < len(h.past) && h.past[first+1].from < now-int64(Kept) {
		first++
	}
	h.past = slices.Delete(h.past, 0, first)
	if len(h.past) > recordsKept {
		h.merge()
	}
}

// merge tells the shortest record of the older half with the one before it. The time that
// it slept stays exact.
func (h *timeline) merge() {
	shortest := 1
	for i := 1; i < len(h.past)/2; i++ {
		if h.length(i) < h.length(shortest) {
			shortest = i
		}
	}
	h.past[shortest-1].asleep += h.past[shortest].asleep
	h.past = slices.Delete(h.past, shortest, shortest+1)
	if before := shortest - 1; h.past[before].did == h.past[shortest].did {
		h.past[before].asleep += h.past[shortest].asleep
		h.past = slices.Delete(h.past, shortest, shortest+1)
	}
}

func (h *timeline) length(i int) int64 { return h.end(i) - h.past[i].from }

// spans are the whole history until now.
func (h *timeline) spans(now time.Time) []Span {
	if h.from == 0 {
		return nil
	}
	h.rewind(now.UnixNano())
	spans := make([]Span, 0, len(h.past)+1)
	for i, s := range h.past {
		spans = append(spans, Span{From: time.Unix(0, s.from), To: time.Unix(0, h.end(i)), State: s.did, Asleep: s.asleep})
	}
	last := Span{From: time.Unix(0, h.from), To: now, State: h.now}
	if last.State == Asleep {
		last.Asleep = last.To.Sub(last.From)
	}
	return joined(append(spans, last))
}

// joined makes one of spans that follow each other in the same state: what was between
// them took no time.
func joined(spans []Span) []Span {
	kept := spans[:1]
	for _, s := range spans[1:] {
		if last := &kept[len(kept)-1]; last.State == s.State {
			last.To, last.Asleep = s.To, last.Asleep+s.Asleep
		} else {
			kept = append(kept, s)
		}
	}
	return kept
}

// slept is for how long the app slept since a time.
func (h *timeline) slept(since, now time.Time) time.Duration {
	if h.from == 0 {
		return 0
	}
	h.rewind(now.UnixNano())
	var slept time.Duration
	for i, s := range h.past {
		slept += s.sleptAfter(since.UnixNano(), h.end(i))
	}
	if last := now.UnixNano(); h.now == Asleep && last > h.from {
		slept += record{from: h.from, asleep: time.Duration(last - h.from)}.sleptAfter(since.UnixNano(), last)
	}
	return slept
}

// end is where a record ends.
func (h *timeline) end(i int) int64 {
	if i+1 < len(h.past) {
		return h.past[i+1].from
	}
	return h.from
}

// sleptAfter is the part of a record's sleep that is after a time, as if it was spread
// evenly.
func (s record) sleptAfter(since, end int64) time.Duration {
	switch {
	case s.from >= since:
		return s.asleep
	case end <= since:
		return 0
	default:
		return time.Duration(float64(s.asleep) * (float64(end-since) / float64(end-s.from)))
	}
}

// timelineOf goes on with a history: what was between its end and now is unknown. Spans that
// cannot be are left out, and so are those that ended too long ago; one that is still to end
// is cut: the clock was put back.
func timelineOf(spans []Span, now time.Time) timeline {
	var h timeline
	for _, s := range spans {
		if s.To.After(now) {
			s.To = now
		}
		if !slices.Contains(phases, s.State) || s.From.UnixNano() < h.from || s.From.Before(time.Unix(0, 1)) ||
			s.To.Before(s.From) || now.Sub(s.To) > Kept {
			continue
		}
		switch from := s.From.UnixNano(); {
		case h.from == 0:
			h.from = from
		case from > h.from:
			h.close(from)
		}
		h.past = append(h.past, record{from: s.From.UnixNano(), did: s.State, asleep: min(s.Asleep, s.To.Sub(s.From))})
		h.from, h.now = s.To.UnixNano(), Unknown
	}
	return h
}

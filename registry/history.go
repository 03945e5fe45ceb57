package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// HistoryKept is how far back the history of an app goes.
const HistoryKept = 30 * 24 * time.Hour

const (
	// wakesKept is how many of an app's last wakes are remembered.
	wakesKept = 20
	// stretchesKept is how many stretches of an app's history are told apart. Of more, short
	// ones that are longest ago are told with those beside them.
	stretchesKept = 400
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

// Lived is what an app did for a time.
type Lived string

const (
	// LivedUnknown: Paastis did not look, or did not manage it.
	LivedUnknown Lived = "unknown"
	// LivedAwake: it ran, or was on its way up or down.
	LivedAwake Lived = "awake"
	// LivedAsleep: it did not run.
	LivedAsleep Lived = "asleep"
	// LivedFailed: it could not be woken.
	LivedFailed Lived = "failed"
)

var allLived = []Lived{LivedUnknown, LivedAwake, LivedAsleep, LivedFailed}

// Span is a time of an app's history.
type Span struct {
	From, To time.Time
	State    Lived
	// Asleep is for how long it did not run meanwhile, if State is not all that happened:
	// what was shorter and long ago is told with what was before it.
	Asleep time.Duration
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

// history is what an app has done so far: stretches that are over, oldest first, without a
// gap between them, and the one that goes on. Times are in Unix nanoseconds: it is kept of
// each app. Guarded by the registry's lock.
type history struct {
	past []stretch
	from int64 // since when it does what it does; 0: nothing is known of it yet
	now  Lived
}

// stretch is one that is over: it ends where the next begins.
type stretch struct {
	from   int64
	asleep time.Duration
	did    Lived
}

// turn takes in what the app does from a time on.
func (h *history) turn(did Lived, at time.Time) {
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
func (h *history) rewind(now int64) {
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

// close ends the stretch that goes on.
func (h *history) close(now int64) {
	s := stretch{from: h.from, did: h.now}
	if s.did == LivedAsleep {
		s.asleep = time.Duration(now - s.from)
	}
	h.past = append(h.past, s)
	first := 0
	for first+1 < len(h.past) && h.past[first+1].from < now-int64(HistoryKept) {
		first++
	}
	h.past = slices.Delete(h.past, 0, first)
	if len(h.past) > stretchesKept {
		h.blur()
	}
}

// blur tells the shortest stretch of the older half with the one before it. The time that
// it slept stays exact.
func (h *history) blur() {
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

func (h *history) length(i int) int64 { return h.end(i) - h.past[i].from }

// spans are the whole history until now.
func (h *history) spans(now time.Time) []Span {
	if h.from == 0 {
		return nil
	}
	h.rewind(now.UnixNano())
	spans := make([]Span, 0, len(h.past)+1)
	for i, s := range h.past {
		spans = append(spans, Span{From: time.Unix(0, s.from), To: time.Unix(0, h.end(i)), State: s.did, Asleep: s.asleep})
	}
	last := Span{From: time.Unix(0, h.from), To: now, State: h.now}
	if last.State == LivedAsleep {
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
func (h *history) slept(since, now time.Time) time.Duration {
	if h.from == 0 {
		return 0
	}
	h.rewind(now.UnixNano())
	var slept time.Duration
	for i, s := range h.past {
		slept += s.sleptAfter(since.UnixNano(), h.end(i))
	}
	if last := now.UnixNano(); h.now == LivedAsleep && last > h.from {
		slept += stretch{from: h.from, asleep: time.Duration(last - h.from)}.sleptAfter(since.UnixNano(), last)
	}
	return slept
}

// end is where a stretch of the past ends.
func (h *history) end(i int) int64 {
	if i+1 < len(h.past) {
		return h.past[i+1].from
	}
	return h.from
}

// sleptAfter is the part of a stretch's sleep that is after a time, as if it was spread
// evenly.
func (s stretch) sleptAfter(since, end int64) time.Duration {
	switch {
	case s.from >= since:
		return s.asleep
	case end <= since:
		return 0
	default:
		return time.Duration(float64(s.asleep) * (float64(end-since) / float64(end-s.from)))
	}
}

// History is what an app did since a time, oldest first, without gaps, until now. What is
// not known is LivedUnknown. Nil if the time is not past.
func (r *Registry) History(k *Keeper, from time.Time) []Span {
	now := time.Now()
	r.mu.Lock()
	defer r.unlock()
	if oldest := now.Add(-HistoryKept); from.Before(oldest) {
		from = oldest
	}
	if !from.Before(now) {
		return nil
	}
	var spans []Span
	for _, s := range k.past.history.spans(now) {
		if !s.To.After(from) {
			continue
		}
		if s.From.Before(from) {
			s.Asleep = stretch{from: s.From.UnixNano(), asleep: s.Asleep}.sleptAfter(from.UnixNano(), s.To.UnixNano())
			s.From = from
		}
		spans = append(spans, s)
	}
	switch {
	case len(spans) == 0:
		spans = []Span{{From: from, To: now, State: LivedUnknown}}
	case spans[0].From.After(from):
		spans = slices.Insert(spans, 0, Span{From: from, To: spans[0].From, State: LivedUnknown})
	}
	return spans
}

// saved is what the app's sleep has spared.
func (p *past) saved(ram uint64, now time.Time) Savings {
	of := func(time time.Time) Saving {
		s := Saving{Asleep: p.history.slept(time, now), MemoryKnown: ram > 0}
		s.MemoryByteSeconds = s.Asleep.Seconds() * float64(ram)
		return s
	}
	return Savings{Day: of(now.Add(-24 * time.Hour)), Month: of(now.Add(-HistoryKept))}
}

// live takes in what an app does from a time on. Called with the lock held, whenever its
// state has changed, or whether it is managed.
func (k *Keeper) live(now time.Time) { k.past.history.turn(k.lives(), now) }

// lives is what the app does.
func (k *Keeper) lives() Lived {
	switch {
	case !k.Entry().Managed || k.removal.gone:
		return LivedUnknown
	case k.state == Asleep:
		return LivedAsleep
	case k.state == Failed:
		return LivedFailed
	default:
		return LivedAwake
	}
}

// remember takes in that an app's way up is over. Called with the lock held, before its
// state changes.
func (k *Keeper) remember(s State, reason reason.Reason, now time.Time) {
	if k.state != Starting || !k.attempt.ordered || s != Ready && s != Failed {
		return
	}
	w := Wake{At: k.since, Took: now.Sub(k.since)}
	if s == Failed {
		w.Failed = &reason
	}
	k.past.wake(w)
}

// historyOf goes on with a history: what was between its end and now is unknown. Spans that
// cannot be are left out, and so are those that ended too long ago; one that is still to end
// is cut: the clock was put back.
func historyOf(spans []Span, now time.Time) history {
	var h history
	for _, s := range spans {
		if s.To.After(now) {
			s.To = now
		}
		if !slices.Contains(allLived, s.State) || s.From.UnixNano() < h.from || s.From.Before(time.Unix(0, 1)) ||
			s.To.Before(s.From) || now.Sub(s.To) > HistoryKept {
			continue
		}
		switch from := s.From.UnixNano(); {
		case h.from == 0:
			h.from = from
		case from > h.from:
			h.close(from)
		}
		h.past = append(h.past, stretch{from: s.From.UnixNano(), did: s.State, asleep: min(s.Asleep, s.To.Sub(s.From))})
		h.from, h.now = s.To.UnixNano(), LivedUnknown
	}
	return h
}

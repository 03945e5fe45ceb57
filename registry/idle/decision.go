// Package idle decides whether an app that is awake goes to sleep, and says why. It is pure: no
// lock, no clock, no I/O. Who asks brings the time.
//
//	counters, read now and then ─▶ Samples ─▶ Use ─┐
//	requests, links, pins, a person's word ────────┴▶ Snapshot ─▶ Decide ─▶ Decision, Reason
//
// What cannot be seen is not idle: each use that was seen, and each that could not be, speaks
// against the sleep, with a reason. The order in which they count is that of Decide's cases.
package idle

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// Snapshot is all that the idle decision looks at: one awake app, together with the
// apps that are linked to it in a circle and so share its sleep.
type Snapshot struct {
	// LastUse is when a request last came for the app or for an app that needs it,
	// or when it became ready if that is later.
	LastUse time.Time
	// MaxIdle is how long it stays awake unused; rules.Never: always.
	MaxIdle time.Duration
	// NeededBy are the names of the awake apps that need it, sorted.
	NeededBy []string
	// Waking is an app of the same circle that is on its way up. Empty if none.
	Waking string
	// Open is how many requests Paastis itself has open to it.
	Open int
	// Kept is why it is kept awake until KeptUntil: a window, a pin. Zero: nothing keeps it.
	Kept      reason.Reason
	KeptUntil time.Time
	// NotBefore holds off a stop after one that failed. Zero: at any time.
	NotBefore time.Time
	// Unreached is why no order to stop can be given, to the app or to one of its circle. Zero:
	// one can.
	Unreached reason.Reason
	// SleepAsked is when somebody said that it may sleep, whatever its idle time, and Forced
	// that its use does not count either. It means nothing once the app was used again. Zero:
	// nobody did.
	SleepAsked time.Time
	Forced     bool

	// Sampled reports whether its use beyond requests is sampled, SampledAt when the last sample
	// ended (zero: none did), Use what they say, and Quiet for how long it must have been
	// quiet. All but Sampled mean nothing if it is not.
	Sampled   bool
	SampledAt time.Time
	Use       Use
	Quiet     time.Duration
	// Every is how often it is sampled however long it is still to stay awake, for
	// nothing else tells of its use. Zero: it is not.
	Every time.Duration
	// Pause is the least time between two samples that tell of the time before them, each at a
	// price, while what they tell keeps the app awake: they are taken once the app may sleep.
	// Zero: they tell of the time between them.
	Pause time.Duration
}

// Decision is what becomes of an awake app, and why.
type Decision struct {
	// Sleep reports whether it may be put to sleep now.
	Sleep bool
	// Sample reports whether its use is to be sampled now, SampleCounters the same of its counters
	// alone: nothing is asked of the app itself.
	Sample, SampleCounters bool
	// Reason is the same wherever it is told.
	Reason reason.Reason
	// Again is when time alone could change the decision. Zero: never.
	Again time.Time
}

// SleepIsAsked reports whether the idle time does not count.
func (s Snapshot) SleepIsAsked() bool { return s.LastUse.Before(s.SleepAsked) }

// forced reports whether no use counts.
func (s Snapshot) forced() bool { return s.Forced && s.SleepIsAsked() }

// ShortestStay is how long an app stays awake at least: those who waited for it must
// get in.
const ShortestStay = 2 * time.Second

// Decide says whether an app goes to sleep. It is pure: same input, same answer.
func Decide(s Snapshot, now time.Time) Decision {
	stay := max(s.MaxIdle, ShortestStay)
	switch idle := max(now.Sub(s.LastUse), 0); { // a request may have come since now
	case len(s.NeededBy) > 0:
		return s.withCounters(Decision{Reason: reason.Reason{Kind: reason.NeededBy, Apps: s.NeededBy}}, now)
	case s.Waking != "":
		return s.withCounters(Decision{Reason: reason.Reason{Kind: reason.LinkedAppStarting, Apps: []string{s.Waking}}}, now)
	case s.Open > 0 && !s.forced():
		return s.withCounters(Decision{Reason: reason.Reason{Kind: reason.OpenRequests, Count: s.Open}}, now)
	case !s.Kept.IsZero() && !s.forced():
		return s.withCounters(Decision{Reason: s.Kept, Again: s.KeptUntil}, now)
	case s.MaxIdle == rules.Never && !s.SleepIsAsked():
		return Decision{Reason: reason.Reason{Kind: reason.NeverSleeps}}
	case idle < stay && !s.SleepIsAsked():
		d := Decision{Reason: reason.Reason{Kind: reason.UsedRecently, For: idle, Limit: stay}}
		return s.withSample(d, now, s.LastUse.Add(stay))
	case now.Before(s.NotBefore):
		return Decision{Reason: reason.Reason{Kind: reason.StopFailed}, Again: s.NotBefore}
	case !s.Unreached.IsZero():
		return Decision{Reason: s.Unreached}
	case s.forced():
		return Decision{Sleep: true, Reason: reason.Reason{Kind: reason.PutToSleep}}
	case s.Sampled && !s.Use.Reason.IsZero():
		return s.withSample(Decision{Reason: s.Use.Reason}, now, time.Time{})
	case s.Sampled && (!s.Use.Quiet || now.Sub(s.SampledAt) > s.Quiet):
		return s.withSample(Decision{Reason: reason.Reason{Kind: reason.CheckingUse}}, now, time.Time{})
	case s.SleepIsAsked():
		return Decision{Sleep: true, Reason: reason.Reason{Kind: reason.PutToSleep}}
	default:
		return Decision{Sleep: true, Reason: reason.Reason{Kind: reason.Unused, For: idle}}
	}
}

// withSample adds to a decision whether the app is to be sampled, or when; due is when it
// changes anyway, zero: never. Samples begin early enough for the app to have been seen
// quiet for long enough when its time is over.
func (s Snapshot) withSample(d Decision, now, due time.Time) Decision {
	d.Again = due
	if !s.Sampled {
		return d
	}
	ahead, pause := s.Quiet, s.Quiet/samplesPerQuiet
	if s.Pause > 0 {
		ahead = 0
	}
	if s.Pause > 0 && !s.Use.Reason.IsZero() {
		pause = s.Pause
	}
	next := s.LastUse.Add(max(s.MaxIdle, ShortestStay) - ahead)
	if s.SleepIsAsked() {
		next = s.SleepAsked
	}
	if after := s.SampledAt.Add(pause); after.After(next) {
		next = after
	}
	if often := s.SampledAt.Add(s.Every); s.Every > 0 && often.Before(next) {
		next = often
	}
	d.Sample = d.due(next, now)
	return d
}

// withCounters adds to a decision that no use changes whether the counters are to be sampled,
// or when: what was not seen of its use by then would be forgotten.
func (s Snapshot) withCounters(d Decision, now time.Time) Decision {
	if !s.Sampled || s.Every == 0 {
		return d
	}
	d.SampleCounters = d.due(s.SampledAt.Add(s.Every), now)
	return d
}

// due reports whether a time has come, and else lets the decision be made again by then.
func (d *Decision) due(t, now time.Time) bool {
	if now.Before(t) && (d.Again.IsZero() || t.Before(d.Again)) {
		d.Again = t
	}
	return !now.Before(t)
}

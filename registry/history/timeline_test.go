package history

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// texts are spans in short: for how long in what.
func texts(spans []Span) (all []string) {
	for _, s := range spans {
		all = append(all, fmt.Sprintf("%s %s", s.State, s.To.Sub(s.From).Round(time.Minute)))
	}
	return all
}

func TestTheHistoryOfAnAppThatWakesOftenIsBoundedAndItsSleepExact(t *testing.T) {
	var h timeline
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	now, slept := began, time.Duration(0)
	h.enter(Asleep, now)
	for i := range 5000 {
		nap := time.Duration(i%7)*time.Minute + 10*time.Second
		now = now.Add(nap)
		slept += nap
		h.enter(Awake, now)
		now = now.Add(time.Duration(i%3+1) * 30 * time.Second)
		h.enter(Asleep, now)
	}
	if n := len(h.past); n > recordsKept {
		t.Errorf("%d records are kept", n)
	}
	if got := h.slept(began, now); got != slept {
		t.Errorf("it slept for %s, not %s", got, slept)
	}
	spans := h.spans(now)
	for i, s := range spans {
		if i > 0 && (!s.From.Equal(spans[i-1].To) || s.State == spans[i-1].State) {
			t.Fatalf("after %+v comes %+v", spans[i-1], s)
		}
	}
	if !spans[0].From.Equal(began) || !spans[len(spans)-1].To.Equal(now) {
		t.Errorf("the history is from %s to %s", spans[0].From, spans[len(spans)-1].To)
	}
}

func TestWhatIsLongerAgoThanAMonthIsForgotten(t *testing.T) {
	var h timeline
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		h.enter([]Phase{Awake, Asleep}[i%2], now)
		now = now.Add(24 * time.Hour)
	}
	if n := len(h.past); n < 29 || n > 31 {
		t.Errorf("%d days are kept", n)
	}
}

func TestAClockThatIsPutBackDoesNotSpoilTheHistory(t *testing.T) {
	var h timeline
	now := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	h.enter(Asleep, now)
	h.enter(Awake, now.Add(-time.Hour))
	h.enter(Asleep, now.Add(time.Hour))
	if got := texts(h.spans(now.Add(2 * time.Hour))); !slices.Equal(got, []string{"awake 2h0m0s", "asleep 1h0m0s"}) {
		t.Errorf("it lived %q", got)
	}
	if got := h.slept(now, now); got < 0 {
		t.Errorf("it slept for %s", got)
	}
}

func TestWhatWasStillToComeWhenTheClockWasPutBackDoesNotCount(t *testing.T) {
	now := time.Date(2000, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, put := range []func(h *timeline){
		func(*timeline) {},
		func(h *timeline) { h.enter(Failed, now) },
	} {
		var h timeline
		h.enter(Asleep, now.Add(-30*time.Hour))
		h.enter(Awake, now.Add(time.Hour))
		h.enter(Asleep, now.Add(2*time.Hour))
		h.enter(Failed, now.Add(3*time.Hour))
		put(&h)
		if got := h.slept(now.Add(-24*time.Hour), now); got != 24*time.Hour {
			t.Errorf("in a day it slept for %s", got)
		}
		if got := texts(h.spans(now)); !slices.Equal(got, []string{"asleep 30h0m0s", "failed 0s"}) {
			t.Errorf("it lived %q", got)
		}
	}
}

func TestSpansThatCannotBeAreNotBelieved(t *testing.T) {
	now := time.Date(2000, 1, 31, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return time.Date(2000, 1, n, 0, 0, 0, 0, time.UTC) }
	h := timelineOf([]Span{
		{From: day(10), To: day(12), State: Asleep, Asleep: 100 * 24 * time.Hour}, // longer than it is
		{From: day(11), To: day(13), State: Awake},                                // overlaps
		{From: day(15), To: day(14), State: Awake},                                // backwards
		{From: day(20), To: day(21), State: Awake},
		{From: day(22), To: day(23), State: "drunk"},
		{From: now.Add(time.Hour), To: now.Add(2 * time.Hour), State: Asleep, Asleep: time.Hour}, // to come
		{State: Asleep, Asleep: time.Hour},                                                       // never
	}, now)
	want := []string{"asleep 48h0m0s", "unknown 192h0m0s", "awake 24h0m0s", "unknown 240h0m0s"}
	if got := texts(h.spans(now)); !slices.Equal(got, want) {
		t.Errorf("it lived %q, want %q", got, want)
	}
	if got := h.slept(day(1), now); got != 48*time.Hour {
		t.Errorf("it slept for %s", got)
	}
}

func TestASpanThatBeganLongAgoOrEndsAsTheClockWasPutBackIsBelieved(t *testing.T) {
	now := time.Date(2000, 6, 1, 0, 0, 0, 0, time.UTC)
	long := 100 * 24 * time.Hour
	for what, to := range map[string]time.Time{"it has slept for long": now, "the clock was put back": now.Add(time.Minute)} {
		h := timelineOf([]Span{
			{From: now.Add(-2 * long), To: now.Add(-long), State: Awake}, // is over for long
			{From: now.Add(-long), To: to, State: Asleep, Asleep: to.Sub(now.Add(-long))},
		}, now)
		if got := h.slept(now.Add(-Kept), now); got != Kept {
			t.Errorf("%s: it slept for %s", what, got)
		}
		if got := texts(h.spans(now)); !slices.Equal(got, []string{"asleep 2400h0m0s", "unknown 0s"}) {
			t.Errorf("%s: it lived %q", what, got)
		}
	}
}

package history

import (
	"log/slog"
	"strconv"
	"testing"
	"time"
)

func TestOfManyAppsThatAreGoneTheLastOnesAreRemembered(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := NewArchive(nil, slog.New(slog.DiscardHandler))
	for i := range mostAbsent + 5 {
		a.Add(strconv.Itoa(i), App{Seen: now.Add(-time.Duration(i) * time.Minute)}, now)
	}
	a.Add("solo-web", App{Seen: now}, now)
	var s State
	if a.Begin(&s, now); len(s.Apps) != mostAbsent || !has(a, "solo-web") || has(a, strconv.Itoa(mostAbsent+4)) {
		t.Errorf("%d are remembered; the last %t, the first %t", len(s.Apps), has(a, "solo-web"), has(a, strconv.Itoa(mostAbsent+4)))
	}
}

func TestAnAppThatWasNotSeenForAMonthIsForgotten(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := NewArchive(nil, slog.New(slog.DiscardHandler))
	a.Add("solo-web", App{Seen: now}, now)
	var s State
	if a.Begin(&s, now.Add(Kept)); !has(a, "solo-web") {
		t.Error("it is forgotten after a month")
	}
	if a.Begin(&s, now.Add(Kept+time.Second)); has(a, "solo-web") {
		t.Error("it is remembered for more than a month")
	}
}

func has(a *Archive, id string) bool {
	_, has := a.Has(id)
	return has
}

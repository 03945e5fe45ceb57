package history

import (
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"
)

// noon is a time by the clock alone, as what is read from a file has it.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hours are container hours, as they are kept.
func hours(n float64) ContainerTime { return ContainerTime(n * 3_600_000) }

func wantTimes(t *testing.T, what string, a Avoided, now time.Time, want map[string]ContainerTime) {
	t.Helper()
	if got := a.Times(now); !maps.Equal(got, want) {
		t.Errorf("%s: %v are avoided, want %v", what, got, want)
	}
}

func TestWhatIsAvoidedIsTheTimeAsleepOfEachContainer(t *testing.T) {
	var a Avoided
	a.Begin([]Containers{{"L", 2}, {"M", 1}}, noon)
	wantTimes(t, "asleep", a, noon.Add(90*time.Minute), map[string]ContainerTime{"L": hours(3), "M": hours(1.5)})
	a.End(noon.Add(2 * time.Hour))
	wantTimes(t, "awake", a, noon.Add(9*time.Hour), map[string]ContainerTime{"L": hours(4), "M": hours(2)})
	a.Begin([]Containers{{"M", 3}}, noon.Add(10*time.Hour))
	a.End(noon.Add(11 * time.Hour))
	wantTimes(t, "of another formation", a, noon.Add(99*time.Hour), map[string]ContainerTime{"L": hours(4), "M": hours(5)})
	if !a.First().Equal(noon) || a.Goes() {
		t.Errorf("it is since %s, and goes on: %t", a.First(), a.Goes())
	}
}

func TestAClockThatIsPutBackTakesNothingAway(t *testing.T) {
	var a Avoided
	a.Begin([]Containers{{"M", 1}}, noon)
	a.End(noon.Add(time.Hour))
	a.Begin([]Containers{{"M", 1}}, noon.Add(2*time.Hour))
	wantTimes(t, "while it sleeps", a, noon.Add(-time.Hour), map[string]ContainerTime{"M": hours(1)})
	a.End(noon.Add(-time.Hour))
	wantTimes(t, "when it wakes", a, noon.Add(-time.Hour), map[string]ContainerTime{"M": hours(1)})
}

func TestASleepThatIsKeptAndStillToBeginBeginsNow(t *testing.T) {
	var a Avoided
	a.Begin([]Containers{{"M", 1}}, noon)
	a.GoOn(noon.Add(-24 * time.Hour)) // the clock was put back by a day
	wantTimes(t, "an hour later", a, noon.Add(-23*time.Hour), map[string]ContainerTime{"M": hours(1)})
}

func TestWhatIsAvoidedOutlivesPaastis(t *testing.T) {
	var a, over Avoided
	a.Begin([]Containers{{"", 1}, {"2XL", 1}}, noon)
	a.End(noon.Add(time.Hour))
	a.Begin([]Containers{{"2XL", 3}}, noon.Add(2*time.Hour))
	over.Begin([]Containers{{"S", 1}}, noon)
	over.End(noon.Add(1001 * time.Millisecond))
	f := NewFileStore(filepath.Join(t.TempDir(), "state.json"))
	err := f.Save(t.Context(), State{Apps: map[string]App{"scalingo/shop": {Seen: noon, Avoided: a}, "scalingo/other": {Seen: noon}}, Avoided: map[string]Avoided{"scalingo": over}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantTimes(t, "the app", s.Apps["scalingo/shop"].Avoided, noon.Add(4*time.Hour), map[string]ContainerTime{"": hours(1), "2XL": hours(7)})
	wantTimes(t, "those forgotten", s.Avoided["scalingo"], noon, map[string]ContainerTime{"S": 1001})
	if other := s.Apps["scalingo/other"].Avoided; !other.IsZero() {
		t.Errorf("another one has avoided something since %s", other.First())
	}
	shop := s.Apps["scalingo/shop"].Avoided
	if first := shop.First(); !first.Equal(noon) {
		t.Errorf("it is since %s", first)
	}
}

func TestAppsThatAreForgottenLeaveWhatTheyAvoided(t *testing.T) {
	archive := NewArchive(nil, slog.New(slog.DiscardHandler))
	add := func(id string, slept time.Duration, goesOn bool) {
		var a Avoided
		a.Begin([]Containers{{"M", 1}}, noon.Add(-slept))
		if !goesOn {
			a.End(noon)
		}
		archive.Add(id, App{Seen: noon, Avoided: a}, noon)
	}
	add("scalingo/a", time.Hour, false)
	add("scalingo/b", 2*time.Hour, true) // of which nobody knows whether it slept longer than it was seen to
	add("heroku/c", 4*time.Hour, false)
	for _, now := range []time.Time{noon, noon.Add(Kept + time.Minute), noon.Add(2 * Kept)} {
		var s State
		archive.Begin(&s, now)
		sums := archive.Avoided()
		wantTimes(t, "scalingo", sums["scalingo"], now, map[string]ContainerTime{"M": hours(3)})
		wantTimes(t, "heroku", sums["heroku"], now, map[string]ContainerTime{"M": hours(4)})
		if forgotten := len(s.Apps) == 0; forgotten != now.After(noon) || forgotten != (len(s.Avoided) == 2) {
			t.Errorf("%d apps are remembered, and %d providers", len(s.Apps), len(s.Avoided))
		}
	}
	first := archive.Avoided()["scalingo"]
	if !first.First().Equal(noon.Add(-2 * time.Hour)) {
		t.Errorf("it is since %s", first.First())
	}
}

func TestMoreContainersThanALifetimeAreAddedUp(t *testing.T) {
	var a, sum Avoided
	a.Begin([]Containers{{"M", 5000}}, noon)
	for range 3 {
		sum.Add(&a, noon.AddDate(10, 0, 0))
	}
	if got, want := sum.Times(noon)["M"].Hours(), 3*5000*24*3653.0; got != want {
		t.Errorf("%v hours, want %v", got, want)
	}
}

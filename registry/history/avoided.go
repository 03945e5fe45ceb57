package history

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ContainerTime is for how long containers run, added up, in milliseconds: a Duration would hold
// no more than 292 years of one.
type ContainerTime int64

// Hours is it in hours.
func (t ContainerTime) Hours() float64 { return float64(t) / float64(time.Hour.Milliseconds()) }

// Containers are some of an app that are of one size.
type Containers struct {
	// Size is what their platform's price list calls it. Empty: it has no sizes.
	Size string
	// Amount is how many they are.
	Amount int
}

// Avoided is for how long the containers of apps did not run because Paastis had put them to
// sleep. Its zero value: for no time. It has no lock.
type Avoided struct {
	since   time.Time    // since when they do not run; zero: they may run
	missing []Containers // what does not run since then; nobody changes it
	first   time.Time    // when they were first put to sleep; zero: never
	over    map[string]ContainerTime
}

// Begin takes in that containers do not run from a time on.
func (a *Avoided) Begin(missing []Containers, at time.Time) {
	a.End(at)
	a.since, a.missing = at, missing
	if a.first.IsZero() {
		a.first = at
	}
}

// End takes in that they may run from a time on. One before they were put to sleep is no time: the
// clock was put back.
func (a *Avoided) End(at time.Time) {
	if a.since.IsZero() {
		return
	}
	a.over = a.Times(at)
	a.since, a.missing = time.Time{}, nil
}

// GoOn goes on with what was read at a time: what has begun later than now begins now, for the clock
// was put back.
func (a *Avoided) GoOn(now time.Time) {
	if a.since.After(now) {
		a.since = now
	}
}

// Goes reports whether the containers do not run.
func (a *Avoided) Goes() bool { return !a.since.IsZero() }

// IsZero reports whether it is for no time, and has not begun.
func (a *Avoided) IsZero() bool { return a.first.IsZero() }

// First is when it first began. Zero: it never did.
func (a *Avoided) First() time.Time { return a.first }

// Times are for how long containers of each size did not run until now, in a map of the caller's.
func (a *Avoided) Times(now time.Time) map[string]ContainerTime {
	times := make(map[string]ContainerTime, len(a.over)+len(a.missing))
	maps.Copy(times, a.over)
	if a.since.IsZero() || now.Before(a.since) {
		return times
	}
	slept := ContainerTime(now.Sub(a.since).Milliseconds())
	for _, c := range a.missing {
		times[c.Size] += slept * ContainerTime(c.Amount)
	}
	return times
}

// Clone is a copy that shares nothing that changes.
func (a Avoided) Clone() Avoided {
	a.over = maps.Clone(a.over)
	return a
}

// Add adds what others have avoided until a time.
func (a *Avoided) Add(o *Avoided, until time.Time) {
	if o.IsZero() {
		return
	}
	times := a.Times(until)
	for size, slept := range o.Times(until) {
		times[size] += slept
	}
	a.over, a.since, a.missing = times, time.Time{}, nil
	if a.first.IsZero() || o.first.Before(a.first) {
		a.first = o.first
	}
}

// filedAvoided is an Avoided in a file.
type filedAvoided struct {
	First   time.Time                `json:"first"`
	Since   time.Time                `json:"since,omitzero"`
	Missing []filedContainers        `json:"missing,omitempty"`
	Over    map[string]ContainerTime `json:"over,omitempty"` // by size, in milliseconds
}

type filedContainers struct {
	Size   string `json:"size,omitempty"`
	Amount int    `json:"amount"`
}

// filed is nil for nothing.
func (a Avoided) filed() *filedAvoided {
	if a.IsZero() {
		return nil
	}
	f := &filedAvoided{First: a.first, Since: a.since, Over: a.over}
	for _, c := range a.missing {
		f.Missing = append(f.Missing, filedContainers(c))
	}
	return f
}

// filedAvoidedOf is what providers' apps have avoided, as it is written.
func filedAvoidedOf(all map[string]Avoided) map[string]*filedAvoided {
	filed := map[string]*filedAvoided{}
	for provider, a := range all {
		filed[provider] = a.filed()
	}
	return filed
}

// avoided is what was written, without what cannot be.
func (f *filedAvoided) avoided() Avoided {
	if f == nil || f.First.IsZero() {
		return Avoided{}
	}
	a := Avoided{first: f.First, since: f.Since, over: f.Over}
	maps.DeleteFunc(a.over, func(_ string, slept ContainerTime) bool { return slept < 0 })
	for _, c := range f.Missing {
		if c.Amount > 0 {
			a.missing = append(a.missing, Containers(c))
		}
	}
	return a
}

// SizesOf are containers of which some may be of the same size, by size. What is none of them is
// left out.
func SizesOf(all []Containers) []Containers {
	amounts := map[string]int{}
	for _, c := range all {
		if c.Amount > 0 {
			amounts[c.Size] += c.Amount
		}
	}
	var sizes []Containers
	for size, amount := range amounts {
		sizes = append(sizes, Containers{size, amount})
	}
	slices.SortFunc(sizes, func(a, b Containers) int { return cmp.Compare(a.Size, b.Size) })
	return sizes
}

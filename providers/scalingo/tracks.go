package scalingo

import (
	"slices"
	"sync"
	"time"
)

// tracks are what is known of who scales apps that sleep: of an app that Paastis put to sleep, and
// that nobody has scaled since, it is known without a call how it is to come back. It may be used
// by several at once.
type tracks struct {
	mu sync.Mutex
	// unscaled are the IDs of apps that nobody has scaled since Paastis put them to sleep, as far
	// as the events tell that were read without a gap.
	unscaled map[string]bool
	// expected are the events that Paastis's own orders are still to make, by the app's ID.
	expected map[string][][]part
	// from is what apps were scaled to as Paastis looked before it put them to sleep, by the ID.
	// Doubted are those that were scaled to something else by then: that is to come back.
	from    map[string][]part
	doubted map[string]bool
	last    map[string]string // the ID of the newest event that was read, by region
	at      time.Time         // when all were read last; zero: never
}

func newTracks() *tracks {
	return &tracks{unscaled: map[string]bool{}, expected: map[string][][]part{}, from: map[string][]part{}, doubted: map[string]bool{}, last: map[string]string{}}
}

// mostExpected is how many orders of an app are awaited as events at once.
const mostExpected = 4

// order notes an order to scale, before it is given.
func (t *tracks) order(id string, to []part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.expected[id] = append(t.expected[id], amounts(to)); len(t.expected[id]) > mostExpected {
		t.expected[id] = t.expected[id][1:] // its event was lost
	}
	delete(t.unscaled, id)
}

// leave notes what an app is scaled to as far as Paastis knows, which is about to put it to sleep.
func (t *tracks) leave(id string, from []part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from[id] = amounts(from)
	delete(t.doubted, id)
}

// refuse notes that the last order was not taken.
func (t *tracks) refuse(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.expected[id]); n > 0 {
		t.expected[id] = t.expected[id][:n-1]
	}
}

// sleep notes that the app sleeps by Paastis's order.
func (t *tracks) sleep(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.doubted[id] {
		t.unscaled[id] = true
	}
}

// isUnscaled reports whether it is known that nobody has scaled an app since it sleeps.
func (t *tracks) isUnscaled(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unscaled[id]
}

// lose notes that there may be events that nobody has read.
func (t *tracks) lose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.unscaled)
	clear(t.expected)
	clear(t.from)
	clear(t.doubted)
	clear(t.last)
}

// read notes that the events of all regions were read; readAt is when that was.
func (t *tracks) read() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = time.Now()
}

func (t *tracks) readAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at
}

// take takes in a page of a region's events, the newest first, and returns those that are new, and
// of somebody else. Gap reports whether there may be others between these and those that were read
// before.
func (t *tracks) take(region string, events []event) (others []event, gap bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.last[region]
	known := slices.IndexFunc(events, func(e event) bool { return e.ID == last })
	if known < 0 {
		known, gap = len(events), last != ""
	}
	if gap {
		clear(t.unscaled)
	}
	for _, e := range slices.Backward(events[:known]) {
		if t.isOfOthers(e) {
			others = append(others, e)
		}
	}
	if len(events) > 0 {
		t.last[region] = events[0].ID
	}
	return others, gap
}

// isOfOthers reports whether an event is not of Paastis's own orders. Called with the lock held.
func (t *tracks) isOfOthers(e event) bool {
	if e.Type != "scale" {
		return true
	}
	scaled, ok := e.scaling()
	expected := t.expected[e.AppID]
	i := slices.IndexFunc(expected, func(to []part) bool { return ok && slices.Equal(to, amounts(scaled.Containers)) })
	if i < 0 {
		delete(t.unscaled, e.AppID)
		return true
	}
	if from, known := t.from[e.AppID]; known && !runs(scaled.Containers) && !slices.Equal(from, amounts(scaled.Previous)) {
		t.doubted[e.AppID] = true
		delete(t.unscaled, e.AppID)
	}
	if t.expected[e.AppID] = expected[i+1:]; i+1 == len(expected) {
		delete(t.expected, e.AppID)
	}
	return false
}

package registry

import (
	"context"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// markCheck is how often the age of a key is looked at.
const markCheck = time.Minute

// saveFirstMark saves a new key before anybody gets it.
func (pub *Publisher) saveFirstMark(ctx context.Context) {
	pub.mu.Lock()
	unsaved := pub.marks.TakeUnsaved() && pub.archive.Outlives()
	pub.mu.Unlock()
	if unsaved {
		_ = pub.saver.save(ctx) // told
	}
}

// renewMarks renews the key when it is old, and ends the one before when nobody uses it.
// A key that cannot be saved is not published: the Paastis to come would not know it.
func (pub *Publisher) renewMarks(ctx context.Context, now time.Time) {
	pub.mu.Lock()
	pub.endFormerMark(now)
	due := len(pub.pollers.Live(now)) > 0 && pub.marks.Prepare(now)
	pub.mu.Unlock()
	if due && (!pub.archive.Outlives() || pub.saver.save(ctx) == nil) {
		pub.publishNextMark(now)
	}
}

// endFormerMark ends the key before, once all Traefiks have had the new one long enough.
// Called with the lock held.
func (pub *Publisher) endFormerMark(now time.Time) {
	fetched := func(version uint64) bool { return pub.pollers.Fetched(version, now) }
	if pub.marks.EndFormer(fetched, pub.inForce.settings.Throttle+noticeSlack, now) {
		pub.archive.MarkUnsaved()
	}
}

// publishNextMark makes the next key the current one.
func (pub *Publisher) publishNextMark(now time.Time) {
	pub.mu.Lock()
	defer pub.unlock()
	pub.archive.MarkUnsaved()
	pub.changedLocked()
	pub.marks.Renew(pub.version, now)
}

// Sends notes that a Traefik is about to get a version of the routes: from now on it may
// use the marks in it.
func (pub *Publisher) Sends(version uint64) {
	pub.mu.Lock()
	defer pub.unlock()
	throttle := pub.inForce.settings.Throttle
	pub.marks.Sent(version, throttle+switchSlack, throttle+handover.PollPatience, time.Now())
}

// AwaitMarks blocks until a Traefik must use the marks of now, at least for a second, and
// reports whether it came to that before ctx ended.
func (pub *Publisher) AwaitMarks(ctx context.Context) bool { return pub.marks.Await(ctx) }

// Marked is the route that a mark is of. It returns handover.ErrForged, ErrOutdated or
// ErrWithdrawn if there is none.
func (pub *Publisher) Marked(mark string) (*inventory.Route, error) {
	return pub.marks.Find(mark, pub.inForce.inventory.Load().Routes, time.Now())
}

// Publishes reports whether a route may take a request, whatever mark it has. Traefik tells
// that to anybody.
func (pub *Publisher) Publishes(req traefik.Request) bool {
	for _, rt := range pub.inForce.inventory.Load().Routes {
		if again := req; rt.Takes(&again) {
			return true
		}
	}
	return false
}

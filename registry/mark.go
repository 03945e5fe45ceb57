package registry

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// A request that comes by a published route has a mark before its path: "<tag>.<route>",
// which nobody knows but Traefik and whoever may read what is published. The tag is the
// HMAC-SHA256 of the route's name under a key of 256 random bits: so the mark of one route
// tells nothing of another's, and whoever has a valid one has it from a publication.
//
// Keys are renewed. The one before is valid until every Traefik that fetches the routes has
// had the new one for a while. Where a Store is, a key is saved before it is published, so
// that the Paastis to come knows every mark that a Traefik may use.

var (
	// ErrForged tells that a mark is none that a Traefik could have now.
	ErrForged = errors.New("no such mark")
	// ErrOutdated tells that a mark may be of the Paastis before, which left no state.
	ErrOutdated = errors.New("the mark may be of the Paastis before")
	// ErrWithdrawn tells that a mark is valid, and its route is no more.
	ErrWithdrawn = errors.New("the route is no more")
)

// DefaultMarkLife is how long a key is published.
const DefaultMarkLife = 24 * time.Hour

const (
	// markCheck is how often the age of a key is looked at.
	markCheck = time.Minute
	// markOverlap is for how long all Traefiks must have had the new key before the one
	// before ends: also one that has come once, and asks again within an hour. It is never
	// longer than half of a key's life.
	markOverlap = time.Hour
)

// marks are the keys of now. Guarded by the registry's lock, but for the atomics.
type marks struct {
	current history.Key
	former  *history.Key // nil: it has ended
	next    *history.Key // to be published as soon as it is saved; nil: none
	since   time.Time    // current is published
	version uint64       // of the routes, the first with current
	hadAt   time.Time    // since when all Traefiks have current; zero: they do not
	unsaved bool         // current was never saved

	valid     atomic.Pointer[[]history.Key] // that a Traefik may use; nil: none does
	lostUntil atomic.Int64                  // Unix nanoseconds; a mark may be of a Paastis that left no state
	came      chan struct{}                 // closed once a Traefik has got routes
	usedAt    time.Time                     // when it must use them; set before came is closed
}

// begin makes a key, which no Traefik has yet.
func (m *marks) begin(version uint64, now time.Time) {
	m.current, m.version, m.since, m.unsaved = history.NewKey(), version, now, true
	m.lostUntil.Store(now.Add(pollGrace).UnixNano())
	m.came = make(chan struct{})
}

// restore goes on with the keys of the Paastis before, if it has left any. Called with the
// lock held.
func (m *marks) restore(saved history.Marks, now time.Time) {
	if len(saved.Keys) == 0 {
		return
	}
	m.current, m.since, m.unsaved = saved.Keys[0], saved.Since, false
	if m.since.After(now) {
		m.since = now // the clock was put back
	}
	if len(saved.Keys) > 1 {
		m.former = &saved.Keys[1]
	}
	m.lostUntil.Store(0)
	m.valid.Store(m.keys())
}

// keys are those that are valid once a Traefik has the current one.
func (m *marks) keys() *[]history.Key {
	keys := []history.Key{m.current}
	if m.former != nil {
		keys = append(keys, *m.former)
	}
	return &keys
}

// saveFirstMark saves a new key before anybody gets it.
func (pub *Publisher) saveFirstMark(ctx context.Context) {
	pub.mu.Lock()
	unsaved := pub.marks.unsaved && pub.archive.Outlives()
	pub.marks.unsaved = false
	pub.mu.Unlock()
	if unsaved {
		pub.saver.save(ctx)
	}
}

// saved is what is to outlive Paastis. Called with the lock held.
func (m *marks) saved() history.Marks {
	if m.next != nil {
		return history.Marks{Keys: []history.Key{*m.next, m.current}, Since: m.since}
	}
	return history.Marks{Keys: *m.keys(), Since: m.since}
}

// renewMarks renews the key when it is old, and ends the one before when nobody uses it.
// A key that cannot be saved is not published: the Paastis to come would not know it.
func (pub *Publisher) renewMarks(ctx context.Context, now time.Time) {
	pub.mu.Lock()
	pub.endFormerMark(now)
	due := pub.marks.former == nil && now.Sub(pub.marks.since) >= pub.markLife && len(pub.pollers.live(now)) > 0
	if due && pub.marks.next == nil {
		next := history.NewKey()
		pub.marks.next = &next
	}
	pub.mu.Unlock()
	if due && (!pub.archive.Outlives() || pub.saver.save(ctx)) {
		pub.publishNextMark(now)
	}
}

// endFormerMark ends the key before, once all Traefiks have had the new one long enough.
// Called with the lock held.
func (pub *Publisher) endFormerMark(now time.Time) {
	m := &pub.marks
	switch {
	case m.former == nil:
	case !pub.pollers.fetched(m.version, now):
		m.hadAt = time.Time{}
	case m.hadAt.IsZero():
		m.hadAt = now
	case now.Sub(m.hadAt) >= max(min(markOverlap, pub.markLife/2), pub.definitions.settings.Throttle+noticeSlack):
		m.former = nil
		pub.archive.MarkUnsaved()
		m.valid.Store(m.keys())
	}
}

// publishNextMark makes the next key the current one. It is valid as soon as a Traefik gets
// it.
func (pub *Publisher) publishNextMark(now time.Time) {
	pub.mu.Lock()
	defer pub.unlock()
	m := &pub.marks
	former := m.current
	m.current, m.former, m.next = *m.next, &former, nil
	m.since, m.hadAt = now, time.Time{}
	pub.archive.MarkUnsaved()
	pub.changed()
	m.version = pub.version
	m.valid.Store(&[]history.Key{former})
}

// Sends notes that a Traefik is about to get a version of the routes: from now on it may
// use the marks in it.
func (pub *Publisher) Sends(version uint64) {
	pub.mu.Lock()
	defer pub.unlock()
	m := &pub.marks
	if version < m.version {
		return
	}
	m.valid.Store(m.keys())
	if !m.usedAt.IsZero() {
		return
	}
	// Where no state was kept, other Traefiks come for the routes soon after the first one.
	now := time.Now()
	m.usedAt = now.Add(pub.definitions.settings.Throttle + switchSlack)
	m.lostUntil.Store(min(m.lostUntil.Load(), now.Add(pub.definitions.settings.Throttle+pollPatience).UnixNano()))
	close(m.came)
}

// AwaitMarks blocks until a Traefik must use the marks of now, at least for a second, and
// reports whether it came to that before ctx ended.
func (pub *Publisher) AwaitMarks(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-pub.marks.came:
	}
	sleep(ctx, max(time.Until(pub.marks.usedAt), time.Second))
	return ctx.Err() == nil
}

// Marked is the route that a mark is of. It returns ErrForged, ErrOutdated or ErrWithdrawn
// if there is none; how long it takes tells nothing of the keys, or of the routes.
func (pub *Publisher) Marked(mark string) (*inventory.Route, error) {
	tag, name, _ := strings.Cut(mark, ".")
	if len(tag) != history.TagLength {
		return nil, ErrForged
	}
	routes := pub.definitions.inventory.Load().Routes
	route := routes[name]
	switch {
	case !pub.marks.made(tag, name):
		if len(routes) > 0 && time.Now().UnixNano() < pub.marks.lostUntil.Load() {
			return nil, ErrOutdated
		}
		return nil, ErrForged
	case route == nil:
		return nil, ErrWithdrawn
	}
	return route, nil
}

// made reports whether a tag is that of the route of a name.
func (m *marks) made(tag, name string) bool {
	valid := m.valid.Load()
	if valid == nil {
		return false
	}
	made := false
	for _, key := range *valid {
		made = key.Signs(name, tag) || made
	}
	return made
}

// Publishes reports whether a route may take a request, whatever mark it has. Traefik tells
// that to anybody.
func (pub *Publisher) Publishes(req traefik.Request) bool {
	for _, rt := range pub.definitions.inventory.Load().Routes {
		if again := req; rt.Takes(&again) {
			return true
		}
	}
	return false
}

package handover

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
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
	// ErrForged reports that a mark is none that a Traefik could have now.
	ErrForged = errors.New("no such mark")
	// ErrOutdated reports that a mark may be of the Paastis before, which left no state.
	ErrOutdated = errors.New("the mark may be of the Paastis before")
	// ErrWithdrawn reports that a mark is valid, and its route is no more.
	ErrWithdrawn = errors.New("the route is no more")
)

// DefaultMarkLife is how long a key is published.
const DefaultMarkLife = 24 * time.Hour

// markOverlap is for how long all Traefiks must have had the new key before the one before
// ends: also one that has come once, and asks again within an hour. It is never longer than
// half of a key's life.
const markOverlap = time.Hour

// Marks are the keys of now. Whoever has it guards it by a lock, but for Find and Await, which
// may be called by several at once.
type Marks struct {
	life    time.Duration // how long a key is published
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

// NewMarks makes a key, which no Traefik has yet, for a version of the routes. life is how long
// it is published, lost for how long a mark may be of the Paastis before.
func NewMarks(life time.Duration, version uint64, lost time.Duration, now time.Time) *Marks {
	m := &Marks{life: life, current: history.NewKey(), version: version, since: now, unsaved: true, came: make(chan struct{})}
	m.lostUntil.Store(now.Add(lost).UnixNano())
	return m
}

// Life is how long a key is published.
func (m *Marks) Life() time.Duration { return m.life }

// Restore goes on with the keys of the Paastis before, if it has left any.
func (m *Marks) Restore(saved history.Marks, now time.Time) {
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
func (m *Marks) keys() *[]history.Key {
	keys := []history.Key{m.current}
	if m.former != nil {
		keys = append(keys, *m.former)
	}
	return &keys
}

// State is what is to outlive Paastis.
func (m *Marks) State() history.Marks {
	if m.next != nil {
		return history.Marks{Keys: []history.Key{*m.next, m.current}, Since: m.since}
	}
	return history.Marks{Keys: *m.keys(), Since: m.since}
}

// TakeUnsaved reports, once, that the key was never saved.
func (m *Marks) TakeUnsaved() bool {
	was := m.unsaved
	m.unsaved = false
	return was
}

// Of is the mark of the route of a name.
func (m *Marks) Of(route string) string { return m.current.Mark(route) }

// Prepare makes the next key if the one of now is old, and reports whether there is a next one
// to be published.
func (m *Marks) Prepare(now time.Time) bool {
	if m.former != nil || now.Sub(m.since) < m.life {
		return false
	}
	if m.next == nil {
		next := history.NewKey()
		m.next = &next
	}
	return true
}

// Renew makes the next key the current one, from a version of the routes on. It is valid as
// soon as a Traefik gets it.
func (m *Marks) Renew(version uint64, now time.Time) {
	former := m.current
	m.current, m.former, m.next = *m.next, &former, nil
	m.since, m.hadAt, m.version = now, time.Time{}, version
	m.valid.Store(&[]history.Key{former})
}

// EndFormer ends the key before, once all Traefiks have had the new one long enough, at least
// for a while, and reports whether it did. fetched reports whether all have a version of the
// routes.
func (m *Marks) EndFormer(fetched func(version uint64) bool, least time.Duration, now time.Time) bool {
	switch {
	case m.former == nil:
	case !fetched(m.version):
		m.hadAt = time.Time{}
	case m.hadAt.IsZero():
		m.hadAt = now
	case now.Sub(m.hadAt) >= max(min(markOverlap, m.life/2), least):
		m.former = nil
		m.valid.Store(m.keys())
		return true
	}
	return false
}

// Sent notes that a Traefik is about to get a version of the routes: from now on it may use
// the marks in it, and after used it must. Where no state was kept, the other Traefiks come
// within others of the first one.
func (m *Marks) Sent(version uint64, used, others time.Duration, now time.Time) {
	if version < m.version {
		return
	}
	m.valid.Store(m.keys())
	if !m.usedAt.IsZero() {
		return
	}
	m.usedAt = now.Add(used)
	m.lostUntil.Store(min(m.lostUntil.Load(), now.Add(others).UnixNano()))
	close(m.came)
}

// Await blocks until a Traefik must use the marks of now, at least for a second, and reports
// whether it came to that before ctx ended.
func (m *Marks) Await(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-m.came:
	}
	used := time.NewTimer(max(time.Until(m.usedAt), time.Second))
	defer used.Stop()
	select {
	case <-ctx.Done():
	case <-used.C:
	}
	return ctx.Err() == nil
}

// Find is the route that a mark is of. It returns ErrForged, ErrOutdated or ErrWithdrawn if
// there is none; how long it takes tells nothing of the keys, or of the routes.
func (m *Marks) Find(mark string, routes map[string]*inventory.Route, now time.Time) (*inventory.Route, error) {
	tag, name, _ := strings.Cut(mark, ".")
	if len(tag) != history.TagLength {
		return nil, ErrForged
	}
	route := routes[name]
	switch {
	case !m.made(tag, name):
		if len(routes) > 0 && now.UnixNano() < m.lostUntil.Load() {
			return nil, ErrOutdated
		}
		return nil, ErrForged
	case route == nil:
		return nil, ErrWithdrawn
	}
	return route, nil
}

// made reports whether a tag is that of the route of a name.
func (m *Marks) made(tag, name string) bool {
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

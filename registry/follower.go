package registry

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

const (
	// pictureEvery is the least time between two pictures of an app for one follower.
	pictureEvery = time.Second
	// useEvery is how often apps are looked at that may be in use: nobody tells of a
	// request that passes.
	useEvery = 5 * time.Second
	// goneKept is how many names of apps that are gone are kept for a follower who is slow.
	goneKept = 1000
)

// Follower is somebody who follows what happens. Nothing ever waits for it, and however
// slow it is, no more is kept for it than which apps have changed.
type Follower struct {
	*viewer
	news  *news
	after uint64        // ID of the last event that it got
	wake  chan struct{} // something happened

	// The registry's lock guards the rest.
	changed    map[*Keeper]bool
	gone       map[string]bool
	missed     bool
	seen       map[*Keeper]lastSeen // of the apps that move
	useDue     time.Time            // when they are to be looked at again
	picturesAt time.Time            // when pictures may be given again
}

// lastSeen is what changes of an app without anybody being told.
type lastSeen struct {
	used, stops time.Time
	inFlight    int64
	reason      reason.Topic
}

// Changes is what happened since a follower last asked.
type Changes struct {
	// Events are oldest first.
	Events []Event
	// Apps are the pictures of those that have changed, as they are now, sorted by stack and
	// name. One that changed often meanwhile is among them once.
	Apps []Detail
	// Gone are the names of apps that are no longer among Details, sorted.
	Gone []string
	// Missed reports whether more has happened than was kept: everything is to be asked for anew.
	Missed bool
}

// Follow begins to follow what happens, with the events after an ID; 0: with all that are
// remembered. Pictures come of what changes from now on. Close is to be called at the end.
func (r *Registry) Follow(after uint64) *Follower {
	now := time.Now()
	f := &Follower{
		viewer: r.viewer, news: &r.news, after: after, wake: make(chan struct{}, 1),
		changed: map[*Keeper]bool{}, gone: map[string]bool{},
	}
	r.mu.Lock()
	defer r.unlock()
	if f.missed = r.news.forgot(after); f.missed && after > r.news.last {
		f.after = 0
	}
	f.findUsed(now)
	clear(f.changed)
	r.news.add(f)
	return f
}

// Close ends it. Next must not be called any more.
func (f *Follower) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.news.remove(f)
}

// Next blocks until something has happened since it last returned, or until ctx ends; then
// it returns ctx's error, and nothing is lost: it may be called again. Events come at once,
// pictures of apps no more often than once a second, and those of which only the last use or
// the next stop has changed each five seconds. It must not be called twice at once.
func (f *Follower) Next(ctx context.Context) (Changes, error) {
	for {
		changes, wait := f.take(time.Now())
		if wait == 0 {
			return changes, nil
		}
		if err := f.pause(ctx, wait); err != nil {
			return Changes{}, err
		}
	}
}

// pause waits for something to happen, for ctx, or for so long.
func (f *Follower) pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.wake:
	case <-timer.C:
	}
	return nil
}

// take is what has happened; if nothing has, how long to wait for it at most.
func (f *Follower) take(now time.Time) (c Changes, wait time.Duration) {
	f.mu.Lock()
	c.Missed = f.missed || f.news.forgot(f.after)
	c.Events = f.news.after(f.after)
	f.missed, f.after = false, f.news.last
	if !now.Before(f.useDue) {
		f.findUsed(now)
	}
	wait = f.useDue.Sub(now)
	var drafts []detailDraft
	switch {
	case len(f.changed)+len(f.gone) == 0:
	case now.Before(f.picturesAt):
		wait = min(wait, f.picturesAt.Sub(now))
	default:
		f.picturesAt = now.Add(pictureEvery)
		drafts, c.Gone = f.details(now)
	}
	f.mu.Unlock()
	c.Apps = complete(drafts)
	if c.Missed || len(c.Events)+len(c.Apps)+len(c.Gone) > 0 {
		wait = 0
	}
	return c, wait
}

// details takes the pictures that are to be given, and the names of the apps that are gone.
func (f *Follower) details(now time.Time) (drafts []detailDraft, gone []string) {
	inv, p := f.inForce.inventory.Load(), f.readPassLocked(now)
	for k := range f.changed {
		if !k.removal.gone && inv.Lists(k.Definition()) {
			drafts = append(drafts, p.detail(k))
		}
	}
	for name := range f.gone {
		if e := inv.ByName[name]; e == nil || e.Name != name || !inv.Lists(e) {
			gone = append(gone, name)
		}
	}
	clear(f.changed)
	clear(f.gone)
	slices.Sort(gone)
	return drafts, gone
}

// findUsed finds the apps that were used, or are to stop at another time, since it last did.
// Called with the lock held.
func (f *Follower) findUsed(now time.Time) {
	f.useDue = now.Add(useEvery)
	seen, p := make(map[*Keeper]lastSeen, len(f.keepers.stepped)), f.readPassLocked(now)
	for _, k := range f.keepers.stepped {
		g := lastSeen{used: k.lastActivity(), stops: p.nextStop(k), inFlight: k.inFlight.Load(), reason: k.reason.get().Topic()}
		if seen[k] = g; g != f.seen[k] {
			f.changed[k] = true
		}
	}
	f.seen = seen
}

// markChanged notes that the picture of an app is another; there is none of one that is gone.
// Called with the lock held.
func (f *Follower) markChanged(k *Keeper) {
	if f.changed[k] = true; k.removal.gone {
		delete(f.changed, k)
	}
	f.signal()
}

// markGone notes that a name is known no more. Called with the lock held.
func (f *Follower) markGone(name string) {
	if f.gone[name] = true; len(f.gone) > goneKept {
		clear(f.gone)
		f.missed = true
	}
	f.signal()
}

func (f *Follower) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

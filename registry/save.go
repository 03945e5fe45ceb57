package registry

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/reason"
)

// saveEvery is the least time between two saves, saveLimit bounds the last one.
const (
	saveEvery = 30 * time.Second
	saveLimit = 10 * time.Second
)

// saveAll saves what is known of the apps until ctx ends, whenever something has changed.
func (r *Registry) saveAll(ctx context.Context) {
	each(ctx, saveEvery, func() {
		if r.worthSaving(time.Now()) {
			r.save(ctx)
		}
	})
}

// saveLast saves once more, when Paastis ends.
func (r *Registry) saveLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	r.save(ctx)
}

// save saves what is known now, and reports whether it could. It blocks for the store.
func (r *Registry) save(ctx context.Context) bool { return r.archive.Save(ctx, r.state) }

// worthSaving reports whether something is to be saved that is not.
func (r *Registry) worthSaving(now time.Time) bool {
	due, savedAt := r.archive.Due(now)
	r.mu.Lock()
	defer r.unlock()
	return due || slices.ContainsFunc(r.keepers.moving, func(k *Keeper) bool { return k.lastActivity().After(savedAt) })
}

// state is all that is to outlive Paastis.
func (r *Registry) state(now time.Time) history.State {
	r.mu.Lock()
	defer r.unlock()
	s := history.State{Saved: now, Marks: r.publisher.marks.saved(), Apps: r.archive.Begin(now)}
	for id, k := range r.keepers.byID {
		if k.Entry().Managed || !k.past.IsEmpty() {
			s.Apps[id] = k.snapshot(now)
		}
	}
	return s
}

// snapshot is what is remembered of an app. Called with the lock held.
func (k *Keeper) snapshot(now time.Time) history.App {
	return history.App{
		Seen: now, LastActivity: k.lastActivity(), Pinned: k.manual.pinnedUntil, StoppedManually: k.manual.stoppedAt, Identity: k.app.Identity(), Memory: k.usage.ram, Asked: k.learned.asked, Without: k.learned.without,
		Wakes: k.past.Wakes(), Spans: k.past.Spans(now),
	}
}

// restore goes on with what is known of an app. Its last use does not count as one: an app
// that is found running has its whole idle time before it.
func (k *Keeper) restore(m history.App, now time.Time) {
	k.usage.weigh(m.Memory)
	k.manual.pin(m.Pinned)
	k.learned.restore(m)
	k.past.Restore(m, now)
	if !k.app.Alive() && !m.StoppedManually.IsZero() {
		k.manual.stop(m.StoppedManually)
		k.justify(reason.Reason{Kind: reason.HeldDown})
	}
}

package registry

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// saveEvery is the least time between two saves, saveLimit bounds the last one.
const (
	saveEvery = 30 * time.Second
	saveLimit = 10 * time.Second
)

// saver saves what is to outlive Paastis. It may be used by several at once.
type saver struct {
	*core
	archive   *history.Archive
	keepers   *keeperSet
	publisher *Publisher
	several   bool // there are several providers
}

// saveAll saves what is known of the apps until ctx ends, whenever something has changed.
func (v *saver) saveAll(ctx context.Context) {
	each(ctx, saveEvery, func() {
		if v.worthSaving(time.Now()) {
			_ = v.save(ctx) // told, and tried again
		}
	})
}

// last saves once more, when Paastis ends.
func (v *saver) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	_ = v.save(ctx) // told
}

// save saves what is known now. It blocks for the store.
func (v *saver) save(ctx context.Context) error { return v.archive.Save(ctx, v.state) }

// worthSaving reports whether something is to be saved that is not.
func (v *saver) worthSaving(now time.Time) bool {
	due, savedAt := v.archive.Due(now)
	v.mu.Lock()
	defer v.unlock()
	return due || slices.ContainsFunc(v.keepers.stepped, func(k *Keeper) bool { return k.lastActivity().After(savedAt) })
}

// state is all that is to outlive Paastis.
func (v *saver) state(now time.Time) history.State {
	v.mu.Lock()
	defer v.unlock()
	s := history.State{Saved: now, Marks: v.publisher.marks.State()}
	v.archive.Begin(&s, now)
	for id, k := range v.keepers.byID {
		isRecalled := (v.several || isOnlyPublished(k.provider)) && counts(k.Definition())
		if !isRecalled && !k.Definition().Managed && k.past.IsEmpty() {
			continue
		}
		app := k.snapshot(now)
		if isRecalled {
			app.Report = k.app
		}
		s.Apps[id] = app
	}
	return s
}

// counts reports whether what is published depends on an app: it is managed, or it has routers or
// middlewares beside which those of managed apps are.
func counts(e *inventory.Definition) bool {
	return e.Managed || len(e.Routers)+len(e.Labels.Middlewares) > 0
}

// snapshot is what is remembered of an app. Called with the lock held.
func (k *Keeper) snapshot(now time.Time) history.App {
	return history.App{
		Seen: now, LastActivity: k.lastActivity(), Pinned: k.manual.pinnedUntil, StoppedManually: k.manual.stoppedAt, Identity: k.app.Identity(), Memory: k.usage.ram, Asked: k.learned.asked, Without: k.learned.without,
		Resume: k.resume.get().kept, Avoided: k.avoidedNow(now),
		Wakes: k.past.Wakes(), Spans: k.past.Spans(now),
	}
}

// restore goes on with what is known of an app. Its last use does not count as one: an app
// that is found running has its whole idle time before it. Loading reports whether it is its
// provider's first report that tells of the app.
func (k *Keeper) restore(m history.App, loading bool, now time.Time) {
	k.usage.weigh(m.Memory)
	k.manual.pin(m.Pinned)
	k.learned.restore(m)
	k.past.Restore(m, now)
	k.resume.keep(m.Resume)
	k.avoided.restore(m, loading, now)
	if !k.app.Alive() && !m.StoppedManually.IsZero() {
		k.manual.stop(m.StoppedManually)
		k.setTransitionReason(reason.Reason{Kind: reason.HeldDown})
	}
}

package registry

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Store keeps what Paastis remembers of the apps while it does not run. Its methods are not
// called at the same time. They may block for I/O.
type Store interface {
	// Load is what was saved last; the zero Memory if nothing ever was. After an error
	// Paastis starts without, and says so: what could not be read must not be lost by the
	// next Save.
	Load(ctx context.Context) (Memory, error)
	// Save puts a memory in the place of the last one: wholly, or not at all. It keeps
	// nothing of it.
	Save(ctx context.Context, m Memory) error
}

// Memory is what outlives Paastis.
type Memory struct {
	// Saved is when it was taken.
	Saved time.Time
	// Apps by "<provider>/<the provider's own name>".
	Apps map[string]AppMemory
	// Marks of the published routes: a secret, not to be read by others.
	Marks Marks
}

// AppMemory is what is remembered of an app.
type AppMemory struct {
	// Seen is when Paastis last knew the app.
	Seen time.Time
	// LastActivity is when it was last of use, Pinned until when it is pinned. Zero: never,
	// not at all.
	LastActivity, Pinned time.Time
	// StoppedManually is when somebody else has stopped it, if it was to stay so. Zero: it was
	// not.
	StoppedManually time.Time
	// RemovedAsleep is when it was removed while it slept. Zero: it was not.
	RemovedAsleep time.Time
	// Identity is what stays the same when its name changes. Empty: nothing is known to.
	Identity string
	// Memory that it took when it was last measured, in bytes. Zero: not known.
	Memory uint64
	// Asked is the router that Traefik is known to ask about although no label says so.
	// Empty: none is.
	Asked string
	// Without are the apps that it is known to do without, by its provider's names, although
	// its provider says that it needs them. Nil: none.
	Without []string
	// Wakes and Spans are its last ones, oldest first. The last span ends at Seen.
	Wakes []Wake
	Spans []Span
}

const (
	// saveEvery is the least time between two saves; saveAnyway is after how long there is one
	// although nothing has changed, so that little is unknown after a crash.
	saveEvery  = 30 * time.Second
	saveAnyway = 15 * time.Minute
	// saveLimit bounds the last save, when Paastis ends, and the first load.
	saveLimit = 10 * time.Second
	// mostAbsent is how many apps are remembered that do not exist now.
	mostAbsent = 1000
)

// recollect gets what the Paastis before this one remembered. It never fails: without, all
// begins anew.
func (r *Registry) recollect(ctx context.Context) {
	var m Memory
	if r.store != nil {
		ctx, cancel := context.WithTimeout(ctx, saveLimit)
		defer cancel()
		var err error
		if m, err = r.store.Load(ctx); err != nil {
			r.log.Warn("nothing is known of the apps from before", "error", err)
			m = Memory{}
		}
	}
	r.mu.Lock()
	defer r.unlock()
	maps.Copy(r.absent, m.Apps)
	r.marks.restore(m.Marks, time.Now())
}

// forgetAbsent forgets apps that were not seen for long, and of too many those that were seen
// least recently. Called with the lock held.
func (r *Registry) forgetAbsent(now time.Time) {
	maps.DeleteFunc(r.absent, func(_ string, app AppMemory) bool { return now.Sub(app.Seen) > HistoryKept })
	if len(r.absent) <= mostAbsent {
		return
	}
	ids := slices.SortedFunc(maps.Keys(r.absent), func(a, b string) int {
		return r.absent[a].Seen.Compare(r.absent[b].Seen)
	})
	for _, id := range ids[:len(ids)-mostAbsent] {
		delete(r.absent, id)
	}
}

// revive gives a new keeper what is remembered of its app. Its last use does not count as
// one: an app that is found running has its whole idle time before it.
func (r *Registry) revive(k *Keeper, now time.Time) {
	m, known := r.absent[k.id]
	if !known {
		return
	}
	delete(r.absent, k.id)
	k.usage.weigh(m.Memory)
	k.manual.pin(m.Pinned)
	k.learned.restore(m)
	k.past.restore(m, now)
	if !k.app.alive() && !m.StoppedManually.IsZero() {
		k.manual.stop(m.StoppedManually)
		k.cause = Reason{Kind: ReasonHeldDown}
	}
}

// memoryOf is what is remembered of an app. Called with the lock held.
func (k *Keeper) memoryOf(now time.Time) AppMemory {
	return AppMemory{
		Seen: now, LastActivity: k.lastActivity(), Pinned: k.manual.pinnedUntil, StoppedManually: k.manual.stoppedAt, Identity: k.app.identity(), Memory: k.usage.ram, Asked: k.learned.asked, Without: k.learned.without,
		Wakes: slices.Clone(k.past.wakes), Spans: k.past.history.spans(now),
	}
}

// depart remembers an app that no longer exists: it may come back. Called with the lock held.
func (r *Registry) depart(k *Keeper, slept bool, now time.Time) {
	if !k.Entry().Managed {
		return
	}
	m := k.memoryOf(now)
	m.StoppedManually = time.Time{} // what was stopped is no more
	if slept {
		m.RemovedAsleep = now
	}
	r.absent[k.id] = m
	r.forgetAbsent(now)
	r.unsaved = true
}

// saveAll saves what is remembered until ctx ends, whenever something has changed.
func (r *Registry) saveAll(ctx context.Context) {
	each(ctx, saveEvery, func() {
		if r.worthSaving(time.Now()) {
			r.save(ctx)
		}
	})
}

// worthSaving tells that something is to be remembered that is not saved.
func (r *Registry) worthSaving(now time.Time) bool {
	r.mu.Lock()
	defer r.unlock()
	return r.unsaved || now.Sub(r.savedAt) >= saveAnyway ||
		slices.ContainsFunc(r.moving, func(k *Keeper) bool { return k.lastActivity().After(r.savedAt) })
}

// saveLast saves once more, when Paastis ends.
func (r *Registry) saveLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	r.save(ctx)
}

// save saves what is remembered now, and reports whether it could. That it fails is told
// once.
func (r *Registry) save(ctx context.Context) bool {
	r.saving.Lock()
	defer r.saving.Unlock()
	err := r.store.Save(ctx, r.memorize(time.Now()))
	r.mu.Lock()
	defer r.unlock()
	if err != nil {
		r.unsaved = true
	}
	if err != nil && !r.saveFails {
		r.journal.say(slog.LevelWarn, "what is known of the apps is not saved", "error", err)
	}
	r.saveFails = err != nil
	return err == nil
}

// memorize is all that is remembered.
func (r *Registry) memorize(now time.Time) Memory {
	r.mu.Lock()
	defer r.unlock()
	r.unsaved, r.savedAt = false, now
	r.forgetAbsent(now)
	m := Memory{Saved: now, Marks: r.marks.saved(), Apps: make(map[string]AppMemory, len(r.keepers)+len(r.absent))}
	maps.Copy(m.Apps, r.absent)
	for id, k := range r.keepers {
		if k.Entry().Managed || len(k.past.history.past) > 0 {
			m.Apps[id] = k.memoryOf(now)
		}
	}
	return m
}

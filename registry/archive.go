package registry

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

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

// archive is what is known of apps that are not there now, and saves what outlives Paastis. It
// may be used by several at once, with the registry's lock held or without, but for what says
// that it blocks.
type archive struct {
	store   Store // nil: nothing outlives Paastis
	log     *slog.Logger
	saving  sync.Mutex // held while a save is under way, and never taken with another lock held
	failing bool       // the last one failed, and it was told; guarded by saving

	mu      sync.Mutex          // guards what follows; held last of all
	absent  map[string]SavedApp // :: provider/name → what is known of an app that is not there
	unsaved bool                // something has changed since the last save
	savedAt time.Time           // when that began
}

// load takes in what the Paastis before this one saved, and returns its marks. It blocks for
// the store, and never fails: without, all begins anew.
func (a *archive) load(ctx context.Context) Marks {
	if a.store == nil {
		return Marks{}
	}
	ctx, cancel := context.WithTimeout(ctx, saveLimit)
	defer cancel()
	s, err := a.store.Load(ctx)
	if err != nil {
		a.log.Warn("nothing is known of the apps from before", "error", err)
		return Marks{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(a.absent, s.Apps)
	return s.Marks
}

// has reports whether something is known of an app that was not there.
func (a *archive) has(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, has := a.absent[id]
	return has
}

// add keeps what is known of an app that is not there: it may come, or come back.
func (a *archive) add(id string, app SavedApp, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.absent[id], a.unsaved = app, true
	a.forgetOld(now)
}

// take gives away what is known of an app, which is there from now on.
func (a *archive) take(id string) (app SavedApp, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	app, known = a.absent[id]
	delete(a.absent, id)
	return app, known
}

// rename gives an app what is known of one of the same provider that has its identity, and
// returns the ID of that one. Empty: there is none.
func (a *archive) rename(id, identity string) (was string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	provider, _, _ := strings.Cut(id, "/")
	for was, app := range a.absent {
		if app.Identity == identity && strings.HasPrefix(was, provider+"/") {
			delete(a.absent, was)
			a.absent[id] = app
			return was
		}
	}
	return ""
}

// forgetOld forgets apps that were not seen for long, and of too many those that were seen
// least recently. Called with its lock held.
func (a *archive) forgetOld(now time.Time) {
	maps.DeleteFunc(a.absent, func(_ string, app SavedApp) bool { return now.Sub(app.Seen) > HistoryKept })
	if len(a.absent) <= mostAbsent {
		return
	}
	ids := slices.SortedFunc(maps.Keys(a.absent), func(b, c string) int {
		return a.absent[b].Seen.Compare(a.absent[c].Seen)
	})
	for _, id := range ids[:len(ids)-mostAbsent] {
		delete(a.absent, id)
	}
}

// markUnsaved notes that something has changed that is to outlive Paastis.
func (a *archive) markUnsaved() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsaved = true
}

// begin begins a save, and returns a copy of what is known of the apps that are not there.
func (a *archive) begin(now time.Time) map[string]SavedApp {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsaved, a.savedAt = false, now
	a.forgetOld(now)
	return maps.Clone(a.absent)
}

// due reports whether something has changed since the last save, or that is long ago, and when
// it began.
func (a *archive) due(now time.Time) (due bool, savedAt time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unsaved || now.Sub(a.savedAt) >= saveAnyway, a.savedAt
}

// save saves what take returns, and reports whether it could. That it fails is told once. It
// blocks for the store, and for another save.
func (a *archive) save(ctx context.Context, take func(now time.Time) SavedState) bool {
	a.saving.Lock()
	defer a.saving.Unlock()
	err := a.store.Save(ctx, take(time.Now()))
	if err != nil {
		a.markUnsaved()
		if !a.failing {
			a.log.Warn("what is known of the apps is not saved", "error", err)
		}
	}
	a.failing = err != nil
	return err == nil
}

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
func (r *Registry) save(ctx context.Context) bool { return r.archive.save(ctx, r.state) }

// worthSaving reports whether something is to be saved that is not.
func (r *Registry) worthSaving(now time.Time) bool {
	due, savedAt := r.archive.due(now)
	r.mu.Lock()
	defer r.unlock()
	return due || slices.ContainsFunc(r.keepers.moving, func(k *Keeper) bool { return k.lastActivity().After(savedAt) })
}

// state is all that is to outlive Paastis.
func (r *Registry) state(now time.Time) SavedState {
	r.mu.Lock()
	defer r.unlock()
	s := SavedState{Saved: now, Marks: r.publisher.marks.saved(), Apps: r.archive.begin(now)}
	for id, k := range r.keepers.byID {
		if k.Entry().Managed || len(k.past.history.past) > 0 {
			s.Apps[id] = k.snapshot(now)
		}
	}
	return s
}

// memoryOf is what is remembered of an app. Called with the lock held.
func (k *Keeper) snapshot(now time.Time) SavedApp {
	return SavedApp{
		Seen: now, LastActivity: k.lastActivity(), Pinned: k.manual.pinnedUntil, StoppedManually: k.manual.stoppedAt, Identity: k.app.identity(), Memory: k.usage.ram, Asked: k.learned.asked, Without: k.learned.without,
		Wakes: slices.Clone(k.past.wakes), Spans: k.past.history.spans(now),
	}
}

// restore goes on with what is known of an app. Its last use does not count as one: an app
// that is found running has its whole idle time before it.
func (k *Keeper) restore(m SavedApp, now time.Time) {
	k.usage.weigh(m.Memory)
	k.manual.pin(m.Pinned)
	k.learned.restore(m)
	k.past.restore(m, now)
	if !k.app.alive() && !m.StoppedManually.IsZero() {
		k.manual.stop(m.StoppedManually)
		k.justify(reason.Reason{Kind: reason.HeldDown})
	}
}

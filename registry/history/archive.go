package history

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// saveAnyway is after how long there is a save although nothing has changed, so that little is
// unknown after a crash.
const saveAnyway = 15 * time.Minute

// loadLimit bounds the first load.
const loadLimit = 10 * time.Second

// mostAbsent is how many apps are remembered that do not exist now.
const mostAbsent = 1000

// Archive is what is known of apps that are not there now, and saves what outlives Paastis. It
// may be used by several at once. What blocks says so; all else may be called with a lock held.
type Archive struct {
	store   Store // nil: nothing outlives Paastis
	log     *slog.Logger
	writing chan struct{} // has room for the one write that is under way
	failing bool          // the last one failed, and it was told; guarded by writing

	mu      sync.Mutex                // guards what follows; held last of all
	next    *write                    // that has not begun; nil: nobody waits for one
	absent  map[string]App            // :: provider/name → what is known of an app that is not there
	reports map[string]*inventory.App // :: provider/name → what was reported to the Paastis before; nil: taken
	avoided map[string]Avoided        // what apps have avoided that are forgotten, by their providers
	unsaved bool                      // something has changed since the last save
	savedAt time.Time                 // when that began
}

// NewArchive makes one that knows nothing yet. Without a store nothing outlives Paastis.
func NewArchive(store Store, log *slog.Logger) *Archive {
	return &Archive{store: store, log: log, writing: make(chan struct{}, 1), absent: map[string]App{}, avoided: map[string]Avoided{}}
}

// Outlives reports whether there is a store, so that something outlives Paastis.
func (a *Archive) Outlives() bool { return a.store != nil }

// Load takes in what the Paastis before this one saved, and returns its marks. It blocks for
// the store, and never fails: without, all begins anew.
func (a *Archive) Load(ctx context.Context) Marks {
	if a.store == nil {
		return Marks{}
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	s, err := a.store.Load(ctx)
	if err != nil {
		a.log.Warn("nothing is known of the apps from before", "error", err)
		return Marks{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reports = map[string]*inventory.App{}
	maps.Copy(a.avoided, s.Avoided)
	for id, app := range s.Apps {
		if app.Report != nil {
			a.reports[id] = app.Report
		}
		app.Report = nil // of this Paastis nobody has reported it
		a.absent[id] = app
	}
	return s.Marks
}

// TakeReports gives away what was reported to the Paastis before of its apps, by their IDs. Nil:
// nothing is known, or it was taken.
func (a *Archive) TakeReports() map[string]*inventory.App {
	a.mu.Lock()
	defer a.mu.Unlock()
	reports := a.reports
	a.reports = nil
	return reports
}

// Has reports whether something is known of an app that was not there, and of what identity that
// is; see inventory.App.Identity.
func (a *Archive) Has(id string) (identity string, has bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	app, has := a.absent[id]
	return app.Identity, has
}

// Add keeps what is known of an app that is not there: it may come, or come back.
func (a *Archive) Add(id string, app App, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.absent[id], a.unsaved = app, true
	a.forgetOld(now)
}

// Take gives away what is known of an app, which is there from now on.
func (a *Archive) Take(id string) (app App, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	app, known = a.absent[id]
	delete(a.absent, id)
	return app, known
}

// Rename gives an app what is known of one of the same provider that has its identity, and
// returns the ID of that one, which has what was known of the app until now. Empty: there is none.
func (a *Archive) Rename(id, identity string) (was string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	provider, _, _ := strings.Cut(id, "/")
	for was, app := range a.absent {
		if app.Identity == identity && strings.HasPrefix(was, provider+"/") {
			delete(a.absent, was)
			if other, has := a.absent[id]; has {
				a.absent[was] = other // it may be called so now
			}
			a.absent[id] = app
			return was
		}
	}
	return ""
}

// forgetOld forgets apps that were not seen for long, and of too many those that were seen
// least recently. Called with its lock held.
func (a *Archive) forgetOld(now time.Time) {
	for id, app := range a.absent {
		if now.Sub(app.Seen) > Kept {
			a.forget(id)
		}
	}
	if len(a.absent) <= mostAbsent {
		return
	}
	ids := slices.SortedFunc(maps.Keys(a.absent), func(b, c string) int {
		return a.absent[b].Seen.Compare(a.absent[c].Seen)
	})
	for _, id := range ids[:len(ids)-mostAbsent] {
		a.forget(id)
	}
}

// forget forgets an app, but for what its sleep has avoided. Called with its lock held.
func (a *Archive) forget(id string) {
	app := a.absent[id]
	delete(a.absent, id)
	addAvoided(a.avoided, id, &app)
}

// addAvoided adds what an app that is not there has avoided to that of its provider.
func addAvoided(sums map[string]Avoided, id string, app *App) {
	if app.Avoided.IsZero() {
		return
	}
	provider, _, _ := strings.Cut(id, "/")
	sum := sums[provider]
	sum.Add(&app.Avoided, app.Seen)
	sums[provider] = sum
}

// Avoided is what the sleep of all apps has avoided that are not there now, by the IDs of their
// providers, in a map of the caller's.
func (a *Archive) Avoided() map[string]Avoided {
	a.mu.Lock()
	defer a.mu.Unlock()
	sums := maps.Clone(a.avoided)
	for id, app := range a.absent {
		addAvoided(sums, id, &app)
	}
	return sums
}

// MarkUnsaved notes that something has changed that is to outlive Paastis.
func (a *Archive) MarkUnsaved() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsaved = true
}

// Begin begins a save of a state, and puts into it what is known of the apps that are not there.
func (a *Archive) Begin(s *State, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsaved, a.savedAt = false, now
	a.forgetOld(now)
	s.Apps, s.Avoided = maps.Clone(a.absent), maps.Clone(a.avoided)
}

// Due reports whether something has changed since the last save, or that is long ago, and when
// it began.
func (a *Archive) Due(now time.Time) (due bool, savedAt time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unsaved || now.Sub(a.savedAt) >= saveAnyway, a.savedAt
}

package scalingo

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// fleet are all apps of the account as they were last seen. It may be used by several at once.
type fleet struct {
	log  *slog.Logger
	self string // Config.Self

	mu      sync.Mutex
	version uint64
	byID    map[string]*known
	byAlias map[string]*known
	looked  map[*region]time.Time // when each was last looked at, that is when the call was sent
	news    chan struct{}         // has room for one: something has changed
	warns   []warning             // what is to be logged once the lock is given back
}

func newFleet(self string, log *slog.Logger) *fleet {
	return &fleet{
		log: log, self: self, byID: map[string]*known{}, byAlias: map[string]*known{},
		looked: map[*region]time.Time{}, news: make(chan struct{}, 1),
	}
}

// warning is a line of the log.
type warning struct {
	text string
	args []any
}

// warn has a line logged once the lock is given back. Called with the lock held.
func (f *fleet) warn(text string, args ...any) { f.warns = append(f.warns, warning{text, args}) }

// unlock gives the lock back, and logs what came up meanwhile.
func (f *fleet) unlock() {
	warns := f.warns
	f.warns = nil
	f.mu.Unlock()
	for _, w := range warns {
		f.log.Warn(w.text, w.args...)
	}
}

// next is the version of a look that begins now.
func (f *fleet) next() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	return f.version
}

// take takes in what a look at a region has found, which began with that version.
func (f *fleet) take(r *region, version uint64, found []appInfo) {
	f.mu.Lock()
	defer f.unlock()
	f.freeNames(r, version, found)
	for _, info := range found {
		f.see(r, version, info)
	}
	f.looked[r] = time.Now()
	f.tell()
}

// freeNames takes their names from the apps of a region that are gone, or are called something else:
// one that a look has found may be called so now. Called with the lock held.
func (f *fleet) freeNames(r *region, version uint64, found []appInfo) {
	names := map[string]string{} // :: ID → name
	for _, info := range found {
		names[string(info.ID)] = string(info.Name)
	}
	for id, k := range f.byID {
		name, there := names[id]
		switch {
		case k.region != r || k.version >= version:
		case !there:
			f.forget(k)
		case name != k.name():
			f.unname(k)
			k.called.Store(&name)
		}
	}
}

// see takes in an app as a look has found it. Called with the lock held.
func (f *fleet) see(r *region, version uint64, info appInfo) {
	id, name := string(info.ID), string(info.Name)
	k := f.byID[id]
	if k == nil {
		k = &known{id: id, region: r}
		k.called.Store(&name)
		f.byID[id] = k
	}
	if f.byAlias[k.alias] != k {
		f.call(k)
	}
	if version <= k.version {
		return // what was seen since is newer
	}
	if info.Status == "" && k.tell() {
		f.warn("what Scalingo says of an app cannot be read; it is left as it was", "app", k.name())
	}
	before, was := k.app(), k.isUp()
	k.see(info, version)
	k.self = f.self != "" && k.name() == f.self
	f.follow(k, was)
	after := k.app()
	if before.Version == 0 || !inventory.SameDefinition(&before, &after) || !before.First().Equal(after.First()) {
		k.change(version)
	}
}

// follow takes in what the status of an app tells of before. Was reports whether it was up. Called
// with the lock held.
func (f *fleet) follow(k *known, was bool) {
	k.follow(was)
	if k.isUnknown() && k.tell() {
		f.warn("Scalingo says of an app what Paastis does not know; it is left alone", "app", k.name(), "status", k.status)
	}
}

// call gives an app the name by which others know it: another one of its region's apps cannot have
// it, one of another region's can. Called with the lock held.
func (f *fleet) call(k *known) {
	k.alias = k.name()
	if f.byAlias[k.alias] != nil {
		k.alias = k.name() + "." + k.region.name
	}
	f.byAlias[k.alias] = k
}

// unname takes its name from an app. Called with the lock held.
func (f *fleet) unname(k *known) {
	if f.byAlias[k.alias] == k {
		delete(f.byAlias, k.alias)
	}
}

// forget forgets an app that is gone. Called with the lock held.
func (f *fleet) forget(k *known) {
	f.unname(k)
	delete(f.byID, k.id)
	k.abandon()
}

// tell says that something may have changed. Called with the lock held.
func (f *fleet) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// change changes what is known of an app, after an order or a look at it alone, and returns what is
// to be reported of it then. All looks that have begun before are older.
func (f *fleet) change(k *known, what func(*known)) inventory.App {
	f.mu.Lock()
	defer f.unlock()
	was := k.isUp()
	what(k)
	f.version++
	k.change(f.version)
	f.follow(k, was)
	f.tell()
	return k.app()
}

// read is a part of what is known of an app.
func read[V any](f *fleet, k *known, what func(*known) V) V {
	f.mu.Lock()
	defer f.mu.Unlock()
	return what(k)
}

// named is the app that others know by a name. Nil: there is none.
func (f *fleet) named(alias string) *known {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byAlias[alias]
}

// everything is a complete report.
func (f *fleet) everything() provider.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	report := provider.Report{Complete: true, Version: f.version}
	for _, alias := range slices.Sorted(maps.Keys(f.byAlias)) {
		report.Apps = append(report.Apps, f.byAlias[alias].app())
	}
	return report
}

// since is a report of what has changed after a version. Told are the names that were reported so
// far, which it brings up to date.
func (f *fleet) since(version uint64, told map[string]bool) provider.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	report := provider.Report{Version: f.version}
	for _, alias := range slices.Sorted(maps.Keys(f.byAlias)) {
		if k := f.byAlias[alias]; k.changed > version || !told[alias] {
			report.Apps = append(report.Apps, k.app())
		}
		told[alias] = true
	}
	for alias := range told {
		if f.byAlias[alias] == nil {
			report.Gone = append(report.Gone, alias)
			delete(told, alias)
		}
	}
	slices.Sort(report.Gone)
	return report
}

// pace is how soon a region is to be looked at again after the last time: soon while Paastis waits for
// an app that it has started, less soon while one is on its way at all. Zero: nothing is.
func (f *fleet) pace(r *region) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	starting, busy := 0, false
	for _, k := range f.byID {
		switch {
		case k.region != r:
		case k.flight != nil && k.flight.up:
			starting++
		case !isSettled(k.status):
			busy = true
		}
	}
	switch {
	case starting > fewFlights:
		return startPause
	case starting > 0:
		return fewPause
	case busy:
		return busyPause
	default:
		return 0
	}
}

// anyStarts reports whether Paastis is starting an app.
func (f *fleet) anyStarts() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.byID {
		if k.flight != nil && k.flight.up {
			return true
		}
	}
	return false
}

// allow takes in that the account may have another role at an app than it had.
func (f *fleet) allow(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.byID[id]; k != nil {
		k.allow()
	}
}

// lookedAt is when a region was looked at, at last; zero: never.
func (f *fleet) lookedAt(r *region) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looked[r]
}

// flying are the apps that are being started, of which a look has told more than when that began.
func (f *fleet) flying() []*known {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*known
	for _, k := range f.byID {
		if k.flight != nil && k.flight.up && k.version > k.flight.since {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *known) int { return cmp.Compare(a.flight.since, b.flight.since) })
	return all
}

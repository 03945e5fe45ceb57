package heroku

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// records are what is known of all apps. Its methods may be called concurrently, and make no call.
type records struct {
	self []string
	left bool // apps on eco dynos are left to Heroku
	log  *slog.Logger
	// captures have a lock of their own.
	captures *captures
	// changed has something in it once a record has changed that was not reported.
	changed chan struct{}

	mu      sync.Mutex
	byID    map[string]*record
	byName  map[string]*record
	clock   uint64          // of looks, listings, orders and reports
	pending map[string]bool // ids of records that have changed
	gone    []string        // names that are no more
}

func newRecords(self []string, left bool, log *slog.Logger) *records {
	return &records{
		self: self, left: left, log: log, captures: newCaptures(), changed: make(chan struct{}, 1),
		byID: map[string]*record{}, byName: map[string]*record{}, pending: map[string]bool{},
	}
}

// tick is the number of what begins now.
func (o *records) tick() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	return o.clock
}

// named is an app by its name.
func (o *records) named(name string) (app, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byName[name]; r != nil {
		return r.app, true
	}
	return app{}, false
}

// keep takes in which apps there are, by a listing with that number.
func (o *records) keep(apps []app, begun uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	there := map[string]bool{}
	for _, a := range apps {
		if there[a.id] {
			return fmt.Errorf("%w: two apps have the id %s", paas.ErrForm, a.id)
		}
		there[a.id] = true
		o.keepOne(a, begun)
	}
	for id, r := range o.byID {
		if !there[id] && r.listed < begun {
			o.drop(r)
		}
	}
	return nil
}

// take takes in an app by itself.
func (o *records) take(a app, begun uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keepOne(a, begun)
}

// keepOne is called with the lock held.
func (o *records) keepOne(a app, begun uint64) {
	r := o.byID[a.id]
	if r == nil {
		r = &record{}
		o.byID[a.id] = r
	}
	was := r.name
	if !r.list(a, begun) {
		return
	}
	if was != a.name {
		o.unname(r, was)
		o.byName[a.name] = r
	}
	o.warn(r, a.odd, "Heroku tells something of an app in a way that is not documented; it is taken to be as it was", "fields", a.odd)
	o.touch(r)
}

// drop forgets an app that is no more. Called with the lock held.
func (o *records) drop(r *record) {
	delete(o.byID, r.id)
	delete(o.pending, r.id)
	o.captures.drop(r.id)
	o.unname(r, r.name)
	o.signal()
}

// unname takes a name from an app, which another one may have by now. Empty: it had none. Called
// with the lock held.
func (o *records) unname(r *record, name string) {
	if name == "" {
		return
	}
	if o.byName[name] == r {
		delete(o.byName, name)
	}
	o.gone = append(o.gone, name)
}

// forget is drop for an app of which Heroku says that there is none.
func (o *records) forget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byID[id]; r != nil {
		o.drop(r)
	}
}

// touch has a record be reported. Called with the lock held.
func (o *records) touch(r *record) {
	o.clock++
	r.version = o.clock
	o.pending[r.id] = true
	o.signal()
}

func (o *records) signal() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// warn logs something of an app once, until there is something else. Called with the lock held.
func (o *records) warn(r *record, about, text string, args ...any) {
	if about != "" && about != r.told {
		o.log.Warn(text, append([]any{"app", r.name}, args...)...)
	}
	r.told = about
}

// which are the ids of the apps that are so, sorted.
func (o *records) which(are func(*record) bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for id, r := range o.byID {
		if are(r) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// each does something to all apps that is not reported.
func (o *records) each(do func(*record)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.byID {
		do(r)
	}
}

// due is the id of the app that was looked at the longest ago, if that is before a time. Those
// that are on their way up are looked at anyway. Empty: there is none.
func (o *records) due(before time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var first *record
	for _, r := range o.byID {
		if r.ordered.IsZero() && r.looked.Before(before) && (first == nil || r.looked.Before(first.looked) || r.looked.Equal(first.looked) && r.id < first.id) {
			first = r
		}
	}
	if first == nil {
		return ""
	}
	return first.id
}

// all reports everything.
func (o *records) all() provider.Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.pending)
	o.gone = nil
	report := provider.Report{Complete: true}
	for _, r := range o.byID {
		o.clock++
		r.version = o.clock
	}
	o.clock++
	report.Version = o.clock
	for _, r := range slices.SortedFunc(maps.Values(o.byID), byName) {
		report.Apps = append(report.Apps, r.reported(o.self))
	}
	return report
}

// news reports what has changed since the last time. False: nothing has.
func (o *records) news() (provider.Report, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var changed []*record
	for id := range o.pending {
		changed = append(changed, o.byID[id])
	}
	slices.SortFunc(changed, byName)
	o.clock++
	report := provider.Report{Version: o.clock}
	taken := map[string]bool{}
	for _, r := range changed {
		taken[r.name] = true
		report.Apps = append(report.Apps, r.reported(o.self))
	}
	for _, name := range o.gone {
		if !taken[name] && o.byName[name] == nil {
			report.Gone = append(report.Gone, name)
		}
	}
	clear(o.pending)
	o.gone = nil
	return report, len(report.Apps)+len(report.Gone) > 0
}

func byName(a, b *record) int { return cmp.Compare(a.name, b.name) }

// report is an app as it is now.
func (o *records) report(id string) (inventory.App, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.byID[id]
	if r == nil {
		return inventory.App{}, ErrUnknownApp
	}
	o.clock++
	r.version = o.clock
	return r.reported(o.self), nil
}

// ErrUnknownApp means that the account has no app of that name, or may not see it.
var ErrUnknownApp = errors.New("no such app in the account")

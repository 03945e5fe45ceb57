package scalingo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

const (
	// eventPause is the time between two looks at the events while nothing is on its way,
	// busyEventPause else: Paastis's own orders are among them, of which a page has but so many.
	eventPause     = 20 * time.Second
	busyEventPause = time.Minute
)

// watcher is one run of Watch.
type watcher struct {
	*Provider
	report  func(provider.Report)
	told    map[string]bool // the names that were reported
	version uint64          // of the last report
	deaf    bool            // that events cannot be read was told
}

// Watch reports all apps, and then each that is not as it was: as listings, orders, and the events
// of the account tell, of which there is a look every 20 s. While an app is on its way up that
// Paastis has started, it looks at all apps of its region every 2 to 4 s instead; every 15 s while
// another one is on its way.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() { p.flights.audit(ctx) })
	w := &watcher{Provider: p, report: report, told: map[string]bool{}}
	p.tracks.lose()
	err := w.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("scalingo: %w", err)
}

// run returns when ctx ends, or Scalingo cannot be asked any more; never nil.
func (w *watcher) run(ctx context.Context) error {
	if err := w.lister.look(ctx); err != nil {
		return err
	}
	if _, err := w.readEvents(ctx); err != nil {
		return err
	}
	all := w.fleet.everything()
	for _, a := range all.Apps {
		w.told[a.Name] = true
	}
	w.version = all.Version
	w.report(all)
	for {
		if err := w.await(ctx); err != nil {
			return err
		}
		w.flights.settle(ctx)
		w.tell()
	}
}

// await returns once there is something to tell, perhaps: by an order, by a listing of somebody
// else's, or by a look of its own when it is time for one.
func (w *watcher) await(ctx context.Context) error {
	regions, err := w.account.allRegions(ctx)
	if err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(w.next(regions)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.fleet.news:
		return nil
	case <-timer.C:
	}
	for _, r := range regions {
		if pace := w.fleet.pace(r); pace > 0 {
			if err := w.lister.lookSince(paas.With(ctx, paas.Starting), r, pace); err != nil {
				return err
			}
		}
	}
	if time.Now().Before(w.eventsDue(regions)) {
		return nil
	}
	others, err := w.readEvents(ctx)
	if err != nil || !others {
		return err
	}
	return w.lister.look(ctx)
}

// next is when there is a look of its own to be taken.
func (w *watcher) next(regions []*region) time.Time {
	next := w.eventsDue(regions)
	for _, r := range regions {
		if pace := w.fleet.pace(r); pace > 0 {
			if at := w.fleet.lookedAt(r).Add(pace); at.Before(next) {
				next = at
			}
		}
	}
	return next
}

// eventsDue is when the events are to be read again: less often while looks tell more.
func (w *watcher) eventsDue(regions []*region) time.Time {
	pause := eventPause
	if slices.ContainsFunc(regions, func(r *region) bool { return w.fleet.pace(r) > 0 }) {
		pause = busyEventPause
	}
	return w.tracks.readAt().Add(pause)
}

// readEvents reads the newest events of all regions, and reports whether somebody else has done
// anything, as far as is known.
func (w *watcher) readEvents(ctx context.Context) (others bool, err error) {
	regions, err := w.account.allRegions(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range regions {
		events, _, err := r.events(ctx, "/v1/events", "1")
		switch {
		case isUnread(err):
			w.unread(err)
			others = true // who knows
			continue
		case err != nil:
			return false, err
		}
		found, gap := w.tracks.take(r.name, events)
		others = others || len(found) > 0 || gap
		for _, e := range found {
			if e.isOfRoles() {
				w.fleet.allow(e.AppID)
			}
		}
	}
	w.tracks.read()
	return others, nil
}

// unread tells once that events cannot be read. Apps are listed in their place.
func (w *watcher) unread(err error) {
	if !w.deaf {
		w.deaf = true
		w.log.Warn("events cannot be read; all apps are listed instead", "error", err)
	}
	w.tracks.lose()
}

// tell reports what has changed since the last report.
func (w *watcher) tell() {
	changed := w.fleet.since(w.version, w.told)
	w.version = changed.Version
	if len(changed.Apps)+len(changed.Gone) > 0 {
		w.report(changed)
	}
}

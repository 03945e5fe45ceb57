package scalingo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// eventPause is the time between two looks at the events while nothing is on its way.
const eventPause = 20 * time.Second

// watcher is one run of Watch.
type watcher struct {
	*Provider
	report  func(provider.Report)
	told    map[string]bool // the names that were reported
	version uint64          // of the last report
}

// Watch reports all apps, and then each that is not as it was: as listings, orders, and the events
// of the account tell, of which there is a look every 20 s. While an app is on its way up that
// Paastis has started, it looks at all apps every 5 s instead; every 15 s while another one is on its
// way.
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
	if err := w.look(ctx); err != nil {
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
	pace := w.fleet.pace()
	timer := time.NewTimer(w.until(pace))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.fleet.news:
		return nil
	case <-timer.C:
	}
	if pace > 0 {
		return w.look(ctx)
	}
	others, err := w.readEvents(ctx)
	if err != nil || !others {
		return err
	}
	return w.look(ctx)
}

// until is the time until the next look of its own.
func (w *watcher) until(pace time.Duration) time.Duration {
	last := w.fleet.lookedAt()
	if pace == 0 {
		pace = eventPause
		if read := w.tracks.readAt(); read.After(last) {
			last = read
		}
	}
	return max(0, pace-time.Since(last))
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
		if err != nil {
			return false, err
		}
		of, gap := w.tracks.take(r.name, events)
		others = others || of || gap
	}
	w.tracks.read()
	return others, nil
}

// tell reports what has changed since the last report.
func (w *watcher) tell() {
	changed := w.fleet.since(w.version, w.told)
	w.version = changed.Version
	if len(changed.Apps)+len(changed.Gone) > 0 {
		w.report(changed)
	}
}

package registry

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// intake takes in what the providers report. It may be used by several at once, but for what says
// that the lock is held.
type intake struct {
	*core
	log       *slog.Logger
	providers []provider.Provider
	audit     time.Duration              // between two listings of a provider that is not Paced
	loaded    map[provider.Provider]bool // it has reported its apps before; guarded by the lock
	recalled  map[provider.Provider]bool // it has not, and they are known from before; guarded by the lock
	settled   chan struct{}              // closed once all have
	first     firstListings
	began     time.Time // when they were first asked; see Registry.Load

	keepers     *keeperSet
	callers     *callers
	contacts    *contacts
	archive     *history.Archive
	resolver    *resolver
	transitions *transitions
	prober      *prober
	supply      *supply
	publisher   *Publisher
	news        *news
	tasks       *tasks
	redefined   chan<- struct{} // see traefikView
}

// steady is how long a watch has to last to count as well again: some providers take it on,
// list everything, and end it at once, such as a socket proxy that refuses events.
const steady = 30 * time.Second

// firstPause is the longest pause between two tries of a provider that has not answered so far:
// its apps are not known, so nobody who asks for one is served.
const firstPause = 3 * time.Second

// follow watches a provider until ctx ends, and connects anew when it is lost: after pauses
// that grow as long as none of its watches lasts. What is wrong is a warning once. It begins when
// the first listing is over: an engine that is slow is not asked twice at once.
func (i *intake) follow(ctx context.Context, p provider.Provider) {
	i.first.await(ctx, p)
	pause, told := newBackOff(250*time.Millisecond, 15*time.Second), i.contacts.lastError(p)
	for ctx.Err() == nil {
		began := time.Now()
		err := p.Watch(ctx, func(report provider.Report) {
			i.apply(p, report)
			i.noteContact(p, nil)
		})
		if ctx.Err() != nil {
			return
		}
		i.noteContact(p, err)
		i.mu.Lock()
		i.transitions.doubtManualStops(p, engineShutdown, time.Now())
		i.unlock()
		if time.Since(began) >= steady {
			pause.Reset()
			told = ""
		}
		level, wait := slog.LevelWarn, pause.NextBackOff()
		if !i.knowsAppsOf(p) {
			wait = min(wait, firstPause)
		}
		if err.Error() == told {
			level = slog.LevelDebug
		}
		told = err.Error()
		i.log.Log(ctx, level, "provider lost, connecting anew", "provider", p.ID(), "in", reason.Short(wait), "error", err)
		sleep(ctx, wait)
	}
}

// auditAll looks at everything from time to time: an event may have been lost.
func (i *intake) auditAll(ctx context.Context, p provider.Provider) {
	interval := i.audit
	if paced, ok := p.(provider.Paced); ok {
		interval = cmp.Or(paced.Interval(), interval)
	}
	each(ctx, interval, func() {
		i.list(ctx, p)
	})
}

// knowsApps reports whether some provider has told its apps. Before that none is known, and
// that a request is no app's says nothing.
func (i *intake) knowsApps() bool {
	i.mu.Lock()
	defer i.unlock()
	return len(i.loaded) > 0 || len(i.recalled) == len(i.providers)
}

// awaitApps reports whether apps may have been told while it waited: until all providers have
// told theirs, reportPatience is over, or ctx ends.
func (i *intake) awaitApps(ctx context.Context) bool {
	select {
	case <-i.settled:
		return false
	default:
	}
	left := time.Until(i.began.Add(reportPatience))
	if left <= 0 {
		return false
	}
	over := time.NewTimer(left)
	defer over.Stop()
	select {
	case <-i.settled:
	case <-over.C:
	case <-ctx.Done():
	}
	return true
}

// knowsAppsOf reports whether a provider has told its apps.
func (i *intake) knowsAppsOf(p provider.Provider) bool {
	i.mu.Lock()
	defer i.unlock()
	return i.loaded[p]
}

// apply takes in what a provider reports. Its first report is that of a Paastis that begins.
func (i *intake) apply(p provider.Provider, report provider.Report) {
	now := time.Now()
	i.mu.Lock()
	defer i.unlock()
	first := i.load(p, now)
	i.takeIn(p, report, first, now)
	if first && len(i.loaded) == len(i.providers) {
		close(i.settled)
	}
}

// load notes that a provider has told its apps, and reports whether that is for the first time.
// Called with the lock held.
func (i *intake) load(p provider.Provider, now time.Time) (first bool) {
	first = !i.loaded[p]
	if len(i.loaded) == 0 {
		i.publisher.pollers.Begin(now)
	}
	i.loaded[p] = true
	return first
}

// takeIn takes in what is new in a report. Called with the lock held.
func (i *intake) takeIn(p provider.Provider, report provider.Report, loading bool, now time.Time) {
	i.keepers.begin(loading)
	redefined := false
	var seen []*Keeper
	rose := map[*Keeper]bool{}
	for _, app := range report.Apps {
		was := i.keepers.byID[p.ID()+"/"+app.Name]
		stood := !loading && (was == nil || !was.app.Alive())
		k, changed := i.keep(p, app)
		redefined = redefined || changed
		seen = append(seen, k)
		rose[k] = stood && k.app.Alive()
	}
	for _, k := range seen {
		redefined = i.learnWithoutLocked(k, rose[k]) || redefined
	}
	gone := i.remove(p, report)
	if redefined || gone {
		i.resolver.resolve()
		signal(i.redefined)
	} else if i.callers.outdated {
		i.callers.locate(i.keepers.byID)
	}
	for _, k := range seen {
		i.observeLocked(k, now)
	}
	i.nudge()
}

// keep stores a report with the app's keeper, a new one if need be, and tells whether
// the inventory has to be made anew.
func (i *intake) keep(p provider.Provider, app inventory.App) (k *Keeper, redefined bool) {
	id := p.ID() + "/" + app.Name
	k = i.keepers.byID[id]
	if k == nil {
		k = newKeeper(id, p, app)
		if !app.First().StartedAt.IsZero() {
			k.endings.begin(time.Now())
		}
		k.failures.expect(app.Restarts()) // those of before are not of this minute
		i.inheritLocked(k, time.Now())
		if known, ok := i.archive.Take(k.id); ok {
			if app.IsAnother(known.Identity) {
				known.Resume = nil // it was kept of the one that had the name before
			}
			k.restore(known, i.keepers.loading, time.Now())
		}
		i.keepers.add(k)
		i.keepers.succeed(k, time.Now())
		return k, true
	}
	if app.Version < k.version {
		return k, false
	}
	redefined = !inventory.SameDefinition(k.app, &app)
	if e := k.Definition(); e != nil && e.Works && k.app.Ended() != app.Ended() {
		redefined = true
	}
	if recreated(k.app, &app) {
		k.failures.forgive()
	}
	if app.IsAnother(k.app.Identity()) {
		k.resume.keep(nil) // it was kept of the one before
	}
	if slices.ContainsFunc(k.app.Instances, inventory.Instance.Up) && !inventory.RanThrough(k.app, &app) {
		k.endings.end(time.Now(), k.app.Addresses(), slices.ContainsFunc(app.Instances, inventory.Instance.Up))
	}
	before := k.app.Addresses()
	k.take(app, redefined)
	i.callers.move(before, k.app.Addresses())
	i.supply.touch()
	return k, redefined
}

// remove forgets the apps that are gone, and tells whether there are any.
func (i *intake) remove(p provider.Provider, report provider.Report) bool {
	reported := map[string]bool{}
	for _, app := range report.Apps {
		reported[p.ID()+"/"+app.Name] = true
	}
	gone := false
	for _, k := range i.keepers.suspects(p, report) {
		if reported[k.id] || k.version > report.Version {
			continue
		}
		i.keepers.remove(k)
		i.lose(k)
		gone = true
	}
	return gone
}

// lose lets everybody go who waits for an app that no longer exists.
func (i *intake) lose(k *Keeper) {
	if k.Definition().Managed {
		i.news.emit(Event{At: time.Now(), Kind: GoneEvent, App: k.Name(), State: Failed, Was: k.state, Reason: reason.Reason{Kind: reason.Removed}})
	}
	slept := k.Definition().Managed && (k.state == Asleep || k.state == Stopping) && !k.manual.stopped()
	if !slept || !k.avoided.unheard().IsZero() {
		k.avoided.end(time.Time{}, time.Now())
	}
	if k.Definition().Managed || !k.avoided.isZero() {
		m := k.snapshot(time.Now())
		m.StoppedManually = time.Time{} // what was stopped is no more
		if slept {
			m.RemovedAsleep = m.Seen
		}
		i.archive.Add(k.id, m, m.Seen)
	}
	k.removal.remove(time.Now(), i.keepers.namesake(k))
	if k.removal.successor == nil {
		i.keepers.expect(k)
	}
	i.supply.touch()
	i.transitions.setOpen(k, false)
	removed := failureOf(reason.Reason{Kind: reason.Removed})
	k.end(removed.Reason)
	k.failures.end(removed, time.Now())
	k.notify()
	i.news.markChanged(k)
	if k.Definition().Managed {
		i.journal.say(slog.LevelInfo, "app removed", "app", k.Name())
	}
	if slept && k.removal.successor == nil {
		i.warnRemovedLocked(k)
	}
}

// recreated reports whether an app runs as other instances than before. One that is scaled to none,
// or from none, is what it was.
func recreated(was, is *inventory.App) bool {
	return len(was.Instances) > 0 && len(is.Instances) > 0 && !slices.EqualFunc(was.Instances, is.Instances, func(a, b inventory.Instance) bool { return a.ID == b.ID })
}

// newBackOff spaces attempts: first, twice that, and so on up to most.
func newBackOff(first, most time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier, b.RandomizationFactor = first, most, 2, 0
	b.Reset()
	return b
}

// each does something whenever so much time has passed, until ctx ends.
func each(ctx context.Context, pause time.Duration, do func()) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		do()
	}
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// signal leaves a word that waits until it is read. It never blocks.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// refreshLocked stores the look at an app that came with our own order.
func (i *intake) refreshLocked(k *Keeper, app inventory.App) {
	if k.removal.gone || app.Version < k.version {
		return
	}
	if _, redefined := i.keep(k.provider, app); redefined {
		i.resolver.resolve()
	}
	k.failures.see(k.app.Unwell(k.Definition().Probe.Kind == rules.AutoProbe))
}

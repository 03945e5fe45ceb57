package registry

import (
	"net/netip"
	"slices"
	"time"
)

// past is what an app did before.
type past struct {
	wakes     []Wake    // the last ones, oldest first
	history   history   // what it did, and since when it does what it does
	formerUse time.Time // when it was last of use, in a wake before or before Paastis started; zero: not known
}

// use notes when the app was of use in a wake that is over.
func (p *past) use(at time.Time) { p.formerUse = latest(p.formerUse, at) }

// wake adds a way up.
func (p *past) wake(w Wake) {
	p.wakes = append(p.wakes[max(0, len(p.wakes)-wakesKept+1):], w)
}

// restore goes on with what another Paastis has remembered.
func (p *past) restore(m SavedApp, now time.Time) {
	p.wakes = slices.Clone(m.Wakes[max(0, len(m.Wakes)-wakesKept):])
	if m.LastActivity.Before(now) {
		p.formerUse = m.LastActivity
	}
	p.history = historyOf(m.Spans, now)
}

// usualWake is how long the app's wakes take: the median of those that it remembers.
// Zero if there was none that succeeded.
func (p *past) usualWake() time.Duration {
	var took []time.Duration
	for _, w := range p.wakes {
		if w.Failed == nil {
			took = append(took, w.Took)
		}
	}
	if took == nil {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// endings are when an app was found to have ended, and how.
type endings struct {
	downFrom    time.Time // when its last stop was ordered, or it was found to have ended
	completedAt time.Time // when it last ended well, as a job does; zero: it never did

	endedAt         time.Time    // when it was last found to have ended, or been restarted
	formerAddresses []netip.Addr // that it had then
	restarted       bool         // it was restarted by someone else, unseen
}

// begin takes an app that Paastis has not known for one that ended just now, at the latest.
func (e *endings) begin(now time.Time) { e.endedAt = now }

// end takes in that the app has ended, and whether it runs again.
func (e *endings) end(now time.Time, addresses []netip.Addr, again bool) {
	e.endedAt, e.formerAddresses, e.restarted = now, addresses, again
}

// follow notes that a restart was followed.
func (e *endings) follow() { e.restarted = false }

// down notes that the app is down from now on.
func (e *endings) down(now time.Time) { e.downFrom = now }

// complete notes that the app ended well.
func (e *endings) complete(now time.Time) { e.completedAt = now }

// wellSince reports whether the app, if it is one that may end, has done so in a wake that
// began at a time.
func (e *endings) wellSince(wakeBegan time.Time) bool {
	return !e.completedAt.IsZero() && !e.completedAt.Before(wakeBegan)
}

// removal is that an app is no more.
type removal struct {
	gone      bool      // its provider no longer knows it
	at        time.Time // when it was removed; zero: it is there
	successor *Keeper   // of the app that has come in its place; nil: none
}

// remove notes that the app is gone.
func (o *removal) remove(now time.Time, successor *Keeper) { *o = removal{true, now, successor} }

// succeed notes which app has come in its place.
func (o *removal) succeed(k *Keeper) { o.successor = k }

package registry

import (
	"net/netip"
	"time"
)

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

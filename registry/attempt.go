package registry

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// attempt is one wake of an app: what was asked for, ordered and found on its way up, and what
// holds of it until the next one. It is replaced whole when that begins.
type attempt struct {
	number    int       // grows with each wake, and each restart on the way up: what was begun before proves nothing
	wanted    bool      // somebody asked for it; not merely found running
	startSent bool      // its provider was told to start it
	ready     readiness // what was found of its instances
	healthyAt time.Time // when it ran and was healthy; zero: not yet
	deadline  time.Time // of the wake
	turn      turn      // what it waits for to start, for too many others do
	optional  bool      // nobody has asked for it but by optional links
	startedAt time.Time // when its start was ordered, or found
	provenAt  time.Time // when Traefik listed its servers; zero: not yet
	// unprovable reports whether Traefik's API could not be asked.
	unprovable bool
	// wakeBegan is when the visitor came whose wake this one is part of.
	wakeBegan time.Time
	// again has it started again once it is stopped, for a wake that began then; zero: it is not.
	again          time.Time
	restartReason  sparse[reason.Reason] // why it is stopped only to be started again; zero: it is not
	found          bool                  // it ran before Paastis did
	pendingFailure sparse[Failure]       // what it will have failed of once it is stopped; zero: nothing
	mending        mending               // how what of it does not run is started again
	weighed        bool                  // its memory was asked for
}

// next is the attempt after this one, asked for by the same.
func (a *attempt) next(now time.Time, limit time.Duration) attempt {
	return attempt{number: a.number + 1, wanted: a.wanted, wakeBegan: a.wakeBegan, startedAt: now, deadline: now.Add(limit)}
}

// ask notes that somebody asks for the app, whatever optional links do.
func (a *attempt) ask() { a.wanted, a.optional = true, false }

// askFor notes that somebody asks for it, as part of a wake that began at a time.
func (a *attempt) askFor(since time.Time) { a.wanted, a.wakeBegan = true, since }

// adopt makes it one that nobody has asked for. Found reports whether the app ran before Paastis.
func (a *attempt) adopt(now time.Time, found bool) {
	a.wanted, a.wakeBegan, a.found = false, now, found
}

// join notes that another app asks for it.
func (a *attempt) join() { a.wanted = true }

// setOptional notes whether nobody asks for it but by optional links.
func (a *attempt) setOptional(optional bool) { a.optional = optional }

// sendStart notes that the app's provider is told to start it.
func (a *attempt) sendStart(now time.Time, limit time.Duration) {
	a.startSent, a.startedAt, a.deadline = true, now, now.Add(limit)
}

// queue notes for what turn the app waits that could start, but too many others do.
func (a *attempt) queue(of turn) { a.turn = of }

// queued reports whether the app could start, but too many others do.
func (a *attempt) queued() bool { return a.turn != noTurn }

// limit lets the attempt take until a time; extend, until then at least.
func (a *attempt) limit(deadline time.Time)  { a.deadline = deadline }
func (a *attempt) extend(deadline time.Time) { a.deadline = latest(a.deadline, deadline) }

// restart takes in that the app was started again on its way up: what was found of it before
// proves nothing.
func (a *attempt) restart(now time.Time) {
	a.number++
	a.ready, a.unprovable = readiness{}, false
	a.healthyAt, a.provenAt, a.startedAt = time.Time{}, time.Time{}, now
}

// heal notes that the app runs and is healthy; unheal, that it is not, or no longer.
func (a *attempt) heal(now time.Time) { a.healthyAt = now }
func (a *attempt) unheal()            { a.healthyAt = time.Time{} }

// prove notes that Traefik lists the app's servers; doubt, that it cannot be asked.
func (a *attempt) prove(now time.Time) { a.provenAt = now }
func (a *attempt) doubt()              { a.unprovable = true }

// startAgain has the app started again once it is stopped, for a wake that began at a time,
// unless it is to be anyway. It reports whether that is new.
func (a *attempt) startAgain(since time.Time) bool {
	if !a.again.IsZero() {
		return false
	}
	a.again = since
	return true
}

// stopFor has the app stopped only to be started again.
func (a *attempt) stopFor(reason reason.Reason, since time.Time) {
	a.again = since
	a.restartReason.set(reason)
}

// takeAgain returns what the app is to be started again for, and takes it for done. Zero: it
// is not to be.
func (a *attempt) takeAgain() (since time.Time, why reason.Reason) {
	since, why = a.again, a.restartReason.get()
	a.again = time.Time{}
	a.restartReason.set(reason.Reason{})
	return since, why
}

// setPendingFailure notes what the app will have failed of once it is stopped; the zero Failure: of nothing.
func (a *attempt) setPendingFailure(f Failure) { a.pendingFailure.set(f) }

// hasPendingFailure reports whether the app fails as soon as it is stopped.
func (a *attempt) hasPendingFailure() bool { return !a.pendingFailure.isZero() }

// weigh reports whether the app's memory is to be asked for, which a whole sample does once.
func (a *attempt) weigh(whole bool) bool {
	weighs := whole && !a.weighed
	a.weighed = a.weighed || whole
	return weighs
}

// isAdopted reports whether the app was found running, and nobody has asked for it since.
func (a *attempt) isAdopted() bool { return a.found && !a.wanted }

package registry

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// stage is the state in which an app is, and why.
type stage struct {
	state            State
	since            time.Time             // of the state
	reason           sparse[reason.Reason] // why it is in that state, or what it waits for there, for who waits
	transitionReason sparse[reason.Reason] // why it came into its state, for its owner; of one that sleeps, why it was stopped
	shown            State                 // the state as last told; an app is called ready when it is open
}

// setStage notes that the app is in another state, and returns since when it was in the one before.
// Why it came there is kept while it sleeps: one that was stopped sleeps for the reason of the stop.
func (g *stage) setStage(s State, why reason.Reason, now time.Time) (before time.Time) {
	before = g.since
	g.state, g.since = s, now
	g.reason.set(why)
	if !why.IsZero() || s != Asleep {
		g.transitionReason.set(why)
	}
	return before
}

// end notes that the app is no more.
func (g *stage) end(why reason.Reason) {
	g.state = Failed
	g.reason.set(why)
}

// setReason notes why it is in its state, or what it waits for there; setTransitionReason, why it
// came into it.
func (g *stage) setReason(why reason.Reason)           { g.reason.set(why) }
func (g *stage) setTransitionReason(why reason.Reason) { g.transitionReason.set(why) }

// show notes in which state the app is told to be.
func (g *stage) show(s State) { g.shown = s }

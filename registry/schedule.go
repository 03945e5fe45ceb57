package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// schedule is when to look again, and what has changed so far, in one pass. It is used with the
// registry's lock held.
type schedule struct {
	*core
	supply      *supply
	transitions *transitions
	now         time.Time
	next        time.Time       // when to look again
	changed     bool            // an app did, so others may follow
	changes     map[*Keeper]int // of each app
}

// settle takes what has changed for followed.
func (c *schedule) settle() { c.changed = false }

// at makes sure that the next pass is no later than t. A time that is past is left out:
// what it would move has moved, or waits for something else than time.
func (c *schedule) at(t time.Time) {
	if t.After(c.now) && t.Before(c.next) {
		c.next = t
	}
}

// noteChange notes that an app has changed within a pass: others, and it itself, may follow.
func (c *schedule) noteChange(k *Keeper) {
	c.supply.touch()
	c.changes[k]++
	switch n := c.changes[k]; {
	case n < mostChanges:
		c.changed = true
	case n == mostChanges:
		c.journal.say(slog.LevelError, "app is moved without end, and left for the next pass: please report this", "app", k.Name(), "state", k.state.String(), "reason", k.reason.get().String())
		c.at(c.now.Add(stuckPause))
	}
}

// changeState changes a state within a pass: the apps around may follow.
func (c *schedule) changeState(k *Keeper, s State, reason reason.Reason) {
	c.transitions.setState(k, s, reason, c.now)
	c.noteChange(k)
}

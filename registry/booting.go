package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// Without a condition Compose's depends_on asks for a start alone, and most stacks leave it at
// that: it is an order of starts. But who is let in while what the app asks is still booting
// gets the app's own error page. So such a need does not hold up the app's start, but its door.

// bootingGrace is how long an app that serves stays closed for what it depends on: longer than
// most take to boot, and no more than that is lost to one whose health check never passes.
const bootingGrace = time.Minute

// awaitsBooting reports whether an app that serves is to stay closed for a while, for one that
// it depends on runs and does not serve yet.
func (d *needWaker) awaitsBooting(k *Keeper) bool {
	if k.attempt.healthyAt.IsZero() || !slices.ContainsFunc(k.Definition().Needs, boots) {
		return false
	}
	over := k.attempt.healthyAt.Add(bootingGrace)
	d.at(over)
	return d.now.Before(over)
}

// boots reports whether the app at the end of a link that asks for its start alone is on its
// way. What a person has written to be no more than started is not waited for. Called with the
// lock held.
func boots(n inventory.Need) bool {
	t := KeeperOf(n.To)
	if !n.Ordered || n.Optional || n.Condition != rules.Started || !n.To.Managed || n.To.Job || t.state != Starting || !t.app.Up() || t.app.Health() == inventory.Unhealthy {
		return false
	}
	return !n.Inside || !t.healthy() // those of a circle would wait for each other
}

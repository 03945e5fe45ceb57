package registry

import (
	"log/slog"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/paastis/paastis/registry/inventory"
)

const (
	// mendDelay is for how long a part of an awake app may be down before it is started
	// again: whoever updates or restarts the app stops it, too, and goes on at once. One that
	// has crashed is started sooner.
	mendDelay      = 4 * time.Second
	crashMendDelay = time.Second
)

// mending is how the instances of an awake app that do not run are started again.
type mending struct {
	from  time.Time                   // since when one does not run; zero: all do
	next  time.Time                   // no sooner than this
	pause *backoff.ExponentialBackOff // nil: nothing was started again so far
}

// mend starts again what of an awake app does not run, while the rest serves, unless somebody
// stops that, too: some parts take longer for their end than others. It reports whether it did.
func (o *descent) mend(k *Keeper) bool {
	dead := slices.IndexFunc(k.app.Instances, func(i inventory.Instance) bool { return i.Status == inventory.Exited || i.Status == inventory.Paused })
	if dead < 0 || !k.app.Up() || k.Definition().MayEnd() || k.app.IsGoingDown() {
		k.attempt.mending.from = time.Time{}
		return false
	}
	if k.attempt.mending.from.IsZero() {
		k.attempt.mending.from = o.now
	}
	delay := mendDelay
	if i := k.app.Instances[dead]; i.Status == inventory.Exited && (i.OOMKilled || i.Crashed()) {
		delay = crashMendDelay
	}
	if at := latest(k.attempt.mending.from.Add(delay), k.attempt.mending.next); o.now.Before(at) {
		o.at(at)
		return false
	}
	if k.attempt.mending.pause == nil {
		k.attempt.mending.pause = newBackOff(firstRetry, lastRetry)
	}
	k.attempt.mending.from, k.attempt.mending.next = time.Time{}, o.now.Add(k.attempt.mending.pause.NextBackOff())
	o.journal.say(slog.LevelWarn, "a part of the app does not run, and is started again", "app", k.Name(), "container", k.app.Instances[dead].Name)
	o.orders.start(k)
	return true
}

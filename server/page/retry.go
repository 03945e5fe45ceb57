package page

import (
	"cmp"
	"time"

	"github.com/paastis/paastis/registry"
)

const (
	// usualGuess is how long a wake takes of which nothing is known yet.
	usualGuess = 5 * time.Second
	// AsleepPause is when to ask again for who wakes nothing: by then somebody may have come,
	// or started an app that was stopped by hand.
	AsleepPause = time.Minute
	// overdueShare is which part of the time that an app has taken already it is given, once
	// that is more than usual; overdueMost is the most of it.
	overdueShare = 4
	overdueMost  = time.Minute
)

// RetryIn is in how long an app may be there for who asks again.
func RetryIn(v registry.View, now time.Time) time.Duration {
	if v.HeldDown {
		return AsleepPause
	}
	switch v.State {
	case registry.Failed:
		return v.RetryAt.Sub(now)
	case registry.Asleep, registry.Draining, registry.Stopping:
		return cmp.Or(v.Usual, usualGuess)
	case registry.Starting:
		if !v.Began.IsZero() {
			return wakeLeft(v, now)
		}
	}
	return 0 // it is up, and all but open
}

// wakeLeft is how much of a wake is left, by those before. The longer it takes already, the
// longer it may take still.
func wakeLeft(v registry.View, now time.Time) time.Duration {
	took := now.Sub(v.Began)
	if left := cmp.Or(v.Usual, usualGuess) - took; left > 0 {
		return left
	}
	return min(took/overdueShare, overdueMost)
}

package registry

import (
	"slices"
	"time"
)

// wakesKept is how many of an app's last wakes are remembered.
const wakesKept = 20

// Wake is one way up of an app.
type Wake struct {
	// At is when it began.
	At time.Time
	// Took is the time until requests could pass, or until it failed.
	Took time.Duration
	// Failed says why it failed, as a sentence. Empty: it did not.
	Failed string
}

// remember takes in that an app's way up is over. Called with the lock held, before its
// state changes.
func (k *Keeper) remember(s State, reason string, now time.Time) {
	if k.state != Starting || !k.ordered || s != Ready && s != Failed {
		return
	}
	w := Wake{At: k.since, Took: now.Sub(k.since)}
	if s == Failed {
		w.Failed = reason
	}
	k.wakes = append(k.wakes[max(0, len(k.wakes)-wakesKept+1):], w)
}

// usualWake is how long the app's wakes take: the median of those that it remembers.
// Zero if there was none that succeeded.
func (k *Keeper) usualWake() time.Duration {
	var took []time.Duration
	for _, w := range k.wakes {
		if w.Failed == "" {
			took = append(took, w.Took)
		}
	}
	if took == nil {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

package registry

import (
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/reason"
)

// History is what an app did since a time, oldest first, without gaps, until now. What is
// not known is history.Unknown. Nil if the time is not past.
func (r *Registry) History(k *Keeper, from time.Time) []history.Span {
	r.mu.Lock()
	defer r.unlock()
	return k.past.Since(from, time.Now())
}

// live takes in what an app does from a time on. Called with the lock held, whenever its
// state has changed, or whether it is managed.
func (k *Keeper) live(now time.Time) {
	k.followAvoided(now)
	switch {
	case !k.Definition().Managed || k.removal.gone:
		k.past.Enter(history.Unknown, now)
	case k.state == Asleep:
		k.past.Enter(history.Asleep, now)
	case k.state == Failed:
		k.past.Enter(history.Failed, now)
	default:
		k.past.Enter(history.Awake, now)
	}
}

// remember takes in that an app's way up is over. Called with the lock held, before its
// state changes.
func (k *Keeper) remember(s State, reason reason.Reason, now time.Time) {
	if k.state != Starting || !k.attempt.startSent || s != Ready && s != Failed {
		return
	}
	w := history.Wake{At: k.since, Took: now.Sub(k.since)}
	if s == Failed {
		w.Failed = &reason
	}
	k.past.AddWake(w)
}

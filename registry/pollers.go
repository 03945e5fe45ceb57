package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/reason"
)

// pollers are the Traefiks that fetch the routes, and what they mean for an app. Guarded by the
// registry's lock, which is held whenever it is used.
type pollers struct {
	*core
	handover.Pollers
}

// direct reports whether the app's routes are published to a Traefik, and fetched; or were, and
// may still be used.
func (l *pollers) direct(k *Keeper) bool { return l.Lead(k, k.routing.stale) }

// leading are the Traefiks that fetch the routes and may lead requests to the app.
func (l *pollers) leading(k *Keeper, now time.Time) []*handover.Poller {
	return l.Leading(k, k.routing.stale, now)
}

// unturnable says why an app's routes could not be turned to Paastis now, so that it has
// to stay awake, and until when to wait for a change. Zero: they could.
func (l *pollers) unturnable(k *Keeper, now time.Time) (why reason.Reason, until time.Time) {
	switch {
	case len(k.Definition().Routes) == 0 && !k.routing.stale:
		return reason.Reason{}, time.Time{}
	case !l.direct(k):
		// A Traefik that has fetched them from the Paastis before may not be back yet.
		if end := l.ExpectedUntil(); k.attempt.found && k.lastRequest().IsZero() && now.Before(end) {
			return reason.Reason{Kind: reason.RoutesUnknown}, end
		}
		return reason.Reason{}, time.Time{}
	case len(l.leading(k, now)) > 0:
		return reason.Reason{}, time.Time{}
	}
	if l.Miss() {
		l.journal.say(slog.LevelWarn, "no Traefik fetches its routes any more: apps in direct mode stay awake; if that is for good, start Paastis anew")
	}
	return reason.Reason{Kind: reason.NobodyFetches}, now.Add(handover.PollPatience)
}

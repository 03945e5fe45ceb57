package registry

import (
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/reason"
)

// pollers are the Traefiks that fetch the routes. Guarded by the registry's lock, which is held
// whenever it is used.
type pollers struct {
	*core
	byFetcher map[fetcher]*poller // none ever did if it is empty
	missing   bool                // nobody does any more, and it was logged
	loadedAt  time.Time           // when Paastis began, or knew the first apps
}

// begin notes when Paastis began, or when it knew the first apps: before that it gives no routes.
func (l *pollers) begin(now time.Time) { l.loadedAt = now }

// comeBack notes that one of them is there again.
func (l *pollers) comeBack() { l.missing = false }

// poller is a Traefik that fetches the routes.
type poller struct {
	fetcher
	to      *handover.Destination // that it is now
	offered *handover.Destination // that it was when it was given routes last
	had     *handover.Destination // that it was when it got some: it may still use them
	version uint64                // of the routes that it got last
	at      time.Time
	every   time.Duration // its last pause; zero: not known yet
}

// isLive reports whether it still counts as there.
func (p *poller) isLive(now time.Time) bool {
	patience := max(pollPatience, pollsMissed*p.every)
	if p.every == 0 {
		patience = pollGrace
	}
	return now.Sub(p.at) < patience
}

// direct reports whether the app's routes are published to a Traefik, and fetched; or were, and
// may still be used. Called with the lock held.
func (l *pollers) direct(k *Keeper) bool {
	for _, p := range l.byFetcher {
		if p.leads(k) {
			return true
		}
	}
	return false
}

// leads reports whether a Traefik may lead requests by a route of the app's: it has one, or will.
func (p *poller) leads(k *Keeper) bool {
	return k.routing.stale || p.to.Leads(k) || p.had != nil && p.had.Leads(k)
}

// leading are the Traefiks that fetch the routes and may lead requests to the app. Called
// with the lock held.
func (l *pollers) leading(k *Keeper, now time.Time) []*poller {
	return slices.DeleteFunc(l.live(now), func(p *poller) bool { return !p.leads(k) })
}

// live are the Traefiks that fetch the routes. Called with the lock held.
func (l *pollers) live(now time.Time) []*poller {
	var live []*poller
	for _, p := range l.byFetcher {
		if p.isLive(now) {
			live = append(live, p)
		}
	}
	return live
}

// fetched reports whether all who fetch the routes have this version or a later one.
func (l *pollers) fetched(version uint64, now time.Time) bool {
	return have(l.live(now), version)
}

// have reports whether there are Traefiks, and all have this version of the routes or a later one.
func have(live []*poller, version uint64) bool {
	return len(live) > 0 && !slices.ContainsFunc(live, func(p *poller) bool { return p.version < version })
}

// unturnable says why an app's routes could not be turned to Paastis now, so that it has
// to stay awake, and until when to wait for a change. Zero: they could.
func (l *pollers) unturnable(k *Keeper, now time.Time) (why reason.Reason, until time.Time) {
	switch {
	case len(k.Definition().Routes) == 0 && !k.routing.stale:
		return reason.Reason{}, time.Time{}
	case !l.direct(k):
		// A Traefik that has fetched them from the Paastis before may not be back yet.
		if end := l.loadedAt.Add(pollGrace); k.attempt.found && k.lastRequest().IsZero() && now.Before(end) {
			return reason.Reason{Kind: reason.RoutesUnknown}, end
		}
		return reason.Reason{}, time.Time{}
	case len(l.leading(k, now)) > 0:
		return reason.Reason{}, time.Time{}
	}
	if !l.missing {
		l.missing = true
		l.journal.say(slog.LevelWarn, "no Traefik fetches its routes any more: apps in direct mode stay awake; if that is for good, start Paastis anew")
	}
	return reason.Reason{Kind: reason.NobodyFetches}, now.Add(pollPatience)
}

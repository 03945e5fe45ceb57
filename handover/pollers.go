package handover

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"
)

const (
	// PollPatience is how long a Traefik that fetches the routes may be silent, at least,
	// before it counts as gone: it asks each 5 s unless told otherwise. One that has come
	// once, so that its pause is not known, has the time of PollGrace.
	PollPatience = 15 * time.Second
	// pollsMissed is how many of its usual pauses it may be silent.
	pollsMissed = 3
	// PollGrace is how long after Paastis's own start a Traefik may take to come back for
	// its routes: it waits longer the longer Paastis was away, up to a minute.
	PollGrace = 75 * time.Second
)

// Fetcher is who fetches the routes: an address, and the endpoint that it asks. The empty
// endpoint is /traefik/config itself.
type Fetcher struct {
	Address  netip.Addr
	Endpoint string
}

// Pollers are the Traefiks that fetch the routes. Whoever has it guards it by a lock. Make it by
// NewPollers.
type Pollers struct {
	byFetcher map[Fetcher]*Poller
	missing   bool      // nobody fetches them any more, and that was told
	since     time.Time // when Paastis began, or knew the first apps
}

// NewPollers makes one of which no Traefik has fetched anything.
func NewPollers() Pollers { return Pollers{byFetcher: map[Fetcher]*Poller{}} }

// Begin notes when Paastis began, or when it knew the first apps: before that it gives no routes.
func (l *Pollers) Begin(now time.Time) { l.since = now }

// ExpectedUntil is until when a Traefik that has fetched routes from the Paastis before may still
// come back.
func (l *Pollers) ExpectedUntil() time.Time { return l.since.Add(PollGrace) }

// Len is how many of them are known, those included that count as gone. 0: none ever came.
func (l *Pollers) Len() int { return len(l.byFetcher) }

// All are those that are known, in no order.
func (l *Pollers) All() iter.Seq[*Poller] { return maps.Values(l.byFetcher) }

// Of is the one that fetches so; nil if none does.
func (l *Pollers) Of(who Fetcher) *Poller { return l.byFetcher[who] }

// Add takes in one that fetches for the first time, and forgets those that count as gone.
func (l *Pollers) Add(who Fetcher, to *Destination, now time.Time) *Poller {
	maps.DeleteFunc(l.byFetcher, func(_ Fetcher, p *Poller) bool { return !p.isLive(now) })
	p := &Poller{Fetcher: who, to: to, offered: to}
	l.byFetcher[who] = p
	return p
}

// Miss notes that nobody fetches the routes any more, and reports whether that is new.
func (l *Pollers) Miss() bool {
	was := l.missing
	l.missing = true
	return !was
}

// ComeBack ends what Miss began, and reports whether it did.
func (l *Pollers) ComeBack() bool {
	was := l.missing
	l.missing = false
	return was
}

// Lead reports whether routes of the app that somebody keeps are published to a Traefik, and
// fetched; or were, and may still be used. stale reports whether any of them may use routes of
// the app that are published no more.
func (l *Pollers) Lead(live any, stale bool) bool {
	for _, p := range l.byFetcher {
		if stale || p.leads(live) {
			return true
		}
	}
	return false
}

// Leading are those of Live that may lead requests to the app that somebody keeps.
func (l *Pollers) Leading(live any, stale bool, now time.Time) []*Poller {
	return slices.DeleteFunc(l.Live(now), func(p *Poller) bool { return !stale && !p.leads(live) })
}

// Live are those that fetch the routes now, in no order.
func (l *Pollers) Live(now time.Time) []*Poller {
	var live []*Poller
	for _, p := range l.byFetcher {
		if p.isLive(now) {
			live = append(live, p)
		}
	}
	return live
}

// Fetched reports whether all who fetch the routes have this version or a later one.
func (l *Pollers) Fetched(version uint64, now time.Time) bool { return Have(l.Live(now), version) }

// Have reports whether there are Traefiks, and all have this version of the routes or a later one.
func Have(live []*Poller, version uint64) bool {
	return len(live) > 0 && !slices.ContainsFunc(live, func(p *Poller) bool { return p.version < version })
}

// Poller is a Traefik that fetches the routes.
type Poller struct {
	Fetcher
	to      *Destination // that it is now
	offered *Destination // that it was when it was given routes last
	had     *Destination // that it was when it got some: it may still use them
	version uint64       // of the routes that it got last
	at      time.Time
	every   time.Duration // its last pause; zero: not known yet
}

// To is the destination that it is now.
func (p *Poller) To() *Destination { return p.to }

// Every is its last pause. Zero: it has come once.
func (p *Poller) Every() time.Duration { return p.every }

// Redirect makes it another destination, of which it has no routes yet.
func (p *Poller) Redirect(to *Destination) { p.to = to }

// Offer notes that it is given routes as a destination, which it is from now on.
func (p *Poller) Offer(to *Destination) { p.to, p.offered = to, to }

// Take notes that it has got a version of the routes. It reports whether it had another one
// before, and whether it has got them as another destination than the last time.
func (p *Poller) Take(version uint64, now time.Time) (another, elsewhere bool) {
	if !p.at.IsZero() {
		p.every = now.Sub(p.at)
	}
	another, elsewhere = p.version != version, p.had != p.offered
	p.version, p.at, p.had = version, now, p.offered
	return another, elsewhere
}

// isLive reports whether it still counts as there.
func (p *Poller) isLive(now time.Time) bool {
	patience := max(PollPatience, pollsMissed*p.every)
	if p.every == 0 {
		patience = PollGrace
	}
	return now.Sub(p.at) < patience
}

// leads reports whether it may lead requests by a route of the app: it has one, or will.
func (p *Poller) leads(live any) bool {
	return p.to.Leads(live) || p.had != nil && p.had.Leads(live)
}

package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostSources is how many source addresses are remembered; those that have not been
// heard of for the longest are as good as new.
const mostSources = 10_000

// wakeLimit bounds how many apps one source address wakes. The nil limit bounds nothing.
type wakeLimit struct {
	perMinute int

	mu      sync.Mutex
	sources map[netip.Prefix]*rate.Limiter // :: source → what it has left
}

// newWakeLimit allows so many wakes a minute, and as many at once. Zero: any number.
func newWakeLimit(perMinute int) *wakeLimit {
	if perMinute <= 0 {
		return nil
	}
	return &wakeLimit{perMinute: perMinute, sources: map[netip.Prefix]*rate.Limiter{}}
}

// allows counts a wake and tells whether it may be. An unknown address is a source like
// any other; of IPv6 the network is (RFC 6177), for a visitor has all of it.
func (l *wakeLimit) allows(source netip.Addr, now time.Time) bool {
	if l == nil {
		return true
	}
	source = source.Unmap().WithZone("")
	bits := source.BitLen()
	if source.Is6() {
		bits = 64
	}
	network, _ := source.Prefix(bits) // the zero Prefix for no address
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.sources[network]
	if limiter == nil {
		l.forget(now)
		limiter = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.sources[network] = limiter
	}
	return limiter.AllowN(now, 1)
}

// forget makes room for one more source. Called with the lock held.
func (l *wakeLimit) forget(now time.Time) {
	if len(l.sources) < mostSources {
		return
	}
	for network, limiter := range l.sources {
		if limiter.TokensAt(now) >= float64(l.perMinute) {
			delete(l.sources, network)
		}
	}
	if len(l.sources) >= mostSources {
		clear(l.sources)
	}
}

package problem

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostSources is how many source addresses are remembered; those that have not been
// heard of for the longest are as good as new.
const mostSources = 10_000

// SourceLimit bounds what one source address does, such as waking apps. An unknown address
// is a source like any other; of IPv6 the network is (RFC 6177), for a visitor has all of
// it. The nil limit bounds nothing.
type SourceLimit struct {
	each  rate.Limit
	burst int

	mu      sync.Mutex
	sources map[netip.Prefix]*rate.Limiter // :: source → what it has left
}

// NewSourceLimit allows each source so much a second, and a burst at once.
func NewSourceLimit(each rate.Limit, burst int) *SourceLimit {
	return &SourceLimit{each: each, burst: burst, sources: map[netip.Prefix]*rate.Limiter{}}
}

// PerMinute allows each source so much a minute, and as much at once. Zero: any number.
func PerMinute(n int) *SourceLimit {
	if n <= 0 {
		return nil
	}
	return NewSourceLimit(rate.Limit(float64(n)/60), n)
}

// Allows counts what a source does, and reports whether it may.
func (l *SourceLimit) Allows(source netip.Addr, now time.Time) bool {
	if l == nil {
		return true
	}
	network := networkOf(source)
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.sources[network]
	if limiter == nil {
		l.forget(now)
		limiter = rate.NewLimiter(l.each, l.burst)
		l.sources[network] = limiter
	}
	return limiter.AllowN(now, 1)
}

// Wait is for how long a source has nothing left. It counts nothing. Zero: it has.
func (l *SourceLimit) Wait(source netip.Addr, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.sources[networkOf(source)]
	if limiter == nil {
		return 0
	}
	return time.Duration(max(0, 1-limiter.TokensAt(now)) / float64(l.each) * float64(time.Second))
}

// RemoteAddr is the address at the other end of a request's connection; the zero Addr if
// nobody knows.
func RemoteAddr(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr().Unmap().WithZone("")
}

// networkOf is a source; the zero Prefix for no address.
func networkOf(source netip.Addr) netip.Prefix {
	source = source.Unmap().WithZone("")
	bits := source.BitLen()
	if source.Is6() {
		bits = 64
	}
	network, _ := source.Prefix(bits)
	return network
}

// forget makes room for one more source. It is called with l.mu held.
func (l *SourceLimit) forget(now time.Time) {
	if len(l.sources) < mostSources {
		return
	}
	for network, limiter := range l.sources {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.sources, network)
		}
	}
	if len(l.sources) >= mostSources {
		clear(l.sources)
	}
}

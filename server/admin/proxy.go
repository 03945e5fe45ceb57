package admin

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/paastis/paastis/server/problem"
)

// forwarded are the headers by which a proxy says from whom it has a request, as the
// client sent it. Whoever is no proxy can send them too.
var forwarded = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Port", "X-Forwarded-Prefix",
	"X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Uri", "X-Real-Ip",
}

// proxies are those that are believed about whom they have requests from. None: nobody
// is, and the client is who holds the connection.
type proxies []netip.Prefix

func (p proxies) has(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// unwrap returns a request as its client sent it: at the host and from the address that a
// trusted proxy tells, and without a word of anybody else's. RemoteAddr is an address
// without a port then. The request that it is given stays as it is.
func (p proxies) unwrap(r *http.Request) *http.Request {
	peer := problem.RemoteAddr(r)
	own := new(http.Request)
	*own = *r
	own.RemoteAddr = peer.String()
	if p.has(peer) {
		own.RemoteAddr = p.client(peer, r.Header.Values("X-Forwarded-For")).String()
		if host := last(r.Header, "X-Forwarded-Host"); host != "" {
			own.Host = host
		}
		return own
	}
	if slices.ContainsFunc(forwarded, func(name string) bool { return r.Header[name] != nil }) {
		own.Header = maps.Clone(r.Header)
		for _, name := range forwarded {
			delete(own.Header, name)
		}
	}
	return own
}

// client returns the nearest address that is no trusted proxy's: each proxy adds its own
// peer at the end, so what stands before that may be anybody's invention. Where nothing
// can be read, it is the proxy before.
func (p proxies) client(peer netip.Addr, lines []string) netip.Addr {
	hops := strings.Split(strings.Join(lines, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := hopOf(hop)
		if !ok {
			return peer
		}
		if peer = addr; !p.has(addr) {
			return addr
		}
	}
	return peer
}

// hopOf reads an address of X-Forwarded-For, to which some proxies add the port.
func hopOf(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if addr, err := netip.ParseAddrPort(text); err == nil {
		return addr.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// clientOf is the address of an unwrapped request's client; the zero Addr if nobody knows.
func clientOf(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddr(r.RemoteAddr)
	return addr
}

// last is the last value of a header that may have several, in lines or with commas: that
// of the nearest proxy. Empty: there is none.
func last(h http.Header, name string) string {
	lines := h.Values(name)
	if len(lines) == 0 {
		return ""
	}
	line := lines[len(lines)-1]
	return strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:])
}

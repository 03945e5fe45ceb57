package traefik

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// ErrNotForwarded means that the headers are not those of Traefik's ForwardAuth, which
// always says which URI the visitor asked for.
var ErrNotForwarded = errors.New("no X-Forwarded-Uri header")

// reserved are the characters whose escapes Traefik keeps when it matches a path: those
// of RFC 3986, section 2.2, and the percent sign. It knows the escapes in upper case
// only: %2f is a slash to it, %2F is not.
const reserved = ":/?#[]@!$&'()*+,;=%"

// Request is a visitor's request as far as rules look at it. To match one keeps and
// changes nothing of it.
type Request struct {
	// Method as the visitor sent it, in upper case unless it was not.
	Method string
	// Proto is "http" or "https", for WebSockets too.
	Proto string
	// Port is the one that the visitor seems to have used. Zero: unknown.
	Port uint16
	// Asked reports whether Traefik asks about the request, and whether it does so because of the
	// router that took it: of routers that it asks nobody about, it is none.
	Asked bool
	// Authority is the host as the visitor sent it, with its port. Empty: unknown.
	Authority string
	// Host is the host that rules are matched with: lower case, no port, no brackets,
	// a dot at the end kept. Empty: no Host matcher takes the request.
	Host string
	// URI is path and query as the visitor sent them, as in the first line of HTTP/1.1.
	URI string
	// Path is the path that rules are matched with: escapes decoded but those of
	// reserved characters, so that "/a%20b%2Fc" is "/a b%2Fc".
	Path string
	// RawQuery is the query, not decoded, without the question mark.
	RawQuery string
	// Header is the visitor's, with canonical names. Nil is empty.
	Header http.Header
	// ClientIP is the address that Traefik was called from. The zero Addr is unknown
	// and in no network.
	ClientIP netip.Addr
}

// FromForwardAuth reads the request that Traefik asks about from the headers of its
// question. It returns ErrNotForwarded, or another error if the URI is none; the host
// is always that of X-Forwarded-Host, whatever the URI says. The request keeps h.
//
// Traefik neither forwards hop-by-hop headers such as Upgrade nor tells them in another
// way: a rule on them finds nothing.
func FromForwardAuth(h http.Header) (Request, error) {
	uri := first(h, "X-Forwarded-Uri")
	if uri == "" {
		return Request{}, ErrNotForwarded
	}
	r := Request{
		Method:   first(h, "X-Forwarded-Method"),
		Proto:    proto(first(h, "X-Forwarded-Proto")),
		Header:   h,
		ClientIP: lastForwardedFor(h),
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.Asked = true
	r.SetAuthority(first(h, "X-Forwarded-Host"))
	r.setPort(first(h, "X-Forwarded-Port"))
	if err := r.SetURI(uri); err != nil {
		return Request{}, fmt.Errorf("read X-Forwarded-Uri %q: %w", uri, err)
	}
	return r, nil
}

// FromRequest reads a request that reached Paastis itself: as the server behind a
// published route, or called without a proxy. X-Forwarded-Proto and the last address
// of X-Forwarded-For are believed, for a proxy in front sets them; who may call
// Paastis without one can choose them.
func FromRequest(request *http.Request) Request {
	r := Request{
		Method:   request.Method,
		Proto:    proto(request.Header.Get("X-Forwarded-Proto")),
		Header:   request.Header,
		ClientIP: lastForwardedFor(request.Header),
	}
	if request.TLS != nil {
		r.Proto = "https"
	}
	if !r.ClientIP.IsValid() {
		r.ClientIP = remoteIP(request.RemoteAddr)
	}
	r.SetAuthority(request.Host)
	r.setPort(first(request.Header, "X-Forwarded-Port"))
	if err := r.SetURI(request.URL.RequestURI()); err != nil {
		// Such as "GET mailto:me": it has no path for Traefik either.
		r.Path, r.RawQuery = request.URL.Path, request.URL.RawQuery
	}
	return r
}

// FromURL makes the GET request of a visitor who opens the URL. A URL without a scheme
// is one of http. The request has no header and no client address.
func FromURL(rawURL string) (Request, error) {
	if !strings.Contains(rawURL, "://") {
		rawURL = "http://" + rawURL
	}
	parsed, err := url.Parse(rawURL)
	if err != nil {
		return Request{}, err
	}
	if parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return Request{}, fmt.Errorf("read URL %q: want http or https, and a host", rawURL)
	}
	r := Request{Method: http.MethodGet, Proto: parsed.Scheme}
	r.SetAuthority(parsed.Host)
	r.setPort("")
	if r.Port == 0 {
		r.Port = usualPort(parsed.Scheme)
	}
	if err := r.SetURI(parsed.RequestURI()); err != nil {
		return Request{}, fmt.Errorf("read URL %q: %w", rawURL, err)
	}
	return r, nil
}

// Origin returns the scheme and the authority of the request's URL, by the scheme that the visitor
// seems to have used: "https://shop.example:8443". It returns "" if the visitor's host is not known
// or is none.
func (r *Request) Origin() string {
	if !isAuthority(r.Authority) {
		return ""
	}
	return r.scheme() + "://" + r.Authority
}

// URL returns the absolute URL of the request, to send the visitor there again, by the scheme
// that the visitor seems to have used. Each character that could end a header or leave the host is escaped. It returns "" if the
// visitor's host is not known or is none.
func (r *Request) URL() string {
	if !isAuthority(r.Authority) {
		return ""
	}
	absolute := r.Origin() + escapeURI(r.URI)
	parsed, err := url.Parse(absolute)
	if err != nil || parsed.Host != r.Authority {
		return ""
	}
	return absolute
}

// scheme is the one that the visitor seems to have used. Behind a balancer that ends TLS it
// is not the one that Traefik itself was called by, which is all that ForwardAuth tells
// without trustForwardHeader. Then there is still the port that Traefik made of the word of
// a balancer that it trusts (forwarded_header.go of 3.6.12), what balancers tell in other
// ways, and what browsers say. A visitor who makes that up leads no other astray.
func (r *Request) scheme() string {
	if r.Proto == "https" || r.Port == usualPort("https") || r.isSaidToBeHTTPS() {
		return "https"
	}
	return proto(r.Proto)
}

// isSaidToBeHTTPS reports whether headers say that the visitor used HTTPS. Browsers tell
// where they are (Origin, Referer) and send Sec-Fetch-Site by nothing else, except to the
// machine that they run on.
func (r *Request) isSaidToBeHTTPS() bool {
	for _, name := range []string{"X-Forwarded-Ssl", "Front-End-Https", "X-Forwarded-Scheme", "X-Url-Scheme"} {
		if says := first(r.Header, name); strings.EqualFold(says, "on") || strings.EqualFold(says, "https") {
			return true
		}
	}
	here := "https://" + r.Authority
	return strings.Contains(strings.ToLower(first(r.Header, "Forwarded")), "proto=https") || strings.Contains(first(r.Header, "Cf-Visitor"), `"https"`) ||
		first(r.Header, "Origin") == here || strings.HasPrefix(first(r.Header, "Referer"), here+"/") ||
		r.Header["Sec-Fetch-Site"] != nil && !r.isLocal()
}

// isLocal reports whether the host is the visitor's own machine by its name or address.
func (r *Request) isLocal() bool {
	host := strings.TrimSuffix(r.Host, ".")
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// SetAuthority sets the host as the visitor sent it, and Host with it.
func (r *Request) SetAuthority(authority string) {
	r.Authority = authority
	r.Host = strings.ToLower(strings.TrimSpace(hostname(authority)))
}

// setPort takes the port that Traefik tells (forwarded_header.go of 3.6.12: that of the
// Host, else the usual one of the scheme, unless a proxy before it told another), else
// that of the host.
func (r *Request) setPort(forwarded string) {
	if r.Port = port(forwarded); r.Port != 0 || forwarded != "" {
		return
	}
	if colon := strings.LastIndexByte(r.Authority, ':'); colon >= 0 {
		r.Port = port(r.Authority[colon+1:])
	}
}

// SetURI sets path and query as the visitor sent them, and Path and RawQuery with them. It
// fails for a path that is none.
func (r *Request) SetURI(uri string) error {
	r.URI = originForm(uri)
	if r.URI[0] != '/' && r.URI != "*" {
		return errors.New("want a path that starts with a slash")
	}
	escaped, query, _ := strings.Cut(r.URI, "?")
	path, err := routingPath(escaped)
	if err != nil {
		return err
	}
	r.Path, r.RawQuery = path, query
	return nil
}

// URLPort is that of the visitor's URL with a colon before it, "" if it goes without saying.
func (r *Request) URLPort() string {
	port := first(r.Header, "X-Forwarded-Port")
	if port == "" || port == "80" && r.Proto != "https" || port == "443" && r.Proto == "https" {
		return ""
	}
	return ":" + port
}

// NotedHost is the host that Traefik noted before a middleware replaced it. Empty: none.
func (r *Request) NotedHost() string { return first(r.Header, "X-Forwarded-Host") }

// Helpers

// first is a header's first value, by its canonical name: so it need not be made canonical
// for each request, as Get does.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// proto tells https from http; to Traefik a WebSocket's is "wss" or "ws". Of several
// balancers the first was the visitor's.
func proto(forwarded string) string {
	if forwarded == "https" || forwarded == "http" { // what Traefik says itself
		return forwarded
	}
	forwarded, _, _ = strings.Cut(forwarded, ",")
	if forwarded = strings.TrimSpace(forwarded); strings.EqualFold(forwarded, "https") || strings.EqualFold(forwarded, "wss") {
		return "https"
	}
	return "http"
}

func usualPort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

// hostname cuts the port off, and the brackets of an IPv6 address.
func hostname(authority string) string {
	if !strings.Contains(authority, ":") {
		return authority
	}
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	if authority[0] == '[' && authority[len(authority)-1] == ']' {
		return authority[1 : len(authority)-1]
	}
	return authority
}

// originForm cuts scheme and host off a URI that has them. The path that is left is
// not empty.
func originForm(uri string) string {
	scheme, rest, absolute := strings.Cut(uri, "://")
	if !absolute || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return uri
	}
	start := strings.IndexAny(rest, "/?")
	switch {
	case start < 0:
		return "/"
	case rest[start] == '?':
		return "/" + rest[start:]
	default:
		return rest[start:]
	}
}

// routingPath decodes the escapes of a path but those of reserved characters. It is the
// path itself, and costs nothing, if there are none.
func routingPath(escaped string) (string, error) {
	if !strings.Contains(escaped, "%") {
		return escaped, nil
	}
	var path strings.Builder
	for rest := escaped; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		path.WriteString(before)
		if !found {
			break
		}
		if len(after) < 2 {
			return "", errors.New("escape cut short")
		}
		char, err := decode("%" + after[:2])
		if err != nil {
			return "", err
		}
		path.WriteString(char)
		rest = after[2:]
	}
	return path.String(), nil
}

// decode returns the character of an escape such as %20, or the escape itself if the
// character is reserved.
func decode(escape string) (string, error) {
	char, err := url.PathUnescape(escape)
	if err != nil {
		return "", err
	}
	if strings.Contains(reserved, char) && escape == strings.ToUpper(escape) {
		return escape, nil
	}
	return char, nil
}

// lastForwardedFor is the address that the proxy nearest to us added: what it was
// called from itself.
func lastForwardedFor(h http.Header) netip.Addr {
	lines := h["X-Forwarded-For"]
	if len(lines) == 0 {
		return netip.Addr{}
	}
	last := lines[len(lines)-1]
	last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	address, err := netip.ParseAddr(last)
	if err != nil {
		return netip.Addr{}
	}
	return address
}

func remoteIP(remoteAddr string) netip.Addr {
	address, err := netip.ParseAddr(hostname(remoteAddr))
	if err != nil {
		return netip.Addr{}
	}
	return address
}

// isAuthority takes names, addresses and ports, and nothing else that RFC 3986 allows:
// no user, for "trusted@evil" is a host of its own.
func isAuthority(authority string) bool {
	for _, char := range []byte(authority) {
		if !isAlphanumeric(char) && strings.IndexByte("-._~:[]", char) < 0 {
			return false
		}
	}
	return authority != ""
}

// escapeURI escapes what must not stand in a path and a query.
func escapeURI(uri string) string {
	if uri == "" || uri[0] != '/' {
		return "/"
	}
	var escaped strings.Builder
	for _, char := range []byte(uri) {
		if isAlphanumeric(char) || strings.IndexByte("-._~:/?[]@!$&'()*+,;=%", char) >= 0 {
			escaped.WriteByte(char)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", char)
		}
	}
	return escaped.String()
}

func isAlphanumeric(char byte) bool {
	return '0' <= char && char <= '9' || 'a' <= char|0x20 && char|0x20 <= 'z'
}

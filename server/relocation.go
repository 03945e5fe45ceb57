package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// relocation leads back to the visitor's host what an app, which is asked for by the host of its
// URL, says of that host. What it says of any other one stays.
type relocation struct {
	upstream  *url.URL
	origin    string // scheme and authority by which the visitor came; empty: not known
	visitHost string // without port, in small letters
}

// newRelocation is that of a request which is carried to the URL of an app.
func newRelocation(upstream *url.URL, request *traefik.Request) relocation {
	return relocation{upstream, request.Origin(), strings.TrimSuffix(request.Host, ".")}
}

// apply changes the headers of an answer.
func (o relocation) apply(h http.Header) {
	if o.origin == "" {
		return
	}
	for _, name := range []string{"Location", "Content-Location"} {
		for i, value := range h[name] {
			h[name][i] = o.relocated(value)
		}
	}
	for i, value := range h["Refresh"] {
		h["Refresh"][i] = o.refresh(value)
	}
	for i, cookie := range h["Set-Cookie"] {
		h["Set-Cookie"][i] = o.cookie(cookie)
	}
}

// relocated is a reference as the visitor is to follow it: one to the app's own host at the
// visitor's. One without a host is fine as it is.
func (o relocation) relocated(reference string) string {
	at := strings.Index(reference, "//")
	u, err := url.Parse(reference)
	if err != nil || at < 0 || u.Host == "" || u.User != nil || !o.isOwn(u) {
		return reference
	}
	rest := reference[at+2:] // with the escapes that it came with
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		return o.origin + rest[end:]
	}
	return o.origin
}

// isOwn reports whether a reference leads to the app's own URL, or to the same host by the usual
// port of HTTP or HTTPS: an app behind a platform need not know by what that is asked.
func (o relocation) isOwn(u *url.URL) bool {
	if !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), o.upstream.Hostname()) {
		return false
	}
	switch u.Scheme {
	case "http", "https", "":
		return u.Port() == "" || u.Port() == o.upstream.Port() || u.Port() == "80" || u.Port() == "443"
	default:
		return false
	}
}

// refresh is the header of a page that leads on by itself: "5; url=https://…".
func (o relocation) refresh(value string) string {
	at := strings.Index(strings.ToLower(value), "url=")
	if at < 0 {
		return value
	}
	quote, to := "", value[at+len("url="):]
	if strings.HasPrefix(to, `"`) || strings.HasPrefix(to, "'") {
		quote, to = to[:1], to[1:]
	}
	return value[:at+len("url=")] + quote + o.relocated(to)
}

// cookie is a cookie that the visitor's browser keeps: without a domain that has the app's host
// and not the visitor's, for which it would drop the cookie.
func (o relocation) cookie(line string) string {
	parts := strings.Split(line, ";")
	kept := slices.DeleteFunc(parts[1:], func(attribute string) bool {
		name, domain, _ := strings.Cut(attribute, "=")
		domain = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(domain), "."))
		return strings.EqualFold(strings.TrimSpace(name), "domain") &&
			isWithin(o.upstream.Hostname(), domain) && !isWithin(o.visitHost, domain)
	})
	return strings.Join(append(parts[:1], kept...), ";")
}

// isWithin reports whether a host is a domain, or one below it.
func isWithin(host, domain string) bool {
	return host == domain || domain != "" && strings.HasSuffix(host, "."+domain)
}

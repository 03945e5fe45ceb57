package traefik

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// Scheme is what the labels say of how the router's servers are spoken to: "http",
// "https" or "h2c".
func (l Labels) Scheme(router Router) string {
	server := l.server(router)
	if u, err := url.Parse(server.URL); err == nil && u.Scheme != "" {
		return u.Scheme
	}
	return cmp.Or(server.Scheme, "http")
}

// Foreign is the router's service if somebody else than the labels' provider has it,
// such as "shop@file". Empty: the labels, or Traefik for them, make it.
func (r Router) Foreign() string {
	if _, local := LocalName(r.Service); !local {
		return r.Service
	}
	return ""
}

// Secure reports whether people reach the router by HTTPS, as far as it tells by itself.
func (r Router) Secure() bool {
	return r.TLS || slices.ContainsFunc(r.EntryPoints, func(name string) bool {
		return strings.EqualFold(name, "websecure") || strings.EqualFold(name, "https")
	})
}

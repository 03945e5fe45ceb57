package traefik

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mostPlaces is how many places a rule may name before nobody looks for those that are its.
const mostPlaces = 32

// place is where a page may be: a host and a path. Empty: any.
type place struct{ host, path string }

// URLs are those under which a browser surely gets to the router, in the order of its rule:
// of the hosts and paths that the rule names, those that it takes without more being known
// of the request. Nil: none. The port is not known: it is that of HTTP or HTTPS.
func (r *Rule) URLs(router Router) []string {
	if r == nil {
		return nil
	}
	scheme := "http"
	if router.Secure() {
		scheme = "https"
	}
	var urls []string
	for _, at := range r.root.places() {
		if !strings.Contains(at.host, ".") && at.host != "localhost" {
			continue // nobody finds it
		}
		if at.path == "" {
			at.path = "/"
		}
		request := Request{Method: http.MethodGet, Proto: scheme, Authority: at.host, Host: at.host, URI: at.path, Path: at.path}
		u := (&url.URL{Scheme: scheme, Host: strings.TrimSuffix(at.host, "."), Path: at.path}).String()
		if r.Match(&request) && !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	return urls
}

// Secure reports whether people reach the router by HTTPS, as far as it tells by itself.
func (r Router) Secure() bool {
	return r.TLS || slices.ContainsFunc(r.EntryPoints, func(name string) bool {
		return strings.EqualFold(name, "websecure") || strings.EqualFold(name, "https")
	})
}

// places are those that the node names. Nil: there are none, or too many.
func (n *node) places() []place {
	if n.not {
		return []place{{}}
	}
	var places []place
	switch n.op {
	case and:
		for _, l := range n.left.places() {
			for _, r := range n.right.places() {
				if at, ok := l.with(r); ok && len(places) < mostPlaces {
					places = append(places, at)
				}
			}
		}
	case or:
		places = append(n.left.places(), n.right.places()...)
		places = places[:min(len(places), mostPlaces)]
	default:
		places = n.matcher.places()
	}
	return places
}

func (m *matcher) places() []place {
	var places []place
	for _, host := range m.hosts {
		places = append(places, place{host: host})
	}
	for _, path := range m.paths {
		places = append(places, place{path: path})
	}
	if places == nil {
		return []place{{}}
	}
	return places
}

// with is what is in both places; of two paths the one within the other.
func (p place) with(o place) (place, bool) {
	if p.host == "" {
		p.host = o.host
	}
	if len(o.path) > len(p.path) {
		p.path, o.path = o.path, p.path
	}
	return p, (o.host == "" || p.host == o.host) && strings.HasPrefix(p.path, o.path)
}

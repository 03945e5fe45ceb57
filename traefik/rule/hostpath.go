package rule

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// mostHostPaths is how many hostPaths a rule may name before nobody looks for those that are its.
const mostHostPaths = 32

// hostPath is where a page may be: a host and a path. Empty: any.
type hostPath struct{ host, path string }

// URLs are those under which a browser surely gets to the router, in the order of its rule:
// of the hosts and paths that the rule names, those that it takes without more being known
// of the request. Nil: none. The port is not known: it is that of HTTP or HTTPS.
func (r *Rule) URLs(router traefik.Router) []string {
	if r == nil {
		return nil
	}
	scheme := "http"
	if router.Secure() {
		scheme = "https"
	}
	var urls []string
	for _, at := range r.root.hostPaths() {
		if !strings.Contains(at.host, ".") && at.host != "localhost" {
			continue // nobody finds it
		}
		if at.path == "" {
			at.path = "/"
		}
		request := traefik.Request{Method: http.MethodGet, Proto: scheme, Authority: at.host, Host: at.host, URI: at.path, Path: at.path}
		u := (&url.URL{Scheme: scheme, Host: strings.TrimSuffix(at.host, "."), Path: at.path}).String()
		if r.Match(&request) && !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	return urls
}

// hostPaths are those that the node names. Nil: there are none, or too many.
func (n *node) hostPaths() []hostPath {
	if n.not {
		return []hostPath{{}}
	}
	var hostPaths []hostPath
	switch n.op {
	case and:
		for _, l := range n.left.hostPaths() {
			for _, r := range n.right.hostPaths() {
				if at, ok := l.with(r); ok && len(hostPaths) < mostHostPaths {
					hostPaths = append(hostPaths, at)
				}
			}
		}
	case or:
		hostPaths = append(n.left.hostPaths(), n.right.hostPaths()...)
		hostPaths = hostPaths[:min(len(hostPaths), mostHostPaths)]
	default:
		hostPaths = n.matcher.hostPaths()
	}
	return hostPaths
}

func (m *matcher) hostPaths() []hostPath {
	var hostPaths []hostPath
	for _, host := range m.hosts {
		hostPaths = append(hostPaths, hostPath{host: host})
	}
	for _, path := range m.paths {
		hostPaths = append(hostPaths, hostPath{path: path})
	}
	if hostPaths == nil {
		return []hostPath{{}}
	}
	return hostPaths
}

// with is what is in both hostPaths; of two paths the one within the other.
func (p hostPath) with(o hostPath) (hostPath, bool) {
	if p.host == "" {
		p.host = o.host
	}
	if len(o.path) > len(p.path) {
		p.path, o.path = o.path, p.path
	}
	return p, (o.host == "" || p.host == o.host) && strings.HasPrefix(p.path, o.path)
}

package inventory

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
)

// An app of a platform has no labels. In their place, those of another container may have a router
// whose server is the app's URL: those of Traefik's own, or of Paastis's.

// serving finds the routers that lead to the URL of an app: a step of Resolve.
type serving struct{ *Inventory }

// findServed notes what each router serves. Of several apps of one URL it is the first.
func (inv serving) findServed() {
	byURL := map[string]*Definition{}
	for _, e := range inv.Definitions {
		if at := urlKey(e.URL); at != "" && byURL[at] == nil {
			byURL[at] = e
		}
	}
	if len(byURL) == 0 {
		return
	}
	for _, e := range inv.Definitions {
		for i := range e.Routers {
			r := &e.Routers[i]
			u, err := url.Parse(r.StaticURL)
			if err != nil || r.StaticURL == "" || e.URL != nil {
				continue
			}
			r.Serves = byURL[urlKey(u)]
		}
	}
}

// urlKey is the host and port of a URL, in one way for all. Empty: there is none.
func urlKey(u *url.URL) string {
	if u == nil {
		return ""
	}
	return net.JoinHostPort(hostOf(u), strconv.Itoa(int(urlPort(u))))
}

// App is the app that the router's requests are for: the one whose URL its server is, else the
// one that it is a router of.
func (r *Router) App() *Definition { return cmp.Or(r.Serves, r.Definition) }

// IsUnlabelled reports whether the app has no labels but that of what it is, and its provider none
// that a Traefik could read: then no constraint is about it.
func (e *Definition) IsUnlabelled() bool {
	if !e.reported.Unread {
		return false
	}
	for label := range e.App.Labels {
		if label != identityLabel {
			return false
		}
	}
	return true
}

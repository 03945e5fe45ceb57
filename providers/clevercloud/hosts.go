package clevercloud

import (
	"slices"
	"strings"
)

// appsDomain is where Clever Cloud gives each app a domain.
const appsDomain = ".cleverapps.io"

// url is where the app is reached: by a domain of Clever Cloud's own, never by one of its owner's,
// which is to lead to Traefik. One that was chosen comes before that which each app has. Empty: it
// has none. Before its domains are known it is the one that each app has.
func (a *app) url() string {
	own := "app-" + strings.TrimPrefix(a.id, "app_") + appsDomain
	if !a.detailed {
		return "https://" + own
	}
	var usable []string
	for _, host := range a.hosts {
		if h, ok := upstream(host); ok {
			usable = append(usable, h)
		}
	}
	slices.Sort(usable)
	i := slices.IndexFunc(usable, func(h string) bool { return h != own })
	switch {
	case i >= 0:
		return "https://" + usable[i]
	case len(usable) > 0:
		return "https://" + own
	default:
		return ""
	}
}

// upstream is the name of a domain if the app is reached there as a whole, by HTTPS: one label
// before Clever Cloud's own domain, for its certificate has no more, and no path.
func upstream(fqdn string) (host string, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(fqdn, "/"))
	label, own := strings.CutSuffix(host, appsDomain)
	return host, own && label != "" && !strings.ContainsAny(label, "./")
}

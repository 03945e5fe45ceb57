package registry

import (
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// traefiks are all that may have the routers of labels, as far as they are known. There is
// at least one.
type traefiks []traefik.Static

// newTraefiks are those of the settings.
func newTraefiks(s Settings) traefiks {
	all := traefiks{}
	for _, static := range s.Endpoints {
		all = append(all, static)
	}
	return append(all, s.Traefik)
}

// keep reports whether one of them has routers of an app with these labels.
func (ts traefiks) keep(l traefik.Labels) bool {
	return slices.ContainsFunc(ts, func(t traefik.Static) bool { return t.Keeps(l) })
}

// keepUnhealthy reports whether one of them has routers of apps that are not healthy.
func (ts traefiks) keepUnhealthy() bool {
	return slices.ContainsFunc(ts, func(t traefik.Static) bool { return t.KeepsUnhealthy })
}

// ways are those of a router by all of them, none twice. Nil: they are not known. None, but
// not nil: no Traefik has one of its entry points.
func (ts traefiks) ways(r traefik.Router) []traefik.Way {
	all := []traefik.Way{}
	for _, t := range ts {
		ways := t.Ways(r)
		if ways == nil {
			return nil
		}
		for _, w := range ways {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// before are the middlewares of entry points that stand before a router's own, none twice.
func (ts traefiks) before(r traefik.Router) []string {
	var all []string
	for _, t := range ts {
		for _, name := range t.Before(r) {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// place finds by which ways each router is reached, and which apps no Traefik has.
func (inv *Inventory) place(s Settings) {
	ts, known := newTraefiks(s), map[string][]traefik.Way{}
	for _, e := range inv.Entries {
		e.leftOut, e.unhealthyToo = !ts.keep(e.labels) || e.isUnread(s), ts.keepUnhealthy()
		for i := range e.Routers {
			r := &e.Routers[i]
			if r.Own {
				continue
			}
			key := strings.Join(r.EntryPoints, ",")
			if r.TLS {
				key += "/tls"
			}
			ways, found := known[key]
			if !found {
				ways = ts.ways(r.Router)
				known[key] = ways
			}
			if r.ways = ways; ways != nil && len(ways) == 0 {
				r.lost = true
				e.problem("router %q on %s: Traefik has none of its entry points %s, so it takes no request; correct traefik.http.routers.%s.entrypoints", r.Name, e.holderOf(r).App.Origin, strings.Join(r.EntryPoints, ", "), r.Name)
			}
			r.asksBefore = len(ts.before(r.Router)) > 0
		}
	}
}

// isUnread reports whether the labels have something that Traefik cannot read, as far as its
// version is known. It was asked before about an app that is published.
func (e *Entry) isUnread(s Settings) bool {
	return len(e.labels.Routers) > 0 && len(e.Routes) == 0 && e.labels.Unreadable(s.TraefikVersion == "" || s.newer())
}

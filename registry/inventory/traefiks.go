package inventory

import (
	"slices"
	"strings"
	"text/template"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// traefiks are all that may have the routers of labels, as far as they are known. There is
// at least one.
type traefiks []traefik.Static

// placing finds which Traefiks have a router, and by which ways: a step of Resolve.
type placing struct {
	*Inventory
}

// newTraefiks are those that run as apps, as far as their flags can be read, with what the
// settings say of them; else those of the settings.
func newTraefiks(apps []*Definition, s Settings) traefiks {
	var all traefiks
	for _, static := range s.Endpoints {
		all = append(all, static)
	}
	settled := len(all) == 0
	for _, e := range apps {
		if is := e.App.Traefik; is != nil && is.Unread == "" && settled {
			all = append(all, s.Traefik.Over(*is))
		} else if is != nil && settled {
			return traefiks{s.Traefik}
		}
	}
	if settled && len(all) > 0 {
		return all
	}
	return append(all, s.Traefik)
}

// defaultRule is the one that is set, else the one in the flags of every Traefik among the
// apps. Nil: none is known, so it is Traefik's own.
func (s Settings) defaultRule(apps []Reported) *template.Template {
	text := ""
	for _, app := range apps {
		switch is := app.Traefik; {
		case is == nil:
		case text != "" && is.DefaultRule != text:
			return s.DefaultRule
		default:
			text = is.DefaultRule
		}
	}
	if s.DefaultRule != nil || text == "" {
		return s.DefaultRule
	}
	rule, err := traefik.ParseDefaultRule(text)
	if err != nil {
		return nil // Traefik does not start with it either
	}
	return rule
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
func (inv placing) place(s Settings) {
	ts, known := newTraefiks(inv.Definitions, s), map[string][]traefik.Way{}
	for _, e := range inv.Definitions {
		e.LeftOut, e.unhealthyToo = e.reported.Unread || !ts.keep(e.Labels) || inv.isUnread(e, s), ts.keepUnhealthy()
		for i := range e.Routers {
			r := &e.Routers[i]
			if !r.tellsWays() && len(r.EntryPoints) == 0 {
				continue
			}
			key := strings.Join(r.EntryPoints, ",")
			if r.TLS {
				key += "/tls"
			}
			ways, found := known[key]
			if !found {
				ways = ts.ways(*r.Router)
				known[key] = ways
			}
			if ways != nil && len(ways) == 0 {
				r.lost = true
				e.problem(EntryPointsMissing, "router %q on %s: Traefik has none of its entry points %s, so it takes no request; correct %s", r.Name, r.holderOr(e).App.Origin, strings.Join(r.EntryPoints, ", "), r.whereEntryPoints(e))
			}
			if r.tellsWays() {
				r.ways, r.asksBefore = ways, len(ts.before(*r.Router)) > 0
			}
		}
	}
}

// isUnread reports whether the labels have something that Traefik cannot read, as far as its
// version is known, and tells of it. It was asked before about an app that is published.
func (inv placing) isUnread(e *Definition, s Settings) bool {
	if len(e.Labels.Routers) == 0 || len(e.Routes) > 0 {
		return false
	}
	misread := e.Labels.Misread(s.TraefikVersion == "" || s.IsNewer())
	if len(misread) > 0 && e.Managed && e.Mode == rules.ForwardAuth {
		e.problem(LabelUnknown, "label %q on %s is none that Traefik 3.7 or an older one can read: it leaves out the app %q with all its routers; correct it, or remove it", misread[0], e.App.Origin, e.Name)
	}
	return len(misread) > 0
}

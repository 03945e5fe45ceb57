package inventory

import (
	"maps"
	"net/url"
	"slices"

	"github.com/paastis/paastis/rules"
)

// Traefik may ask another app about the requests of one, by a ForwardAuth middleware: Authelia,
// say. While that one sleeps, visitors get 500. Behind Paastis it is asked once the app is awake,
// so it is what the app needs. Before Paastis nobody would wake it: it must not sleep. The routes
// that Paastis publishes of a sleeping app have all of its middlewares but Paastis's own, so there
// each of them stands before.

// askers are links to the apps that Traefik asks about the app's requests once Paastis has let
// them through. One that nobody lets sleep runs by itself.
func (inv *linking) askers(e *Definition, s Settings) []rules.Link {
	var links []rules.Link
	for _, r := range e.Routers {
		for _, address := range r.askedBehind {
			if asked := inv.appAt(e, address); r.Paastis && asked != nil && inv.sleeps(asked, s) {
				links = append(links, rules.Link{Name: asked.ID, Condition: rules.Healthy})
			}
		}
	}
	return links
}

// keepAskersAwake lets no app sleep that Traefik asks about the requests of a managed one before
// it asks Paastis.
func (inv *linking) keepAskersAwake() {
	for _, e := range inv.Definitions {
		for i := range e.Routers {
			r := &e.Routers[i]
			if !e.Managed || !r.Paastis {
				continue
			}
			before := r.askedBefore
			if e.Mode != rules.ForwardAuth {
				before = slices.Concat(before, r.askedBehind)
			}
			for _, address := range before {
				if asked := inv.appAt(e, address); asked != nil && asked.Managed && asked.MaxIdleTime != rules.Never {
					asked.neverSleepFor(e, r)
				}
			}
		}
	}
}

// neverSleepFor keeps the app awake, for Traefik asks it about the requests of a router.
func (e *Definition) neverSleepFor(of *Definition, r *Router) {
	kept := *e.Resolved
	kept.Origins = maps.Clone(kept.Origins)
	if kept.Origins == nil {
		kept.Origins = map[string]string{}
	}
	kept.MaxIdleTime, kept.Origins["max_idle_time"] = rules.Never, "router "+r.Name
	e.Resolved = &kept
	e.problem(NeedNeverSleeps, "app %q never sleeps: by a forwardauth middleware of router %q Traefik asks it about each request for app %q before Paastis, so while it slept visitors would get 500 and wake nothing; take Paastis off it, or let it stand behind Paastis in the router's middlewares by ForwardAuth (paastis.mode=forwardauth on %q), where it is woken too (%s)",
		e.Name, r.Name, of.Name, of.Name, e.App.Origin)
}

// appAt is the app at the address of a middleware of an app's router; nil: it is none that is
// known, or the app itself.
func (inv *linking) appAt(e *Definition, address string) *Definition {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	if asked := inv.Named(inv.linkedName(e, u.Hostname())); asked != e {
		return asked
	}
	return nil
}

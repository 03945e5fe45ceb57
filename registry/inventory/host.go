package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// hosting gives apps without routers those for their hosts: a step of Resolve, for which host is
// whose depends on all of them.
type hosting struct {
	*Inventory
	taken  map[string]taking        // by host
	owners map[string][]*Definition // :: host → the apps that have it by their hosts, the first of each provider
}

// taking is what takes all requests of a host.
type taking struct {
	app *Definition // that they are for
	why string      // for people
}

// host gives each app its routers. Of several apps of a provider that have one host, it is that of
// the oldest, as far as is known: who makes an app later takes it from nobody. Else, and of several
// providers, it is that of the one whose name is the very label of it, else of the first by ID.
func (inv hosting) host() {
	var hosted []*Definition
	for _, e := range inv.Definitions {
		if len(e.Hosts) > 0 && (e.Excluded().IsZero() || e.IsLeftAlone()) && !e.leavesHostsOut() {
			hosted = append(hosted, e)
		}
	}
	if len(hosted) == 0 {
		return
	}
	for _, e := range inv.Definitions {
		inv.take(e)
	}
	for _, e := range hosted {
		inv.claim(e)
	}
	for _, e := range hosted {
		inv.give(e)
	}
}

// claim has the app own its hosts, unless another one of its provider goes before it.
func (inv hosting) claim(e *Definition) {
	for _, written := range e.Hosts {
		host, err := rules.HostOf(written, e.ownName())
		if err != nil {
			continue
		}
		owners := inv.owners[host]
		at := slices.IndexFunc(owners, func(other *Definition) bool { return other.Provider() == e.Provider() })
		switch {
		case at < 0:
			inv.owners[host] = append(owners, e)
		case claimant{e, host}.isBefore(owners[at]):
			owners[at] = e
		}
	}
}

// claimant is an app that would have a host.
type claimant struct {
	*Definition
	host string
}

// isBefore reports whether the app goes before another one of its provider that has the same host.
func (c claimant) isBefore(other *Definition) bool {
	made, others := c.App.CreatedAt, other.App.CreatedAt
	switch {
	case made.Equal(others):
		return c.isNearer(other)
	case made.IsZero() || others.IsZero():
		return others.IsZero()
	default:
		return made.Before(others)
	}
}

// isNearer reports whether the app's name is the label of the host, and not that of the other one,
// or the app is the first by ID.
func (c claimant) isNearer(other *Definition) bool {
	label, _, _ := strings.Cut(c.host, ".")
	if is := c.ownName() == label; is != (other.ownName() == label) {
		return is
	}
	return c.ID < other.ID
}

// ownerOf is the app that has a host by its hosts.
func (inv hosting) ownerOf(host string) *Definition {
	owners := inv.owners[host]
	first := owners[0]
	for _, e := range owners[1:] {
		if (claimant{e, host}).isNearer(first) {
			first = e
		}
	}
	return first
}

// leavesHostsOut reports whether the app has routers already, and tells that its hosts are not used.
func (e *Definition) leavesHostsOut() bool {
	why := ""
	switch {
	case e.Rule != "":
		why = fmt.Sprintf("its rule (%s) says which requests are its own; remove one of them", e.Origins["rule"])
	case len(e.Routers) > 0:
		why = whoseRouters(e)
	default:
		return false
	}
	e.problem(RuleLeftOut, "host of app %q (%s): left out, for %s", e.Name, e.Origins["host"], why)
	return true
}

// take notes the hosts of which the app's routers take all requests.
func (inv hosting) take(e *Definition) {
	for i := range e.Routers {
		r := &e.Routers[i]
		for _, host := range r.Match.HostKeys() {
			if _, taken := inv.taken[host]; !taken && r.Match.TakesAllOf(host) {
				inv.taken[host] = taking{cmp.Or(r.Serves, e), fmt.Sprintf("router %q of app %q takes all its requests (%s)", r.Name, e.Name, e.App.Origin)}
			}
		}
	}
}

// give adds a router for each host of the app that it can have, and tells why it has none of the
// others.
func (inv hosting) give(e *Definition) {
	var own []string
	for _, written := range e.Hosts {
		host, err := rules.HostOf(written, e.ownName())
		switch {
		case err != nil:
			e.problem(HostUnusable, "host %q of app %q (%s): left out, for %v; write another one, or give the app another name by app_name (%s)", written, e.Name, e.Origins["host"], err, e.App.Origin)
		case e.URL != nil && host == e.URL.Hostname():
			e.problem(HostUnusable, "host %q of app %q (%s): left out, for its platform has the app by it (%s): led to Traefik, its requests would go in circles; write a host that is yours (%s)", host, e.Name, e.Origins["host"], e.URL, e.App.Origin)
		case slices.Contains(own, host):
		case inv.taken[host].app != nil && inv.taken[host].app != e:
			e.problem(HostTaken, "host %q of app %q (%s): left out, for %s; give one of them another host (%s)", host, e.Name, e.Origins["host"], inv.taken[host].why, e.App.Origin)
		case inv.ownerOf(host) != e:
			other := inv.ownerOf(host)
			e.problem(HostTaken, "host %q of app %q (%s): left out, for it is that of app %q already (%s); give one of them another host (%s)", host, e.Name, e.Origins["host"], other.Name, other.App.Origin, e.App.Origin)
		default:
			own = append(own, host)
		}
	}
	for i, host := range own {
		name := host
		if i == 0 {
			name = e.App.Name
		}
		e.addOwnRouter(ByHost, name, fmt.Sprintf("Host(`%s`)", host))
	}
}

// ownName is the name by which the app is known, whatever others are called.
func (e *Definition) ownName() string { return cmp.Or(e.AppName, e.App.Name) }

// Maker is a property that makes routers of an app. The zero one is none.
type Maker uint8

const (
	// ByRule: rule, which says the router's whole rule.
	ByRule Maker = 1 + iota
	// ByHost: host.
	ByHost
)

// Key is that of the property. Empty: it is none.
func (m Maker) Key() string { return []string{"", "rule", "host"}[m] }

// addOwnRouter adds a router that a property makes, with what other properties say of such.
func (e *Definition) addOwnRouter(by Maker, name, text string) {
	router := Router{Router: &traefik.Router{
		Name: name, Rule: text, EntryPoints: e.EntryPoints, Middlewares: e.Middlewares, TLS: e.TLS || e.CertResolver != "",
	}, Port: e.Properties.Port, Own: true, By: by}
	if e.CertResolver != "" {
		router.Secured = &traefik.TLS{CertResolver: e.CertResolver}
	}
	var err error
	if router.Match, err = rule.Parse(text, ""); err != nil {
		e.problem(RuleUnreadable, "%s of app %q (%s): %v; its requests are not recognised", by.Key(), e.Name, e.Origins[by.Key()], err)
	}
	router.bound = router.Match.Hosts() != nil
	if e.Labels.IsHidden() {
		e.problem(HiddenFromTraefik, "%s of app %q (%s): not published, for traefik.enable=false on %s keeps it from every Traefik; remove one of them", by.Key(), e.Name, e.Origins[by.Key()], e.App.Origin)
	}
	e.Routers = append(e.Routers, router)
}

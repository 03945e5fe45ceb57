package command

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/rule"
)

// checkHosted looks at how requests get to the apps that a platform has by a URL, and at what
// answers there.
func checkHosted(ctx context.Context, t config.Traefik, inv *inventory.Inventory) []string {
	hosted := hostedIn(inv)
	if len(hosted) == 0 {
		return nil
	}
	seen := traefikSees(ctx, t, hosted)
	return append(lintHosted(inv, hosted, seen), upstreams{ways: ways{inv, seen.ways}}.lint(ctx, inv)...)
}

// hostedIn are the apps that a platform has by a URL.
func hostedIn(inv *inventory.Inventory) []*inventory.Definition {
	return slices.DeleteFunc(slices.Clone(inv.Definitions), func(e *inventory.Definition) bool { return e.URL == nil })
}

// lintHosted looks at the routers of labels and rules, and at those that Traefik's API tells.
func lintHosted(inv *inventory.Inventory, hosted []*inventory.Definition, seen seenByTraefik) []string {
	return slices.Concat(lintCircles(inv, hosted), lintServed(inv, hosted), seen.passed, lintUnrouted(inv, hosted, seen))
}

// lintCircles tells of URLs that Traefik itself takes the requests of.
func lintCircles(inv *inventory.Inventory, hosted []*inventory.Definition) []string {
	var all []string
	for _, e := range hosted {
		req, err := traefik.FromURL(e.URL.String() + "/")
		if err != nil {
			continue
		}
		if _, r := inv.Route(&req); r != nil && slices.Contains(r.Match.HostKeys(), e.URL.Hostname()) {
			all = append(all, fmt.Sprintf("app %q: its URL %s has the host of router %q: if that name leads to Traefik, its requests go in circles; let the router have another host, or the provider a URL of the platform's own (%s)", e.Name, e.URL, r.Name, e.App.Origin))
		}
	}
	return all
}

// lintServed looks at routers of labels that lead to the URL of an app.
func lintServed(inv *inventory.Inventory, hosted []*inventory.Definition) []string {
	var all []string
	for _, on := range inv.Definitions {
		for _, r := range on.Routers {
			e := leadsToHosted(&r, on, hosted)
			if e == nil {
				continue
			}
			if r.Paastis && !e.Managed && e.Excluded().IsZero() {
				all = append(all, fmt.Sprintf("router %q asks Paastis about app %q, which it does not manage: its requests wake nothing; let a rule match it (%s)", r.Name, e.Name, on.App.Origin))
			}
			if e.Managed && passesHost(on, &r) && !e.PassHost && (e != on || e.Mode == rules.ForwardAuth) {
				all = append(all, foreignHost(fmt.Sprintf("router %q", r.Name), e)+fmt.Sprintf("; add the label traefik.http.services.%s.loadbalancer.passhostheader=false (%s)", r.Service, on.App.Origin))
			}
		}
	}
	return all
}

// leadsToHosted is the app to whose URL a router of an app's labels leads. Nil: none.
func leadsToHosted(r *inventory.Router, on *inventory.Definition, hosted []*inventory.Definition) *inventory.Definition {
	u, err := url.Parse(r.StaticURL)
	switch {
	case r.Serves != nil:
		return r.Serves
	case r.StaticURL == "" || err != nil || !on.HasURL(u) || !slices.Contains(hosted, on):
		return nil
	}
	return on
}

// passesHost reports whether Traefik asks the server of a router for the host that the visitor
// asks for, as far as labels tell.
func passesHost(on *inventory.Definition, r *inventory.Router) bool {
	label := "traefik.http.services." + strings.ToLower(r.Service) + ".loadbalancer.passhostheader"
	for key, value := range on.App.Labels {
		if strings.ToLower(key) == label && strings.EqualFold(strings.TrimSpace(value), "false") {
			return false
		}
	}
	return !r.AllRewrites.ChangesHost()
}

// foreignHost says what comes of a host that a platform does not know.
func foreignHost(who string, e *inventory.Definition) string {
	return fmt.Sprintf("%s leads to app %q at %s with the visitor's host, which its platform does not know unless it is registered there (pass_host): visitors get 404 of the platform", who, e.Name, e.URL)
}

// lintUnrouted tells of apps that no request gets to, in one line for all. One that another app
// needs is woken by that, unless they are all that need each other.
func lintUnrouted(inv *inventory.Inventory, hosted []*inventory.Definition, seen seenByTraefik) []string {
	served := map[*inventory.Definition]bool{}
	for _, e := range inv.Definitions {
		for _, r := range e.Routers {
			served[r.App()] = true
		}
	}
	woken := func(e *inventory.Definition) bool { return served[e] || seen.routes(e) }
	var names []string
	for _, e := range hosted {
		if e.Managed && len(e.Component.Dependents) == 0 && !slices.ContainsFunc(e.Component.Members, woken) {
			names = append(names, e.Name)
		}
	}
	hint := ""
	if !seen.known {
		hint = "; if a file of Traefik's has one, set traefik.api_url, by which check sees it"
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("app %q has no router, so no request wakes it; give it one by host: '{name}.apps.example.com' in its rule, or let one of Traefik's ask Paastis at /auth?app=%s%s", names[0], names[0], hint)}
	default:
		return []string{fmt.Sprintf("%d apps have no router, so no request wakes them: %s; give each one by host: '{name}.apps.example.com' in a rule, or let those of Traefik's ask Paastis at /auth?app=NAME%s", len(names), fewOf(names), hint)}
	}
}

// seenByTraefik is what Traefik's API tells of apps of platforms.
type seenByTraefik struct {
	known  bool // it answers
	ways   []fileWay
	asking []string // names of apps that middlewares ask about
	passed []string // lines about services that pass the wrong host
}

// routes reports whether Traefik has a router for the app.
func (s seenByTraefik) routes(e *inventory.Definition) bool {
	return slices.ContainsFunc(s.ways, func(w fileWay) bool { return w.to == e }) ||
		slices.ContainsFunc(s.asking, func(name string) bool { return name == e.Name || name == e.App.Name || name == e.ID })
}

// traefikSees is what Traefik's API tells. What it does not answer is told elsewhere.
func traefikSees(ctx context.Context, t config.Traefik, hosted []*inventory.Definition) (seen seenByTraefik) {
	client, err := t.API()
	if client == nil || err != nil {
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	routers, err := client.Routers(ctx)
	if err != nil {
		return seen
	}
	services, err := client.Services(ctx)
	if err != nil {
		return seen
	}
	catalog, err := client.Middlewares(ctx)
	if err != nil {
		return seen
	}
	seen.known = true
	for _, m := range catalog {
		if at, err := url.Parse(m.ForwardAuth); err == nil && at.Query().Get("app") != "" {
			seen.asking = append(seen.asking, at.Query().Get("app"))
		}
	}
	for _, s := range services {
		seen.see(s, routers, catalog, hosted)
	}
	return seen
}

// see takes in a service of which no label tells.
func (s *seenByTraefik) see(service api.Service, routers []api.Router, catalog traefik.Catalog, hosted []*inventory.Definition) {
	if slices.Contains(knownProviders, service.Provider) {
		return
	}
	to := slices.IndexFunc(hosted, func(e *inventory.Definition) bool {
		return slices.ContainsFunc(service.URLs, func(raw string) bool { u, err := url.Parse(raw); return err == nil && e.HasURL(u) })
	})
	if to < 0 {
		return
	}
	e, passes := hosted[to], false
	for _, r := range routers {
		if r.Service != service.Name {
			continue
		}
		passes = passes || service.PassesHost && !catalog.Without(r.Middlewares, r.Provider, "").ChangesHost()
		if parsed, err := rule.Parse(r.Rule, r.RuleSyntax); err == nil {
			s.ways = append(s.ways, fileWay{parsed.Match, e})
		}
	}
	if passes && e.Managed && !e.PassHost {
		s.passed = append(s.passed, foreignHost(fmt.Sprintf("service %q", service.Name), e)+"; set passHostHeader: false on it")
	}
}

// lintHostsElsewhere tells of routers of files and the like that take all requests of a host which a
// rule gives an app, and do not ask Paastis.
func lintHostsElsewhere(inv *inventory.Inventory, routers []api.Router, catalog traefik.Catalog, middleware string) []string {
	var all []string
	for _, r := range routers {
		if slices.Contains(knownProviders, r.Provider) || catalog.Uses(r.Middlewares, r.Provider, middleware) || namesApp(r, catalog) {
			continue
		}
		parsed, err := rule.Parse(r.Rule, r.RuleSyntax)
		if err != nil {
			continue
		}
		for _, e := range inv.Definitions {
			if host := hostTaken(e, parsed); host != "" {
				all = append(all, fmt.Sprintf("router %q takes all requests of %s as well, which is a host of app %q (%s), and does not ask Paastis: Traefik takes the one of both that has the higher priority; remove it, or give the app another host (%s)", r.Name, host, e.Name, e.Origins["host"], e.App.Origin))
			}
		}
	}
	return all
}

// namesApp reports whether a middleware of a router asks about an app by its name.
func namesApp(r api.Router, catalog traefik.Catalog) bool {
	return slices.ContainsFunc(r.Middlewares, func(name string) bool {
		at, err := url.Parse(catalog[name].ForwardAuth)
		return err == nil && at.Query().Get("app") != ""
	})
}

// hostTaken is the host by a rule of an app that another router takes all requests of. Empty: there
// is none.
func hostTaken(e *inventory.Definition, by *rule.Rule) string {
	for _, r := range e.Routers {
		if host := r.Match.HostKeys(); e.Managed && r.By == inventory.ByHost && by.TakesAllOf(host[0]) {
			return host[0]
		}
	}
	return ""
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// lintMiddlewares looks at what changes a request before Paastis is asked about it, where
// that may make it look like one of another app.
func lintMiddlewares(inv *registry.Inventory, e *registry.Entry) []string {
	if e.Mode == rules.Direct {
		return nil // a published route has its name with it
	}
	var all []string
	for _, r := range e.Routers {
		if r.Rewrites == nil || !sharesHost(inv, e, r) {
			continue
		}
		before := strings.Join(r.Middlewares, ",")
		if !r.Rewrites.LeavesTrace() {
			all = append(all, fmt.Sprintf("router %q: a middleware before Paastis changes path or host and leaves no trace, so its requests may be taken for those of another app on the host; let Paastis be the first of its middlewares (%s) (%s)", r.Name, before, e.App.Origin))
		}
		if !r.Rewrites.IsKnown() {
			all = append(all, fmt.Sprintf("router %q: what the middlewares before Paastis do is not known from labels, so its requests may be taken for those of another app on the host if they change the path; let Paastis be the first of its middlewares (%s) (%s)", r.Name, before, e.App.Origin))
		}
	}
	return all
}

// sharesHost reports whether a router of another app may take requests of the same host.
func sharesHost(inv *registry.Inventory, e *registry.Entry, r registry.Router) bool {
	hosts := r.Match.Hosts()
	for _, other := range inv.Entries {
		if other == e {
			continue
		}
		for _, theirs := range other.Routers {
			if theirs.Match == nil {
				continue
			}
			its := theirs.Match.Hosts()
			if hosts == nil || its == nil || slices.ContainsFunc(hosts, func(h string) bool { return slices.Contains(its, h) }) {
				return true
			}
		}
	}
	return false
}

// lintCovers looks at what puts a page of its own in place of what Paastis answers. A router
// that Paastis publishes is without those that are known, unless an entry point has them.
func lintCovers(e *registry.Entry) []string {
	var all []string
	for _, r := range e.Routers {
		switch {
		case r.Own:
		case r.Outside:
			all = append(all, fmt.Sprintf("router %q: %s on its entry point puts a page of its own in place of the waiting page, or may, if it is of errors or circuitBreaker, in direct mode too; let the router have it instead, behind Paastis, or leave 503 out of its status (%s)",
				r.Name, listOf(slices.Concat(r.Covering, r.MayCover)), e.App.Origin))
		case len(r.Covering) > 0 && e.Mode != rules.Direct:
			all = append(all, fmt.Sprintf("router %q: %s (errors or circuitBreaker) stands before Paastis and puts a page of its own in place of the waiting page, except in direct mode; let Paastis be the first of its middlewares, or leave 503 out of its status (%s)",
				r.Name, listOf(r.Covering), e.App.Origin))
		case len(r.MayCover) > 0:
			all = append(all, fmt.Sprintf("router %q: what %s before Paastis does is not known; if it is of errors or circuitBreaker it puts a page of its own in place of the waiting page, in direct mode too; let Paastis be the first of its middlewares, or set traefik.api_url (%s)",
				r.Name, listOf(r.MayCover), e.App.Origin))
		}
	}
	return all
}

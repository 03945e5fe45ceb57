package command

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// lintMiddlewares looks at what changes a request before Paastis is asked about it, where
// that may make it look like one of another app.
func lintMiddlewares(inv *inventory.Inventory, e *inventory.Definition) []string {
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
func sharesHost(inv *inventory.Inventory, e *inventory.Definition, r inventory.Router) bool {
	hosts := r.Match.Hosts()
	for _, other := range inv.Definitions {
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
func lintCovers(e *inventory.Definition) []string {
	var all []string
	for _, r := range e.Routers {
		switch {
		case r.Own && !r.Given:
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

// toldHeaders are those of a visitor's that Paastis has to know, besides Traefik's own.
var toldHeaders = []string{"Accept", "Content-Type", "Origin", "Referer", "User-Agent", "Sec-Fetch-Mode", "Sec-WebSocket-Key", "X-Paastis-Poll", "X-Paastis-Retry", "X-Requested-With"}

// pageLimit is the most that Paastis answers, in bytes.
const pageLimit = 4096

// lintAsking looks at the middleware that asks Paastis: what it keeps back, and what it makes of
// the answer.
func lintAsking(inv *inventory.Inventory, name string) []string {
	var all []string
	asking := inv.Asking(name)
	for _, origin := range slices.Sorted(maps.Keys(asking)) {
		m := asking[origin]
		label := fmt.Sprintf("traefik.http.middlewares.%s.forwardauth.", name)
		warn := func(format string, args ...any) {
			all = append(all, fmt.Sprintf("middleware %q: ", name)+fmt.Sprintf(format, args...)+" ("+origin+")")
		}
		if at, err := url.Parse(m.ForwardAuth); err != nil || at.Path != "/auth" {
			warn("its address %s is not that of Paastis's /auth, so every app that uses it answers 404 or worse; correct %saddress", address(m.ForwardAuth), label)
		}
		if m.ForwardAuthLimit > 0 && m.ForwardAuthLimit < pageLimit {
			warn("it takes no answer of more than %d bytes, and a waiting page may have %d: visitors get 401 in its place; set %smaxresponsebodysize=%d", m.ForwardAuthLimit, pageLimit, label, pageLimit)
		}
		if missing := untold(m.ForwardAuthHeaders); len(missing) > 0 {
			warn("it tells Paastis nothing of the headers %s, so persons are taken for programs, and the waiting page does not hear of the app; remove %sauthrequestheaders, or add them", strings.Join(missing, ", "), label)
		}
		if m.ForwardAuthBody {
			warn("it reads all of a request's body before it asks, which Paastis does not look at: uploads wait in Traefik's memory, or get 401 if they are larger than maxBodySize; remove %sforwardbody", label)
		}
	}
	return all
}

// lintUndefined returns a warning where routers use a middleware of labels to ask Paastis, and
// Traefik does not have it although Paastis's own labels are seen. In direct mode what is
// published does without.
func lintUndefined(inv *inventory.Inventory, traefiks []traefik.Static, name string) []string {
	isPaastis := func(e *inventory.Definition) bool { return e.App.Protected == inventory.IsPaastis }
	place := slices.IndexFunc(inv.Definitions, isPaastis)
	if place < 0 || slices.ContainsFunc(traefiks, func(t traefik.Static) bool { return t.Fetches }) {
		return nil
	}
	paastis := inv.Definitions[place]
	why := fmt.Sprintf("which no label defines: Traefik leaves out every router that does; add the label traefik.http.middlewares.%s.forwardauth.address=http://paastis:3000/auth to Paastis", name)
	switch asking := inv.Asking(name); {
	case len(asking) == 1 && hasKey(asking, paastis.App.Origin) && paastis.LeftOut:
		why = "which Paastis's own labels define, but Traefik does not have them, by its constraints, its exposedByDefault=false or an option that it cannot read: it leaves out every router that does; add the label traefik.enable=true to Paastis, or what the constraints ask for"
	case len(asking) > 0:
		return nil
	}
	for _, e := range inv.Definitions {
		for _, r := range e.Routers {
			if e.Managed && e.Mode != rules.Direct && slices.ContainsFunc(r.Middlewares, func(m string) bool { return m == name || m == name+"@docker" }) {
				return []string{fmt.Sprintf("router %q uses the middleware %q, %s (%s)", r.Name, name, why, paastis.App.Origin)}
			}
		}
	}
	return nil
}

func hasKey[V any](m map[string]V, key string) bool { _, has := m[key]; return has }

// untold are the headers that a middleware does not tell of. Nil told: it tells all.
func untold(told []string) []string {
	if told == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(toldHeaders), func(h string) bool {
		return slices.ContainsFunc(told, func(t string) bool { return strings.EqualFold(t, h) })
	})
}

// address is a URL without what may be a secret.
func address(raw string) string {
	at, err := url.Parse(raw)
	if err != nil {
		return "that cannot be read"
	}
	at.User, at.RawQuery = nil, ""
	return at.String()
}

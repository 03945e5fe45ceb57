package command

import (
	"cmp"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// lintTimeouts tells of an app whose requests may be held for longer than Traefik's entry points
// let them: they are answered before, and by then were held in vain. That a held upload has less
// than direct_hold_timeout by Traefik's own readTimeout is how it is, and told only of what
// somebody has set.
func lintTimeouts(e *inventory.Definition) []string {
	if len(e.Routers) == 0 {
		return nil
	}
	var all []string
	if e.Mode != rules.Direct {
		all = append(all, lintHold(e, "hold_timeout", e.HoldTimeout)...)
	}
	set := e.Origins["direct_hold_timeout"] != "" && e.Origins["direct_hold_timeout"] != "default"
	if len(e.Routes) > 0 && (set || e.Timeouts != traefik.Timeouts{}.Limits()) {
		all = append(all, lintHold(e, "direct_hold_timeout", e.DirectHoldTimeout)...)
	}
	return all
}

// lintHold tells of one of the settings of an app.
func lintHold(e *inventory.Definition, key string, held time.Duration) []string {
	const timeouts = "entryPoints.<name>.transport.respondingTimeouts."
	of := fmt.Sprintf("app %q: its %s of %s (%s) is longer than", e.Name, key, held, cmp.Or(e.Origins[key], "default"))
	if p := e.Patience(held, false); p < held {
		return []string{fmt.Sprintf("%s the writeTimeout of %s of Traefik's entry point allows: it gives no answer that comes later, so a held request is answered with 503 after %s; raise %swriteTimeout of Traefik's, or lower %s (%s)",
			of, e.Timeouts.Write, p, timeouts, key, e.App.Origin)}
	}
	if p := e.Patience(held, true); p < held {
		return []string{fmt.Sprintf("%s the readTimeout of %s of Traefik's entry point allows: it cuts off a body that is not read by then, so a held upload is answered with 503 after %s; raise %sreadTimeout of Traefik's, or lower %s (%s)",
			of, e.Timeouts.Read, p, timeouts, key, e.App.Origin)}
	}
	return nil
}

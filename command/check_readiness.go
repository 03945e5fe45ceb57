package command

import (
	"fmt"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// patience is how much of a wake an app's health check may cost by itself before check
// says so.
const patience = 5 * time.Second

// lintReadiness looks at how Paastis learns that the app is ready. own are the networks of
// Paastis; nil: it reaches all.
func lintReadiness(e *inventory.Definition, own []string) []string {
	if e.Job {
		return nil
	}
	var all []string
	warn := func(format string, args ...any) {
		all = append(all, fmt.Sprintf(format, args...)+" ("+e.App.Origin+")")
	}
	h, chosen := e.App.HealthCheck, e.Probe.Kind != rules.AutoProbe
	switch {
	case e.Probe.Kind == rules.NoProbe, e.App.URL != "": // its URL is probed, or is a problem
	case (h == nil || chosen) && e.App.Unpublished(e.Port()) != "":
		if !inventory.TellsUnpublished(e, e.Port()) {
			warn("app %q: %s; until then the engine is asked whether it listens, or else it waits until the app has run for 15s", e.Name, e.App.Unpublished(e.Port()))
		}
	case h == nil && e.Port() == 0:
		warn("app %q has no health check and no port to probe: it counts as ready as soon as it runs; add a health check, or the label paastis.probe=tcp:PORT", e.Name)
	case (h == nil || chosen) && e.Port() != 0 && isElsewhere(e, own):
		warn("app %q is on %s, and Paastis on %s: they share no network, so its probe cannot reach it, and the engine is asked whether it listens, or else it waits until the app has run for 15s; let Paastis join a network of the app, or give it a health check", e.Name, listOf(e.App.Networks), listOf(own))
	}
	switch {
	case h == nil || cost(h) <= patience:
	case chosen && (e.HasStaticServers() || e.Mode == rules.Direct):
	case chosen:
		warn("the health check of app %q runs every %s, and by ForwardAuth Traefik has no server of it before it has passed, whatever the probe %s says; shorten its interval, add a static server URL, or use direct mode", e.Name, cost(h), e.Probe)
	case cost(h) >= e.StartTimeout:
		warn("the health check of app %q runs every %s, which is longer than its start_timeout of %s: a probe of Paastis's decides before, if it can; shorten its interval, or set start_interval and start_period, or paastis.probe", e.Name, cost(h), e.StartTimeout)
	default:
		warn("the health check of app %q runs every %s, which alone adds up to that to each wake; shorten its interval, set start_interval and start_period, or choose a probe that overrules it with paastis.probe", e.Name, cost(h))
	}
	return append(all, lintReplicas(e)...)
}

// lintReplicas tells of apps of several containers that Traefik does not treat as one.
func lintReplicas(e *inventory.Definition) []string {
	if len(e.App.Instances) < 2 || e.App.URL != "" || e.Mode == rules.Direct {
		return nil
	}
	for _, r := range e.Routers {
		if r.Own || r.Foreign() != "" {
			continue
		}
		if r.StaticURL == "" && e.AllowNonRunning {
			return []string{fmt.Sprintf("app %q runs as %d containers: by ForwardAuth Traefik gives one that does not run its share of the requests all the same, and answers them with 500; in direct mode it gets none (%s)", e.Name, len(e.App.Instances), e.App.Origin)}
		}
	}
	return nil
}

// isElsewhere reports whether an app is in no network that Paastis is in.
func isElsewhere(e *inventory.Definition, own []string) bool {
	return own != nil && !e.App.HasOwnAddress() && !slices.ContainsFunc(e.App.Networks, func(n string) bool { return slices.Contains(own, n) })
}

// cost is how long a health check may leave an app waiting that is well already.
func cost(h *inventory.HealthCheck) time.Duration { return h.First() }

// networksOf are the networks of all apps of one kind, such as registry.RunsTraefik; nil if
// there is none, or one is on the host's.
func networksOf(report provider.Report, kind reason.Kind) []string {
	var all []string
	for _, app := range report.Apps {
		if app.Protected != kind {
			continue
		}
		if slices.Contains(app.Networks, "host") {
			return nil
		}
		all = append(all, app.Networks...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

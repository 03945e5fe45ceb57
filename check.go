package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// patience is how much of a wake an app's health check may cost by itself before check
// says so.
const patience = 5 * time.Second

// check validates the configuration, which was loaded by then, and what the apps'
// labels say, and prints a line for each thing that will hurt. Warnings are no failure.
func check(ctx context.Context, config Loaded, out io.Writer) error {
	inv, report, err := look(ctx, config)
	if config.File == "" {
		fmt.Fprintf(out, "no configuration file (%s): defaults, variables and flags\n", strings.Join(configFiles, ", "))
	} else {
		fmt.Fprintf(out, "%s is valid\n", config.File)
	}
	if err != nil {
		fmt.Fprintf(out, "on the rules alone, for the provider does not answer: %v\n", err)
	}
	warnings := slices.Concat(config.Rules.Warnings(inv.Names()), inv.Problems(), lint(inv, report, config.Traefik.APIURL != ""), checkAPI(ctx, config.Traefik))
	for _, w := range warnings {
		fmt.Fprintf(out, "warning: %s\n", w)
	}
	managed := 0
	for _, e := range inv.Entries {
		if e.Managed {
			managed++
		}
	}
	fmt.Fprintf(out, "%d apps, %d managed; %d warnings\n", len(inv.Entries), managed, len(warnings))
	return nil
}

// lint warns of what is valid and hurts all the same.
func lint(inv *registry.Inventory, report registry.Report, hasAPI bool) []string {
	var all []string
	shared := traefikNetworks(report)
	for _, e := range inv.Entries {
		if !e.Managed {
			continue
		}
		all = append(all, lintRouters(e, hasAPI)...)
		all = append(all, lintReadiness(e)...)
		all = append(all, lintNetworks(e, shared)...)
	}
	return all
}

// lintRouters looks at the way from Traefik to the app.
func lintRouters(e *registry.Entry, hasAPI bool) []string {
	var all []string
	warn := func(format string, args ...any) {
		all = append(all, fmt.Sprintf(format, args...)+" ("+e.App.Origin+")")
	}
	if len(e.Routers) > 0 && !e.AllowNonRunning {
		warn("app %q lacks the label traefik.docker.allownonrunning=true: while it sleeps Traefik forgets its router and answers 404", e.Name)
	}
	for _, r := range e.Routers {
		if r.RuleSyntax != "" {
			warn("router %q has ruleSyntax=%s, which Traefik 3 has deprecated: write the rule in v3 syntax", r.Name, r.RuleSyntax)
		}
		if !r.Paastis {
			warn("router %q does not use the Paastis middleware: its requests wake nothing and do not count as use", r.Name)
		}
		if r.Checked && !hasAPI {
			warn("router %q: Traefik checks the health of service %q itself, so it answers 503 from the wake until its next check; set traefik.api_url, or remove the label traefik.http.services.%s.loadbalancer.healthcheck.path", r.Name, r.Service, r.Service)
		}
		if r.StaticURL == "" && !hasAPI {
			warn("router %q has no static server URL: each wake waits for Traefik's throttle as well; set traefik.api_url, or better add the label traefik.http.services.%s.loadbalancer.server.url=http://<container>:<port>", r.Name, r.Service)
		} else if err := staticByAddress(r.StaticURL); err != nil {
			warn("router %q: %v", r.Name, err)
		}
	}
	return all
}

// checkAPI asks Traefik's API, if its URL is configured.
func checkAPI(ctx context.Context, t TraefikConfig) []string {
	api, err := t.api()
	if api == nil || err != nil { // validated
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	if _, err := api.Version(ctx); err != nil {
		return []string{fmt.Sprintf("traefik.api_url: %v: apps without a static server URL wait for Traefik's throttle", err)}
	}
	return nil
}

// staticByAddress tells of a server URL that has an address for a name.
func staticByAddress(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("static server URL %q is none", raw)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return fmt.Errorf("static server URL %s has an address: it changes with the container, and takes 3 s to fail while it is stopped; use the container's name", raw)
	}
	return nil
}

// lintReadiness looks at how Paastis learns that the app is ready.
func lintReadiness(e *registry.Entry) []string {
	var all []string
	warn := func(format string, args ...any) {
		all = append(all, fmt.Sprintf(format, args...)+" ("+e.App.Origin+")")
	}
	switch h := e.App.HealthCheck; {
	case h == nil && e.Probe.Kind == rules.NoProbe:
	case h == nil && e.Port() == 0:
		warn("app %q has no health check and no port to probe: it counts as ready as soon as it runs; add a health check, or the label paastis.probe=tcp:PORT", e.Name)
	case h != nil && cost(h) > patience:
		warn("the health check of app %q runs every %s, which alone adds up to that to each wake; shorten its interval, or set start_interval and start_period", e.Name, cost(h))
	}
	return all
}

// cost is how long a health check may leave an app waiting that is well already.
func cost(h *registry.HealthCheck) time.Duration {
	if h.StartInterval > 0 {
		return h.StartInterval
	}
	return h.Interval
}

// lintNetworks looks for apps that Traefik has no way to.
func lintNetworks(e *registry.Entry, traefiks []string) []string {
	if len(e.Routers) == 0 || traefiks == nil || slices.Contains(e.App.Networks, "host") {
		return nil
	}
	for _, n := range e.App.Networks {
		if slices.Contains(traefiks, n) {
			return nil
		}
	}
	return []string{fmt.Sprintf("app %q is on %s, Traefik on %s: they share no network, so Traefik cannot reach it (%s)",
		e.Name, listOf(e.App.Networks), listOf(traefiks), e.App.Origin)}
}

// traefikNetworks are the networks of the Traefik among the apps; nil if it is not one
// of them, or is on the host's.
func traefikNetworks(report registry.Report) []string {
	for _, app := range report.Apps {
		if app.Protected == registry.RunsTraefik && !slices.Contains(app.Networks, "host") {
			return app.Networks
		}
	}
	return nil
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "no network"
	}
	return strings.Join(names, ", ")
}

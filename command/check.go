package command

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/rule"
)

func (s *shell) checkCommand() *cobra.Command {
	return newCommand("check", "validate the configuration and the apps' labels, and warn of what will hurt", func(c *cobra.Command, _ []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		return check(c.Context(), cfg, s.stdout)
	})
}

// check validates the configuration, which was loaded by then, and what the apps'
// labels say, and prints a line for each thing that will hurt. Warnings are no failure.
func check(ctx context.Context, cfg config.Loaded, out io.Writer) error {
	inv, report, err := look(ctx, cfg)
	if cfg.File == "" {
		fmt.Fprintf(out, "no configuration file (%s): defaults, variables and flags\n", strings.Join(config.Files(), ", "))
	} else {
		fmt.Fprintf(out, "%s is valid\n", cfg.File)
	}
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", without(inv), err)
	}
	faults := config.Log{Level: slog.LevelWarn.String(), Format: cfg.Log.Format} // they are an answer, whatever is logged
	themes := page.NewThemes(cfg.ThemeDir, newLogger(faults, out))
	warnings := slices.Concat(
		cfg.Notices, cfg.Weaknesses(), inv.RuleWarnings(cfg.Rules), inv.Problems().Texts(), lint(inv, report, cfg.Traefik.APIURL != ""),
		lintStrangers(inv, knownTraefiks(cfg, report), cfg.Admin.Path, cfg.Listen, cfg.ListenTLS),
		lintAsking(inv, cfg.Traefik.Middleware), lintUndefined(inv, knownTraefiks(cfg, report), cfg.Traefik.Middleware),
		lintTraefiks(inv, report, cfg.RegistrySettings()), lintUnseen(ctx, cfg, inv), checkAPI(ctx, cfg.Traefik, inv), lintThemes(inv, themes.Names()),
		checkHosted(ctx, cfg.Traefik, inv),
		lintRemoved(cfg.StateFile, inv),
	)
	for _, w := range warnings {
		fmt.Fprintf(out, "warning: %s\n", w)
	}
	managed := 0
	for _, e := range inv.Definitions {
		if e.Managed {
			managed++
		}
	}
	fmt.Fprintf(out, "apps: %d, managed: %d, warnings: %d\n", len(inv.Definitions), managed, len(warnings))
	return nil
}

// lintThemes warns of apps whose theme does not exist.
func lintThemes(inv *inventory.Inventory, known []string) []string {
	var all []string
	for _, e := range inv.Definitions {
		if e.Managed && !slices.Contains(known, e.Theme) {
			all = append(all, fmt.Sprintf("%s: theme %q does not exist, plain is drawn; there are %s", e.Name, e.Theme, strings.Join(known, ", ")))
		}
	}
	return all
}

// lint warns of what is valid and hurts all the same.
func lint(inv *inventory.Inventory, report provider.Report, hasAPI bool) []string {
	var all []string
	all = append(all, lintNames(inv)...)
	shared, own := networksOf(report, inventory.RunsTraefik), networksOf(report, inventory.IsPaastis)
	for _, e := range inv.Definitions {
		if !e.Managed {
			all = append(all, lintUnmanaged(e)...)
			continue
		}
		all = append(all, lintRouters(inv, e, hasAPI)...)
		all = append(all, lintMiddlewares(inv, e)...)
		all = append(all, lintCovers(e)...)
		all = append(all, lintReadiness(e, own)...)
		all = append(all, lintNetworks(e, shared)...)
		all = append(all, lintApart(e)...)
		all = append(all, lintMapped(e)...)
		all = append(all, lintTimeouts(e)...)
	}
	return append(all, lintAmbiguities(inv)...)
}

// fewOf lists names, not too many.
func fewOf(names []string) string {
	const few = 5
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// lintAmbiguities tells of names that lead to an app of one stack or of another, as it comes:
// while one of them sleeps, to the other.
func lintAmbiguities(inv *inventory.Inventory) []string {
	var all []string
	for _, a := range inv.Ambiguities() {
		who := "Traefik, by a static server URL,"
		var names, origins []string
		if a.Asks != nil {
			who = fmt.Sprintf("app %q", a.Asks.Name)
		}
		for _, e := range a.Apps {
			names, origins = append(names, e.Name), append(origins, e.App.Origin)
		}
		all = append(all, fmt.Sprintf("apps %s are all known as %q in the network %s: its DNS answers with any of them, so %s may get one of another stack, and does while its own sleeps; let them leave that network if nobody has to reach them there, or give each a name of its own and ask for that (%s)",
			fewOf(names), a.Name, a.Network, who, fewOf(origins)))
	}
	return all
}

// lintRouters looks at the way from Traefik to the app.
func lintRouters(inv *inventory.Inventory, e *inventory.Definition, hasAPI bool) []string {
	var all []string
	warn := func(format string, args ...any) {
		all = append(all, fmt.Sprintf(format, args...)+" ("+e.App.Origin+")")
	}
	if e.Mode == rules.Direct {
		return nil // Paastis publishes its own routers
	}
	if why := e.LacksServer(e.App); why != "" {
		warn("app %q has a service for which Traefik finds no server, for %s: while it runs Traefik leaves out the app; add the label traefik.http.services.<name>.loadbalancer.server.port", e.Name, why)
	}
	asking := slices.DeleteFunc(slices.Clone(e.Routers), func(r inventory.Router) bool { return r.Own })
	if len(asking) > 0 && !e.AllowNonRunning {
		warn("app %q lacks the label traefik.docker.allownonrunning=true: while it sleeps Traefik forgets its router and answers 404; in direct mode it needs none, and paastis.mode=direct says so", e.Name)
	}
	for _, r := range e.Routers {
		if r.Own && !r.Given {
			continue
		}
		if r.RuleSyntax == "" && strings.Contains(r.Rule, "Host(`*") {
			warn("router %q has a wildcard in Host, which Traefik knows since 3.7: an older one takes it for a name, and the router gets no request; write HostRegexp for that", r.Name)
		}
		if r.RuleSyntax != "" {
			warn("router %q has ruleSyntax=%s, which Traefik 3 has deprecated: write the rule in v3 syntax", r.Name, r.RuleSyntax)
		}
		if r.Given {
			continue // its provider knows the way to the app
		}
		if !r.Paastis {
			warn("router %q does not use the Paastis middleware: its requests wake nothing and do not count as use", r.Name)
		}
		if r.Checked && !hasAPI {
			warn("router %q: Traefik checks the health of service %q itself, so it answers 503 from the wake until its next check; set traefik.api_url, or remove the label traefik.http.services.%s.loadbalancer.healthcheck.path", r.Name, r.Service, r.Service)
		}
		if r.Foreign() != "" {
			if !hasAPI {
				warn("router %q leads to the service %q, which no label defines, so Paastis does not know whether Traefik has a server of it: each wake waits for Traefik's throttle as well; set traefik.api_url, or define the service by labels of the app", r.Name, r.Service)
			}
			continue
		}
		if r.StaticURL == "" && !hasAPI {
			warn("router %q has no static server URL: each wake waits for Traefik's throttle as well; set traefik.api_url, or better add the label traefik.http.services.%s.loadbalancer.server.url=%s", r.Name, r.Service, cmp.Or(urlOf(e), "http://<container>:<port>"))
		} else if err := staticElsewhere(inv, e, r.StaticURL); err != nil {
			warn("router %q: %v", r.Name, err)
		}
	}
	return all
}

// urlOf is the app's own URL; empty: it has none.
func urlOf(e *inventory.Definition) string {
	if e.URL == nil {
		return ""
	}
	return e.URL.String()
}

// checkAPI asks Traefik's API, if its URL is configured.
func checkAPI(ctx context.Context, t config.Traefik, inv *inventory.Inventory) []string {
	api, err := t.API()
	if api == nil || err != nil { // validated
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	if _, err := api.Version(ctx); err != nil {
		return []string{fmt.Sprintf("traefik.api_url: %v: apps without a static server URL wait for Traefik's throttle", err)}
	}
	routers, err := api.Routers(ctx)
	if err != nil {
		return []string{fmt.Sprintf("traefik.api_url: %v: which routers of files ask Paastis is not known", err)}
	}
	catalog, err := api.Middlewares(ctx)
	if err != nil {
		return []string{fmt.Sprintf("traefik.api_url: %v: which middlewares of files stand before Paastis is not known", err)}
	}
	return append(lintElsewhere(inv, routers, catalog, t.Middleware), lintHostsElsewhere(inv, routers, catalog, t.Middleware)...)
}

// knownProviders are those of Traefik's whose routers are of labels, of Paastis or of itself.
var knownProviders = []string{"docker", "swarm", "http", "internal"}

// lintElsewhere tells of routers of files and the like that ask Paastis about requests of
// which nobody knows an app: Paastis reads what belongs to an app from the labels of that app.
func lintElsewhere(inv *inventory.Inventory, routers []api.Router, catalog traefik.Catalog, middleware string) []string {
	var all []string
	for _, r := range routers {
		if slices.Contains(knownProviders, r.Provider) || !catalog.Uses(r.Middlewares, r.Provider, middleware) {
			continue
		}
		rule, err := rule.Parse(r.Rule, r.RuleSyntax)
		if err != nil {
			continue
		}
		for _, u := range rule.URLs(r.Router) {
			if req, err := traefik.FromURL(u); err == nil && inv.Find(&req) == nil && !catalog.NamesApp(r.Middlewares, r.Provider, middleware) {
				all = append(all, fmt.Sprintf("router %q asks Paastis about %s, and no label tells of which app that is: its requests wake nothing and do not count as use; put the router into the labels of the app, or let it use a ForwardAuth middleware whose address ends in /auth?app=NAME", r.Name, u))
				break
			}
		}
	}
	return all
}

// lintNames looks for routers of one name on two apps: names are global in each provider of
// Traefik's. If their labels differ it leaves out both, else it takes them for one.
func lintNames(inv *inventory.Inventory) []string {
	var all []string
	first := map[[2]string]*inventory.Definition{}
	for _, e := range inv.Definitions {
		for _, r := range e.Routers {
			if r.Given {
				continue // Paastis publishes it by a name of the app's
			}
			on := cmp.Or(r.Holder(), e)
			name := [2]string{r.Name, e.TraefikProvider()}
			other := first[name]
			if first[name] = on; other == nil || other == on {
				continue
			}
			what := "their labels are the same, so Traefik shares its requests out among both"
			if slices.Contains(r.Rivals(), other) {
				what = "Traefik leaves out both while it has both"
			}
			all = append(all, fmt.Sprintf("router %q is defined on %s and on %s: %s; give one another name (%s)", r.Name, other.App.Origin, on.App.Origin, what, on.App.Origin))
		}
	}
	return all
}

// lintUnmanaged tells of an app that has labels of ours and is left alone all the same.
func lintUnmanaged(e *inventory.Definition) []string {
	if e.Enable != nil || e.App.Protected != "" || e.Ignored != "" {
		return nil
	}
	for label := range e.App.Labels {
		if strings.HasPrefix(strings.ToLower(label), "paastis.") && !e.IsUnlabelled() { // else its platform has made it
			return []string{fmt.Sprintf("app %q has the label %s, but %s (%s)", e.Name, label, e.Why, e.App.Origin)}
		}
	}
	for _, r := range e.Routers {
		if len(r.Unknown) > 0 {
			return []string{fmt.Sprintf("app %q: router %q uses %s, which no label defines: if Paastis is in there, it manages the app from Traefik's first question on, and check cannot tell; add the label paastis.enable=true, or set traefik.api_url (%s)", e.Name, r.Name, strings.Join(r.Unknown, ", "), e.App.Origin)}
		}
	}
	return nil
}

// staticElsewhere tells of a server URL that does not lead to the app for sure: it has an
// address for a name, another name, or a port that the app does not have.
func staticElsewhere(inv *inventory.Inventory, e *inventory.Definition, raw string) error {
	if raw == "" || e.App.Mapping() != nil || slices.Contains(e.App.Networks, "host") { // it has the machine's names and addresses
		return nil
	}
	if e.App.URL != "" {
		return staticBesideURL(e, raw)
	}
	if err := staticByAddress(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	switch names := inv.NetworkNames(e); {
	case !slices.Contains(names, u.Hostname()):
		return fmt.Errorf("static server URL %s is by a name that is none of its containers' (%s): Traefik answers 502 if it leads nowhere", raw, strings.Join(names, ", "))
	case port != 0 && len(e.App.Ports) > 0 && !slices.Contains(e.App.Ports, uint16(port)):
		return fmt.Errorf("static server URL %s has a port that its image does not expose: Traefik answers 502 if nothing listens there", raw)
	}
	return nil
}

// staticBesideURL tells of a server URL that is not the one by which the app is reached.
func staticBesideURL(e *inventory.Definition, raw string) error {
	if u, err := url.Parse(raw); e.URL == nil || err == nil && e.HasURL(u) {
		return nil // or the app's own is a problem
	}
	return fmt.Errorf("static server URL %s is not %s, which is the app's own by its provider: Traefik answers 502 if it leads nowhere", raw, e.URL)
}

// lintMapped tells of server URLs that do not lead to a port that the app publishes at its
// machine.
func lintMapped(e *inventory.Definition) []string {
	m := e.App.Mapping()
	if m == nil {
		return nil
	}
	var all []string
	for _, r := range e.Routers {
		if u, err := url.Parse(r.StaticURL); r.StaticURL != "" && (err != nil || !e.App.LeadsTo(u)) {
			all = append(all, fmt.Sprintf("router %q: static server URL %s leads to no port that the app publishes at %s, the address of its provider: Traefik answers 502 if it leads nowhere (%s)", r.Name, r.StaticURL, m.Host, e.App.Origin))
		}
	}
	return all
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

// lintNetworks looks for apps that Traefik has no way to.
func lintNetworks(e *inventory.Definition, traefiks []string) []string {
	if len(e.Routers) == 0 || traefiks == nil || e.App.HasOwnAddress() || slices.Contains(e.App.Networks, "host") {
		return nil
	}
	for _, n := range e.App.Networks {
		if slices.Contains(traefiks, n) {
			return nil
		}
	}
	return []string{fmt.Sprintf("app %q is on %s, and Traefik on %s: they share no network, so Traefik cannot reach it (%s)",
		e.Name, listOf(e.App.Networks), listOf(traefiks), e.App.Origin)}
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "no network"
	}
	return strings.Join(names, ", ")
}

// lintApart tells of an app in direct mode that Paastis does not reach. What that means for
// its probe is told by lintReadiness.
func lintApart(e *inventory.Definition) []string {
	if !e.Apart || len(e.Routes) == 0 || slices.Contains(e.App.Networks, "host") { // found at the machine
		return nil
	}
	return []string{fmt.Sprintf("app %q is on no network of Paastis's (it is on %s), so Paastis cannot carry requests to it in direct mode, and those who find it asleep are sent twice; put Paastis on one of its networks (%s)",
		e.Name, listOf(e.App.Networks), e.App.Origin)}
}

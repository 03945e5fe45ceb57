package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// loadLimit bounds a look at the apps.
const loadLimit = 30 * time.Second

func (s *shell) explainCommand() *cobra.Command {
	const doc = "say which app that is, which rules matched, its properties, links and start order"
	return s.aboutApp(newCommand("explain NAME|URL", doc, func(c *cobra.Command, words []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		return explain(c.Context(), cfg, words[0], s.stdout)
	}))
}

// look takes an inventory from the provider, with the words for people if it cannot be
// reached; then it is empty. What labels do not tell of Traefik's middlewares it takes from
// its API, and from what the running Paastis remembers.
func look(ctx context.Context, cfg config.Loaded) (*inventory.Inventory, provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	apps, report, err := listApps(ctx, cfg)
	settings := cfg.RegistrySettings()
	inv := inventory.Resolve(apps, settings)
	api, _ := cfg.Traefik.API() // validated
	if api == nil || len(apps) == 0 {
		return inv, report, err
	}
	return askTraefik(ctx, api, inv, apps, settings), report, err
}

// askTraefik is the inventory with what Traefik's API tells of routers, if it does.
func askTraefik(ctx context.Context, client *api.Client, inv *inventory.Inventory, apps []inventory.Reported, settings inventory.Settings) *inventory.Inventory {
	catalog, err := client.Middlewares(ctx)
	if err != nil {
		return inv // checkAPI says why
	}
	routers, err := client.Routers(ctx)
	if err != nil {
		return inv
	}
	settings.Catalog = catalog
	settings.TraefikVersion, _ = client.Version(ctx) // checkAPI says why
	if entryPoints, err := client.EntryPoints(ctx); err == nil {
		settings.Timeouts = inventory.TimeoutsOf(entryPoints)
	}
	asked := inventory.Resolve(apps, settings).AskedAbout(routers, settings)
	for i := range apps {
		apps[i].Asked = cmp.Or(asked[apps[i].Provider+"/"+apps[i].Name], apps[i].Asked)
	}
	return inventory.Resolve(apps, settings)
}

// without says what an inventory lacks when a provider has not answered.
func without(inv *inventory.Inventory) string {
	if len(inv.Definitions) > 0 {
		return "without the apps of a provider that does not answer"
	}
	return "on the rules alone, for the provider does not answer"
}

// listApps asks all providers. What those tell that answer is returned beside the errors of the
// others.
func listApps(ctx context.Context, cfg config.Loaded) (apps []inventory.Reported, all provider.Report, err error) {
	opened, err := providers.Open(cfg.AllProviders(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, all, err
	}
	asked, without := history.ReadAsked(cfg.StateFile), history.ReadWithout(cfg.StateFile)
	var faults []error
	for _, p := range opened {
		report, err := p.List(ctx)
		if err != nil && len(opened) > 1 {
			err = fmt.Errorf("provider %q: %w", p.ID(), err)
		}
		faults = append(faults, err)
		all.Apps = append(all.Apps, report.Apps...)
		for _, app := range report.Apps {
			id := p.ID() + "/" + app.Name
			apps = append(apps, registry.ReportedBy(p, &app, asked[id], append(without[id], app.StartedWithout(report.Apps)...)))
		}
	}
	return apps, all, errors.Join(faults...)
}

// explain says all that is known of an app, or of the app that a URL leads to. Of a name that
// no provider knows, and of any if none answers, it tells what the rules alone say: that is an
// answer, and no failure.
func explain(ctx context.Context, cfg config.Loaded, operand string, out io.Writer) error {
	inv, _, err := look(ctx, cfg)
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n\n", without(inv), err)
	}
	if strings.Contains(operand, "/") && strings.Contains(operand, ".") || strings.Contains(operand, "://") {
		return explainURL(ctx, cfg, inv, operand, err != nil, out)
	}
	if isHost(inv, operand) {
		return explainURL(ctx, cfg, inv, operand+"/", err != nil, out)
	}
	return explainName(ctx, cfg, inv, operand, err != nil, out)
}

// isHost reports whether an operand is no name of an app, and a router takes requests of the host
// that it is.
func isHost(inv *inventory.Inventory, operand string) bool {
	if !strings.Contains(operand, ".") || inv.Named(operand) != nil || len(inv.KnownAs(operand)) > 0 {
		return false
	}
	req, err := traefik.FromURL(operand + "/")
	if err != nil {
		return false
	}
	e, _ := inv.Route(&req)
	return e != nil
}

// explainURL says which router of which app a URL leads to, and of which Traefik, and explains
// the app. With alone set no app is known.
func explainURL(ctx context.Context, cfg config.Loaded, inv *inventory.Inventory, url string, alone bool, out io.Writer) error {
	req, err := traefik.FromURL(url)
	if err != nil {
		return err
	}
	if e, router := inv.Route(&req); e != nil {
		fmt.Fprintf(out, "%s\n  is for router %q: %s\n", url, router.Name, router.Rule)
		writeRoutings(out, inv.Routings(&req, cfg.RegistrySettings()))
		fmt.Fprintln(out)
		writeEntry(out, inv, e)
		writeUse(ctx, cfg, e, out)
		return nil
	}
	if e := inv.Find(&req); e != nil {
		fmt.Fprintf(out, "%s\n  matches no router; the first label of its host names an app\n\n", url)
		writeEntry(out, inv, e)
		writeUse(ctx, cfg, e, out)
		return nil
	}
	if label, _, _ := strings.Cut(req.Host, "."); alone {
		return explainName(ctx, cfg, inv, label, true, out)
	}
	fmt.Fprintf(out, "%s\n  belongs to no known app: Paastis lets it pass\n", url)
	return nil
}

// writeRoutings says what each of several Traefiks does with a request.
func writeRoutings(out io.Writer, all []inventory.Routing) {
	for _, r := range all {
		switch {
		case r.Unread != "":
			fmt.Fprintf(out, "  %s: not known, for %s\n", r.Traefik, r.Unread)
		case r.Router == nil:
			fmt.Fprintf(out, "  %s: has no router for it\n", r.Traefik)
		case !r.Router.There():
			fmt.Fprintf(out, "  %s: would route it to %s by router %q, which it does not have as things are\n", r.Traefik, r.Definition.Name, r.Router.Name)
		default:
			fmt.Fprintf(out, "  %s: routes it to %s by router %q\n", r.Traefik, r.Definition.Name, r.Router.Name)
		}
	}
}

// explainName explains an app by any of its names. With alone set, the name is taken
// on trust, for no provider can tell whether it exists; otherwise it is said that it does not.
func explainName(ctx context.Context, cfg config.Loaded, inv *inventory.Inventory, name string, alone bool, out io.Writer) error {
	known := inv.KnownAs(name)
	switch e := inv.Named(name); {
	case e == nil && len(known) > 1:
		return fmt.Errorf("containers of several apps are known as %q: %s; write the name of one", name, namesOf(known))
	case e == nil && len(known) == 0:
		if !alone {
			fmt.Fprintf(out, "no provider knows an app %q%s\nwere there one, this is what the rules alone would make of it:\n\n", name, nearest(name, inv.Names()))
		}
		writeSupposed(out, cfg, inv, name)
		return nil
	case e != nil:
		known = []*inventory.Definition{e}
	}
	writeEntry(out, inv, known[0])
	writeUse(ctx, cfg, known[0], out)
	return nil
}

// writeSupposed explains an app that nobody knows, beside those that are known.
func writeSupposed(out io.Writer, cfg config.Loaded, inv *inventory.Inventory, name string) {
	app := inventory.App{Name: name, Origin: fmt.Sprintf("app %q", name)}
	first := cfg.AllProviders()[0]
	inv = inv.Supposing(inventory.Reported{Provider: first.Name, App: &app}, cfg.RegistrySettings())
	writeEntry(out, inv, inv.Named(first.Name+"/"+name))
}

func namesOf(all []*inventory.Definition) string {
	names := make([]string, 0, len(all))
	for _, e := range all {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}

func writeEntry(out io.Writer, inv *inventory.Inventory, e *inventory.Definition) {
	fmt.Fprintf(out, "app %s (%s)\n", e.Name, cmp.Or(e.App.Origin, e.ID))
	managed := "managed: "
	if !e.Managed {
		managed = "not managed: "
	}
	fmt.Fprintf(out, "  %s%s\n", managed, e.Why)
	writeMatches(out, e)
	writeRouters(out, e)
	writeProperties(out, e)
	writeLinks(out, inv, e)
	for _, problem := range e.Problems.Texts() {
		fmt.Fprintf(out, "  warning: %s\n", problem)
	}
}

func writeMatches(out io.Writer, e *inventory.Definition) {
	fmt.Fprintln(out, "\nrules that match, in order")
	for _, m := range e.Matches {
		fmt.Fprintf(out, "  %s\n", m)
	}
	if len(e.Matches) == 0 {
		fmt.Fprintln(out, "  none")
	}
}

func writeRouters(out io.Writer, e *inventory.Definition) {
	if len(e.Routers) == 0 {
		return
	}
	fmt.Fprintln(out, "\nrouters")
	for _, r := range e.Routers {
		asks := "asks Paastis"
		if r.Own {
			fmt.Fprintf(out, "  %s: %s\n    %s\n", r.Name, r.Rule, ownRouter(e, r))
			writeReached(out, e, r)
			continue
		}
		if !r.Paastis {
			asks = "does not use the middleware: its requests wake nothing"
		}
		server := "Traefik finds the server when the app runs"
		if r.StaticURL != "" {
			server = "static server " + r.StaticURL
		}
		fmt.Fprintf(out, "  %s: %s\n    %s; %s\n", r.Name, r.Rule, asks, server)
		if h := r.Holder(); h != nil {
			fmt.Fprintf(out, "    its labels are on %s, and its service is this app's\n", h.App.Origin)
		}
		writeReached(out, e, r)
		if !r.There() {
			fmt.Fprintln(out, "    Traefik does not have it as things are")
		}
	}
	for _, rt := range e.Routes {
		fmt.Fprintf(out, "  in direct mode Paastis publishes %s\n", rt.Name)
	}
}

// ownRouter says of a router that is in no labels of Traefik's where it is from.
func ownRouter(e *inventory.Definition, r inventory.Router) string {
	switch {
	case r.Given && r.Paastis:
		return "its provider gives it; asks Paastis"
	case r.Given:
		return "its provider gives it; only in direct mode"
	case r.By != 0:
		return fmt.Sprintf("its own, by %s (%s); Paastis publishes it in direct mode alone", r.By.Key(), e.Origins[r.By.Key()])
	default:
		return "its own; only in direct mode"
	}
}

// writeReached tells where an app is reached at ports of its machine, or that it is not.
func writeReached(out io.Writer, e *inventory.Definition, r inventory.Router) {
	if at := e.Targets().ReachedAt(cmp.Or(r.Port, e.Port())); at != "" {
		fmt.Fprintf(out, "    reached at %s\n", at)
	}
}

func writeProperties(out io.Writer, e *inventory.Definition) {
	fmt.Fprintln(out, "\nproperties")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, property := range rules.Keys() {
		text := property.Text(e.Properties)
		if property.Key == "probe_status" && e.URL != nil && e.Origins[property.Key] == "" {
			text = "all but 502-504" // as inventory.Target has it
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", property.Key, cmp.Or(text, "-"), e.Origins[property.Key])
	}
	w.Flush()
}

func writeLinks(out io.Writer, inv *inventory.Inventory, e *inventory.Definition) {
	fmt.Fprintln(out, "\nlinked apps")
	links := inv.Graph.Links(e.Name)
	for _, l := range links {
		fmt.Fprintf(out, "  %s\n", l)
	}
	for _, l := range inv.Graph.Missing(e.Name) {
		fmt.Fprintf(out, "  %s: does not exist, skipped\n", l)
	}
	if len(links)+len(inv.Graph.Missing(e.Name)) == 0 {
		fmt.Fprintln(out, "  none")
	}
	fmt.Fprintln(out, "\nstart order")
	for i, wave := range inv.Graph.StartOrder(e.Name) {
		fmt.Fprintf(out, "  %d. %s\n", i+1, strings.Join(slices.Sorted(slices.Values(wave)), " and "))
	}
	if dependents := inv.Graph.Dependents(e.Name); len(dependents) > 0 {
		fmt.Fprintf(out, "\nkept awake by\n  %s\n", strings.Join(dependents, ", "))
	}
}

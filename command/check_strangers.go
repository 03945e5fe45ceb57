package command

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
	"github.com/paastis/paastis/traefik/rule"
)

// onlyTraefiks are paths at which nobody but Traefik has something to ask.
var onlyTraefiks = []string{"/auth", "/traefik/config", dynamic.PathPrefix}

// lintStrangers looks for routers of Traefik's that lead strangers to Paastis itself. The
// Traefiks are those of which something is known. The path is that of admins, empty: they
// are not served there. Listen are the addresses that Paastis serves Traefik at.
func lintStrangers(inv *inventory.Inventory, traefiks []traefik.Static, adminPath string, listen ...string) []string {
	var all []string
	for _, e := range inv.Definitions {
		if e.App.Protected != inventory.IsPaastis {
			continue
		}
		for _, r := range waysIn(e, traefiks) {
			if r.Match != nil && leadsToPort(&r, portsOf(listen)) {
				all = append(all, lintWayIn(e, &r, adminPath)...)
			}
		}
	}
	return all
}

// knownTraefiks are what settings and their own containers tell of the Traefiks.
func knownTraefiks(cfg config.Loaded, report provider.Report) []traefik.Static {
	all := []traefik.Static{cfg.Static()}
	for _, t := range cfg.Endpoints() {
		all = append(all, t)
	}
	for _, app := range report.Apps {
		if app.Traefik != nil {
			all = append(all, *app.Traefik)
		}
	}
	return all
}

// waysIn are the routers of Paastis's container: those of its labels, or the one that a
// Traefik makes for it without being asked. It is exposed by default, or its middleware would
// be of no use.
func waysIn(e *inventory.Definition, traefiks []traefik.Static) []inventory.Router {
	labels, err := traefik.Decode(e.App.Labels)
	if err != nil || len(e.Routers) > 0 || labels.Enable != nil {
		return e.Routers
	}
	exposed := slices.ContainsFunc(traefiks, func(t traefik.Static) bool { return t.ExposedByDefault != nil && *t.ExposedByDefault })
	if !exposed && len(labels.Middlewares) == 0 {
		return nil
	}
	labels, _ = labels.WithDefaults(e.App.Name, cmp.Or(e.App.First().Name, e.App.Name), nil) // what is left out leads nowhere
	var routers []inventory.Router
	for _, r := range labels.Routers {
		match, _ := rule.Parse(r.Rule, r.RuleSyntax)
		routers = append(routers, inventory.Router{Router: &r, Match: match, Port: labels.Port(r)})
	}
	return routers
}

// lintWayIn warns of a router that leads to Paastis, unless it is for admins alone.
func lintWayIn(e *inventory.Definition, r *inventory.Router, adminPath string) []string {
	if !namesRouters(e.App.Labels) {
		return []string{fmt.Sprintf("app %q has no router in its labels, so Traefik makes one, %s, that leads anybody to Paastis itself; "+
			"add the labels traefik.http.routers.paastis.rule=Host(`paastis.invalid`) and traefik.http.routers.paastis.service=noop@internal (%s)", e.Name, r.Rule, e.App.Origin)}
	}
	path := reaches(r)
	if path == "" {
		return nil
	}
	cure := fmt.Sprintf("nobody has to get there, so add the label traefik.http.routers.%s.service=noop@internal", r.Name)
	if adminPath != "" {
		cure = fmt.Sprintf("admins need no more than && PathPrefix(`%s`), so add that to the label traefik.http.routers.%s.rule", adminPath, r.Name)
	}
	return []string{fmt.Sprintf("router %q leads anybody to Paastis itself, as far as %s; %s (%s)", r.Name, path, cure, e.App.Origin)}
}

// namesRouters reports whether labels define a router: then Traefik makes none of its own.
func namesRouters(labels map[string]string) bool {
	for label := range labels {
		if strings.HasPrefix(strings.ToLower(label), "traefik.http.routers.") {
			return true
		}
	}
	return false
}

// leadsToPort reports whether a router of Paastis's container leads to one of the ports.
// Where no label tells a port, Traefik takes the one that the image exposes.
func leadsToPort(r *inventory.Router, ports []uint16) bool {
	return r.Foreign() == "" && (r.Port == 0 || slices.Contains(ports, r.Port))
}

func portsOf(addresses []string) []uint16 {
	var ports []uint16
	for _, address := range addresses {
		if _, text, err := net.SplitHostPort(address); err == nil {
			port, _ := strconv.ParseUint(text, 10, 16) // validated
			ports = append(ports, uint16(port))
		}
	}
	return ports
}

// reaches is a path of Traefik's own that a router takes; empty if it takes none.
func reaches(r *inventory.Router) string {
	hosts := r.Match.Hosts()
	host := "paastis.example.com"
	if len(hosts) > 0 {
		host = hosts[0]
	}
	for _, path := range onlyTraefiks {
		req, err := traefik.FromURL("http://" + cmp.Or(strings.TrimSuffix(host, "."), "x") + path)
		if err == nil && (r.Match.Match(&req) || len(hosts) == 0 && !strings.Contains(r.Rule, "Path")) {
			return path
		}
	}
	return ""
}

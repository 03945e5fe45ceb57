package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
)

// lintTraefiks warns of routers that no Traefik gets of those that fetch their routes, and of
// what is not known of these, or set otherwise than they say themselves.
func lintTraefiks(inv *inventory.Inventory, report provider.Report, s inventory.Settings) []string {
	var all []string
	reasons, fetching := map[string][]string{}, 0
	for _, app := range report.Apps {
		switch {
		case app.Traefik == nil || app.Protected != inventory.RunsTraefik:
			continue
		case app.Traefik.Unread != "":
			all = append(all, unreadTraefik(app, s)...)
			continue
		case !app.Traefik.Fetches:
			continue
		}
		fetching++
		withheld, problems := handover.WithheldFrom(inv, &app, setOf(s))
		all = append(all, problems...)
		for _, w := range withheld {
			key := fmt.Sprintf("router %q of app %q is published to no Traefik", w.Router, w.Definition.Name)
			reasons[key] = append(reasons[key], fmt.Sprintf("%s: %s", app.Origin, w.Why))
		}
	}
	for key, whys := range reasons {
		if len(whys) == fetching {
			all = append(all, fmt.Sprintf("%s (%s)", key, strings.Join(whys, "; ")))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// setOf is what the settings say of a Traefik among the apps. With several endpoints it is
// not known which one it fetches.
func setOf(s inventory.Settings) traefik.Static {
	if len(s.Endpoints) > 0 {
		return traefik.Static{}
	}
	return s.Traefik
}

// unreadTraefik warns of a Traefik whose flags are not known, unless they are set.
func unreadTraefik(app inventory.App, s inventory.Settings) []string {
	if len(s.Endpoints) > 0 || s.Traefik.Constraints != nil && s.Traefik.ExposedByDefault != nil {
		return nil
	}
	return []string{fmt.Sprintf("Traefik on %s: %s, so Paastis does not know its constraints, exposedByDefault and entry points; if it has any, set traefik.constraints, traefik.exposed_by_default and traefik.entry_points as it has them", app.Origin, app.Traefik.Unread)}
}

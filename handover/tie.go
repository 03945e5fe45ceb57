package handover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
)

// tiesOf are the routes of several apps that take the same requests with the same priority.
func tiesOf(routes []PlacedRoute) [][]*inventory.Route {
	byRule := map[string][]*inventory.Route{}
	for _, rt := range routes {
		key := fmt.Sprintf("%d %t %s %q %s", rt.Placed.Priority, rt.Router.TLS, rt.Router.RuleSyntax, sorted(rt.Router.EntryPoints), strings.TrimSpace(rt.Router.Rule))
		byRule[key] = append(byRule[key], rt.Route)
	}
	var ties [][]*inventory.Route
	for _, tie := range byRule {
		if slices.ContainsFunc(tie, func(rt *inventory.Route) bool { return rt.Definition.Live != tie[0].Definition.Live }) {
			ties = append(ties, tie)
		}
	}
	return ties
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

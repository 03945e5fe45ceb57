package inventory

import (
	"slices"

	"github.com/paastis/paastis/rules"
)

// findApart finds the apps that are apart. Where no app is Paastis it runs on the host, or
// nobody knows where: then none is.
func (inv publishing) findApart() {
	own := slices.IndexFunc(inv.Definitions, func(e *Definition) bool { return e.App.Protected == IsPaastis })
	if own < 0 || slices.Contains(inv.Definitions[own].App.Networks, "host") {
		return
	}
	at := inv.Definitions[own]
	for _, e := range inv.Definitions {
		e.Apart = !e.App.HasOwnAddress() && e.reported.Provider == at.reported.Provider && !slices.ContainsFunc(e.App.Networks, func(n string) bool {
			return slices.Contains(at.App.Networks, n)
		})
	}
}

// isBetterAsked reports whether the app is one that Paastis cannot carry requests to, and
// that has all that ForwardAuth needs: then a held request gets there all the same.
func (inv publishing) isBetterAsked(e *Definition) bool {
	return e.Apart && e.Mode != rules.Direct && e.AllowNonRunning && len(e.Routers) > 0 &&
		!slices.ContainsFunc(e.Routers, func(r Router) bool { return !r.Paastis || r.Own })
}

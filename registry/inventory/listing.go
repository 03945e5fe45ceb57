package inventory

import (
	"reflect"
	"slices"
	"strings"
)

// Lists reports whether an app is one that its owner is told of: it is managed, or one that is
// links to it.
func (inv *Inventory) Lists(e *Definition) bool {
	return e.Managed || slices.ContainsFunc(inv.Graph.Dependents(e.Name), func(name string) bool { return inv.ByName[name].Managed })
}

// URLs are those of the app's routers, sorted; where one takes HTTPS, none of HTTP.
func (e *Definition) URLs() []string {
	var all []string
	for _, router := range e.Routers {
		all = append(all, router.Match.URLs(*router.Router)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(u string) bool {
		rest, plain := strings.CutPrefix(u, "http://")
		return plain && slices.Contains(all, "https://"+rest)
	})
}

// TellsAsMuchOf reports whether what an inventory says of an app is what another one said.
func (inv *Inventory) TellsAsMuchOf(e *Definition, before *Inventory, was *Definition) bool {
	return e.Name == was.Name && e.Managed == was.Managed && e.Why.Equal(was.Why) && inv.Lists(e) == before.Lists(was) &&
		SameDefinition(e.App, was.App) && reflect.DeepEqual(e.Properties, was.Properties) &&
		slices.EqualFunc(e.Routers, was.Routers, func(a, b Router) bool { return a.Rule == b.Rule }) &&
		slices.Equal(inv.Graph.Links(e.Name), before.Graph.Links(e.Name)) &&
		slices.Equal(inv.Graph.Missing(e.Name), before.Graph.Missing(e.Name)) &&
		slices.Equal(inv.Graph.Dependents(e.Name), before.Graph.Dependents(e.Name)) &&
		slices.Equal(inv.Graph.Component(e.Name), before.Graph.Component(e.Name))
}

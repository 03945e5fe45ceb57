package inventory

import (
	"slices"

	"github.com/paastis/paastis/registry/reason"
)

// sortedNames are the names of apps, quoted for people.
func sortedNames(all []*Definition) []string { return reason.Quoted(NamesOf(all)) }

// NamesOf are the names of apps, sorted.
func NamesOf(all []*Definition) []string {
	names := make([]string, 0, len(all))
	for _, e := range all {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

package inventory

import (
	"slices"

	"github.com/paastis/paastis/registry/reason"
)

// sortedNames are the names of entries, quoted for people.
func sortedNames(entries []*Definition) []string { return reason.Quoted(NamesOf(entries)) }

// NamesOf are the names of entries, sorted.
func NamesOf(entries []*Definition) []string {
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

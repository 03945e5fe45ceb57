package inventory

import (
	"net/url"
	"slices"
	"strings"

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

// NetworkNames are the names by which others in its networks reach the app, its own first: those
// of its containers, and those of the containers in whose network they live. Each is there once.
func (inv *Inventory) NetworkNames(e *Definition) []string {
	all := slices.Concat(e.App.Hosts(), e.App.Aliases)
	for _, i := range e.App.Instances {
		if lender := inv.lender(e, i); lender != nil {
			all = slices.Concat(all, lender.App.Hosts(), lender.App.Aliases)
		}
	}
	var names []string
	for _, name := range all {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// leadsToAnother reports whether a URL of a server of the app's leads to another one, by a name that
// is none of its own. What is named elsewhere is not known.
func (inv *Inventory) leadsToAnother(e *Definition, raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || raw == "" || e.App.HasOwnAddress() {
		return false
	}
	host, own := u.Hostname(), inv.NetworkNames(e)
	if slices.Contains(own, host) {
		return false
	}
	name, network, _ := strings.Cut(host, ".")
	within := !slices.Contains(own, name)
	return slices.ContainsFunc(inv.Definitions, func(other *Definition) bool {
		return other != e && other.Provider() == e.Provider() &&
			(isNamed(other.App, host) || within && slices.Contains(other.App.Networks, network) && isNamed(other.App, name))
	})
}

// isNamed reports whether others in its networks reach an app by a name of its own.
func isNamed(a *App, name string) bool {
	return slices.Contains(a.Aliases, name) || slices.Contains(a.Hosts(), name)
}

// lender is the app in whose network an instance of another one lives. Nil: it has its own.
func (inv *Inventory) lender(e *Definition, borrower Instance) *Definition {
	if borrower.Host == "" {
		return nil
	}
	at := slices.IndexFunc(inv.Definitions, func(other *Definition) bool {
		return other.Provider() == e.Provider() &&
			slices.ContainsFunc(other.App.Instances, func(i Instance) bool { return i.Name == borrower.Host })
	})
	if at < 0 {
		return nil
	}
	return inv.Definitions[at]
}

package inventory

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
)

// Ambiguity is a name that containers of several stacks have in one network: its DNS answers
// with any of them. A service of Compose's has its name in every network that it joins.
type Ambiguity struct {
	Network, Name string
	// Apps are those of that name, sorted by name.
	Apps []*Definition
	// Asks is an app that may ask for the name and get another stack's: one beside it in the
	// network. Nil: none, but Traefik does, by a static server URL.
	Asks *Definition
}

// Ambiguities are the names that matter to a managed app and that somebody asks for, sorted by
// network and name.
func (inv *Inventory) Ambiguities() []Ambiguity {
	var all []Ambiguity
	for at, known := range inv.byName() {
		name := at.name
		for _, network := range slices.Sorted(maps.Keys(networksOf(known))) {
			in := slices.DeleteFunc(slices.Clone(known), func(e *Definition) bool { return !slices.Contains(e.App.Networks, network) })
			a := Ambiguity{Network: network, Name: name, Apps: in}
			if !ofSeveralStacks(in) || !slices.ContainsFunc(in, func(e *Definition) bool { return e.Managed }) {
				continue
			}
			a.Asks = inv.whoAsks(a)
			if a.Asks != nil || slices.ContainsFunc(in, func(e *Definition) bool { return servesBy(e, name) }) {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b Ambiguity) int {
		return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// alias is a name of containers of one provider: networks of two have nothing in common, whatever
// they are called.
type alias struct{ provider, name string }

// byName are the apps by the aliases of their containers.
func (inv *Inventory) byName() map[alias][]*Definition {
	all := map[alias][]*Definition{}
	for _, e := range inv.Definitions {
		for _, name := range e.App.Aliases {
			at := alias{e.reported.Provider, name}
			all[at] = append(all[at], e)
		}
	}
	maps.DeleteFunc(all, func(_ alias, known []*Definition) bool { return !ofSeveralStacks(known) })
	return all
}

// ofSeveralStacks reports whether apps are of more than one stack; one that stands alone is of
// its own.
func ofSeveralStacks(apps []*Definition) bool {
	return slices.ContainsFunc(apps, func(e *Definition) bool {
		return cmp.Or(e.App.Stack, e.ID) != cmp.Or(apps[0].App.Stack, apps[0].ID)
	})
}

// networksOf are those in which DNS knows containers by their aliases: not the engine's own.
func networksOf(apps []*Definition) map[string]bool {
	all := map[string]bool{}
	for _, e := range apps {
		for _, network := range e.App.Networks {
			if network != "host" && network != "none" && network != "bridge" {
				all[network] = true
			}
		}
	}
	return all
}

// whoAsks is an app in the network that may ask for one of the apps by its name: it links to it,
// or is of its stack and not what that one needs itself. Nil: there is none.
func (inv *Inventory) whoAsks(a Ambiguity) *Definition {
	for _, e := range inv.Definitions {
		if slices.Contains(a.Apps, e) || e.reported.Provider != a.Apps[0].reported.Provider || !slices.Contains(e.App.Networks, a.Network) {
			continue
		}
		if slices.ContainsFunc(a.Apps, func(to *Definition) bool { return mayAskFor(e, to) }) {
			return e
		}
	}
	return nil
}

func mayAskFor(e, to *Definition) bool {
	return linksTo(e, to) || e.App.Stack != "" && e.App.Stack == to.App.Stack && !linksTo(to, e)
}

func linksTo(e, to *Definition) bool {
	for linked := range e.links {
		if linked == to {
			return true
		}
	}
	return false
}

// servesBy reports whether Traefik asks for the app by that name.
func servesBy(e *Definition, name string) bool {
	return slices.ContainsFunc(e.Routers, func(r Router) bool {
		u, err := url.Parse(r.StaticURL)
		return err == nil && u.Hostname() == name
	})
}

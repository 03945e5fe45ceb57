package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
)

// linking draws the graph of links, and tells what is wrong with them: a step of Resolve.
type linking struct {
	*Inventory

	aliases map[string][]*Definition // :: a name that containers have for each other → apps; nil until it is asked for
}

// link draws the graph: links of the provider, of rules, of labels and of groups.
func (inv *linking) link(s Settings) {
	nodes := make([]rules.Node, 0, len(inv.Definitions))
	for _, e := range inv.Definitions {
		provider, _, _ := strings.Cut(e.ID, "/")
		links := slices.Clone(e.LinkedApps)
		for i := range links {
			links[i] = links[i].To(inv.linkedName(e, links[i].Name))
		}
		for _, l := range e.App.Links {
			links = append(links, l.FromProvider(provider+"/"+l.Name, slices.Contains(e.reported.Without, l.Name)))
		}
		links = append(links, inv.holders(e, s)...)
		links = append(links, inv.askers(e, s)...)
		nodes = append(nodes, rules.Node{
			Name:    e.Name,
			Aliases: []string{e.App.Name, e.ID},
			Group:   e.AppGroup,
			Links:   links,
		})
	}
	inv.Graph = rules.NewGraph(nodes)
	inv.linkDefinitions()
}

// linkedName is a name of the app to which an app's link leads. Besides the apps' names
// those count by which containers know each other, an app's own stack first; one that several
// other apps share tells nothing.
func (inv *linking) linkedName(from *Definition, name string) string {
	if named := inv.ByName[name]; named != nil {
		if own := inv.ByName[from.reported.Provider+"/"+name]; own != nil && named.reported.Provider != from.reported.Provider {
			return own.ID // of apps of one name the one of its own provider
		}
		return name
	}
	known := inv.byAlias()[name]
	mates := slices.DeleteFunc(slices.Clone(known), func(e *Definition) bool { return from.App.Stack == "" || e.App.Stack != from.App.Stack })
	switch {
	case len(mates) == 1:
		return mates[0].ID
	case len(known) == 1:
		return known[0].ID
	}
	return name
}

// byAlias are the apps by the names that containers have for each other.
func (inv *linking) byAlias() map[string][]*Definition {
	if inv.aliases == nil {
		inv.aliases = map[string][]*Definition{}
		for _, e := range inv.Definitions {
			for _, alias := range e.App.Aliases {
				inv.aliases[alias] = append(inv.aliases[alias], e)
			}
		}
	}
	return inv.aliases
}

// reportLinks turns links that lead nowhere into problems of the apps that have them.
func (inv *linking) reportLinks() {
	for _, e := range inv.Definitions {
		if !e.Managed {
			continue
		}
		for _, l := range inv.Graph.Missing(e.Name) {
			if known := inv.byAlias()[l.Name]; len(known) > 1 {
				e.problem(LinkAmbiguous, "app %q links to %q, by which %s are known: skipped; write one of their names (%s)", e.Name, l.Name, strings.Join(sortedNames(known), ", "), inv.linkOrigin(e))
				continue
			}
			e.problem(LinkMissing, "app %q links to %q, which does not exist: skipped; check the name (%s)", e.Name, l.Name, inv.linkOrigin(e))
		}
		for to := range e.links {
			if !to.Managed {
				e.problem(LinkUnmanaged, "app %q links to %q, which Paastis does not manage (%s): left as it is", e.Name, to.Name, to.Why)
			}
		}
	}
}

// linkOrigin says where the links that people wrote are written.
func (inv *linking) linkOrigin(e *Definition) string {
	if origin := e.Origins["linked_apps"]; origin != "" && len(e.LinkedApps) > 0 {
		return origin
	}
	return "depends_on of " + e.App.Origin
}

// reportWorkers makes a problem of apps that no visitor wakes, and that keep awake what they
// need: a worker beside the server that people open.
func (inv *linking) reportWorkers() {
	for _, e := range inv.Definitions {
		if e.App.Protected != "" || e.Managed && (e.Enable != nil || len(e.Routers) > 0 || len(e.KeepAwake) > 0 || inv.isNeeded(e)) {
			continue
		}
		var kept []*Definition
		for to := range e.links {
			if to.Managed && !to.Job && to.MaxIdleTime != rules.Never {
				kept = append(kept, to)
			}
		}
		if len(kept) == 0 {
			continue
		}
		needs, cure := strings.Join(sortedNames(kept), ", "), inv.cureOf(e)
		if e.Managed {
			e.problem(NeverWoken, "app %q has no router, no app links to it, and it needs %s: what it does by itself keeps both awake, and once it sleeps no visitor wakes it; %s (%s)", e.Name, needs, cure, e.App.Origin)
			continue
		}
		e.Works = true
		if e.App.Ended() {
			continue // a migration, say: as it is, it keeps nothing awake
		}
		why := e.Why.String()
		if e.Excluded().IsZero() {
			why = "nothing enables it" // the rest is the cure for an app that visitors wake
		}
		e.problem(NeedNeverSleeps, "app %q needs %s, which never sleeps while it runs, and is not managed (%s): %s (%s)", e.Name, needs, why, cure, e.App.Origin)
	}
}

// isNeeded reports whether another app links to the app.
func (inv *linking) isNeeded(e *Definition) bool {
	return e.Group != nil || len(inv.Graph.Dependents(e.Name)) > 0
}

// cureOf says how a worker sleeps with those that it works for.
func (inv *linking) cureOf(e *Definition) string {
	switch {
	case e.Enable != nil && !*e.Enable:
		return "if that is not meant, remove paastis.enable=false"
	case e.App.Ephemeral:
		return "start it without --rm"
	case len(e.Routers) > 0:
		return "if it is to sleep as well, add the middleware to its router"
	}
	whom := "the app that people open"
	if i := slices.IndexFunc(inv.Definitions, func(m *Definition) bool {
		return m.Managed && len(m.Routers) > 0 && m.App.Stack != "" && m.App.Stack == e.App.Stack
	}); i >= 0 {
		whom = fmt.Sprintf("%q", inv.Definitions[i].Name)
	}
	return fmt.Sprintf("let it sleep with %s by paastis.linked_apps=%s there, or give it paastis.enable=true and a paastis.max_idle_time of its own", whom, e.Name)
}

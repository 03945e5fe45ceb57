package inventory

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

// A middleware's name is one for a whole provider of Traefik's. Of several containers that
// define it with different options Traefik takes none while it has them, and leaves out every
// router that uses it (Merge in pkg/provider/configuration.go of 3.6.12).

// dispute is a middleware, and the apps that define it, those of one definition together.
type dispute struct {
	name     string
	variants [][]*Definition
}

// isOn reports whether Traefik has two definitions now.
func (d dispute) isOn() bool {
	there := 0
	for _, variant := range d.variants {
		if slices.ContainsFunc(variant, isKept) {
			there++
		}
	}
	return there > 1
}

// disputesOf are those middlewares that are defined in several ways, by their names with "@"
// and provider. It tells of each.
func disputesOf(definers map[string][]*Definition) map[string]dispute {
	all := map[string]dispute{}
	for _, name := range slices.Sorted(maps.Keys(definers)) {
		if len(definers[name]) < 2 {
			continue
		}
		d := dispute{name: name}
		for _, e := range definers[name] {
			d.add(e)
		}
		if len(d.variants) > 1 {
			d.report()
			all[name] = d
		}
	}
	return all
}

// add files an app under its definition.
func (d *dispute) add(e *Definition) {
	short, _, _ := strings.Cut(d.name, "@")
	options := middlewareOptions(e, short)
	for i, variant := range d.variants {
		if maps.Equal(middlewareOptions(variant[0], short), options) {
			d.variants[i] = append(variant, e)
			return
		}
	}
	d.variants = append(d.variants, []*Definition{e})
}

func (d dispute) report() {
	first, other := d.variants[0][0], d.variants[1][0]
	first.problem(MiddlewareDisputed, "middleware %q is defined on %s and on %s with different options: while Traefik has both it takes neither, and leaves out every router that uses it; define it once, or give one another name (%s)",
		d.name, first.App.Origin, other.App.Origin, other.App.Origin)
}

// disputes are those of the router's middlewares and of the service's, and of what those consist
// of. That of Paastis is there: else nobody would ask.
func (inv following) disputes(e *Definition, r *Router, definers map[string][]*Definition, all map[string]dispute, paastis string) []dispute {
	if len(all) == 0 {
		return nil
	}
	var on []dispute
	seen := map[string]bool{}
	for queue := slices.Concat(r.Middlewares, e.Labels.ServiceMiddlewares(*r.Router)); len(queue) > 0; queue = queue[1:] {
		name, provider, given := strings.Cut(queue[0], "@")
		if !given {
			provider = e.TraefikProvider()
		}
		full := name + "@" + provider
		if seen[full] || name == paastis {
			continue
		}
		seen[full] = true
		if d, is := all[full]; is {
			on = append(on, d)
		}
		for _, by := range definers[full] {
			queue = append(queue, traefik.Qualified(by.Labels.Links(name), provider)...)
		}
	}
	return on
}

// Disputed is one of the router's middlewares that is defined in different ways, with its
// provider, if those apps define it and it cannot be told that the router means theirs: they do so
// in several ways, or none of them is the one that has the router. Empty: there is none.
func (r *Router) Disputed(among map[*Definition]bool) string {
	for _, d := range r.disputes {
		there, own := 0, false
		for _, variant := range d.variants {
			if slices.ContainsFunc(variant, func(e *Definition) bool { return among[e] }) {
				there++
				own = own || slices.Contains(variant, r.holderOr(r.Definition))
			}
		}
		if there > 1 || there == 1 && !own {
			return d.name
		}
	}
	return ""
}

// middlewareOptions are the labels of a middleware as Traefik reads them: names in small
// letters, lists without blanks. An option that is there more than once has all that is said of it:
// which of that holds, Traefik alone decides.
func middlewareOptions(e *Definition, name string) map[string]string {
	all := map[string]string{}
	prefix := "traefik.http.middlewares." + strings.ToLower(name) + "."
	for _, label := range slices.Sorted(maps.Keys(e.App.Labels)) {
		option, is := strings.CutPrefix(strings.ToLower(label), prefix)
		if !is {
			continue
		}
		value := blanks.ReplaceAllString(strings.TrimSpace(e.App.Labels[label]), ",")
		if other, there := all[option]; there {
			value = other + "\n" + value
		}
		all[option] = value
	}
	return all
}

var blanks = regexp.MustCompile(`\s*,\s*`)

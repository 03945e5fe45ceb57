package dynamic

import (
	"maps"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik/schema"
)

// origin is a middleware, and the provider that Traefik has it from.
type origin struct {
	*schema.Middleware
	provider string
}

// reference is that to a middleware, by a router that leads to Paastis or to the app.
type reference struct {
	qualifiedName
	asleep bool
}

// uses names middlewares as the published configuration does, publishes copies of those
// that it needs, and leaves out those that do nothing in it. The provider is that of
// whoever names them.
func (c *composer) uses(names []string, provider string, asleep bool) []string {
	var used []string
	for _, name := range names {
		ref := reference{referenceTo(name, provider), asleep}
		switch {
		case c.isNoop(ref):
		case c.definition(ref.qualifiedName) != nil:
			used = append(used, c.copy(ref))
		case asleep:
			used = append(used, c.left(at(name, provider))...)
		default:
			used = append(used, at(name, provider))
		}
	}
	return used
}

// left is a middleware that is left to Traefik, on a router that leads to Paastis: without
// what would put something of its own in place of what Paastis answers, as far as Traefik
// tells.
func (c *composer) left(name string) []string {
	return slices.DeleteFunc(c.known.Sparing(name), func(m string) bool {
		return c.middleware != "" && isNamed(m, c.middleware)
	})
}

// definition is nil for a middleware that is not published as a copy.
func (c *composer) definition(of qualifiedName) *schema.Middleware {
	defined := c.defined(of)
	if defined == nil || defined.Partial || defined.Newer && !c.newer {
		return nil
	}
	return defined
}

// defined is nil for a middleware that no labels define.
func (c *composer) defined(of qualifiedName) *schema.Middleware {
	defined, there := c.definitions[of.name]
	if !there || defined.provider != of.provider {
		return nil
	}
	return defined.Middleware
}

// isNoop reports whether a middleware is not for a published router: Paastis's own, those
// that would put something of theirs in place of what Paastis answers, and chains of
// such alone.
func (c *composer) isNoop(ref reference) bool {
	if ref.name == c.middleware && ref.name != "" {
		return true
	}
	if defined := c.defined(ref.qualifiedName); defined != nil && defined.Chain == nil {
		return ref.asleep && defined.InspectsStatus()
	}
	defined := c.definition(ref.qualifiedName)
	if defined == nil {
		return false
	}
	if empty, known := c.empty[ref]; known {
		return empty
	}
	c.empty[ref] = false // for chains that lead here again
	c.empty[ref] = !slices.ContainsFunc(defined.Chain, func(link string) bool {
		return !c.isNoop(reference{referenceTo(link, ref.provider), ref.asleep})
	})
	return c.empty[ref]
}

// copy publishes the middleware, with those that it consists of, and returns its name.
func (c *composer) copy(ref reference) string {
	defined, name := c.definition(ref.qualifiedName), ref.name
	if ref.asleep && c.inspectsStatus(ref.qualifiedName, make(map[qualifiedName]bool)) {
		name = schema.AsleepPrefix + name
	}
	if c.published[name] != nil {
		return name
	}
	c.published[name] = defined.Options // for chains that lead here again
	switch {
	case defined.Chain != nil:
		links := c.uses(defined.Chain, ref.provider, ref.asleep)
		c.published[name] = map[string]any{"chain": map[string]any{"middlewares": links}}
	case defined.Service != "":
		errors := maps.Clone(defined.Options["errors"].(map[string]any))
		errors["service"] = c.serviceName(defined.Service, ref.provider)
		c.published[name] = map[string]any{"errors": errors}
	}
	return name
}

// inspectsStatus reports whether a middleware looks at the status of answers, or, as a chain, has
// one that does. Chains that were seen are not looked at again.
func (c *composer) inspectsStatus(of qualifiedName, seen map[qualifiedName]bool) bool {
	defined := c.definition(of)
	if defined == nil {
		return !slices.Equal(c.known.Sparing(at(of.name, of.provider)), []string{at(of.name, of.provider)})
	}
	if seen[of] {
		return false
	}
	seen[of] = true
	return defined.InspectsStatus() || slices.ContainsFunc(defined.Chain, func(link string) bool {
		return c.inspectsStatus(referenceTo(link, of.provider), seen)
	})
}

// serviceName is that of a published service if there is one: another one is gone while
// its app is stopped, and with it all that refers to it.
func (c *composer) serviceName(name, provider string) string {
	if published, there := c.services[referenceTo(name, provider)]; there {
		return published
	}
	return at(name, provider)
}

// isNamed reports whether a name with "@" and a provider is that one.
func isNamed(qualified, name string) bool {
	without, _, _ := strings.Cut(qualified, "@")
	return without == name
}

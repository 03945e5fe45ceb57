package traefik

import (
	"maps"
	"slices"
)

// asleepPrefix is before the name of a chain as it is for routers that lead to Paastis.
const asleepPrefix = "paastis:"

// origin is a middleware, and the provider that Traefik has it from.
type origin struct {
	*definition
	provider string
}

// use is that of a middleware, by a router that leads to Paastis or to the app.
type use struct {
	reference
	asleep bool
}

// uses names middlewares as the published configuration does, publishes copies of those
// that it needs, and leaves out those that do nothing in it. The provider is that of
// whoever names them.
func (c *composer) uses(names []string, provider string, asleep bool) []string {
	var used []string
	for _, name := range names {
		u := use{referenceTo(name, provider), asleep}
		switch {
		case c.idle(u):
		case c.definition(u.reference) != nil:
			used = append(used, c.copy(u))
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
	return slices.DeleteFunc(c.known.sparing(name), func(m string) bool {
		return c.middleware != "" && isNamed(Middleware{Name: m}, c.middleware)
	})
}

// definition is nil for a middleware that is not published as a copy.
func (c *composer) definition(of reference) *definition {
	defined := c.defined(of)
	if defined == nil || defined.partial || defined.newer && !c.newer {
		return nil
	}
	return defined
}

// defined is nil for a middleware that no labels define.
func (c *composer) defined(of reference) *definition {
	defined, there := c.definitions[of.name]
	if !there || defined.provider != of.provider {
		return nil
	}
	return defined.definition
}

// idle tells whether a middleware is not for a published router: Paastis's own, those
// that would put something of theirs in place of what Paastis answers, and chains of
// such alone.
func (c *composer) idle(u use) bool {
	if u.name == c.middleware && u.name != "" {
		return true
	}
	if defined := c.defined(u.reference); defined != nil && defined.chain == nil {
		return u.asleep && defined.judges()
	}
	defined := c.definition(u.reference)
	if defined == nil {
		return false
	}
	if empty, known := c.empty[u]; known {
		return empty
	}
	c.empty[u] = false // for chains that lead here again
	c.empty[u] = !slices.ContainsFunc(defined.chain, func(link string) bool {
		return !c.idle(use{referenceTo(link, u.provider), u.asleep})
	})
	return c.empty[u]
}

// copy publishes the middleware, with those that it consists of, and returns its name.
func (c *composer) copy(u use) string {
	defined, name := c.definition(u.reference), u.name
	if u.asleep && c.judges(u.reference, make(map[reference]bool)) {
		name = asleepPrefix + name
	}
	if c.copies[name] != nil {
		return name
	}
	c.copies[name] = defined.options // for chains that lead here again
	switch {
	case defined.chain != nil:
		links := c.uses(defined.chain, u.provider, u.asleep)
		c.copies[name] = map[string]any{"chain": map[string]any{"middlewares": links}}
	case defined.service != "":
		errors := maps.Clone(defined.options["errors"].(map[string]any))
		errors["service"] = c.serviceName(defined.service, u.provider)
		c.copies[name] = map[string]any{"errors": errors}
	}
	return name
}

// judges tells whether a middleware looks at the status of answers, or, as a chain, has
// one that does. Chains that were seen are not looked at again.
func (c *composer) judges(of reference, seen map[reference]bool) bool {
	defined := c.definition(of)
	if defined == nil {
		return !slices.Equal(c.known.sparing(at(of.name, of.provider)), []string{at(of.name, of.provider)})
	}
	if seen[of] {
		return false
	}
	seen[of] = true
	return defined.judges() || slices.ContainsFunc(defined.chain, func(link string) bool {
		return c.judges(referenceTo(link, of.provider), seen)
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

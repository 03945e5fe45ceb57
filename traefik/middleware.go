package traefik

import (
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// MiddlewareConfig is what Traefik's configuration says of a middleware, in labels as in
// the answers of its API, as far as Paastis wants to know.
type MiddlewareConfig struct {
	ForwardAuth struct {
		Address             string
		AuthRequestHeaders  []string
		TrustForwardHeader  bool
		ForwardBody         bool
		MaxResponseBodySize int64
	}
	Chain       struct{ Middlewares []string }
	StripPrefix struct {
		Prefixes   []string
		ForceSlash bool
	}
	StripPrefixRegex struct{ Regex []string }
	ReplacePath      struct{ Path string }
	ReplacePathRegex struct{ Regex, Replacement string }
	AddPrefix        struct{ Prefix string }
	Headers          struct{ CustomRequestHeaders map[string]string }
	Errors           struct{ Status []string }
	CircuitBreaker   struct{ Expression string }
	Plugin           bool `json:"-"`
}

// Middleware is the one of that name, as the configuration says.
func (m *MiddlewareConfig) Middleware(name string) Middleware {
	rewrite, err := m.rewrite()
	return Middleware{
		Name:               name,
		ForwardAuth:        m.ForwardAuth.Address,
		ForwardAuthHeaders: m.ForwardAuth.AuthRequestHeaders,
		ForwardAuthBody:    m.ForwardAuth.ForwardBody,
		ForwardAuthLimit:   m.ForwardAuth.MaxResponseBodySize,
		Chain:              m.Chain.Middlewares,
		rewrite:            rewrite,
		cover:              cover{statuses: strings.Join(m.Errors.Status, ","), breaks: m.CircuitBreaker.Expression != ""},
		opaque:             m.Plugin || err != nil,
		trusts:             m.ForwardAuth.TrustForwardHeader,
	}
}

// rewrite is nil for a middleware that changes neither path nor host. It fails for a
// pattern that is none.
func (m *MiddlewareConfig) rewrite() (rewrite, error) {
	switch {
	case len(m.StripPrefix.Prefixes) > 0:
		return &stripPrefix{m.StripPrefix.Prefixes, m.StripPrefix.ForceSlash}, nil
	case len(m.StripPrefixRegex.Regex) > 0:
		return newStripPrefixRegex(m.StripPrefixRegex.Regex)
	case m.ReplacePath.Path != "":
		return replacePath{m.ReplacePath.Path}, nil
	case m.ReplacePathRegex.Regex != "":
		pattern, err := regexp.Compile(strings.TrimSpace(m.ReplacePathRegex.Regex))
		return &replacePathRegex{pattern, strings.TrimSpace(m.ReplacePathRegex.Replacement)}, err
	case m.AddPrefix.Prefix != "":
		return addPrefix{m.AddPrefix.Prefix}, nil
	default:
		return m.headerChange(), nil
	}
}

func newStripPrefixRegex(texts []string) (rewrite, error) {
	var m stripPrefixRegex
	for _, text := range texts {
		pattern, err := regexp.Compile(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		m.patterns = append(m.patterns, pattern)
	}
	return &m, nil
}

// headerChange is nil if neither the host nor a trace is changed.
func (m *MiddlewareConfig) headerChange() rewrite {
	var change headerChange
	for name, value := range m.Headers.CustomRequestHeaders {
		switch {
		case isPrefixHeader(name):
			change.marks, change.mark = true, value
		case value != "" && strings.EqualFold(name, "Host"):
			change.host = value
		}
	}
	if change == (headerChange{}) {
		return nil
	}
	return change
}

// Qualified adds the provider to names that have none, as Traefik understands them.
func Qualified(names []string, provider string) []string {
	var all []string
	for _, name := range names {
		if !strings.Contains(name, "@") {
			name += "@" + provider
		}
		all = append(all, name)
	}
	return all
}

// Catalog are middlewares by name, "@" and provider.
type Catalog map[string]Middleware

// Has reports whether there is a middleware of that name, with "@" and the provider.
func (c Catalog) Has(name string) bool {
	_, there := c[name]
	return there
}

// Uses reports whether a request that passes the middlewares of those names, of which
// those without "@" are of the provider, passes the one of that name: it counts with any
// provider.
func (c Catalog) Uses(names []string, provider, name string) bool {
	for m := range c.flattened(names, provider) {
		if isNamed(m, name) {
			return true
		}
	}
	return false
}

// NamesApp reports whether the middleware of that name, which the others lead to, asks about
// an app by its name: "…/auth?app=NAME". See Uses.
func (c Catalog) NamesApp(names []string, provider, name string) bool {
	for m := range c.flattened(names, provider) {
		if at, err := url.Parse(m.ForwardAuth); err == nil && isNamed(m, name) && at.Query().Get("app") != "" {
			return true
		}
	}
	return false
}

// Asked are the addresses that other ForwardAuth middlewares ask: those that stand before the one
// of that name, and those behind it; see Uses. Nil: there are none.
func (c Catalog) Asked(names []string, provider, name string) (before, behind []string) {
	passed := false
	for m := range c.flattened(names, provider) {
		switch {
		case isNamed(m, name):
			passed = true
		case m.ForwardAuth == "":
		case passed:
			behind = append(behind, m.ForwardAuth)
		default:
			before = append(before, m.ForwardAuth)
		}
	}
	return before, behind
}

// Unknown are those of the middlewares that the catalog does not have, but for the one of
// that name; see Uses.
func (c Catalog) Unknown(names []string, provider, name string) []string {
	var unknown []string
	for m, there := range c.flattened(names, provider) {
		if !there && !isNamed(m, name) {
			unknown = append(unknown, m.Name)
		}
	}
	return unknown
}

// Before returns what the middlewares do to a request until it gets to the one of that
// name; see Uses. A middleware that is not in the catalog, or is a plugin, may do
// anything; if the one of that name is not seen, it may be in the last of those.
func (c Catalog) Before(names []string, provider, name string) Rewrites {
	var all Rewrites
	end := 0
	for m, there := range c.flattened(names, provider) {
		if isNamed(m, name) {
			return all.seenBy(m).orNone()
		}
		all = all.with(m, there)
		if !there || m.opaque {
			end = len(all)
		}
	}
	return all[:end]
}

// seenBy adds what the ForwardAuth middleware itself keeps back, or tells all the same.
func (ws Rewrites) seenBy(m Middleware) Rewrites {
	if m.ForwardAuthHeaders != nil && !slices.ContainsFunc(m.ForwardAuthHeaders, isPrefixHeader) {
		ws = append(ws, mute{})
	}
	if m.trusts {
		ws = append(ws, trusting{})
	}
	return ws
}

// Without returns what the middlewares do to a request, but for the one of that name: see
// Before.
func (c Catalog) Without(names []string, provider, name string) Rewrites {
	var all Rewrites
	for m, there := range c.flattened(names, provider) {
		if !isNamed(m, name) {
			all = all.with(m, there)
		}
	}
	return all.orNone()
}

// with adds what a middleware does, of which nothing is known unless it is there.
func (ws Rewrites) with(m Middleware, there bool) Rewrites {
	switch {
	case (!there || m.opaque) && (len(ws) == 0 || ws[len(ws)-1] != rewrite(unknown{})):
		return append(ws, unknown{})
	case !there || m.opaque:
		return ws
	case m.rewrite != nil:
		return append(ws, m.rewrite)
	default:
		return ws
	}
}

// orNone is nil if nothing is done but to lose traces.
func (ws Rewrites) orNone() Rewrites {
	for _, w := range ws {
		if w != rewrite(mute{}) && w != rewrite(trusting{}) {
			return ws
		}
	}
	return nil
}

func isNamed(m Middleware, name string) bool {
	without, _, _ := strings.Cut(m.Name, "@")
	return without == name
}

// flattened yields the middlewares of those names, and in place of a chain those that it
// consists of, with "@" and the provider in their names. It reports false with the ones
// that are not in the catalog, of which only the name is known.
func (c Catalog) flattened(names []string, provider string) iter.Seq2[Middleware, bool] {
	return func(yield func(Middleware, bool) bool) {
		c.flatten(Qualified(names, provider), map[string]bool{}, yield)
	}
}

// flatten reports whether to go on. The chains that it is in are within.
func (c Catalog) flatten(names []string, within map[string]bool, yield func(Middleware, bool) bool) bool {
	for _, name := range names {
		m, there := c[name]
		m.Name = name
		if m.Chain == nil {
			if !yield(m, there) {
				return false
			}
			continue
		}
		if within[name] {
			continue
		}
		within[name] = true
		_, provider, _ := strings.Cut(name, "@")
		if !c.flatten(Qualified(m.Chain, provider), within, yield) {
			return false
		}
		delete(within, name)
	}
	return true
}

// isPrefixHeader reports whether a header is the one that tells of stripped prefixes.
func isPrefixHeader(name string) bool {
	return http.CanonicalHeaderKey(name) == prefixHeader
}

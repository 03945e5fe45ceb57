// Package schema has what labels can say of Traefik's HTTP routers, services and middlewares:
// the fields, and a decoder that turns labels into values of Traefik's configuration.
//
//	traefik.http.middlewares.m.ratelimit.average=9 ──Decode──► Middlewares["m"]: {"rateLimit": {"average": 9}}
//
// It tells which labels are none: those that cannot be read, those that no Traefik knows, and
// those that only a newer one does.
package schema

import (
	"slices"
	"strings"

	"github.com/traefik/paerser/parser"
)

// AsleepPrefix is before the name of a chain as it is published for routers that lead to
// Paastis. A middleware that labels give such a name is not published.
const AsleepPrefix = "paastis:"

// Config is what labels say of routers, services and middlewares. The zero value is that of no
// labels.
type Config struct {
	Routers     map[string]map[string]any // :: name → options
	Services    map[string]map[string]any // :: name → options of its load balancer
	Middlewares map[string]*Middleware

	Invalid []string // labels whose values cannot be read
	Unknown []string // labels that no Traefik that Paastis knows has
	Newer   []string // labels that only one later than 3.6.12 has
}

// Middleware is one as labels define it.
type Middleware struct {
	Options map[string]any // do not change them
	Partial bool           // a copy would not be the same
	Newer   bool           // a Traefik 3.6.12 would not take a copy
	Chain   []string       // the middlewares that it consists of; nil if it is no chain
	Service string         // that shows its errors
}

// Decode reads the labels. It does not keep them.
func Decode(labels map[string]string) *Config {
	var d decoder
	var c Config
	root := tree(labels, &d)
	c.Routers = named(root, "routers", func(node *parser.Node, path string) map[string]any {
		return d.object(routerFields, node, path)
	})
	c.Services = named(root, "services", func(node *parser.Node, path string) map[string]any {
		balancer, _ := d.object(serviceFields, node, path)["loadBalancer"].(map[string]any)
		return balancer
	})
	c.Middlewares = named(root, "middlewares", d.middleware)
	c.Invalid, c.Unknown, c.Newer = d.invalid, d.unknown, d.newer
	return &c
}

// InspectsStatus reports whether it looks at the status of answers, to put something of its
// own in their place.
func (m *Middleware) InspectsStatus() bool {
	return m.Options["errors"] != nil || m.Options["circuitBreaker"] != nil
}

// middleware leaves out what labels do not tell clearly: without a part of it, a
// middleware could let through what it should not.
func (d *decoder) middleware(node *parser.Node, path string) *Middleware {
	before, newerBefore := len(d.invalid)+len(d.unknown), len(d.newer)
	m := &Middleware{Options: d.object(middlewareFields, node, path)}
	m.Newer = len(d.newer) > newerBefore
	m.Partial = len(d.invalid)+len(d.unknown) > before || len(m.Options) != 1 || len(node.Children) != 1 || !isName(node.Name)
	if chain, there := m.Options["chain"].(map[string]any); there {
		m.Chain, _ = chain["middlewares"].([]string)
	}
	if errors, there := m.Options["errors"].(map[string]any); there {
		m.Service, _ = errors["service"].(string)
	}
	return m
}

// isName reports whether a copy can have the name.
func isName(name string) bool {
	return IsKey(AsleepPrefix+name) && !strings.HasPrefix(name, AsleepPrefix)
}

// tree is the part below traefik.http. A label that spoils the others is not in it.
func tree(labels map[string]string, d *decoder) *parser.Node {
	formed := make(map[string]string)
	for label, value := range labels {
		segments := strings.Split(label, ".")
		switch {
		case !isHTTP(segments):
		case isFormed(segments):
			formed[label] = value
		default:
			d.refuse(label)
		}
	}
	root, err := parser.DecodeToNode(formed, parser.DefaultRootName)
	if err != nil || root == nil {
		return &parser.Node{}
	}
	return child(root, "http")
}

// isHTTP reports whether a label is below traefik.http, in any case.
func isHTTP(segments []string) bool {
	return len(segments) > 1 && isSegment(segments[0], parser.DefaultRootName) && isSegment(segments[1], "http")
}

// isSegment takes no account of an index, such as in domains[0].
func isSegment(segment, name string) bool {
	segment, _, _ = strings.Cut(segment, "[")
	return strings.EqualFold(segment, name)
}

// isFormed reports whether the label decoder takes a label of these segments.
func isFormed(segments []string) bool {
	return segments[0] == parser.DefaultRootName && !slices.ContainsFunc(segments, func(segment string) bool {
		return segment == "" || strings.HasPrefix(segment, "[") ||
			strings.HasSuffix(segment, "]") && !strings.Contains(segment, "[")
	})
}

// named reads what has names of its own.
func named[T any](root *parser.Node, of string, read func(*parser.Node, string) T) map[string]T {
	all := make(map[string]T)
	for _, node := range child(root, of).Children {
		all[node.Name] = read(node, "traefik.http."+of+"."+node.Name)
	}
	return all
}

// child is empty if there is none.
func child(node *parser.Node, name string) *parser.Node {
	for _, child := range node.Children {
		if strings.EqualFold(child.Name, name) {
			return child
		}
	}
	return &parser.Node{}
}

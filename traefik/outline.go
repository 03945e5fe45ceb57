package traefik

import (
	"slices"
	"strings"
	"sync"

	"github.com/traefik/paerser/parser"
)

// outline is what labels say of routers, services and middlewares, in the form in which
// they are published. It is drawn when somebody first asks for it.
type outline struct {
	labels map[string]string
	once   sync.Once

	routers     map[string]map[string]any // :: name → options, without those of a Router
	services    map[string]map[string]any // :: name → options of its load balancer
	middlewares map[string]*definition
	reading     reading
}

// definition is a middleware as labels define it.
type definition struct {
	options map[string]any // do not change them
	partial bool           // a copy would not be the same
	newer   bool           // a Traefik 3.6.12 would not take a copy
	chain   []string       // the middlewares that it consists of; nil if it is no chain
	service string         // that shows its errors
}

// Unread returns the labels of HTTP routers, services and middlewares that Traefik
// 3.6.12 cannot read, sorted; it ignores the whole app for them. Published routes are
// without them, as Unpublishable says. Nil: there are none.
//
// It draws an outline of its own: one that is kept takes as much memory as all else that is
// known of an app, and most apps are asked for this alone.
func (l Labels) Unread() []string {
	r := l.redrawn().reading
	return sorted(r.unread, r.unknown, r.newer)
}

// Misread returns the labels for which Traefik leaves out the app, sorted. Newer tells that it
// may have the options of 3.7. Nil: there are none.
func (l Labels) Misread(newer bool) []string {
	r := l.redrawn().reading
	if newer {
		return sorted(r.unread, r.unknown)
	}
	return sorted(r.unread, r.unknown, r.newer)
}

// Unpublishable returns those of the labels of Unread without which the app must not be
// published, sorted: what they say cannot be read by any Traefik, or may guard the app. It
// is not among them what a later Traefik knows, and what cannot be a guard or is left to
// Traefik itself: options of middlewares, and of load balancers.
func (l Labels) Unpublishable() []string {
	unpublishable, _ := l.Unreadable()
	return unpublishable
}

// Unreadable returns Unpublishable, and the other labels that no Traefik up to 3.7 can read,
// sorted: published routes are without them, and Traefik leaves out the app's own routers.
func (l Labels) Unreadable() (unpublishable, dispensable []string) {
	r := l.redrawn().reading
	for _, label := range sorted(r.unknown) {
		if isDispensable(label) {
			dispensable = append(dispensable, label)
		} else {
			unpublishable = append(unpublishable, label)
		}
	}
	return sorted(r.unread, unpublishable), dispensable
}

// Uncopied returns the name of a middleware, by the labels, that the router's requests pass
// and that cannot be published, for it has options of a Traefik later than 3.6.12; newer is
// that of a Publication. Its routers work only while Traefik has it from the app. Empty:
// there is none.
func (l Labels) Uncopied(router Router, newer bool) string {
	o := l.redrawn()
	if len(o.reading.newer)+len(o.reading.unknown) == 0 {
		return ""
	}
	names := slices.Concat(router.Middlewares, l.ServiceMiddlewares(router))
	for _, used := range slices.Concat(names, l.chained(names)) {
		name, local := localName(used)
		if d := o.middlewares[name]; local && d != nil && (d.partial || d.newer && !newer) {
			return name
		}
	}
	return ""
}

// redrawn is drawn, and not kept.
func (l Labels) redrawn() *outline {
	var o outline
	if l.outline != nil {
		o.labels = l.outline.labels
		o.draw()
	}
	return &o
}

// isDispensable reports whether a route may be published without a label.
func isDispensable(label string) bool {
	return hasPrefix(strings.Split(label, "."), dispensableLabels)
}

// dispensableLabels are the beginnings of labels that guard nothing, or whose middleware is
// left to Traefik.
var dispensableLabels = split(
	"traefik.http.middlewares.*.*",
	"traefik.http.services.*.loadbalancer.*",
	"traefik.http.routers.*.observability.*",
)

// sorted are the labels of all lists, none twice.
func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// drawn is what is published. It is empty for the zero Labels.
func (l Labels) drawn() *outline {
	if l.outline == nil {
		return &outline{}
	}
	l.outline.once.Do(l.outline.draw)
	return l.outline
}

func (o *outline) draw() {
	var r reading
	root := tree(o.labels, &r)
	o.routers = named(root, "routers", func(node *parser.Node, path string) map[string]any {
		return r.object(routerFields, node, path)
	})
	o.services = named(root, "services", func(node *parser.Node, path string) map[string]any {
		balancer, _ := r.object(serviceFields, node, path)["loadBalancer"].(map[string]any)
		return balancer
	})
	o.middlewares = named(root, "middlewares", newDefinition(&r))
	o.reading = r
}

// judges tells whether it looks at the status of answers, to put something of its own in
// their place.
func (d *definition) judges() bool {
	return d.options["errors"] != nil || d.options["circuitBreaker"] != nil
}

// newDefinition leaves out what labels do not tell clearly: without a part of it, a
// middleware could let through what it should not.
func newDefinition(r *reading) func(*parser.Node, string) *definition {
	return func(node *parser.Node, path string) *definition {
		before, newerBefore := len(r.unread)+len(r.unknown), len(r.newer)
		d := &definition{options: r.object(middlewareFields, node, path)}
		d.newer = len(r.newer) > newerBefore
		d.partial = len(r.unread)+len(r.unknown) > before || len(d.options) != 1 || len(node.Children) != 1 || !isName(node.Name)
		if chain, there := d.options["chain"].(map[string]any); there {
			d.chain, _ = chain["middlewares"].([]string)
		}
		if errors, there := d.options["errors"].(map[string]any); there {
			d.service, _ = errors["service"].(string)
		}
		return d
	}
}

// isName tells whether a copy can have the name.
func isName(name string) bool {
	return isKey(asleepPrefix+name) && !strings.HasPrefix(name, asleepPrefix)
}

// tree is the part below traefik.http. A label that spoils the others is not in it.
func tree(labels map[string]string, r *reading) *parser.Node {
	formed := make(map[string]string)
	for label, value := range labels {
		segments := strings.Split(label, ".")
		switch {
		case !hasPrefix(segments, httpLabels):
		case isFormed(segments):
			formed[label] = value
		default:
			r.refuse(label)
		}
	}
	root, err := parser.DecodeToNode(formed, parser.DefaultRootName)
	if err != nil || root == nil {
		return &parser.Node{}
	}
	return child(root, "http")
}

// isFormed tells whether the label decoder takes a label of these segments.
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

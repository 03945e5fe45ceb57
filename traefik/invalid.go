package traefik

import (
	"slices"
	"strings"
	"sync"

	"github.com/paastis/paastis/traefik/schema"
)

// labelConfig is what labels say, in the form in which it is published. It is decoded when
// somebody first asks for it.
type labelConfig struct {
	labels  map[string]string
	once    sync.Once
	decoded *schema.Config
}

// InvalidLabels returns the labels of HTTP routers, services and middlewares that Traefik
// 3.6.12 cannot read, sorted; it ignores the whole app for them. Published routes are
// without them, as Unpublishable says. Nil: there are none.
//
// It decodes the labels anew: what is kept takes as much memory as all else that is
// known of an app, and most apps are asked for this alone.
func (l Labels) InvalidLabels() []string {
	c := l.decodedAnew()
	return sorted(c.Invalid, c.Unknown, c.Newer)
}

// Misread returns the labels for which Traefik leaves out the app, sorted. Newer reports whether it
// may have the options of 3.7. Nil: there are none.
func (l Labels) Misread(newer bool) []string {
	c := l.decodedAnew()
	if newer {
		return sorted(c.Invalid, c.Unknown)
	}
	return sorted(c.Invalid, c.Unknown, c.Newer)
}

// Unpublishable returns those of the labels of InvalidLabels without which the app must not be
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
	c := l.decodedAnew()
	for _, label := range sorted(c.Unknown) {
		if isDispensable(label) {
			dispensable = append(dispensable, label)
		} else {
			unpublishable = append(unpublishable, label)
		}
	}
	return sorted(c.Invalid, unpublishable), dispensable
}

// Uncopied returns the name of a middleware, by the labels, that the router's requests pass
// and that cannot be published, for it has options of a Traefik later than 3.6.12; newer is
// that of a Publication. Its routers work only while Traefik has it from the app. Empty:
// there is none.
func (l Labels) Uncopied(router Router, newer bool) string {
	c := l.decodedAnew()
	if len(c.Newer)+len(c.Unknown) == 0 {
		return ""
	}
	names := slices.Concat(router.Middlewares, l.ServiceMiddlewares(router))
	for _, used := range slices.Concat(names, l.chained(names)) {
		name, local := LocalName(used)
		if d := c.Middlewares[name]; local && d != nil && (d.Partial || d.Newer && !newer) {
			return name
		}
	}
	return ""
}

// DefinesService reports whether the labels say something of the service, which Traefik
// otherwise makes by itself.
func (l Labels) DefinesService(service string) bool {
	name, local := LocalName(service)
	_, defined := l.decodedAnew().Services[name]
	return local && defined
}

// decodedAnew is Config, and not kept.
func (l Labels) decodedAnew() *schema.Config {
	if l.config == nil {
		return &schema.Config{}
	}
	return schema.Decode(l.config.labels)
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

// Config is what the labels say of routers, services and middlewares, for publishing it. It is
// kept once it was asked for; do not change it. It is empty for the zero Labels.
func (l Labels) Config() *schema.Config {
	if l.config == nil {
		return &schema.Config{}
	}
	l.config.once.Do(func() { l.config.decoded = schema.Decode(l.config.labels) })
	return l.config.decoded
}

// Package dynamic makes the configuration with which Traefik routes to an app itself while that
// is awake, and to Paastis while not.
//
//	Labels, Router ──Publication──► Publish ──► JSON for Traefik's HTTP provider
//
// Place finds a place for the published routers among those that Traefik has from elsewhere.
package dynamic

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
	"github.com/paastis/paastis/traefik/schema"
)

// PathPrefix is what stands before the path of a request that a published router
// sends to Paastis, with the mark of the publication behind it: "/.paastis/<mark>".
const PathPrefix = "/.paastis/"

// secondSuffix is behind the name of the second router of a publication. No name has it: see
// Placed.
const secondSuffix = "~second"

// markPrefix is before the name of the middleware that adds the PathPrefix.
const markPrefix = "paastis-"

// patientName is that of the middleware that lets requests wait for Paastis. No label can
// give another one such a name.
const patientName = "paastis.patient"

// patience is the middleware: it sends a request again as long as nobody takes its
// connection, so that nothing of it was sent. That takes about ten seconds.
var patience = map[string]any{"retry": map[string]any{"attempts": 20, "initialInterval": "300ms"}}

// Publication is a router that Paastis publishes: as an app's labels say, above them in
// priority, with a service of its own.
type Publication struct {
	// Name of the published router and its service, of letters, digits, "_", "." and "-".
	// No two publications may have the same one. At most some 150 bytes.
	Name string
	// Mark is what a request that comes by the router has behind PathPrefix, of the
	// characters of a Name: whoever knows it can send such requests. Empty: the Name.
	Mark string
	// Patient lets requests to Paastis wait for some seconds while it restarts.
	Patient bool
	// Labels of the app.
	Labels traefik.Labels
	// Backend are the labels that have the router's service, if they are another app's. Nil:
	// they are the Labels.
	Backend *traefik.Labels
	// Router is one of them, completed by WithDefaults. One that the Labels do not know is
	// published as it is.
	Router traefik.Router
	// Given reports whether the Router is in no labels, also if the Labels have one of its name.
	Given bool
	// Provider that Traefik has the labels from, such as "docker": what they name without
	// "@" is there. Empty: it is among what Paastis publishes.
	Provider string
	// Known is what is known of middlewares that labels do not define. Nil: nothing.
	Known traefik.Catalog
	// Servers are the URLs of the app's servers. None: requests go to Paastis.
	Servers []string
	// OwnHost tells that the Servers know themselves by the host of their URL alone, unless the
	// labels say something of that: requests to them have that host, and not the visitor's.
	OwnHost bool
	// Foreign is a service that somebody else provides, such as "x@file", to which the
	// router leads while Awake. Empty: it leads to the Servers.
	Foreign string
	// Awake: requests go to the app. Else to Paastis.
	Awake bool
	// Yields reports whether another publication has the same rule and goes before it: it is
	// published without its router.
	Yields bool
	// Placed is the router's place among those of others. The zero value: the next priority
	// above its own, and its own rule.
	Placed Placed
	// RouteVersion is told with the URL of Paastis, as a path that Traefik ignores: so its API
	// shows which version of a route it uses. Zero: there is none to tell.
	RouteVersion uint64
	// Newer reports whether the Traefik that gets it has the options of 3.7. Without, it may be
	// 3.6, which refuses all that is published for one of them.
	Newer bool
}

// IsRouteVersion reports whether a server's URL is that of Paastis, as published with
// that version of the route.
func IsRouteVersion(serverURL string, version uint64) bool {
	u, err := url.Parse(serverURL)
	return err == nil && u.Path == "/"+strconv.FormatUint(version, 10)
}

// Publish makes the configuration that Traefik's HTTP provider loads, as JSON: the same
// bytes for the same publications in any order.
//
// self is the URL at which Traefik reaches Paastis, such as "http://paastis:3000". At one of https
// Paastis is asked for by the host of the URL, and else by that of the visitor.
// middleware is the name of Paastis's ForwardAuth middleware, without provider, which
// published routers leave out.
//
// Middlewares that labels define are published as copies, for those of a stopped
// container are gone. If several publications define one of the same name, the copy is
// that of the first by the publications' names. A middleware that Paastis cannot copy
// in full, or that has an option that the Traefik may not know, is left to Traefik: its
// routers work only while Traefik has it. Those of a service are the router's. Of routers and
// services, what Labels.InvalidLabels tells is left out. A router that leads to Paastis is
// without errors and circuitBreaker, which would put pages of theirs in place of the waiting
// page, as far as they are known: by labels, or as Known.
//
// Every Traefik since 3.6 reads the configuration. An older one refuses it as a whole if
// labels have something in it that only a newer one knows.
func Publish(publications []Publication, self, middleware string) []byte {
	c := composer{
		self:        self,
		middleware:  middleware,
		services:    make(map[qualifiedName]string),
		definitions: make(map[string]origin),
		empty:       make(map[reference]bool),
		published:   make(map[string]any),
	}
	ordered := byPublicationName(publications)
	c.newer = !slices.ContainsFunc(ordered, func(p *Publication) bool { return !p.Newer })
	for _, p := range ordered {
		c.define(p)
	}
	for _, p := range ordered {
		c.reserve(p)
	}
	for _, p := range ordered {
		c.publish(p)
	}
	return c.written()
}

// ServiceName is the name, in Traefik's API, of the service of a publication.
func ServiceName(name string) string { return name + "@http" }

// composer collects what is published.
type composer struct {
	self        string
	middleware  string
	known       traefik.Catalog          // of the middlewares that are left to Traefik
	newer       bool                     // all options that Paastis knows may be published
	services    map[qualifiedName]string // :: service that labels name → the published one
	definitions map[string]origin        // :: name of a middleware → who defines it
	empty       map[reference]bool       // :: reference to a chain → nothing is left of it

	routers   []entry
	balancers []entry
	published map[string]any // :: name of a published middleware → it
}

// qualifiedName is that of something of a provider.
type qualifiedName struct{ name, provider string }

// The parts of the configuration that have the same fields for all

type routerConfig struct {
	Rule          string   `json:"rule"`
	RuleSyntax    string   `json:"ruleSyntax,omitempty"`
	Priority      int      `json:"priority"`
	EntryPoints   []string `json:"entryPoints,omitempty"`
	Middlewares   []string `json:"middlewares,omitempty"`
	Service       string   `json:"service"`
	TLS           any      `json:"tls,omitempty"`
	Observability any      `json:"observability,omitempty"`
}

type serviceConfig struct {
	LoadBalancer balancerConfig `json:"loadBalancer"`
}

type balancerConfig struct {
	Servers            []serverConfig `json:"servers"`
	Strategy           any            `json:"strategy,omitempty"`
	Sticky             any            `json:"sticky,omitempty"`
	HealthCheck        any            `json:"healthCheck,omitempty"`
	PassiveHealthCheck any            `json:"passiveHealthCheck,omitempty"`
	PassHostHeader     any            `json:"passHostHeader,omitempty"`
	ResponseForwarding any            `json:"responseForwarding,omitempty"`
	ServersTransport   string         `json:"serversTransport,omitempty"`
}

type serverConfig struct {
	URL          string `json:"url"`
	Weight       any    `json:"weight,omitempty"`
	PreservePath any    `json:"preservePath,omitempty"`
}

// markConfig is the middleware that tells Paastis which publication a request is of.
type markConfig struct {
	AddPrefix struct {
		Prefix string `json:"prefix"`
	} `json:"addPrefix"`
}

// define files the middlewares of a publication's labels, unless one is filed already,
// and the service.
func (c *composer) define(p *Publication) {
	for _, labels := range []traefik.Labels{p.Labels, p.backend()} {
		for name, d := range labels.Config().Middlewares {
			if _, defined := c.definitions[name]; !defined {
				c.definitions[name] = origin{d, p.Provider}
			}
		}
	}
	service := referenceTo(p.Router.Service, p.Provider)
	if _, defined := c.services[service]; !defined && !p.leadsElsewhere() {
		c.services[service] = p.Name
	}
}

// reserve makes a middleware of labels no definition that has the name of Paastis's own.
func (c *composer) reserve(p *Publication) {
	delete(c.definitions, markPrefix+p.Name)
}

// publish adds the router of a publication and what it needs.
func (c *composer) publish(p *Publication) {
	router := p.router()
	middlewares := slices.Concat(p.Router.Middlewares, p.backend().ServiceMiddlewares(p.Router))
	c.known = p.Known
	router.Middlewares = c.uses(middlewares, p.Provider, p.asleep())
	switch {
	case p.asleep():
		var mark markConfig
		mark.AddPrefix.Prefix = PathPrefix + cmp.Or(p.Mark, p.Name)
		c.published[markPrefix+p.Name] = mark
		if p.Patient && p.overHTTP1(c.self) {
			c.published[patientName] = patience
			router.Middlewares = append(router.Middlewares, patientName)
		}
		router.Middlewares = append(router.Middlewares, markPrefix+p.Name)
		c.balancers = append(c.balancers, entry{p.Name, serviceConfig{p.toPaastis(c.self)}})
	case p.leadsElsewhere():
		router.Service = at(p.Foreign, p.Provider)
	default:
		c.balancers = append(c.balancers, entry{p.Name, serviceConfig{p.toServers()}})
	}
	if p.Yields {
		return
	}
	c.routers = append(c.routers, entry{p.Name, router})
	if p.Placed.Second {
		router.Rule, router.Priority = p.Router.Rule, cmp.Or(p.Placed.SecondPriority, rank(p.Router))
		c.routers = append(c.routers, entry{p.Name + secondSuffix, router})
	}
}

// asleep reports whether requests go to Paastis.
func (p *Publication) asleep() bool {
	return !p.Awake || len(p.Servers) == 0 && p.Foreign == ""
}

// leadsElsewhere reports whether the publication has no service of its own.
func (p *Publication) leadsElsewhere() bool {
	return !p.asleep() && p.Foreign != ""
}

// router is without middlewares.
func (p *Publication) router() routerConfig {
	options := p.options()
	router := routerConfig{
		Rule:          cmp.Or(p.Placed.Rule, p.Router.Rule),
		RuleSyntax:    p.Router.RuleSyntax,
		Priority:      cmp.Or(p.Placed.Priority, next(min(rank(p.Router), rule.MaxPriority-1))),
		EntryPoints:   p.Router.EntryPoints,
		Service:       p.Name,
		Observability: options["observability"],
	}
	if tls := options["tls"]; p.Router.TLS || tls != nil {
		router.TLS = p.tls(tls)
	}
	return router
}

// options are those that a traefik.Router of labels has no field for.
func (p *Publication) options() map[string]any {
	if p.Given {
		return map[string]any{"tls": secured(p.Router.Secured)}
	}
	return p.Labels.Config().Routers[p.Router.Name]
}

// secured is as labels say the same; nil for nil.
func secured(t *traefik.TLS) any {
	if t == nil {
		return nil
	}
	options := make(map[string]any)
	if t.Options != "" {
		options["options"] = t.Options
	}
	if t.CertResolver != "" {
		options["certResolver"] = t.CertResolver
	}
	var domains []any
	for _, d := range t.Domains {
		domain := map[string]any{"main": d.Main}
		if len(d.SANs) > 0 {
			domain["sans"] = d.SANs
		}
		domains = append(domains, domain)
	}
	if domains != nil {
		options["domains"] = domains
	}
	return options
}

// tls is {} for TLS without options.
func (p *Publication) tls(options any) map[string]any {
	tls := make(map[string]any)
	if told, there := options.(map[string]any); there {
		maps.Copy(tls, told)
	}
	if name, there := tls["options"].(string); there && name != "" && name != "default" {
		tls["options"] = at(name, p.Provider)
	}
	return tls
}

// overHTTP1 reports whether Traefik speaks HTTP/1.1 to Paastis for the router. Over HTTP/2 its retry
// loses answers: the server may have answered before Traefik notes that the request was sent, and
// the status is dropped, so that 200 stands in its place, or all of it, and the request is sent
// again (responseWriter.WriteHeader in pkg/middlewares/retry/retry.go of 3.6.12).
func (p *Publication) overHTTP1(self string) bool {
	return strings.HasPrefix(p.toPaastis(self).Servers[0].URL, "http://")
}

// toPaastis is the load balancer of an app that does not serve itself.
func (p *Publication) toPaastis(self string) balancerConfig {
	if rest, plain := strings.CutPrefix(self, "http://"); plain && p.backend().Scheme(p.Router) == "h2c" {
		self = "h2c://" + rest // else requests of gRPC arrive as HTTP/1.1
	}
	if p.RouteVersion != 0 {
		self += "/" + strconv.FormatUint(p.RouteVersion, 10)
	}
	// By https its certificate is for the host of the URL, and who stands before it, such as the
	// router of a platform, knows it by that alone. X-Forwarded-Host tells the visitor's.
	return balancerConfig{Servers: []serverConfig{{URL: self}}, PassHostHeader: !strings.HasPrefix(self, "https://")}
}

func (p *Publication) backend() traefik.Labels {
	if p.Backend != nil {
		return *p.Backend
	}
	return p.Labels
}

// toServers is the load balancer as labels say, with the app's servers.
func (p *Publication) toServers() balancerConfig {
	told := balancer(p.backend(), p.Router)
	server, _ := told["servers"].(map[string]any)
	published := balancerConfig{
		Strategy:           told["strategy"],
		Sticky:             told["sticky"],
		HealthCheck:        told["healthCheck"],
		PassiveHealthCheck: told["passiveHealthCheck"],
		PassHostHeader:     told["passHostHeader"],
		ResponseForwarding: told["responseForwarding"],
	}
	if published.PassHostHeader == nil && p.OwnHost {
		published.PassHostHeader = false
	}
	if transport, _ := told["serversTransport"].(string); transport != "" {
		published.ServersTransport = at(transport, p.Provider)
	}
	for _, url := range p.Servers {
		published.Servers = append(published.Servers,
			serverConfig{URL: url, Weight: server["weight"], PreservePath: server["preservePath"]})
	}
	return published
}

// balancer is nil if the labels do not define the router's service.
func balancer(labels traefik.Labels, router traefik.Router) map[string]any {
	name, local := traefik.LocalName(router.Service)
	if !local {
		return nil
	}
	return labels.Config().Services[name]
}

// written is the configuration without parts that are empty, for Traefik refuses those.
func (c *composer) written() []byte {
	var middlewares []entry
	for _, name := range slices.Sorted(maps.Keys(c.published)) {
		middlewares = append(middlewares, entry{name, c.published[name]})
	}
	var w writer
	w.WriteString("{")
	if len(c.routers) > 0 {
		w.WriteString(`"http":{`)
		w.part("routers", c.routers)
		w.part("services", c.balancers)
		w.part("middlewares", middlewares)
		w.closed()
	}
	w.closed()
	return schema.Escaped(w.Bytes())
}

// Helpers

// byPublicationName leaves out those with names that Traefik would not read, and all
// but the first of the same name.
func byPublicationName(publications []Publication) []*Publication {
	var ordered []*Publication
	for i := range publications {
		if p := &publications[i]; schema.IsKey(markPrefix + p.Name) {
			ordered = append(ordered, p)
		}
	}
	slices.SortStableFunc(ordered, func(a, b *Publication) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(ordered, func(a, b *Publication) bool { return a.Name == b.Name })
}

// referenceTo reads a name that may have "@" and its provider.
func referenceTo(name, provider string) qualifiedName {
	name, from, given := strings.Cut(name, "@")
	if !given {
		from = provider
	}
	return qualifiedName{name, from}
}

// at adds "@" and the provider to a name that has none.
func at(name, provider string) string {
	if provider == "" {
		return name
	}
	return traefik.Qualified([]string{name}, provider)[0]
}

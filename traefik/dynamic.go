package traefik

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PublishedPrefix is what stands before the path of a request that a published router
// sends to Paastis, with the name of the publication behind it: "/.paastis/<name>".
const PublishedPrefix = "/.paastis/"

// markPrefix is before the name of the middleware that adds the PublishedPrefix.
const markPrefix = "paastis-"

// Publication is a router that Paastis publishes: as an app's labels say, above them in
// priority, with a service of its own.
type Publication struct {
	// Name of the published router and its service, of letters, digits, "_", "." and "-".
	// No two publications may have the same one. At most some 150 bytes.
	Name string
	// Labels of the app.
	Labels Labels
	// Router is one of them, completed by WithDefaults. One that the Labels do not know is
	// published as it is.
	Router Router
	// Provider that Traefik has the labels from, such as "docker": what they name without
	// "@" is there. Empty: it is among what Paastis publishes.
	Provider string
	// Servers are the URLs of the app's servers. None: requests go to Paastis.
	Servers []string
	// Foreign is a service that somebody else provides, such as "x@file", to which the
	// router leads while Awake. Empty: it leads to the Servers.
	Foreign string
	// Awake: requests go to the app. Else to Paastis.
	Awake bool
	// Turn is told with the URL of Paastis, as a path that Traefik ignores: so its API
	// shows which turn of a route it uses. Zero: there is none to tell.
	Turn uint64
}

// IsTurn tells that a server's URL is that of Paastis, as published in a turn.
func IsTurn(serverURL string, turn uint64) bool {
	u, err := url.Parse(serverURL)
	return err == nil && u.Path == "/"+strconv.FormatUint(turn, 10)
}

// Publish makes the configuration that Traefik's HTTP provider loads, as JSON: the same
// bytes for the same publications in any order.
//
// self is the URL at which Traefik reaches Paastis, such as "http://paastis:3000".
// middleware is the name of Paastis's ForwardAuth middleware, without provider, which
// published routers leave out.
//
// Middlewares that labels define are published as copies, for those of a stopped
// container are gone. If several publications define one of the same name, the copy is
// that of the first by the publications' names. A middleware that Paastis cannot copy
// in full is left to Traefik: its routers work only while Traefik has it. Of routers and
// services, what Labels.Unread tells is left out.
func Publish(publications []Publication, self, middleware string) []byte {
	c := composer{
		self:        self,
		middleware:  middleware,
		reserved:    make(map[string]bool),
		definitions: make(map[string]origin),
		empty:       make(map[string]bool),
		routers:     make(map[string]routerConfig),
		services:    make(map[string]serviceConfig),
		middlewares: make(map[string]map[string]any),
	}
	ordered := byPublicationName(publications)
	for i := range ordered {
		c.reserved[markPrefix+ordered[i].Name] = true
	}
	for i := range ordered {
		c.define(&ordered[i])
	}
	for i := range ordered {
		c.publish(&ordered[i])
	}
	return asJSON(c.configuration())
}

// PublishedService is the name, in Traefik's API, of the service of a publication.
func PublishedService(name string) string { return name + "@http" }

// composer collects what is published.
type composer struct {
	self        string
	middleware  string
	reserved    map[string]bool   // names of middlewares that Paastis adds itself
	definitions map[string]origin // :: name of a middleware → who defines it
	empty       map[string]bool   // :: name of a chain → nothing is left of it

	routers     map[string]routerConfig
	services    map[string]serviceConfig
	middlewares map[string]map[string]any
}

// origin is a middleware, and the provider that Traefik has it from.
type origin struct {
	*definition
	provider string
}

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
	LoadBalancer map[string]any `json:"loadBalancer"`
}

// define files the middlewares of a publication's labels, unless one is filed already.
func (c *composer) define(p *Publication) {
	for name, d := range p.Labels.drawn().middlewares {
		if _, defined := c.definitions[name]; !defined && !c.reserved[name] {
			c.definitions[name] = origin{d, p.Provider}
		}
	}
}

// publish adds the router of a publication and what it needs.
func (c *composer) publish(p *Publication) {
	asleep := !p.Awake || len(p.Servers) == 0 && p.Foreign == ""
	router := p.router()
	router.Middlewares = c.use(p.Router.Middlewares, p.Provider)
	switch {
	case asleep:
		mark := markPrefix + p.Name
		router.Middlewares = append(router.Middlewares, mark)
		c.middlewares[mark] = map[string]any{"addPrefix": map[string]any{"prefix": PublishedPrefix + p.Name}}
		c.services[p.Name] = serviceConfig{p.toPaastis(c.self)}
	case p.Foreign != "":
		router.Service = at(p.Foreign, p.Provider)
	default:
		c.services[p.Name] = serviceConfig{p.toServers()}
	}
	c.routers[p.Name] = router
}

// router is without middlewares.
func (p *Publication) router() routerConfig {
	options := p.Labels.drawn().routers[p.Router.Name]
	router := routerConfig{
		Rule:          p.Router.Rule,
		RuleSyntax:    p.Router.RuleSyntax,
		Priority:      raised(p.Router),
		EntryPoints:   p.Router.EntryPoints,
		Service:       p.Name,
		Observability: options["observability"],
	}
	if tls := options["tls"]; p.Router.TLS || tls != nil {
		router.TLS = p.tls(tls)
	}
	return router
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

// raised is a priority just above the router's own.
func raised(router Router) int {
	priority := router.Priority
	if priority == 0 {
		priority = len(router.Rule)
	}
	priority = min(priority, maxPriority-1) + 1
	if priority == 0 {
		return 1 // zero is the length of the rule
	}
	return priority
}

// toPaastis is the load balancer of an app that does not serve itself.
func (p *Publication) toPaastis(self string) map[string]any {
	if rest, plain := strings.CutPrefix(self, "http://"); plain && p.Labels.speaksH2C(p.Router) {
		self = "h2c://" + rest // else requests of gRPC arrive as HTTP/1.1
	}
	if p.Turn != 0 {
		self += "/" + strconv.FormatUint(p.Turn, 10)
	}
	return map[string]any{"servers": []any{map[string]any{"url": self}}, "passHostHeader": true}
}

// toServers is the load balancer as labels say, with the app's servers.
func (p *Publication) toServers() map[string]any {
	balancer := maps.Clone(p.Labels.balancer(p.Router))
	if balancer == nil {
		balancer = make(map[string]any)
	}
	told, _ := balancer["servers"].(map[string]any)
	var servers []any
	for _, url := range p.Servers {
		server := map[string]any{"url": url}
		for _, option := range []string{"weight", "preservePath"} {
			if value, there := told[option]; there {
				server[option] = value
			}
		}
		servers = append(servers, server)
	}
	balancer["servers"] = servers
	if transport, there := balancer["serversTransport"].(string); there && transport != "" {
		balancer["serversTransport"] = at(transport, p.Provider)
	}
	return balancer
}

// balancer is nil if the labels do not define the router's service.
func (l Labels) balancer(router Router) map[string]any {
	name, local := localName(router.Service)
	if !local {
		return nil
	}
	return l.drawn().services[name]
}

// speaksH2C tells whether the router's service speaks HTTP/2 without TLS.
func (l Labels) speaksH2C(router Router) bool {
	server := l.server(router)
	return server.Scheme == "h2c" || strings.HasPrefix(server.URL, "h2c://")
}

// use names middlewares as the published configuration does, publishes copies of those
// that it needs, and leaves out those that do nothing in it. The provider is that of
// whoever names them.
func (c *composer) use(names []string, provider string) []string {
	var used []string
	for _, name := range names {
		base, from := parts(name, provider)
		switch {
		case c.idle(base, from):
		case c.copies(base, from):
			c.copy(base)
			used = append(used, base)
		default:
			used = append(used, at(name, provider))
		}
	}
	return used
}

// copies tells whether the middleware is published as a copy.
func (c *composer) copies(name, provider string) bool {
	defined, there := c.definitions[name]
	return there && defined.provider == provider && defined.options != nil
}

// idle tells whether a middleware does nothing for a published router: Paastis's own,
// and chains of it alone.
func (c *composer) idle(name, provider string) bool {
	if name == c.middleware && name != "" {
		return true
	}
	defined := c.definitions[name]
	if !c.copies(name, provider) || defined.options["chain"] == nil {
		return false
	}
	if empty, known := c.empty[name]; known {
		return empty
	}
	c.empty[name] = false // for chains that lead here again
	c.empty[name] = !slices.ContainsFunc(defined.chain, func(link string) bool {
		return !c.idle(parts(link, provider))
	})
	return c.empty[name]
}

// copy publishes the middleware, and those that it consists of.
func (c *composer) copy(name string) {
	if c.middlewares[name] != nil {
		return
	}
	defined := c.definitions[name]
	c.middlewares[name] = defined.options // for chains that lead here again
	switch {
	case defined.chain != nil:
		links := c.use(defined.chain, defined.provider)
		c.middlewares[name] = map[string]any{"chain": map[string]any{"middlewares": links}}
	case defined.service != "":
		errors := maps.Clone(defined.options["errors"].(map[string]any))
		errors["service"] = at(defined.service, defined.provider)
		c.middlewares[name] = map[string]any{"errors": errors}
	}
}

// configuration has no empty parts: Traefik refuses them.
func (c *composer) configuration() any {
	configuration := make(map[string]map[string]any)
	add := func(part string, size int, value any) {
		if size == 0 {
			return
		}
		if configuration["http"] == nil {
			configuration["http"] = make(map[string]any)
		}
		configuration["http"][part] = value
	}
	add("routers", len(c.routers), c.routers)
	add("services", len(c.services), c.services)
	add("middlewares", len(c.middlewares), c.middlewares)
	return configuration
}

// Helpers

// byPublicationName leaves out those with names that Traefik would not read, and all
// but the first of the same name.
func byPublicationName(publications []Publication) []Publication {
	ordered := slices.DeleteFunc(slices.Clone(publications), func(p Publication) bool {
		return !isKey(markPrefix + p.Name)
	})
	slices.SortStableFunc(ordered, func(a, b Publication) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(ordered, func(a, b Publication) bool { return a.Name == b.Name })
}

// parts of a name that may have "@" and its provider.
func parts(name, provider string) (base, from string) {
	base, from, given := strings.Cut(name, "@")
	if !given {
		from = provider
	}
	return base, from
}

// at adds "@" and the provider to a name that has none.
func at(name, provider string) string {
	if provider == "" {
		return name
	}
	return qualified([]string{name}, provider)[0]
}

// asJSON is for values that cannot fail, on one line. Traefik reads it as YAML, which
// does not take some characters as they are.
func asJSON(value any) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("encode %T: %v", value, err))
	}
	if bytes.IndexFunc(body.Bytes(), isNoYAML) < 0 {
		return body.Bytes()
	}
	var escaped []byte
	for _, char := range body.String() {
		if isNoYAML(char) {
			escaped = fmt.Appendf(escaped, `\u%04x`, char)
		} else {
			escaped = utf8.AppendRune(escaped, char)
		}
	}
	return escaped
}

func isNoYAML(char rune) bool {
	return char >= 0x7f && char <= 0x9f || char == 0xfeff || char == 0xfffe || char == 0xffff
}

package traefik

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/traefik/paerser/parser"
)

var errURLAndPort = errors.New("scheme or port beside the URL of the server")

// knownLabels are those that Decode reads. A "*" is any name. The rest of Traefik's
// labels is not read, so that a version of it that knows more of them is fine.
var knownLabels = split(
	"traefik.enable",
	"traefik.docker.network",
	"traefik.docker.allownonrunning",
	"traefik.swarm.network",
	"traefik.http.routers.*.rule",
	"traefik.http.routers.*.rulesyntax",
	"traefik.http.routers.*.priority",
	"traefik.http.routers.*.entrypoints",
	"traefik.http.routers.*.middlewares",
	"traefik.http.routers.*.service",
	"traefik.http.routers.*.tls",
	"traefik.http.routers.*.tls.options",
	"traefik.http.routers.*.tls.certresolver",
	"traefik.http.routers.*.tls.domains",
	"traefik.http.routers.*.tls.domains.main",
	"traefik.http.routers.*.tls.domains.sans",
	"traefik.http.services.*.middlewares",
	"traefik.http.services.*.loadbalancer.server.url",
	"traefik.http.services.*.loadbalancer.server.scheme",
	"traefik.http.services.*.loadbalancer.server.port",
	"traefik.http.services.*.loadbalancer.healthcheck.path",
	"traefik.http.middlewares.*.forwardauth.address",
	"traefik.http.middlewares.*.forwardauth.authrequestheaders",
	"traefik.http.middlewares.*.forwardauth.trustforwardheader",
	"traefik.http.middlewares.*.forwardauth.forwardbody",
	"traefik.http.middlewares.*.forwardauth.maxresponsebodysize",
	"traefik.http.middlewares.*.chain.middlewares",
	"traefik.http.middlewares.*.stripprefix.prefixes",
	"traefik.http.middlewares.*.stripprefix.forceslash",
	"traefik.http.middlewares.*.stripprefixregex.regex",
	"traefik.http.middlewares.*.replacepath.path",
	"traefik.http.middlewares.*.replacepathregex.regex",
	"traefik.http.middlewares.*.replacepathregex.replacement",
	"traefik.http.middlewares.*.addprefix.prefix",
	"traefik.http.middlewares.*.headers.customrequestheaders.*",
	"traefik.http.middlewares.*.errors.status",
	"traefik.http.middlewares.*.circuitbreaker.expression",
)

// namedLabels are the beginnings of labels that make a router, service or middleware
// be there, whatever they say of it.
var namedLabels = split(
	"traefik.http.routers.*",
	"traefik.http.services.*",
	"traefik.http.middlewares.*",
)

// pluginLabels are the beginning of what labels say of a plugin.
var pluginLabels = split("traefik.http.middlewares.*.plugin")

// otherLabels are the beginnings of labels for which Traefik makes no HTTP router of
// its own.
var otherLabels = split(
	"traefik.tcp.routers.*",
	"traefik.tcp.services.*",
	"traefik.udp.routers.*",
	"traefik.udp.services.*",
)

// Labels is what an app's labels tell Traefik. The zero value is that of no labels.
type Labels struct {
	// Enable is what traefik.enable says; nil if it is not there.
	Enable *bool
	Docker Docker
	// Routers, Services and Middlewares are sorted by name.
	Routers     []Router
	Services    []Service
	Middlewares []Middleware

	raw    map[string]string
	other  bool // TCP or UDP
	config *labelConfig
}

// Docker is for Traefik's Docker and Swarm providers.
type Docker struct {
	// Network that Traefik reaches the app in. Empty: Traefik's default, or any.
	Network string
	// AllowNonRunning keeps the routers of a stopped container. Traefik knows it since
	// 3.6.0, for Docker only.
	AllowNonRunning bool
}

// Service is where a router sends requests to.
type Service struct {
	Name string
	// Servers that labels define: none or one. Traefik fills in the container's own.
	Servers []Server
	// Middlewares that requests to it pass, after those of the router. Traefik knows them
	// since 3.7.
	Middlewares []string
	// Checked reports whether Traefik itself checks the servers' health: it sends nothing to
	// an app that has just woken until its next check.
	Checked bool
}

// Server is an app's address as far as labels tell.
type Server struct {
	// URL is a whole address that Traefik uses even while the container is stopped.
	// Empty: it finds the container's address itself.
	URL string
	// Scheme is "" for http.
	Scheme string
	// Port is "" for the container's lowest exposed one. Traefik takes any text.
	Port string
}

// Middleware is one that the labels define.
type Middleware struct {
	Name string
	// ForwardAuth is the address that it asks. Empty: it is of another kind.
	ForwardAuth string
	// ForwardAuthHeaders are those of the visitor's headers that it tells. Nil: all.
	ForwardAuthHeaders []string
	// ForwardAuthBody reports whether it reads a request's body before it asks, to pass it on.
	ForwardAuthBody bool
	// ForwardAuthLimit is the most that an answer may have, in bytes. Zero: no limit is set.
	ForwardAuthLimit int64
	// Chain are the middlewares that it consists of. Nil: it is no chain.
	Chain []string

	rewrite rewrite // what it does to path and host; nil: nothing
	cover   cover   // what it puts in place of answers
	opaque  bool    // it may do anything
	trusts  bool    // as ForwardAuth, it tells the host that Traefik noted first
}

// Decode reads labels as Traefik does, names of labels in any case. It fails only
// where Traefik leaves out the app for what it cannot read, and then names the label.
// The result keeps the labels: do not change them afterwards.
func Decode(labels map[string]string) (Labels, error) {
	read := readable(labels)
	var c configuration
	if err := decodeInto(&c, read); err != nil {
		return Labels{}, blame(read, err)
	}
	decoded := Labels{
		Enable:      c.Enable,
		Docker:      c.docker(),
		Routers:     byName(c.HTTP.Routers, (*routerLabels).router),
		Services:    byName(c.HTTP.Services, (*serviceLabels).service),
		Middlewares: byName(c.HTTP.Middlewares, (*MiddlewareConfig).Middleware),
		raw:         labels,
		other:       hasAny(labels, otherLabels),
		config:      &labelConfig{labels: labels},
	}
	decoded.linkOnlyService()
	for i, router := range decoded.Routers {
		decoded.Routers[i].chained = decoded.chained(router.Middlewares)
	}
	return decoded, decoded.check()
}

// IsHidden reports whether the labels keep themselves from every Traefik.
func (l Labels) IsHidden() bool { return l.Enable != nil && !*l.Enable }

// StaticURL returns the URL that the labels give the router's service, which Traefik
// uses in every state of the app. Empty: Traefik must find the app itself.
func (l Labels) StaticURL(router Router) string {
	return l.server(router).URL
}

// Checked reports whether Traefik checks the health of the router's service by itself.
func (l Labels) Checked(router Router) bool {
	name, local := LocalName(router.Service)
	return local && slices.ContainsFunc(l.Services, func(s Service) bool { return s.Name == name && s.Checked })
}

// ServiceMiddlewares returns those of the router's service, if the labels define it.
func (l Labels) ServiceMiddlewares(router Router) []string {
	name, local := LocalName(router.Service)
	for _, service := range l.Services {
		if local && service.Name == name {
			return service.Middlewares
		}
	}
	return nil
}

// Port returns the port on which the app serves the router's requests, as the labels
// tell. Zero: they do not.
func (l Labels) Port(router Router) uint16 {
	server := l.server(router)
	if server.URL == "" {
		return port(server.Port)
	}
	parsed, err := url.Parse(server.URL)
	if err != nil {
		return 0
	}
	switch {
	case parsed.Port() != "":
		return port(parsed.Port())
	case parsed.Scheme == "https":
		return 443
	default:
		return 80
	}
}

// Defines reports whether the labels define the middleware, by its name without provider.
func (l Labels) Defines(middleware string) bool {
	return slices.ContainsFunc(l.Middlewares, func(m Middleware) bool { return m.Name == middleware })
}

// linkOnlyService gives routers that name no service the only one, as Traefik does.
func (l *Labels) linkOnlyService() {
	if len(l.Services) != 1 {
		return
	}
	for i := range l.Routers {
		if l.Routers[i].Service == "" {
			l.Routers[i].Service = l.Services[0].Name
		}
	}
}

// check wants what Traefik wants of labels beyond their form.
func (l Labels) check() error {
	for _, service := range l.Services {
		for _, server := range service.Servers {
			if server.URL != "" && (server.Scheme != "" || server.Port != "") {
				label := "traefik.http.services." + service.Name + ".loadbalancer.server.url"
				return labelError(label, errURLAndPort)
			}
		}
	}
	return nil
}

// server is the zero Server if the labels define none for the router.
func (l Labels) server(router Router) Server {
	name, local := LocalName(router.Service)
	for _, service := range l.Services {
		if local && service.Name == name && len(service.Servers) > 0 {
			return service.Servers[0]
		}
	}
	return Server{}
}

// chained are the middlewares that the given ones consist of, at any depth.
func (l Labels) chained(middlewares []string) []string {
	var all []string
	seen := make(map[string]bool)
	for queue := slices.Clone(middlewares); len(queue) > 0; queue = queue[1:] {
		if name := queue[0]; !seen[name] {
			seen[name] = true
			links := l.Links(name)
			all = append(all, links...)
			queue = append(queue, links...)
		}
	}
	return all
}

// Links are the middlewares that one consists of, as the labels define it. Nil: they do not, or
// not as a chain.
func (l Labels) Links(middleware string) []string {
	name, local := LocalName(middleware)
	for _, defined := range l.Middlewares {
		if local && defined.Name == name {
			return defined.Chain
		}
	}
	return nil
}

// What the label decoder fills

type configuration struct {
	Enable *bool
	Docker *Docker
	Swarm  *struct{ Network string }
	HTTP   struct {
		Routers     map[string]*routerLabels
		Services    map[string]*serviceLabels
		Middlewares map[string]*MiddlewareConfig
	}
}

type routerLabels struct {
	Rule        string
	RuleSyntax  string
	Priority    int
	EntryPoints []string
	Middlewares []string
	Service     string
	TLS         *tlsLabels `label:"allowEmpty"`
}

type tlsLabels struct {
	Options      string
	CertResolver string
	Domains      []struct {
		Main string
		SANs []string
	}
}

type serviceLabels struct {
	Middlewares  []string
	LoadBalancer struct {
		Servers     []Server `label-slice-as-struct:"server"`
		HealthCheck struct{ Path string }
	}
}

// docker prefers the labels of Swarm: only its provider reads them.
func (c *configuration) docker() Docker {
	var docker Docker
	if c.Docker != nil {
		docker = *c.Docker
	}
	if c.Swarm != nil {
		docker.Network = c.Swarm.Network
	}
	return docker
}

func (r *routerLabels) router(name string) Router {
	return Router{
		Name:        name,
		Rule:        r.Rule,
		RuleSyntax:  r.RuleSyntax,
		Priority:    r.Priority,
		EntryPoints: r.EntryPoints,
		Middlewares: r.Middlewares,
		Service:     r.Service,
		TLS:         r.TLS != nil,
	}
}

func (s *serviceLabels) service(name string) Service {
	return Service{Name: name, Servers: s.LoadBalancer.Servers, Middlewares: s.Middlewares, Checked: s.LoadBalancer.HealthCheck.Path != ""}
}

// Helpers

// readable leaves the labels that Decode reads, and of others what they name.
func readable(labels map[string]string) map[string]string {
	read := make(map[string]string)
	for label, value := range labels {
		segments := strings.Split(label, ".")
		if slices.ContainsFunc(knownLabels, func(known []string) bool {
			return len(known) == len(segments) && begins(segments, known)
		}) {
			read[label] = value
		} else if hasPrefix(segments, pluginLabels) {
			read[strings.Join(segments[:4], ".")+".plugin"] = "true"
		} else if hasPrefix(segments, namedLabels) {
			read[strings.Join(segments[:4], ".")] = ""
		}
	}
	return read
}

// decodeInto turns a panic of the decoder, such as on "traefik.http.routers.a].rule",
// into an error.
func decodeInto(c *configuration, labels map[string]string) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("not a label: %v", cause)
		}
	}()
	return parser.Decode(labels, c, parser.DefaultRootName)
}

// blame finds the label that an error comes from, for the decoder does not tell.
func blame(labels map[string]string, cause error) error {
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		err := decodeInto(&configuration{}, map[string]string{label: labels[label]})
		if err != nil {
			return labelError(label, err)
		}
	}
	return fmt.Errorf("decode labels: %w", cause)
}

func labelError(label string, cause error) error {
	return fmt.Errorf("decode label %q: %w", label, cause)
}

// byName turns a map of named labels into a list in the order of the names.
func byName[From, To any](named map[string]From, convert func(From, string) To) []To {
	var list []To
	for _, name := range slices.Sorted(maps.Keys(named)) {
		list = append(list, convert(named[name], name))
	}
	return list
}

// LocalName cuts the provider off, and reports whether it may be that of the labels.
func LocalName(name string) (string, bool) {
	name, provider, given := strings.Cut(name, "@")
	return name, !given || provider == "docker" || provider == "swarm"
}

// port is zero for what is none. It allocates nothing for that.
func port(text string) uint16 {
	number := 0
	for _, char := range []byte(text) {
		if char < '0' || char > '9' || number > math.MaxUint16 {
			return 0
		}
		number = number*10 + int(char-'0')
	}
	if number > math.MaxUint16 {
		return 0
	}
	return uint16(number)
}

func split(labels ...string) [][]string {
	all := make([][]string, len(labels))
	for i, label := range labels {
		all[i] = strings.Split(label, ".")
	}
	return all
}

func hasAny(labels map[string]string, beginnings [][]string) bool {
	for label := range labels {
		if hasPrefix(strings.Split(label, "."), beginnings) {
			return true
		}
	}
	return false
}

func hasPrefix(segments []string, beginnings [][]string) bool {
	return slices.ContainsFunc(beginnings, func(beginning []string) bool {
		return begins(segments, beginning)
	})
}

// begins compares in any case, and takes no account of indexes such as in domains[0].
func begins(segments, beginning []string) bool {
	if len(segments) < len(beginning) {
		return false
	}
	for i, want := range beginning {
		got, _, _ := strings.Cut(segments[i], "[")
		if want != "*" && !strings.EqualFold(got, want) {
			return false
		}
	}
	return true
}

package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// Visitor is who asks, as far as it matters for the answer.
type Visitor uint8

const (
	// Program: it wants the app's own answer, and can wait for it.
	Program Visitor = iota
	// Person: it looks at what it gets.
	Person
	// Onlooker: it must not wake an app.
	Onlooker
	// Poll: it is the waiting page, asking how far the app is.
	Poll
)

// pollHeader marks the waiting page's own requests.
const pollHeader = "X-Paastis-Poll"

// NeverWake says which requests must not wake an app. The zero value: all may.
type NeverWake struct {
	// UserAgents are parts of user agents, in any case.
	UserAgents []string
	// Paths are paths; * stands for anything but a slash (path.Match).
	Paths []string
	// Methods are methods, in upper case.
	Methods []string
	// Sources are the addresses that Traefik is called from.
	Sources []netip.Prefix
	// Prefetch is what a browser fetches ahead of a visit that may never come.
	Prefetch bool
}

// DefaultNeverWake is the usual monitors and crawlers, what browsers ask for by
// themselves, and prefetching.
func DefaultNeverWake() NeverWake {
	return NeverWake{
		UserAgents: []string{
			"UptimeRobot", "Uptime-Kuma", "Pingdom", "StatusCake", "Better Uptime", "Better Stack", "Site24x7",
			"DatadogSynthetics", "Datadog/Synthetics", "Blackbox Exporter", "Blackbox-Exporter", "NewRelicPinger", "HetrixTools",
			"Zabbix", "check_http", "monitoring-plugins", "kube-probe", "GoogleHC", "ELB-HealthChecker", "Gatus", "Healthchecks.io", "updown.io", "Freshping",
			"Googlebot", "bingbot", "YandexBot", "Baiduspider", "DuckDuckBot", "AhrefsBot", "SemrushBot", "MJ12bot", "DotBot", "PetalBot", "GPTBot", "ClaudeBot", "CCBot", "Amazonbot", "Bytespider",
			"CensysInspect", "zgrab", "Expanse",
		},
		Paths:    []string{"/favicon.ico", "/robots.txt", "/apple-touch-icon*.png", "/browserconfig.xml", "/.well-known/appspecific/*", "/.well-known/security.txt"},
		Prefetch: true,
	}
}

// Classifier tells visitors apart. It never changes. The zero value lets all wake.
type Classifier struct {
	agents   []string // in lower case
	paths    []string
	globs    []string // those of the paths that have a pattern
	methods  []string
	sources  []netip.Prefix
	prefetch bool
}

// NewClassifier makes a classifier. It fails if a path is no pattern.
func NewClassifier(n NeverWake) (Classifier, error) {
	c := Classifier{methods: n.Methods, sources: n.Sources, prefetch: n.Prefetch}
	for _, agent := range n.UserAgents {
		if agent = strings.ToLower(strings.TrimSpace(agent)); agent != "" {
			c.agents = append(c.agents, agent)
		}
	}
	for _, p := range n.Paths {
		if _, err := path.Match(p, "/"); err != nil || !strings.HasPrefix(p, "/") {
			return c, fmt.Errorf("paths: %q is no path such as /robots.txt or /icon-*.png", p)
		}
		if strings.ContainsAny(p, `*?[\`) {
			c.globs = append(c.globs, p)
		} else {
			c.paths = append(c.paths, p)
		}
	}
	return c, nil
}

// Classify tells who a request is from. h are the visitor's headers, client the address
// that called Traefik.
func (c Classifier) Classify(method, path string, h http.Header, client netip.Addr) Visitor {
	switch {
	case h[pollHeader] != nil:
		return Poll
	case c.onlooks(method, path, h, client):
		return Onlooker
	case method == http.MethodGet && navigates(h):
		return Person
	default:
		return Program
	}
}

// navigates tells that a browser shows the answer to a person.
func navigates(h http.Header) bool {
	if mode := first(h, "Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	return h["Sec-Websocket-Key"] == nil && strings.Contains(first(h, "Accept"), "text/html")
}

// streams tells that a request opens a connection that is alive while it is silent.
func streams(h http.Header) bool {
	return h["Sec-Websocket-Key"] != nil || strings.HasPrefix(first(h, "Accept"), "text/event-stream")
}

func (c Classifier) onlooks(method, p string, h http.Header, client netip.Addr) bool {
	if slices.Contains(c.methods, method) || slices.Contains(c.paths, p) || c.prefetch && prefetches(h) {
		return true
	}
	for _, glob := range c.globs {
		if ok, _ := path.Match(glob, p); ok { // the pattern was checked
			return true
		}
	}
	client = client.Unmap()
	for _, source := range c.sources {
		if source.Contains(client) {
			return true
		}
	}
	agent := first(h, "User-Agent")
	return slices.ContainsFunc(c.agents, func(part string) bool { return containsFold(agent, part) })
}

// prefetches tells that a browser asks ahead of a visit. The headers are those of
// today's browsers (Sec-Purpose), Safari and older ones.
func prefetches(h http.Header) bool {
	return strings.HasPrefix(first(h, "Sec-Purpose"), "prefetch") || first(h, "Purpose") == "prefetch" ||
		first(h, "X-Purpose") == "preview" || first(h, "X-Moz") == "prefetch"
}

// first is a header's first value, by its canonical name.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// containsFold tells whether s contains part, which is in lower case ASCII, in any
// case. It does not allocate.
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

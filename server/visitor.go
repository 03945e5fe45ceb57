package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/paastis/paastis/server/page"
)

// Visitor is who asks, as far as it matters for the answer.
type Visitor uint8

const (
	// Program: it wants the app's own answer, and can wait for it.
	Program Visitor = iota
	// Person: it looks at what it gets.
	Person
	// Form: a person has sent a form, and looks at what comes back.
	Form
	// PassiveClient: it must not wake an app.
	PassiveClient
	// Poll: it is the waiting page, asking how far the app is.
	Poll
)

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

// DefaultNeverWake is the usual monitors and crawlers, those who draw a preview of a link
// that somebody has sent in a chat (Signal says that it is WhatsApp; Apple, Facebook), what
// browsers ask for by themselves, and prefetching.
func DefaultNeverWake() NeverWake {
	return NeverWake{
		UserAgents: []string{
			"UptimeRobot", "Uptime-Kuma", "Pingdom", "StatusCake", "Better Uptime", "Better Stack", "Site24x7",
			"DatadogSynthetics", "Datadog/Synthetics", "Blackbox Exporter", "Blackbox-Exporter", "NewRelicPinger", "HetrixTools",
			"Zabbix", "check_http", "monitoring-plugins", "kube-probe", "GoogleHC", "ELB-HealthChecker", "Gatus", "Healthchecks.io", "updown.io", "Freshping",
			"Googlebot", "bingbot", "YandexBot", "Baiduspider", "DuckDuckBot", "AhrefsBot", "SemrushBot", "MJ12bot", "DotBot", "PetalBot", "GPTBot", "ClaudeBot", "CCBot", "Amazonbot", "Bytespider",
			"CensysInspect", "zgrab", "Expanse",
			"Slackbot", "Slack-ImgProxy", "WhatsApp/", "Discordbot", "TelegramBot", "Twitterbot", "facebookexternalhit", "facebookcatalog", "Facebot",
			"meta-externalagent", "meta-externalfetcher", "LinkedInBot", "SkypeUriPreview", "BingPreview", "Mattermost-Bot", "ZulipURLPreview",
			"Synapse (bot", "Cardyb", "Mastodon/", "Pleroma", "Akkoma", "Misskey/", "SummalyBot", "Lemmy/", "redditbot", "Pinterestbot", "vkShare", "Snap URL Preview",
			"Iframely", "Embedly", "Applebot",
		},
		Paths:    []string{"/favicon.ico", "/robots.txt", "/apple-touch-icon*.png", "/browserconfig.xml", "/.well-known/appspecific/*", "/.well-known/security.txt"},
		Prefetch: true,
	}
}

// Classifier tells visitors apart. It never changes. The zero value lets all wake.
type Classifier struct {
	agents   *agents
	paths    []string
	globs    []glob // those of the paths that have a pattern
	methods  []string
	sources  []netip.Prefix
	prefetch bool
}

// glob is a pattern of paths. Most paths differ from it in the text before its first
// special character, which is cheap to see.
type glob struct{ pattern, start string }

func (g glob) takes(p string) bool {
	if !strings.HasPrefix(p, g.start) {
		return false
	}
	ok, _ := path.Match(g.pattern, p) // the pattern was checked
	return ok
}

// NewClassifier makes a classifier. It fails if a path is no pattern.
func NewClassifier(n NeverWake) (Classifier, error) {
	c := Classifier{agents: newAgents(n.UserAgents), methods: n.Methods, sources: n.Sources, prefetch: n.Prefetch}
	for _, p := range n.Paths {
		if _, err := path.Match(p, "/"); err != nil || !strings.HasPrefix(p, "/") {
			return c, fmt.Errorf("paths: %q is no path such as /robots.txt or /icon-*.png", p)
		}
		if special := strings.IndexAny(p, `*?[\`); special >= 0 {
			c.globs = append(c.globs, glob{pattern: p, start: p[:special]})
		} else {
			c.paths = append(c.paths, p)
		}
	}
	return c, nil
}

// Classify tells who a request is from. h are the visitor's headers, client the address
// that called Traefik.
func (c Classifier) Classify(method, path string, h http.Header, client netip.Addr) Visitor {
	if who, wakesNothing := c.passive(method, path, h, client); wakesNothing {
		return who
	}
	return wakes(method, h)
}

// passive says who a request is from that wakes nothing, and false if it may wake.
func (c Classifier) passive(method, path string, h http.Header, client netip.Addr) (who Visitor, wakesNothing bool) {
	switch {
	case h[page.PollHeader] != nil:
		return Poll, true
	case c.isPassive(method, path, h, client):
		return PassiveClient, true
	default:
		return Program, false
	}
}

// wakes tells who a request is from that may wake an app. To an app that is awake they are
// all the same.
func wakes(method string, h http.Header) Visitor {
	switch {
	case method == http.MethodGet && Navigates(h):
		return Person
	case sends(method) && Navigates(h):
		return Form
	default:
		return Program
	}
}

// sends reports whether a method is for what a person fills in.
func sends(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete
}

// Navigates tells by a request's headers that a browser shows the answer to a person.
func Navigates(h http.Header) bool {
	if mode := first(h, "Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	accept := first(h, "Accept")
	return h["Sec-Websocket-Key"] == nil && strings.Contains(accept, "text/html") && prefersHTML(accept) && !isScripted(h)
}

func (c Classifier) isPassive(method, p string, h http.Header, client netip.Addr) bool {
	if slices.Contains(c.methods, method) || slices.Contains(c.paths, p) || c.prefetch && prefetches(h) {
		return true
	}
	for _, g := range c.globs {
		if g.takes(p) {
			return true
		}
	}
	client = client.Unmap()
	for _, source := range c.sources {
		if source.Contains(client) {
			return true
		}
	}
	return c.agents.in(first(h, "User-Agent"))
}

// prefetches reports whether a browser asks ahead of a visit. The headers are those of
// today's browsers (Sec-Purpose), Safari and older ones, and of scripts that do it by
// themselves: Turbo, htmx and Next.js.
func prefetches(h http.Header) bool {
	return strings.HasPrefix(first(h, "Sec-Purpose"), "prefetch") || first(h, "Purpose") == "prefetch" ||
		first(h, "X-Purpose") == "preview" || first(h, "X-Moz") == "prefetch" ||
		first(h, "X-Sec-Purpose") == "prefetch" || h["Hx-Preloaded"] != nil || h["Next-Router-Prefetch"] != nil
}

// first is a header's first value, by its canonical name.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

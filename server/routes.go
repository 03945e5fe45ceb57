package server

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
)

// versionHeader tells the version of the routes that Traefik gets.
const versionHeader = "X-Paastis-Version"

// routesAccess is who may get the routes. The zero value: nobody.
type routesAccess struct {
	token   string
	tokens  map[string]string // :: endpoint → the one that it has instead; empty: none
	sources []netip.Prefix
}

// routes is what Traefik's HTTP provider gets, at /traefik/config.
type routes struct {
	registry *registry.Registry
	access   routesAccess
	hosts    *ownHosts
	refusals *refusals
}

// answer answers with the routes of those apps in direct mode that this Traefik would have.
// Paastis is published by the address that this very request came to, for Traefik reaches
// it there.
func (s *routes) answer(c echo.Context) error {
	r := c.Request()
	from, endpoint := problem.RemoteAddr(r), c.Param("endpoint")
	if endpoint != "" && !s.registry.Publisher().HasEndpoint(endpoint) {
		return echo.ErrNotFound
	}
	if !s.access.allows(r, from, endpoint) {
		return s.refuse(c, from)
	}
	from = fetcher(r, from)
	s.registry.Publisher().Recognise(r.Context(), from)
	if s.access.tokenOf(endpoint) == "" && s.registry.CallerAt(from) > registry.TraefikOrPaastis {
		return s.refuse(c, from)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return echo.ErrMethodNotAllowed
	}
	if !s.registry.KnowsApps() { // Traefik keeps those that it has
		return problem.Write(c.Response(), r, problem.Document{
			Status: http.StatusServiceUnavailable,
			Title:  "The routes are not known yet",
			Detail: "The provider of the apps does not answer so far; the log says why.",
		})
	}
	self := selfURL(r)
	if strings.HasPrefix(self, "https://") {
		s.hosts.add(r.Host)
	}
	p := s.registry.Publisher().PublishAt(endpoint, from, self)
	if fetches(r) {
		s.registry.Publisher().Sends(p.Version)
	}
	if err := writeRoutes(c.Response().Writer, r, p); err != nil {
		return nil // Traefik has left, so it does not have them
	}
	if fetches(r) {
		s.registry.Publisher().FetchedAt(endpoint, from, self, p.Version)
	}
	return nil
}

// fetches tells a Traefik that will use the routes from a person who looks at them: that
// must neither turn direct mode on nor, by never coming back, keep the apps awake. All
// that people look with says what it accepts; Traefik does not.
func fetches(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header["Accept"] == nil
}

// writeRoutes answers with the routes, or that they are still the same, and returns when
// the answer is out of our hands.
func writeRoutes(w http.ResponseWriter, r *http.Request, p registry.Publication) error {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", p.ETag)
	h.Set(versionHeader, strconv.FormatUint(p.Version, 10))
	if names(r.Header.Values("If-None-Match"), p.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return http.NewResponseController(w).Flush()
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(p.Body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		if _, err := w.Write(p.Body); err != nil {
			return err
		}
	}
	return http.NewResponseController(w).Flush()
}

// refuse refuses the routes: they tell the inside of a network.
func (s *routes) refuse(c echo.Context, from netip.Addr) error {
	s.refusals.warnSeldom(from, "routes refused: see traefik.config_token and traefik.config_sources", "to")
	return problem.Write(c.Response(), c.Request(), problem.Document{
		Status: http.StatusForbidden,
		Title:  "The routes are not for everybody",
		Detail: "Send the token of traefik.config_token, or come from one of traefik.config_sources.",
	})
}

// allows tells whether a request may get the routes of an endpoint: with its token if there
// is one, else from the sources, unless a proxy passed on what a stranger asked it for.
func (a routesAccess) allows(r *http.Request, from netip.Addr, endpoint string) bool {
	if token := a.tokenOf(endpoint); token != "" {
		return isToken(token, r.URL.Query().Get("token")) || isToken(token, problem.Bearer(r.Header.Get("Authorization")))
	}
	return !carried(r.Header) && a.near(from)
}

// tokenOf is the token of an endpoint; empty if it asks for none.
func (a routesAccess) tokenOf(endpoint string) string { return cmp.Or(a.tokens[endpoint], a.token) }

// near tells whether an address is one of the sources.
func (a routesAccess) near(from netip.Addr) bool {
	return slices.ContainsFunc(a.sources, func(p netip.Prefix) bool { return p.Contains(from) })
}

// isToken compares in a time that tells neither the token nor its length.
func isToken(token, sent string) bool {
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(sent))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// names tells whether an If-None-Match header names an entity tag.
func names(lines []string, etag string) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// fetcher is the address of the Traefik that fetches, who came from an address. If a proxy
// carries what it asks, such as the router of a platform that Paastis runs on, it is the one that
// the proxy was called by: the proxy itself may have another address each time. Only who has
// shown a token comes that way.
func fetcher(r *http.Request, from netip.Addr) netip.Addr {
	if !carried(r.Header) {
		return from
	}
	return traefik.FromRequest(r).ClientIP
}

// selfURL is the URL by which whoever sent a request reaches Paastis, or the proxy that carries it
// there: see fetcher.
func selfURL(r *http.Request) string {
	if r.TLS != nil || carried(r.Header) && traefik.FromRequest(r).Proto == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

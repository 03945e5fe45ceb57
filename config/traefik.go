package config

import (
	"net/netip"
	"strings"
	"text/template"

	"github.com/traefik/paerser/types"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// Traefik is what Paastis has to know of Traefik's own configuration.
type Traefik struct {
	Middleware  string         `yaml:"middleware" description:"Name of the ForwardAuth middleware that asks Paastis, without its provider"`
	Throttle    types.Duration `yaml:"throttle" description:"Traefik's providersThrottleDuration"`
	DefaultRule string         `yaml:"default_rule" description:"Traefik's defaultRule, if it has one"`

	Constraints        string   `yaml:"constraints" description:"The constraints of Traefik's Docker provider; none: as its container says"`
	ExposedByDefault   bool     `yaml:"exposed_by_default" description:"The exposedByDefault of Traefik's Docker provider; unless set, as its container says"`
	Network            string   `yaml:"network" description:"The network of Traefik's Docker provider; none: as its container says"`
	EntryPoints        []string `yaml:"entry_points" description:"Traefik's entry points: web:80, websecure:443/tls; none: as its container says"`
	DefaultEntryPoints []string `yaml:"default_entry_points" description:"Those of them that are asDefault; none: all"`

	// Endpoints are more Traefiks, each by what stands behind /traefik/config/ for it.
	Endpoints map[string]Endpoint `yaml:"endpoints"`

	APIURL        string   `yaml:"api_url" description:"URL of Traefik's API, which tells when it can reach an app: http://traefik:8080"`
	ConfigToken   string   `yaml:"config_token" description:"Whoever sends it gets /traefik/config, as ?token= or Authorization: Bearer"`
	ConfigSources []string `yaml:"config_sources" description:"Addresses and CIDR ranges that may get /traefik/config without a token"`
}

func (t Traefik) validate(fault faulter) {
	if t.Throttle < 0 {
		fault("traefik.throttle", "must not be negative")
	}
	if _, err := t.Rule(); err != nil {
		fault("traefik.default_rule", "%v", err)
	}
	if _, err := t.API(); err != nil {
		fault("traefik.api_url", "%v", err)
	}
	t.validateEndpoints(fault)
}

// Rule is Traefik's defaultRule. Nil: it has none.
func (t Traefik) Rule() (*template.Template, error) {
	if t.DefaultRule == "" {
		return nil, nil
	}
	return traefik.ParseDefaultRule(t.DefaultRule)
}

// API is the client of Traefik's API. Nil if it has no URL.
func (t Traefik) API() (*api.Client, error) { return newAPI(t.APIURL) }

// newAPI is the client of the API at a URL. Nil if that is empty.
func newAPI(rawURL string) (*api.Client, error) {
	if rawURL == "" {
		return nil, nil
	}
	if strings.HasPrefix(rawURL, "https:") {
		trustRoots()
	}
	return api.New(rawURL)
}

// Sources are who may get the routes without a token.
func (t Traefik) Sources() ([]netip.Prefix, error) { return parseSources(t.ConfigSources) }

// Package docker is the provider of the apps that run on a Docker engine, or on
// Podman behind its Docker-compatible socket.
//
// An app is a Compose service with all its containers, named "<project>-<service>".
// A container without Compose's labels is an app by itself, under its own name.
// Containers of `docker compose run` and tasks of Swarm services are no apps.
//
// Everything reported comes from looks: inspections of one container, numbered before
// they are sent. The inventory keeps the newest look at each container; an app is
// made of those, so a report with a greater version never holds an older look.
//
//	GET /events ──────────┐ which container       ┌── List, Watch ──▶ reports
//	GET /containers/json ─┤ changed            ┌──┴──────┐
//	start, stop, pause ───┴─▶ look ───────────▶│inventory│
//	                     GET /containers/x/json└──┬──────┘
//	                                              └── Start, Stop ──▶ the app, after
//
// # Calls
//
// These are all the calls made to the engine. Behind a socket proxy each must be
// allowed; all but the first are prefixed with the API's version (/v1.41).
//
//	HEAD /_ping                       the API's version, and whether the engine is there; GET
//	                                  where HEAD is refused
//	GET  /containers/json             every container, stopped ones too
//	GET  /containers/{id}/json        one look
//	GET  /events                      what changed, as a stream
//	POST /containers/{id}/start       wake
//	POST /containers/{id}/unpause     wake from a pause
//	POST /containers/{id}/stop        sleep
//	POST /containers/{id}/pause       sleep, with stop_method: pause
//	GET  /containers/{id}/logs        the last lines of an app that failed
//	GET  /containers/{id}/stats       traffic and CPU time, before sleep
//	POST /containers/{id}/exec        a command that tells whether the app is busy, or listens
//	POST /exec/{id}/start             runs it, on a connection of its own (Upgrade: tcp)
//	GET  /exec/{id}/json              its exit code
package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/paastis/paastis/registry/provider"
)

var (
	_ provider.Provider = (*Provider)(nil)
	_ provider.Meter    = (*Provider)(nil)
	_ provider.Executor = (*Provider)(nil)
	_ provider.Logger   = (*Provider)(nil)
	_ provider.Listener = (*Provider)(nil)
)

// DefaultProc is where the host's /proc is if Paastis runs on the host.
const DefaultProc = "/proc"

// traefikProvider is what Traefik calls its provider of the engine beside it.
const traefikProvider = "docker"

// Provider runs apps on one Docker engine. Its methods may be called concurrently,
// but Watch only once at a time. It connects when it is first used, and again by
// itself after the engine was away.
type Provider struct {
	id         string
	traefik    string
	engine     *connection
	containers *inspector
	control    *control
	sampler    *sampler
	cursor     cursor
}

// Config is what a Provider is made of. The zero value means the engine behind
// DefaultHost, for a Paastis that runs beside it on the host.
type Config struct {
	// ID tells the engine from other providers. If empty, "docker".
	ID string

	// Traefik is what Traefik calls its own provider that reads the engine's labels. If empty,
	// it has none.
	Traefik string

	// Host is where the engine listens: unix://, tcp://, http:// or https://. If
	// empty, DefaultHost, or with TLS tcp://localhost:2376.
	Host string

	// Address is the name or the IP address of the engine's machine, by which Paastis and
	// Traefik reach its apps, at the ports that these publish. If empty, they share networks.
	Address string

	// TLS secures tcp:// and https://. If nil, tcp:// is plain and https:// trusts the
	// system's certificates. Not used for the other two.
	TLS *tls.Config

	// APIVersion fixes the version of the API ("1.41"). If empty, the engine is asked
	// and the newest that both sides know is used; at least 1.40 (Docker 19.03).
	APIVersion string

	// Transport carries the requests. If nil, connections to Host do.
	Transport http.RoundTripper

	// Self tells which container Paastis runs in. The zero value: none.
	Self Self

	// Proc is the folder where Paastis sees the /proc of the engine's host. If empty,
	// DefaultProc. A container whose process does not show there is measured by the
	// engine alone.
	Proc string

	// Log hears of containers that are left out. If nil, nobody does.
	Log *slog.Logger
}

// NewConfig makes a provider from cfg alone. It fails if Host or APIVersion makes no
// sense. It does not talk to the engine.
func NewConfig(cfg Config) (*Provider, error) {
	endpoint, err := parseEndpoint(cfg.Host, cfg.TLS != nil)
	if err == nil {
		err = checkAddress(cfg.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	client, err := newClient(endpoint, cfg)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	engine := &connection{endpoint: endpoint, client: client}
	containers := &inspector{engine: engine, self: cfg.Self, reachedAt: cfg.Address, read: cfg.Traefik != "", log: log}
	return &Provider{
		id:         cmp.Or(cfg.ID, "docker"),
		traefik:    cfg.Traefik,
		engine:     engine,
		containers: containers,
		control:    &control{engine: engine, inventory: &containers.inventory},
		sampler:    &sampler{engine: engine, proc: cmp.Or(cfg.Proc, DefaultProc)},
	}, nil
}

// ID is Config.ID.
func (p *Provider) ID() string { return p.id }

// TraefikProvider is Config.Traefik.
func (p *Provider) TraefikProvider() string { return p.traefik }

// List asks for all containers and looks at those that are new or that the list shows
// otherwise than the last look did. A container that cannot be inspected is logged
// and reported as it was last seen, or not at all.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	if err := p.containers.refresh(ctx); err != nil {
		return provider.Report{}, fmt.Errorf("docker: %w", err)
	}
	return p.containers.snapshot().everything(), nil
}

// Package providers knows every provider by its name. A new one is a folder beside
// this file and a case below.
package providers

import (
	"fmt"
	"log/slog"

	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/registry"
)

// New makes the provider of that name out of its own environment variables. It does
// not connect yet. proc is where Paastis sees the host's /proc; empty: "/proc".
func New(name string, proc string, log *slog.Logger) (registry.Provider, error) {
	switch name {
	case "docker":
		return docker.New(log, proc)
	default:
		return nil, fmt.Errorf("provider %q is unknown; known: docker", name)
	}
}

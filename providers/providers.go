// Package providers makes every provider that the configuration asks for. A new type is a
// folder beside this file, a case below, and one in Spec.settings.
package providers

import (
	"fmt"
	"log/slog"

	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/registry/provider"
)

// Open makes all of some providers. None connects yet.
func Open(specs []Spec, log *slog.Logger) ([]provider.Provider, error) {
	var all []provider.Provider
	for _, s := range specs {
		p, err := s.Open(log)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Open makes the provider. It does not connect yet.
func (s Spec) Open(log *slog.Logger) (provider.Provider, error) {
	switch s.Type {
	case "docker":
		return docker.Open(s.Name, s.Docker, log)
	default:
		return nil, fmt.Errorf("provider %q is unknown; known: docker", s.Type)
	}
}

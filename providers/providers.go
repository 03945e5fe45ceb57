// Package providers makes every provider that the configuration asks for. A new type is a
// folder beside this file, an entry of kinds, and a field of Spec for its settings; all that asks
// for a type or names those that there are goes by kinds. Then its name goes into the description
// of Config.Provider, its section is a field of Config (config/config.go), and it has a page of its
// own in docs/. CONTRIBUTING.md has the
// whole way.
package providers

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/registry/provider"
)

// kind is a type of providers.
type kind struct {
	// name is what a file calls it.
	name string
	// settings are where those of a provider of that type go.
	settings func(*Spec) any
	// open makes one.
	open func(Spec, *slog.Logger) (provider.Provider, error)
}

// kinds are all types.
var kinds = []kind{
	{
		name:     "docker",
		settings: func(s *Spec) any { return &s.Docker },
		open: func(s Spec, log *slog.Logger) (provider.Provider, error) {
			return docker.Open(s.Name, s.Docker, log)
		},
	},
	{
		name:     "heroku",
		settings: func(s *Spec) any { return &s.Heroku },
		open: func(s Spec, log *slog.Logger) (provider.Provider, error) {
			return heroku.Open(s.Name, s.Heroku, log)
		},
	},
	{
		name:     "clevercloud",
		settings: func(s *Spec) any { return &s.CleverCloud },
		open: func(s Spec, log *slog.Logger) (provider.Provider, error) {
			return clevercloud.Open(s.Name, s.CleverCloud, log)
		},
	},
	{
		name:     "scalingo",
		settings: func(s *Spec) any { return &s.Scalingo },
		open: func(s Spec, log *slog.Logger) (provider.Provider, error) {
			return scalingo.Open(s.Name, s.Scalingo, log)
		},
	},
}

// kindOf is the type of that name. Nil: it is unknown.
func kindOf(name string) *kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

// IsKnown reports whether there is a type of that name.
func IsKnown(name string) bool { return kindOf(name) != nil }

// Known are the names of all types, for people.
func Known() string { return strings.Join(Types(), ", ") }

// Types are the names of all types.
func Types() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// WithKey are the names of the types that have a key in a list of providers, beside the name and
// the type itself.
func WithKey(key string) []string {
	var names []string
	for _, k := range kinds {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(k.settings(new(Spec))).Elem()) {
			if f.Tag.Get("yaml") == key {
				names = append(names, k.name)
			}
		}
	}
	return names
}

// Settings is where those of the provider's type are, to be filled. Nil: the type is unknown.
func (s *Spec) Settings() any {
	k := kindOf(s.Type)
	if k == nil {
		return nil
	}
	return k.settings(s)
}

// Validate is nil if the settings make sense, as far as that can be told without a connection.
// Else it names the key that does not.
func (s Spec) Validate() (key string, err error) {
	if v, ok := s.Settings().(validated); ok {
		return v.Validate()
	}
	return "", nil
}

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

// IsRemote reports whether the provider is called over the internet, by https, as its apps are.
func (s Spec) IsRemote() bool { return s.Type != "docker" && IsKnown(s.Type) }

// Open makes the provider. It does not connect yet.
func (s Spec) Open(log *slog.Logger) (provider.Provider, error) {
	k := kindOf(s.Type)
	if k == nil {
		return nil, fmt.Errorf("provider %q is unknown; known: %s", s.Type, Known())
	}
	return k.open(s, log)
}

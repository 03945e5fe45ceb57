package config

import (
	"fmt"
	"slices"

	"github.com/paastis/paastis/server"
)

// NeverWake is who may look at an app without waking it. A list replaces its default.
type NeverWake struct {
	UserAgents []string `yaml:"user_agents" description:"Parts of user agents that never wake an app"`
	Paths      []string `yaml:"paths" description:"Paths that never wake an app; * stands for anything but a slash"`
	Methods    []string `yaml:"methods" description:"Methods that never wake an app"`
	Sources    []string `yaml:"sources" description:"Addresses and CIDR ranges that never wake an app"`
	Prefetch   bool     `yaml:"prefetch" description:"Requests that a browser makes ahead never wake an app"`
}

func (n NeverWake) equal(m NeverWake) bool {
	return slices.Equal(n.UserAgents, m.UserAgents) && slices.Equal(n.Paths, m.Paths) &&
		slices.Equal(n.Methods, m.Methods) && slices.Equal(n.Sources, m.Sources) && n.Prefetch == m.Prefetch
}

// Classifier tells who may look at an app without waking it.
func (c Config) Classifier() (server.Classifier, error) {
	never := server.NeverWake{
		UserAgents: c.NeverWake.UserAgents,
		Paths:      c.NeverWake.Paths,
		Methods:    c.NeverWake.Methods,
		Prefetch:   c.NeverWake.Prefetch,
	}
	var err error
	if never.Sources, err = parseSources(c.NeverWake.Sources); err != nil {
		return server.Classifier{}, fmt.Errorf("sources: %w", err)
	}
	return server.NewClassifier(never)
}

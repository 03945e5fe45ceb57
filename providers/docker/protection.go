package docker

import (
	"slices"
	"strings"

	"github.com/paastis/paastis/registry"
)

// sharesNetwork protects what Paastis would lose its own network with.
const sharesNetwork = "shares the network of Paastis"

// protection says why the app of these containers must never sleep. Empty if it may.
func (f *fleet) protection(members []*container) string {
	for _, c := range members {
		if why := f.protected(c); why != "" {
			return why
		}
	}
	return ""
}

// protected takes a container on Paastis's network for Paastis itself, too: where one
// uses the network of another, neither can tell which of the two it is.
func (f *fleet) protected(c *container) string {
	switch {
	case c == f.self:
		return registry.IsPaastis
	case f.self != nil && !f.self.onHost && f.home(c) == f.home(f.self):
		return sharesNetwork
	case c.traefik != nil:
		return registry.RunsTraefik
	case f.servesAPI(c):
		return registry.ServesProvider
	default:
		return ""
	}
}

// servesAPI tells whether the engine's host is this container. Service names and
// aliases count where Paastis can look them up.
func (f *fleet) servesAPI(c *container) bool {
	host := f.endpoint.name()
	if host == "" {
		return false
	}
	if host == c.instance.Name {
		return true
	}
	for _, at := range c.networks {
		if f.attached(at) && at.answersTo(host, c.service) {
			return true
		}
	}
	return false
}

func (a attachment) answersTo(host, service string) bool {
	if host == service || slices.Contains(a.names, host) {
		return true
	}
	for _, address := range a.addresses {
		if host == address.String() {
			return true
		}
	}
	return false
}

// baseName is "traefik" for "docker.io/library/traefik:v3@sha256:…".
func baseName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndex(image, "/")+1:]
	image, _, _ = strings.Cut(image, ":")
	return image
}

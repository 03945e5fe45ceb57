package docker

import (
	"path"
	"slices"
	"strings"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// protection says why the app of these containers must never sleep. Empty if it may.
func (s *snapshot) protection(members []*container) reason.Kind {
	for _, c := range members {
		if why := s.protected(c); why != "" {
			return why
		}
	}
	return ""
}

// protected takes a container on Paastis's network for Paastis itself, too: where one
// uses the network of another, neither can tell which of the two it is.
func (s *snapshot) protected(c *container) reason.Kind {
	switch {
	case c == s.self:
		return inventory.IsPaastis
	case s.isRival(c):
		return inventory.IsOtherPaastis
	case s.self != nil && !s.self.onHost && s.networkOwner(c) == s.networkOwner(s.self):
		return inventory.SharesNetwork
	case c.traefik != nil:
		return inventory.RunsTraefik
	case s.servesAPI(c):
		return inventory.ServesProvider
	default:
		return ""
	}
}

// servesAPI reports whether the engine's host is this container. Service names and
// aliases count where Paastis can look them up.
func (s *snapshot) servesAPI(c *container) bool {
	host := s.endpoint.name()
	if host == "" {
		return false
	}
	if host == c.instance.Name {
		return true
	}
	for _, at := range c.networks {
		if s.attached(at) && at.answersTo(host, c.service) {
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

// isRival reports whether a container runs another Paastis on this engine. One of Paastis's own
// service is none: an older container, which is being replaced, or the one that serves while a
// command runs beside it (docker compose run). Where Paastis does not know which container is
// its own, none is known to be another's.
func (s *snapshot) isRival(c *container) bool {
	return c.paastis && s.self != nil && c != s.self && !c.isOfService(s.self) && c.instance.Status == inventory.Running
}

// isOfService reports whether two containers are of one Compose service, or of one app.
func (c *container) isOfService(o *container) bool {
	return c.app != "" && c.app == o.app || c.service != "" && c.project == o.project && c.service == o.service
}

// servesAsPaastis reports whether a container's program is Paastis, told to serve, and has a way
// to an engine: its socket, or an address.
func servesAsPaastis(in api.InspectResponse, config *api.Config) bool {
	if path.Base(in.Path) != "paastis" || len(in.Args) > 0 && in.Args[0] != "serve" && !strings.HasPrefix(in.Args[0], "-") {
		return false
	}
	return slices.ContainsFunc(config.Env, func(v string) bool { return strings.HasPrefix(v, "DOCKER_HOST=") }) ||
		slices.ContainsFunc(in.Mounts, func(m api.MountPoint) bool { return strings.HasSuffix(m.Destination, ".sock") })
}

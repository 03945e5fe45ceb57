package docker

import (
	"fmt"
	"slices"
	"strings"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/rules"
)

// links are the apps that the container needs: those its service depends on, those in whose
// namespaces it lives, without which it cannot start, and those to which it has links of
// Docker's own or whose volumes it has.
func (s *snapshot) links(c *container) []rules.Link {
	links := dependencies(c)
	for _, reference := range c.lenders {
		links = s.withLink(links, c, reference, rules.Link{Condition: rules.Started, Lends: true})
	}
	for _, reference := range c.linked {
		links = s.withLink(links, c, reference, rules.Link{Condition: rules.Started})
	}
	for _, reference := range c.sources { // volumes are there, whether it runs or not
		links = s.withLink(links, c, reference, rules.Link{Condition: rules.Started, Optional: true})
	}
	return links
}

// withLink adds a link to the app of another container, or what it says to the one that is
// there already: Compose has its own word on conditions.
func (s *snapshot) withLink(links []rules.Link, c *container, reference string, l rules.Link) []rules.Link {
	to := s.find(reference)
	if to == nil || to.app == "" || to.app == c.app {
		return links
	}
	i := slices.IndexFunc(links, func(known rules.Link) bool { return known.Name == to.app })
	if i < 0 {
		return append(links, l.To(to.app))
	}
	links[i] = links[i].Lending(l.Lends)
	return links
}

// unstartable says that a container lives in namespaces of one that is gone, and how to mend
// it. It names an ID for good: another container of that name is none. Empty: none does.
func (s *snapshot) unstartable(members []*container) string {
	for _, c := range members {
		for _, reference := range c.lenders {
			if s.find(reference) != nil {
				continue
			}
			cure := "create it anew"
			if c.service != "" {
				cure = fmt.Sprintf("docker compose up -d --force-recreate %s", c.service)
			}
			return fmt.Sprintf("container %q is to live in the network, IPC or PID namespace of container %.12s, which is gone or was created anew; %s", c.instance.Name, reference, cure)
		}
	}
	return ""
}

// borrowers are the containers that live in the namespaces of one.
func (s *snapshot) borrowers(id string) []*container {
	var all []*container
	for _, c := range s.all {
		if slices.ContainsFunc(c.lenders, func(reference string) bool {
			to := s.find(reference)
			return reference == id || to != nil && to.instance.ID == id
		}) {
			all = append(all, c)
		}
	}
	return all
}

// dependencies reads Compose's "back:service_healthy:false,db:service_started:true". The
// third part is depends_on's restart, which Compose also sets for links and for namespaces.
func dependencies(c *container) []rules.Link {
	var links []rules.Link
	for part := range strings.SplitSeq(c.dependsOn, ",") {
		service, rest, _ := strings.Cut(strings.TrimSpace(part), ":")
		if service == "" {
			continue
		}
		term, restart, _ := strings.Cut(rest, ":")
		links = append(links, rules.Link{Name: c.project + "-" + service, Condition: condition(term), Restart: restart == "true"})
	}
	return links
}

// condition is Compose's default, started, for what it does not know.
func condition(term string) rules.Condition {
	switch term {
	case "service_healthy":
		return rules.Healthy
	case "service_completed_successfully":
		return rules.Completed
	default:
		return rules.Started
	}
}

// lenders are the containers whose network, IPC or PID namespace a container lives in, by ID
// or name, each once.
func lenders(host *api.HostConfig) []string {
	var all []string
	for _, reference := range []string{host.NetworkMode.ConnectedContainer(), host.IpcMode.Container(), host.PidMode.Container()} {
		if reference != "" && !slices.Contains(all, reference) {
			all = append(all, reference)
		}
	}
	return all
}

// linked are the containers to which a container has links: of `docker run --link`, and of
// Compose's links and external_links.
func linked(host *api.HostConfig, settings *api.NetworkSettings) []string {
	all := beforeColon(host.Links)
	for _, at := range settings.Networks {
		if at != nil {
			all = append(all, beforeColon(at.Links)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// beforeColon are texts up to their first colon, without the slash of a container's name.
func beforeColon(texts []string) []string {
	var all []string
	for _, text := range texts {
		before, _, _ := strings.Cut(text, ":")
		all = append(all, strings.TrimPrefix(before, "/"))
	}
	return all
}

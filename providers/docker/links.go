package docker

import (
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
)

// links are the apps that the container needs: those its service depends on, and the
// one whose network it uses, without which it cannot start.
func (f *fleet) links(c *container) []rules.Link {
	links := dependencies(c)
	lender := f.find(c.joined)
	if lender == nil || lender.app == "" || lender.app == c.app {
		return links
	}
	known := func(l rules.Link) bool { return l.Name == lender.app }
	if slices.ContainsFunc(links, known) {
		return links
	}
	return append(links, rules.Link{Name: lender.app, Condition: rules.Started})
}

// dependencies reads Compose's "back:service_healthy:false,db:service_started:true".
// The third part tells whether to restart along, which is nothing to us.
func dependencies(c *container) []rules.Link {
	var links []rules.Link
	for part := range strings.SplitSeq(c.labels[labelDependsOn], ",") {
		service, rest, _ := strings.Cut(strings.TrimSpace(part), ":")
		if service == "" {
			continue
		}
		term, _, _ := strings.Cut(rest, ":")
		links = append(links, rules.Link{Name: c.project + "-" + service, Condition: condition(term)})
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

package docker

import (
	"fmt"
	"strings"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
)

// fingerprint is what both the list of containers and a look at one show of it. Where the
// two differ, it has changed since the look.
type fingerprint struct {
	name     string
	state    api.ContainerState
	verdict  string // "healthy" while it runs, "137" once it exited
	networks string
}

// fingerprintOfListed is the fingerprint of a container in the list.
func fingerprintOfListed(s api.Summary) fingerprint {
	f := fingerprint{name: listedName(s.Names), state: s.State, verdict: listedVerdict(s)}
	if s.NetworkSettings != nil {
		f.networks = networksText(s.State, attachments(s.NetworkSettings.Networks))
	}
	return f
}

// listedName leaves out the names that links of other containers add ("/web/db").
func listedName(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// listedVerdict is what the status says in brackets: "Up 5 minutes (healthy)",
// "Up 1 second (health: starting)", "Exited (137) 2 hours ago".
func listedVerdict(s api.Summary) string {
	if s.State != api.StateRunning && s.State != api.StateExited {
		return ""
	}
	_, rest, _ := strings.Cut(s.Status, "(")
	verdict, _, _ := strings.Cut(rest, ")")
	return strings.TrimPrefix(verdict, "health: ")
}

// fingerprintOf is the fingerprint of a container that was looked at. state may be nil.
func fingerprintOf(instance inventory.Instance, state *api.State, networks []attachment) fingerprint {
	if state == nil {
		return fingerprint{name: instance.Name}
	}
	f := fingerprint{name: instance.Name, state: state.Status, networks: networksText(state.Status, networks)}
	switch {
	case state.Status == api.StateExited:
		f.verdict = fmt.Sprint(state.ExitCode)
	case state.Status == api.StateRunning && instance.Health != inventory.NoHealth:
		f.verdict = string(state.Health.Status)
	}
	return f
}

// networksText is one text for the networks and, while it runs, the addresses in them. The
// list goes on showing the one of a container whose start failed.
func networksText(state api.ContainerState, networks []attachment) string {
	var parts []string
	for _, at := range networks {
		part := at.network
		if state == api.StateRunning {
			part = fmt.Sprint(part, at.id, at.addresses)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n")
}

package docker

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/paastis/paastis/registry"
)

// The labels that are read here; all others only pass through.
const (
	labelProject   = "com.docker.compose.project"
	labelService   = "com.docker.compose.service"
	labelNumber    = "com.docker.compose.container-number"
	labelOneOff    = "com.docker.compose.oneoff"
	labelDependsOn = "com.docker.compose.depends_on"
	labelSwarmTask = "com.docker.swarm.task.id"
)

// What the engine does where a health check leaves it open. The start interval came
// with API 1.44; before, the interval was the same all the time.
const (
	defaultInterval         = 30 * time.Second
	defaultStartInterval    = 5 * time.Second
	startIntervalAPIVersion = "1.44"
)

// container is what one look found. It does not change any more.
type container struct {
	// app is the name of the app that it belongs to. Empty if it is none of ours.
	app string

	// instance is what is reported of it, but for the addresses.
	instance registry.Instance

	project, service string
	// number is its place among the service's containers.
	number  int
	created time.Time

	// pid is its main process, as the engine's host numbers it. Zero if it does not run.
	pid int

	labels   map[string]string
	image    string
	hostname string
	tty      bool

	// joined is the ID or name of the container whose network it uses. Empty: its own.
	joined string
	// onHost tells that it uses the host's network.
	onHost   bool
	networks map[string]attachment

	ports       []uint16
	healthCheck *registry.HealthCheck

	outline outline
}

// attachment is a container's place in one network.
type attachment struct {
	// id is the network's. Empty if the container never ran.
	id string
	// names by which others in the network find the container.
	names []string
	// addresses are those it has while it runs, IPv4 first.
	addresses []netip.Addr
}

// newContainer reads an inspection, made with that version of the API.
func newContainer(in api.InspectResponse, apiVersion string) *container {
	config := cmp.Or(in.Config, &api.Config{})
	host := cmp.Or(in.HostConfig, &api.HostConfig{})
	settings := cmp.Or(in.NetworkSettings, &api.NetworkSettings{})
	c := &container{
		instance:    newInstance(in),
		project:     config.Labels[labelProject],
		service:     config.Labels[labelService],
		number:      number(config.Labels[labelNumber]),
		created:     parseTime(in.Created),
		pid:         cmp.Or(in.State, &api.State{}).Pid,
		labels:      config.Labels,
		image:       config.Image,
		hostname:    config.Hostname,
		tty:         config.Tty,
		joined:      host.NetworkMode.ConnectedContainer(),
		onHost:      host.NetworkMode.IsHost(),
		networks:    attachments(settings.Networks),
		ports:       tcpPorts(config.ExposedPorts),
		healthCheck: healthCheck(config.Healthcheck, apiVersion),
	}
	c.app = c.appName()
	c.outline = inspected(c.instance, in.State, settings.Networks)
	return c
}

func (c *container) appName() string {
	switch {
	case strings.EqualFold(c.labels[labelOneOff], "true"), c.labels[labelSwarmTask] != "":
		return ""
	case c.project != "" && c.service != "":
		return c.project + "-" + c.service
	default:
		return c.instance.Name
	}
}

func newInstance(in api.InspectResponse) registry.Instance {
	state := cmp.Or(in.State, &api.State{})
	return registry.Instance{
		Name:      strings.TrimPrefix(in.Name, "/"),
		ID:        in.ID,
		Status:    status(state),
		Health:    health(state.Health),
		ExitCode:  state.ExitCode,
		OOMKilled: state.OOMKilled,
		Error:     visibleFault(state.Error),
		StartedAt: parseTime(state.StartedAt),
		Restarts:  in.RestartCount,
	}
}

// status takes what the engine does not name the way Docker does by its flags.
func status(state *api.State) registry.Status {
	switch {
	case state.Status == api.StatePaused:
		return registry.Paused
	case state.Status == api.StateRestarting:
		return registry.Restarting
	case state.Running:
		return registry.Running
	default:
		return registry.Exited
	}
}

// health knows a verdict from the "unhealthy" that Docker writes down when it ends the
// checks of a container that is stopped or paused: no check failed for that. It shows
// until the first check after the next start or unpause.
func health(health *api.Health) registry.Health {
	switch {
	case health == nil:
		return registry.NoHealth
	case health.Status == api.Healthy:
		return registry.Healthy
	case health.Status == api.Unhealthy && health.FailingStreak > 0:
		return registry.Unhealthy
	case health.Status == api.Starting, health.Status == api.Unhealthy:
		return registry.HealthStarting
	default:
		return registry.NoHealth
	}
}

func healthCheck(config *api.HealthConfig, apiVersion string) *registry.HealthCheck {
	if config == nil || len(config.Test) == 0 || config.Test[0] == "NONE" {
		return nil
	}
	check := &registry.HealthCheck{
		Interval:      cmp.Or(config.Interval, defaultInterval),
		StartInterval: config.StartInterval,
	}
	modern := versions.GreaterThanOrEqualTo(apiVersion, startIntervalAPIVersion)
	if check.StartInterval == 0 && config.StartPeriod > 0 && modern {
		check.StartInterval = defaultStartInterval
	}
	return check
}

func tcpPorts(exposed network.PortSet) []uint16 {
	var ports []uint16
	for port := range exposed {
		if port.Proto() == network.TCP {
			ports = append(ports, port.Num())
		}
	}
	slices.Sort(ports)
	return ports
}

func attachments(endpoints map[string]*network.EndpointSettings) map[string]attachment {
	networks := make(map[string]attachment, len(endpoints))
	for name, at := range endpoints {
		if at == nil {
			at = &network.EndpointSettings{}
		}
		networks[name] = attachment{
			id:        at.NetworkID,
			names:     slices.Concat(at.Aliases, at.DNSNames),
			addresses: addresses(at),
		}
	}
	return networks
}

func addresses(at *network.EndpointSettings) []netip.Addr {
	all := []netip.Addr{at.IPAddress, at.GlobalIPv6Address}
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.IsValid() })
}

// number puts a container without one last.
func number(label string) int {
	n, err := strconv.Atoi(label)
	if err != nil {
		return math.MaxInt
	}
	return n
}

// parseTime is zero for what is no time and for the year 1, Docker's "never".
func parseTime(text string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, text)
	return t
}

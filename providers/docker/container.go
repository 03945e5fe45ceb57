package docker

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
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
// with API 1.44; before, and without a start period, the interval is the same all the time
// (moby, daemon/health.go).
const (
	defaultInterval         = 30 * time.Second
	defaultStartInterval    = 5 * time.Second
	startIntervalAPIVersion = "1.44"
)

// container is what one look found. It does not change any more.
type container struct {
	// app is the name of the app that it belongs to. Empty if it is none of ours.
	app string

	// instance is what is reported of it, but for the addresses. reported has it alone: the
	// report of an app of which no more is to be said is that, and takes no room of its own.
	instance *inventory.Instance
	reported []inventory.Instance

	project, service string
	// number is its place among the service's containers.
	number int
	// dependsOn is Compose's word on what the service needs.
	dependsOn string
	created   time.Time

	// pid is its main process, as the engine's host numbers it. Zero if it does not run.
	pid int

	labels   map[string]string
	image    string
	hostname string
	tty      bool

	// joined is the ID or name of the container whose network it uses. Empty: its own.
	joined string
	// lenders are the IDs or names of all containers whose namespaces it lives in, sources
	// those of which it has volumes, and linked those to which it has links of Docker's own.
	lenders, sources, linked []string
	// ephemeral reports whether the engine removes it once it ends.
	ephemeral bool
	// published reports whether a port of it is one of the machine.
	published bool
	// bindings are its ports that are published at the machine, sorted.
	bindings []binding
	// onHost reports whether it uses the host's network.
	onHost   bool
	networks []attachment // by their names

	ports       []uint16
	healthCheck *inventory.HealthCheck

	// paastis reports whether it serves as a Paastis on an engine.
	paastis bool
	// traefik is what its arguments and variables say of it as a Traefik. Nil: nothing.
	traefik *traefik.Static

	fingerprint fingerprint
}

// attachment is a container's place in one network.
type attachment struct {
	network string
	// id is the network's. Empty if the container never ran.
	id string
	// names by which others in the network find the container.
	names []string
	// addresses are those it has while it runs, IPv4 first.
	addresses []netip.Addr
	// gateway is the machine's in that network. Invalid: it has none, or is not known.
	gateway netip.Addr
}

// newContainer reads an inspection, made with that version of the API.
func newContainer(in api.InspectResponse, apiVersion string) *container {
	config := cmp.Or(in.Config, &api.Config{})
	host := cmp.Or(in.HostConfig, &api.HostConfig{})
	settings := cmp.Or(in.NetworkSettings, &api.NetworkSettings{})
	c := &container{
		reported:    []inventory.Instance{newInstance(in)},
		created:     parseTime(in.Created),
		pid:         cmp.Or(in.State, &api.State{}).Pid,
		labels:      worthKnowing(config.Labels),
		dependsOn:   config.Labels[labelDependsOn],
		image:       config.Image,
		hostname:    config.Hostname,
		tty:         config.Tty,
		joined:      host.NetworkMode.ConnectedContainer(),
		lenders:     lenders(host),
		sources:     beforeColon(host.VolumesFrom),
		linked:      linked(host, settings),
		ephemeral:   host.AutoRemove,
		published:   len(host.PortBindings) > 0 || host.PublishAllPorts,
		bindings:    bindings(config, host, settings),
		onHost:      host.NetworkMode.IsHost(),
		networks:    attachments(settings.Networks),
		ports:       tcpPorts(config.ExposedPorts),
		healthCheck: healthCheck(config.Healthcheck, apiVersion),
		paastis:     servesAsPaastis(in, config),
		traefik:     staticOf(in.Args, config, in.Mounts, host.PortBindings),
	}
	c.instance = &c.reported[0]
	c.intern()
	c.project, c.service, c.number = c.labels[labelProject], c.labels[labelService], number(c.labels[labelNumber])
	c.app = c.appName(config.Labels[labelOneOff])
	c.fingerprint = fingerprintOf(*c.instance, in.State, c.networks)
	return c
}

// staticOf reads a Traefik's own flags, with the ports of the machine by which its entry points
// are reached, and keeps nothing else of what it is given.
func staticOf(args []string, config *api.Config, mounts []api.MountPoint, bindings network.PortMap) *traefik.Static {
	var paths []string
	for _, m := range mounts {
		paths = append(paths, m.Destination)
	}
	static, found := traefik.ReadStatic(args, config.Env, paths...)
	if !found && baseName(config.Image) != "traefik" {
		return nil
	}
	static = static.WithHostPorts(func(port uint16) uint16 { return hostPort(bindings, port) })
	return &static
}

// hostPort is the port of the machine that leads to one of a container, the first of several.
// Zero: none does, or the engine chooses it.
func hostPort(bindings network.PortMap, port uint16) uint16 {
	for inside, all := range bindings {
		if inside.Num() == port && inside.Proto() == network.TCP && len(all) > 0 {
			outside, err := strconv.ParseUint(all[0].HostPort, 10, 16)
			if err == nil {
				return uint16(outside)
			}
		}
	}
	return 0
}

func (c *container) appName(oneOff string) string {
	switch {
	case strings.EqualFold(oneOff, "true"), c.labels[labelSwarmTask] != "":
		return ""
	case c.project != "" && c.service != "":
		return c.project + "-" + c.service
	default:
		return c.instance.Name
	}
}

func newInstance(in api.InspectResponse) inventory.Instance {
	state := cmp.Or(in.State, &api.State{})
	return inventory.Instance{
		Name:      strings.TrimPrefix(in.Name, "/"),
		ID:        in.ID,
		Status:    status(state),
		Health:    health(state.Health),
		ExitCode:  state.ExitCode,
		OOMKilled: state.OOMKilled,
		Fault:     faultOf(state.Error),
		StartedAt: parseTime(state.StartedAt),
		EndedAt:   parseTime(state.FinishedAt),
		Restarts:  in.RestartCount,
	}
}

// status takes what the engine does not name the way Docker does by its flags.
func status(state *api.State) inventory.Status {
	switch {
	case state.Status == api.StatePaused:
		return inventory.Paused
	case state.Status == api.StateRestarting:
		return inventory.Restarting
	case state.Running:
		return inventory.Running
	default:
		return inventory.Exited
	}
}

// health knows a verdict from the "unhealthy" that Docker writes down when it ends the
// checks of a container that is stopped or paused: no check failed for that. It shows
// until the first check after the next start or unpause.
func health(health *api.Health) inventory.Health {
	switch {
	case health == nil:
		return inventory.NoHealth
	case health.Status == api.Healthy:
		return inventory.Healthy
	case health.Status == api.Unhealthy && health.FailingStreak > 0:
		return inventory.Unhealthy
	case health.Status == api.Starting, health.Status == api.Unhealthy:
		return inventory.HealthStarting
	default:
		return inventory.NoHealth
	}
}

func healthCheck(config *api.HealthConfig, apiVersion string) *inventory.HealthCheck {
	if config == nil || len(config.Test) == 0 || config.Test[0] == "NONE" {
		return nil
	}
	check := &inventory.HealthCheck{Interval: cmp.Or(config.Interval, defaultInterval)}
	if config.StartPeriod > 0 && versions.GreaterThanOrEqualTo(apiVersion, startIntervalAPIVersion) {
		check.StartInterval = cmp.Or(config.StartInterval, defaultStartInterval)
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

// composeBookkeeping are labels in which Compose keeps its books and that nobody else reads: they
// are half of what there is to know of an app. A constraint of Traefik may well ask for others,
// such as oneoff.
var composeBookkeeping = []string{
	"com.docker.compose.config-hash", "com.docker.compose.image", "com.docker.compose.version",
	"com.docker.compose.project.config_files", "com.docker.compose.project.working_dir",
	"com.docker.compose.project.environment_file",
}

// worthKnowing are the labels without Compose's books.
func worthKnowing(labels map[string]string) map[string]string {
	worth := maps.Clone(labels)
	maps.DeleteFunc(worth, func(name, _ string) bool { return slices.Contains(composeBookkeeping, name) })
	return worth
}

func attachments(endpoints map[string]*network.EndpointSettings) []attachment {
	networks := make([]attachment, 0, len(endpoints))
	for _, name := range slices.Sorted(maps.Keys(endpoints)) {
		at := cmp.Or(endpoints[name], &network.EndpointSettings{})
		networks = append(networks, attachment{
			network:   name,
			id:        at.NetworkID,
			names:     slices.Concat(at.Aliases, at.DNSNames),
			addresses: addresses(at),
			gateway:   at.Gateway,
		})
	}
	return networks
}

// in is the container's place in a network; false if it is not in it.
func (c *container) in(network string) (attachment, bool) {
	for _, at := range c.networks {
		if at.network == network {
			return at, true
		}
	}
	return attachment{}, false
}

func addresses(at *network.EndpointSettings) []netip.Addr {
	var all []netip.Addr
	for _, a := range []netip.Addr{at.IPAddress, at.GlobalIPv6Address} {
		if a.IsValid() {
			all = append(all, a)
		}
	}
	return all
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

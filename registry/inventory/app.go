// Package inventory is what apps are: what providers report of them, and what follows from that.
//
//	App, Instance ──┐
//	rules ──────────┼─▶ Resolve ─▶ Inventory: a Definition per app, with its properties,
//	labels, flags ──┘              routers and routes, its links, and what is wrong
//
// An Inventory answers whose a request is, by the routers that Traefik has now, and what needs
// what: a Component are the apps that need each other. It never changes; when anything does,
// there is another. Nothing here has a lock or asks what time it is, and of who keeps an app it
// asks one thing alone (Live).
package inventory

import (
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// App is what a provider reports of one app: the smallest thing that it can start
// and stop. A value is complete in itself; the provider does not change it or what
// its maps and slices hold once it is reported.
type App struct {
	// Name is the provider's own name of the app, unique within the provider:
	// compose "<project>-<service>", else the container's name. Required.
	Name string

	// Stack is the group that the app was deployed with (a compose project).
	// Empty if the app stands alone.
	Stack string

	// Labels are the app's labels as they are, `traefik.*` and `paastis.*` among them;
	// those may be left out in which a tool keeps its own books. Nil if the provider has
	// none.
	Labels map[string]string

	// Routers are those of Traefik's that lead to the app and that its provider knows without
	// labels (a Kubernetes Ingress, a host of a platform). They stand beside those of its labels,
	// also where it has none, they cannot be read, or traefik.enable=false is among them: that is
	// about labels. Paastis publishes them in direct mode, and knows by them in ForwardAuth whose
	// a request is.
	//
	// A Name is one among the app's; empty: that of the app. A Rule is required. A Service
	// without "@" is one that the labels define, or the app itself, as is an empty one. A middleware
	// without "@" is one that labels define. Their order is their rank, where two have one name, and
	// is to be the same in each report. Nil: it has none.
	Routers []traefik.Router

	// Origin says where the labels are, for messages: `container "shop-front-1"`.
	Origin string

	// Links are the apps that this one needs, as its provider knows them (Compose's
	// depends_on), by the provider's own names.
	Links []rules.Link

	// Instances are what the app runs as (containers, dynos), sorted by name. Empty if its
	// provider has scaled it to none: then it is asleep, or its start was ordered and there
	// is nothing of it yet.
	Instances []Instance

	// Ports are the TCP ports that the app says it listens on, ascending.
	Ports []uint16

	// Networks are the names of the networks that the app is attached to, sorted.
	Networks []string

	// URL is where Paastis and Traefik reach the app if its provider has a name for it on the
	// internet, or on a network that has nothing to do with its instances: "https://" or
	// "http://", a host, and a port if need be. Requests are sent there with that host, and its
	// certificate has to be one that is trusted. The addresses of its instances, its ports and
	// networks count for nothing then. Empty: it is reached by its instances.
	URL string

	// CreatedAt is when the app was made. Of several that would have one host it is the oldest's.
	// Zero: its provider does not tell.
	CreatedAt time.Time

	// HealthCheck is the app's own health check. Nil if it has none.
	HealthCheck *HealthCheck

	// Aliases are other names by which people and apps of its stack know it: its service's,
	// its containers', their network aliases and host names. Sorted; nil: none.
	Aliases []string

	// Published reports whether some port of it is one of the machine, so that it may be used
	// without anybody having asked Paastis.
	Published bool

	// Ephemeral reports whether its provider removes the app once it stops (docker run --rm), so
	// that it could not be started again.
	Ephemeral bool

	// Unstartable says why the app cannot be started as it is, and what to do. Empty:
	// nothing is known against it.
	Unstartable string

	// Protected says why the app must never be put to sleep whatever the rules say
	// (IsPaastis, IsOtherPaastis, RunsTraefik, ServesProvider, SharesNetwork,
	// IsPlatformJob). Empty if it may.
	Protected reason.Kind

	// Traefik is what the app's command says of it, if it is one of Traefik. Nil: it does not
	// say, or it is none.
	Traefik *traefik.Static `json:"-"`

	// Version grows with each look that the provider takes at the app. A report with
	// a smaller one than was already seen is out of date and dropped.
	Version uint64
}

// Instance is one container (or dyno) of an app.
type Instance struct {
	Name string
	// ID changes when the instance is recreated.
	ID     string
	Status Status
	Health Health

	// ExitCode is the last exit code; meaningful when Status is Exited.
	ExitCode int
	// OOMKilled reports whether the kernel killed it for its memory.
	OOMKilled bool
	// Fault is why a start failed, of a kind that a provider says it of. Empty if none did.
	Fault reason.Kind
	// StartedAt is when it last started. Zero if never.
	StartedAt time.Time
	// EndedAt is when it last ended, also before StartedAt. Zero if it never did, or the
	// provider cannot tell.
	EndedAt time.Time
	// StoppedManually is when somebody else than Paastis has ordered its provider to stop, kill
	// or pause it, if that is why it does not run, by the provider's clock. Zero: nobody has, as
	// far as the provider can tell.
	StoppedManually time.Time
	// Ending reports whether it runs, and somebody else has ordered its provider to end it a
	// moment ago.
	Ending bool
	// Restarts is how often its provider started it again by itself after it ended,
	// since somebody last started it. Zero if the provider cannot tell.
	Restarts int

	// Host is the name by which others on its networks find it, if that is not its own: it
	// uses the network of another container, which has that name. Empty: it is its own.
	Host string
	// Address is where Paastis itself can reach the instance. Invalid (the zero
	// value) if it cannot: not running, or no shared network.
	Address netip.Addr
	// Addresses are those that the instance has on any network, also where Paastis
	// cannot reach it: Traefik may. Nil if it does not run or has none.
	Addresses []netip.Addr
	// Machine is the address of the machine whose network the instance uses, as it is known in
	// the networks that Paastis is in. What listens there on all addresses is found by it, if
	// no firewall is between. Invalid: it does not use it, or does not run, or it is not known.
	Machine netip.Addr
	// Mapped is where Paastis and Traefik reach the instance if they have no network in common
	// with it: at ports of its machine, also while it does not run. Then Address and Machine
	// are invalid. Nil: by its address, or not at all.
	Mapped *Mapping
}

// Equal reports whether two reports of an instance say the same.
func (i Instance) Equal(o Instance) bool {
	return i.Name == o.Name && i.ID == o.ID && i.Host == o.Host && i.Status == o.Status && i.Health == o.Health &&
		i.ExitCode == o.ExitCode && i.OOMKilled == o.OOMKilled && i.Fault == o.Fault &&
		i.StartedAt.Equal(o.StartedAt) && i.EndedAt.Equal(o.EndedAt) &&
		i.StoppedManually.Equal(o.StoppedManually) && i.Ending == o.Ending && i.Restarts == o.Restarts &&
		i.Address == o.Address && i.Machine == o.Machine && slices.Equal(i.Addresses, o.Addresses) && i.Mapped.equal(o.Mapped)
}

// First is the instance that speaks for the app, the zero value if it has none.
func (a App) First() Instance {
	if len(a.Instances) == 0 {
		return Instance{}
	}
	return a.Instances[0]
}

// ProtectedFor is the app as one that must never be put to sleep, for a reason.
func (a App) ProtectedFor(why reason.Kind) *App {
	a.Protected = why
	return &a
}

// Ended reports whether an app ran once and does not run any more.
func (a App) Ended() bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return !i.EndedAt.IsZero() }) &&
		!slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.Status != Exited })
}

// HealthCheck is what an app's own health check costs a wake.
type HealthCheck struct {
	// Interval is the time between two checks once the app is started.
	Interval time.Duration
	// StartInterval is the interval during the start period. Zero if the provider
	// uses Interval there too.
	StartInterval time.Duration
}

// What makes an app Protected.
const (
	// IsPaastis: it is Paastis itself.
	IsPaastis = reason.IsPaastis
	// IsOtherPaastis: it is a Paastis as well, which runs on the same provider.
	IsOtherPaastis = reason.IsOtherPaastis
	// RunsTraefik: it is the Traefik in front of the apps.
	RunsTraefik = reason.RunsTraefik
	// ServesProvider: Paastis reaches its provider through it.
	ServesProvider = reason.ServesProvider
	// SharesNetwork: Paastis would lose its own network with it.
	SharesNetwork = reason.SharesNetwork
	// IsPlatformJob: it is a job that its platform runs to its end.
	IsPlatformJob = reason.PlatformJob
)

// Status is what a provider says of an instance.
type Status uint8

const (
	// Exited: it does not run. Also a container that was created and never started.
	Exited Status = iota
	// Running: its process runs.
	Running
	// Paused: its process is frozen (stop_method: pause).
	Paused
	// Restarting: its process ended and the provider starts it again by itself.
	Restarting
)

// Health is what an instance's own health check says.
type Health uint8

const (
	// NoHealth: there is no health check.
	NoHealth Health = iota
	// HealthStarting: no verdict yet.
	HealthStarting
	// Healthy: the last check passed.
	Healthy
	// Unhealthy: as many checks in a row failed as the app allows.
	Unhealthy
)

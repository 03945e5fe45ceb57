package registrytest

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// App is an app that a Provider plays, with what is to happen to it. It has one instance or
// its Replicas, and none while it sleeps if it is Scaled.
// Once it is a provider's, Provider.Change is how to change it.
type App struct {
	inventory.App
	// Boot is the time from its start to healthy, Stopping that of a stop.
	Boot, Stopping time.Duration
	// Scaled reports whether it has no instance while it sleeps, and none until it has booted.
	Scaled bool
	// Replicas is how many instances it has, which do the same; 0 is one.
	Replicas int
	// Forgets reports whether its Replicas are forgotten as it is stopped: Start starts one, and
	// Resume as many as Capture has kept.
	Forgets bool
	// CaptureErr is why it cannot be told how it is to come back. Nil: it can.
	CaptureErr error

	booting bool // it is Scaled, its start was ordered, and it is not healthy yet
	sized   int  // the Replicas that its instances are
	// Err is why it cannot be started, which is told after Refusal. Nil: it can.
	Err     error
	Refusal time.Duration
	// Ordering is how long an order to start takes until it is taken, or refused.
	Ordering time.Duration
	// StopErr is why it cannot be stopped. Nil: it can.
	StopErr error
	// Address that it has while it runs. The zero Addr: nobody reaches it.
	Address netip.Addr
	// AddressOf is that of its instance at a place after the first. Nil: all have the same.
	AddressOf func(place int) netip.Addr
	// Addresses, Host and Mapped are what its instances have of these while they run.
	Addresses []netip.Addr
	Host      string
	Mapped    *inventory.Mapping
	// NoHealth reports whether it has no health check.
	NoHealth bool
	// Never are the names of instances that run and never become healthy.
	Never []string
	// Alike reports whether all of its instances are always as the first one is.
	Alike bool
	// Job reports whether it ends well once it has booted. Crash is the exit code with which it
	// ends then, 0: it runs on; OOM reports whether it runs out of memory then.
	Job   bool
	Crash int
	OOM   bool
	// Restarts reports whether it is started again when it has crashed, MaxRestarts times at most;
	// 0: always.
	Restarts    bool
	MaxRestarts int
}

// NewApp makes an app that is asleep, boots for 10 s and asks for Paastis by a label. It
// has no route.
func NewApp(name string, needs ...string) *App {
	a := &App{Boot: 10 * time.Second, Stopping: 100 * time.Millisecond, App: inventory.App{
		Name: name, Origin: "container " + name, Labels: map[string]string{"paastis.enable": "true"},
	}}
	a.set(inventory.Instance{})
	for _, n := range needs {
		a.Links = append(a.Links, rules.Link{Name: n})
	}
	return a
}

// Label gives the app a label.
func (a *App) Label(key, value string) *App {
	a.Labels[key] = value
	return a
}

// Found gives the app a host; its address is for Traefik to find.
func (a *App) Found(host string) *App {
	return a.Label("traefik.http.routers."+a.Name+".rule", "Host(`"+host+"`)")
}

// At gives the app a host, and Traefik its address for good.
func (a *App) At(host string) *App {
	return a.Found(host).Label("traefik.http.services."+a.Name+".loadbalancer.server.url", "http://"+a.Name+":8080")
}

// ToNone makes the app one that sleeps by being scaled to no instance.
func (a *App) ToNone() *App {
	a.Scaled, a.Instances = true, nil
	return a
}

// Awake makes the app run already.
func (a *App) Awake() *App {
	a.set(inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, Address: a.Address})
	return a
}

// set makes all of its instances something else.
func (a *App) set(i inventory.Instance) {
	a.booting = false
	if a.Scaled && i.Status == inventory.Exited {
		a.Instances = nil
		return
	}
	a.resize()
	for n, was := range a.Instances {
		i.Name, i.ID = was.Name, was.ID
		a.Instances[n] = i
	}
}

// resize gives it as many instances as it has Replicas, unless it has other ones.
func (a *App) resize() {
	if len(a.Instances) > 0 && a.Replicas == a.sized {
		return
	}
	a.Instances, a.sized = nil, a.Replicas
	for n := range max(a.Replicas, 1) {
		name := a.Name
		if a.Replicas > 1 {
			name = fmt.Sprintf("%s-%d", a.Name, n+1)
		}
		a.Instances = append(a.Instances, inventory.Instance{Name: name, ID: name})
	}
}

// begun is an instance at a place that was started just now.
func (a *App) begun(n int, now time.Time) inventory.Instance {
	i := inventory.Instance{
		Name: a.Instances[n].Name, ID: a.Instances[n].ID, Status: inventory.Running, Health: inventory.HealthStarting, StartedAt: now,
		Addresses: a.Addresses, Address: a.Address, Host: a.Host, Mapped: a.Mapped,
	}
	if n > 0 && a.AddressOf != nil {
		i.Address = a.AddressOf(n)
		i.Addresses = []netip.Addr{i.Address}
	}
	if a.NoHealth {
		i.Health = inventory.NoHealth
	}
	return i
}

// booted makes an instance what it is once it has booted, and reports whether it starts again.
func (a *App) booted(i *inventory.Instance) (again bool) {
	switch {
	case slices.Contains(a.Never, i.Name):
	case a.Crash != 0 && a.Restarts && (a.MaxRestarts == 0 || i.Restarts < a.MaxRestarts):
		i.Status, i.Health, i.ExitCode = inventory.Restarting, inventory.NoHealth, a.Crash
		return true
	case a.Crash != 0 || a.Job || a.OOM:
		*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: a.Crash, OOMKilled: a.OOM, Restarts: i.Restarts}
	case !a.NoHealth:
		i.Health = inventory.Healthy
	}
	return false
}

// mirror lets its other instances be as the first one is, if they are Alike.
func (a *App) mirror() {
	for n := 1; a.Alike && n < len(a.Instances); n++ {
		was := a.Instances[n]
		a.Instances[n] = a.Instances[0]
		a.Instances[n].Name, a.Instances[n].ID = was.Name, was.ID
	}
}

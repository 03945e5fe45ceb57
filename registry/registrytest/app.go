package registrytest

import (
	"fmt"
	"net/netip"
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
	// Scaled tells that it has no instance while it sleeps, and none until it has booted.
	Scaled bool
	// Replicas is how many instances it has, which do the same; 0 is one.
	Replicas int
	// Forgets tells that its Replicas are forgotten as it is stopped: Start starts one, and
	// Resume as many as Capture has kept.
	Forgets bool
	// CaptureErr is why it cannot be told how it is to come back. Nil: it can.
	CaptureErr error

	booting bool // its start was ordered, and it is not healthy yet
	// Err is why it cannot be started, which is told after Refusal. Nil: it can.
	Err     error
	Refusal time.Duration
	// Address that it has while it runs. The zero Addr: nobody reaches it.
	Address netip.Addr
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

func (a *App) set(i inventory.Instance) {
	a.booting, a.Instances = false, nil
	if a.Scaled && i.Status == inventory.Exited {
		return
	}
	for n := range max(a.Replicas, 1) {
		i.Name = a.Name
		if a.Replicas > 1 {
			i.Name = fmt.Sprintf("%s-%d", a.Name, n+1)
		}
		i.ID = i.Name
		a.Instances = append(a.Instances, i)
	}
}

package registry

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// elsewhere makes an app one of another machine, which publishes ports of it there; it is on a
// network of a name that Traefik's own engine has as well.
func (a *fakeApp) elsewhere(m inventory.Mapping) *fakeApp {
	m.Host = "192.168.1.20"
	a.Mapped, a.Networks = &m, []string{"web"}
	for n := range a.Instances {
		a.Instances[n].Mapped = &m
	}
	return a
}

// traefikOn is a Traefik that runs in those networks, where balance has it.
func traefikOn(networks ...string) *fakeApp {
	edge := service("edge", "traefik").awake()
	edge.Networks = networks
	edge.Instances[0].Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.2")}
	return edge
}

func TestAnAppThatPublishesItsPortsIsReachedAtItsMachine(t *testing.T) {
	for _, c := range []struct {
		mapping inventory.Mapping
		labels  map[string]string
		want    string
	}{
		{inventory.Mapping{Ports: map[uint16]uint16{8080: 32768}}, nil, "192.168.1.20:32768"},
		{inventory.Mapping{Ports: map[uint16]uint16{9000: 80, 8080: 32768}}, map[string]string{"paastis.port": "9000", "traefik.http.services.solo.loadbalancer.server.port": ""}, "192.168.1.20:80"},
		{inventory.Mapping{}, nil, "192.168.1.20:8080"}, // it is on the network of the machine
		{inventory.Mapping{Ports: map[uint16]uint16{80: 8081}}, map[string]string{
			"traefik.http.services.solo.loadbalancer.server.port": "", "traefik.http.services.solo.loadbalancer.server.url": "http://192.168.1.20:8081",
		}, "192.168.1.20:8081"},
		{inventory.Mapping{Ports: map[uint16]uint16{80: 8080, 8080: 8081}}, map[string]string{
			"traefik.http.services.solo.loadbalancer.server.port": "", "traefik.http.services.solo.loadbalancer.server.url": "http://192.168.1.20:8080",
		}, "192.168.1.20:8080"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var house apartment
			house.become(c.want, StatusError{500})
			a := found().elsewhere(c.mapping)
			a.NoHealth, a.Addresses = true, nil
			for key, value := range c.labels {
				if a.label(key, value); value == "" {
					delete(a.Labels, key)
				}
			}
			w, b := liveDirect(t, Options{Probe: house.probe}, a, traefikOn("web"))
			k := w.Named("solo-web")
			k.Pass(time.Now())
			w.Wake(k, false)
			time.Sleep(5 * time.Second)
			w.wantState("solo-web", Starting) // for what listens there does not answer well
			house.become(c.want, nil)
			time.Sleep(5 * time.Second)
			w.wantState("solo-web", Ready)
			if got := house.last[0].Address; got != c.want {
				t.Errorf("probed at %s, want %s", got, c.want)
			}
			if got := b.leadsTo("solo-web"); got != "http://"+c.want {
				t.Errorf("Traefik is led to %s, want %s", got, c.want)
			}
			if got := w.Publisher().Target(w.Inventory().Routes["solo-web"]); got == nil || got.Host != c.want {
				t.Errorf("requests are carried to %v, want %s", got, c.want)
			}
		})
	}
}

// lookedInto is a provider that can look whether its apps listen.
type lookedInto struct {
	metered
	mu    sync.Mutex
	asked []uint16
}

func (l *lookedInto) Listens(_ context.Context, _ string, port uint16) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, port)
	return true, nil
}

func TestAPortThatIsNotPublishedIsToldAndTheProviderIsAskedWhetherTheAppListens(t *testing.T) {
	for _, c := range []struct {
		mapping inventory.Mapping
		want    string
	}{
		{inventory.Mapping{Ports: map[uint16]uint16{9000: 9000}}, `app "solo-web": its port 8080 is not published at 192.168.1.20, the address of its provider, so neither Paastis nor Traefik reaches it; publish it (ports: ["8080"])`},
		{inventory.Mapping{Ports: map[uint16]uint16{}, Hidden: map[uint16]netip.Addr{8080: netip.MustParseAddr("127.0.0.1")}}, `app "solo-web": its port 8080 is published at 127.0.0.1 alone, and not at 192.168.1.20`},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := found().elsewhere(c.mapping)
			a.NoHealth, a.Addresses = true, nil
			f := newFake(a)
			into := &lookedInto{metered: metered{f, true}}
			w := liveOn(t, f, Options{Providers: []provider.Provider{into}, Settings: settingsFor(t, ""), Probe: func(_ context.Context, target inventory.Target) error {
				t.Errorf("probed at %q", target.Address)
				return nil
			}})
			b := balance(t, w.Registry, "10.0.0.2")
			w.visit("solo-web")
			time.Sleep(5 * time.Second)
			w.wantState("solo-web", Ready)
			if !slices.Equal(into.asked, []uint16{8080}) {
				t.Errorf("asked whether it listens on %v", into.asked)
			}
			if got := w.Publisher().Target(w.Inventory().Routes["solo-web"]); got != nil {
				t.Errorf("requests are carried to %s", got)
			}
			w.wantRoute(b, "solo-web", self)
			if got := w.Inventory().Problems().String(); !strings.Contains(got, c.want) {
				t.Errorf("the problems are %s, want %s", got, c.want)
			}
			published := inventory.Mapping{Host: "192.168.1.20", Ports: map[uint16]uint16{8080: 32768}}
			w.change("solo-web", func(i *inventory.Instance) { i.Mapped = &published })
			if got := w.Inventory().Problems(); len(got) > 0 {
				t.Errorf("once it is published: %s", got)
			}
			time.Sleep(5 * time.Second)
			w.wantRoute(b, "solo-web", "http://192.168.1.20:32768")
		})
	}
}

func TestAServiceOfAFileIsTheAppsByAPortOfItsMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{
			servers: []api.Server{{URL: "http://192.168.1.20:8081", Status: "DOWN"}},
			routers: []api.Router{{Router: traefik.Router{Service: "solo@file", Middlewares: []string{"paastis@file"}}}},
		}
		a := service("solo", "web").label("paastis.enable", "true").elsewhere(inventory.Mapping{Ports: map[uint16]uint16{8080: 8081}})
		w := liveBehind(t, g, a)
		k := w.Named("solo-web")
		k.Pass(time.Now())
		w.Wake(k, false)
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Starting)
		g.become(nil, "http://192.168.1.20:8081")
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

// farther is an engine whose labels no Traefik reads.
type farther struct{ metered }

func (farther) ID() string              { return "attic" }
func (farther) TraefikProvider() string { return "" }

func TestANetworkOfAnotherEngineIsNotTraefiksOfTheSameName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newFake()
		for _, name := range []string{"web", "apart"} {
			a := service("far", name).routed(name + ".test")
			delete(a.Labels, "traefik.http.services.far-"+name+".loadbalancer.server.url")
			a.label("paastis.port", "8080").App.App.Networks = []string{name}
			a.Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.7")}
			far.put(a)
		}
		here := newFake(traefikOn("web"))
		w := liveOn(t, here, Options{Providers: []provider.Provider{metered{here, true}, farther{metered{far, true}}}, Settings: settingsFor(t, "")})
		b := balance(t, w.Registry, "10.0.0.2")
		for _, name := range []string{"far-web", "far-apart"} {
			k := w.Named(name)
			k.Pass(time.Now())
			w.Wake(k, false)
		}
		time.Sleep(5 * time.Second)
		w.wantRoute(b, "far-web", "http://10.0.0.7:8080")
		w.wantRoute(b, "far-apart", "http://10.0.0.7:8080")
	})
}

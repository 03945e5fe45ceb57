package docker

import (
	"maps"
	"net/netip"
	"testing"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// published are bindings of ports, each "address:outside" for an inside one.
func published(ports map[string]string) network.PortMap {
	all := network.PortMap{}
	for inside, outside := range ports {
		at, port := netip.Addr{}, outside
		if a, err := netip.ParseAddrPort(outside); err == nil {
			at, port = a.Addr(), outside[len(a.Addr().String())+1:]
		}
		all[network.MustParsePort(inside)] = append(all[network.MustParsePort(inside)], network.PortBinding{HostIP: at, HostPort: port})
	}
	return all
}

func TestEngineWithAnAddressHasItsAppsReachedAtThePortsThatTheyPublish(t *testing.T) {
	t.Parallel()
	configured := func(ports map[string]string) func(*api.InspectResponse) {
		return func(c *api.InspectResponse) { c.HostConfig.PortBindings = published(ports) }
	}
	now := func(ports map[string]string) func(*api.InspectResponse) {
		return func(c *api.InspectResponse) { c.NetworkSettings.Ports = published(ports) }
	}
	all := func(c *api.InspectResponse) {
		c.HostConfig.PublishAllPorts, c.Config.ExposedPorts = true, network.PortSet{network.MustParsePort("80/tcp"): {}}
	}
	for _, c := range []struct {
		name, address string
		web           []func(*api.InspectResponse)
		want          map[uint16]uint16
		hidden        uint16
	}{
		{"a fixed port", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "8080"}), now(map[string]string{"80/tcp": "0.0.0.0:8080"})}, map[uint16]uint16{80: 8080}, 0},
		{"a fixed port while it sleeps", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "8080"}), exits(0)}, map[uint16]uint16{80: 8080}, 0},
		{"a chosen port", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": ""}), now(map[string]string{"80/tcp": "0.0.0.0:32768"})}, map[uint16]uint16{80: 32768}, 0},
		{"a port to be chosen", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "8000-8010"}), exits(0)}, map[uint16]uint16{80: 0}, 0},
		{"all ports, to be chosen", "attic", []func(*api.InspectResponse){all, exits(0)}, map[uint16]uint16{80: 0}, 0},
		{"no port", "attic", nil, map[uint16]uint16{}, 0},
		{"a port of UDP", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/udp": "8080"})}, map[uint16]uint16{}, 0},
		{"on loopback alone", "attic", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "127.0.0.1:8080"})}, map[uint16]uint16{}, 80},
		{"on loopback, where it is reached", "127.0.0.1", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "127.0.0.1:8080"})}, map[uint16]uint16{80: 8080}, 0},
		{"on the machine's own address", "192.168.1.20", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "192.168.1.20:8080"})}, map[uint16]uint16{80: 8080}, 0},
		{"on another of its addresses", "192.168.1.20", []func(*api.InspectResponse){configured(map[string]string{"80/tcp": "10.8.0.1:8080"})}, map[uint16]uint16{}, 80},
		{"on the network of a neighbour", "attic", []func(*api.InspectResponse){onNetwork("container:vpn")}, map[uint16]uint16{9000: 9001}, 0},
	} {
		e := newEngine(t)
		e.add(another(t, "vpn", "tty", configured(map[string]string{"9000/tcp": "9001"})))
		e.add(another(t, "web", "tty", append([]func(*api.InspectResponse){attachedTo("apps=10.0.0.3")}, c.web...)...))
		i := appOf(t, e.provider(func(cfg *Config) { cfg.Address = c.address }), "web").Instances[0]
		if i.Mapped == nil || i.Mapped.Host != c.address || !maps.Equal(i.Mapped.Ports, c.want) {
			t.Errorf("%s: reached at %+v, want %v", c.name, i.Mapped, c.want)
			continue
		}
		if _, hidden := i.Mapped.Hidden[c.hidden]; hidden != (c.hidden != 0) || len(i.Mapped.Hidden) > 1 {
			t.Errorf("%s: hidden are %v", c.name, i.Mapped.Hidden)
		}
		if i.Address.IsValid() || i.Addresses != nil {
			t.Errorf("%s: it has the address %s, and %v", c.name, i.Address, i.Addresses)
		}
	}
}

func TestContainerOnTheNetworkOfAMachineIsReachedAtItsOwnPortsThere(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "web", "tty", onNetwork("host")))
	i := appOf(t, e.provider(func(c *Config) { c.Address = "attic" }), "web").Instances[0]
	if i.Mapped == nil || i.Mapped.Ports != nil || i.Machine.IsValid() {
		t.Errorf("it is reached at %+v", i.Mapped)
	}
}

func TestEngineWithoutAnAddressHasItsContainersReachedAtTheirOwn(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3"), func(c *api.InspectResponse) {
		c.HostConfig.PortBindings = published(map[string]string{"80/tcp": "8080"})
	}))
	if i := appOf(t, e.provider(), "web").Instances[0]; i.Mapped != nil || !i.Address.IsValid() {
		t.Errorf("it is reached at %+v", i.Mapped)
	}
}

func TestTraefiksOwnProviderOfAnEngineWithAnAddressKnowsContainersByTheirs(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3")))
	p := e.provider(func(c *Config) { c.Address, c.Traefik = "attic", "docker" })
	if i := appOf(t, p, "web").Instances[0]; len(i.Addresses) != 1 {
		t.Errorf("it has %v", i.Addresses)
	}
}

package docker

import (
	"net/netip"
	"testing"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

func TestAddressIsWherePaastisReachesTheContainer(t *testing.T) {
	t.Parallel()
	const nowhere = "invalid IP"
	inContainer := func(c *Config) { c.Self = Self{Hostname: "self"} }
	onHost := func(*Config) {}
	overTCP := func(c *Config) { c.Host = "tcp://engine:2375" }
	change := func(changes ...func(*api.InspectResponse)) []func(*api.InspectResponse) { return changes }
	for _, c := range []struct {
		name    string
		paastis func(*Config)
		self    []func(*api.InspectResponse)
		web     []func(*api.InspectResponse)
		want    string
	}{
		{"shared network", inContainer, change(attachedTo("proxy=10.1.0.2", "apps=10.0.0.2")),
			change(attachedTo("db=10.2.0.3", "apps=10.0.0.3")), "10.0.0.3"},
		{"no shared network", inContainer, change(attachedTo("proxy=10.1.0.2")),
			change(attachedTo("apps=10.0.0.3")), nowhere},
		{"another network of the same name", inContainer, change(attachedTo("apps=10.1.0.2")),
			change(attachedTo("apps=10.0.0.3"), func(c *api.InspectResponse) {
				c.NetworkSettings.Networks["apps"].NetworkID = "other"
			}), nowhere},
		{"first of several shared networks", inContainer, change(attachedTo("a=10.1.0.2", "b=10.0.0.2")),
			change(attachedTo("b=10.0.0.3", "a=10.1.0.3")), "10.1.0.3"},
		{"IPv6 only", inContainer, change(attachedTo("apps=fd00::2")),
			change(attachedTo("apps=fd00::3")), "fd00::3"},
		{"not running", inContainer, change(attachedTo("apps=10.0.0.2")),
			change(attachedTo("apps=10.0.0.3"), exits(0)), nowhere},
		{"paused", inContainer, change(attachedTo("apps=10.0.0.2")),
			change(attachedTo("apps=10.0.0.3"), pauses), nowhere},
		{"Paastis on the host", onHost, nil, change(attachedTo("db=10.2.0.3", "apps=10.0.0.3")), "10.0.0.3"},
		{"both on the host", onHost, nil, change(onNetwork("host")), "127.0.0.1"},
		{"on the host of a remote engine", overTCP, nil, change(onNetwork("host")), nowhere},
		{"on the host's network, Paastis not", inContainer, change(attachedTo("apps=10.0.0.2")),
			change(onNetwork("host")), nowhere},
		{"on Paastis's own network", inContainer, change(attachedTo("apps=10.0.0.2")),
			change(onNetwork("container:paastis")), "127.0.0.1"},
		{"on the network of a neighbour", inContainer, change(attachedTo("vpn=10.0.0.2")),
			change(onNetwork("container:vpn")), "10.0.0.9"},
		{"on the network of one that is gone", inContainer, change(attachedTo("apps=10.0.0.2")),
			change(onNetwork("container:nobody")), nowhere},
	} {
		e := newEngine(t)
		e.add(another(t, "vpn", "tty", attachedTo("vpn=10.0.0.9")))
		e.add(another(t, "web", "tty", c.web...))
		if c.self != nil {
			e.add(another(t, "paastis", "tty", append(c.self, func(c *api.InspectResponse) { c.Config.Hostname = "self" })...))
		}
		got := appOf(t, e.provider(c.paastis), "web").Instances[0].Address
		equal(t, c.name, got.String(), c.want)
	}
}

func TestPaastisOnTheHostsNetworkReachesEveryAddress(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	paastis := another(t, "paastis", "tty", onNetwork("host"))
	e.add(paastis)
	e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3")))
	e.add(another(t, "beside", "tty", onNetwork("host")))
	p := e.provider(func(c *Config) { c.Self = Self{ID: paastis.ID} })
	equal(t, "web", appOf(t, p, "web").Instances[0].Address, netip.MustParseAddr("10.0.0.3"))
	equal(t, "beside", appOf(t, p, "beside").Instances[0].Address, netip.MustParseAddr("127.0.0.1"))
}

func TestAddressesAreAllThatTheContainerHas(t *testing.T) {
	t.Parallel()
	both := func(c *api.InspectResponse) {
		c.NetworkSettings.Networks["apps"].GlobalIPv6Address = netip.MustParseAddr("fd00::3")
	}
	e := newEngine(t)
	e.add(another(t, "paastis", "tty", attachedTo("proxy=10.1.0.2")))
	e.add(another(t, "web", "tty", attachedTo("db=10.2.0.3", "apps=10.0.0.3"), both))
	e.add(another(t, "joined", "tty", onNetwork("container:web")))
	e.add(another(t, "orphan", "tty", onNetwork("container:nobody")))
	e.add(another(t, "beside", "tty", onNetwork("host")))
	e.add(another(t, "exited", "tty", attachedTo("apps=10.0.0.4"), exits(0)))
	e.add(another(t, "paused", "tty", attachedTo("apps=10.0.0.5"), pauses))
	report := listOf(t, e.provider(func(c *Config) { c.Self = Self{ID: e.id("paastis")} }))
	all := []netip.Addr{netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("fd00::3"), netip.MustParseAddr("10.2.0.3")}
	for name, want := range map[string][]netip.Addr{
		"web": all, "joined": all, "orphan": nil, "beside": nil, "exited": nil, "paused": nil,
	} {
		got := appIn(t, report, name).Instances[0]
		equal(t, name, got.Addresses, want)
		equal(t, name+", for Paastis", got.Address, netip.Addr{})
	}
}

func TestContainerIsFoundByTheNameOfTheOneWhoseNetworkItUses(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3")))
	e.add(another(t, "joined", "tty", onNetwork("container:web")))
	e.add(another(t, "twice", "tty", onNetwork("container:joined")))
	report := listOf(t, e.provider())
	for name, want := range map[string]string{"web": "", "joined": "web", "twice": "web"} {
		equal(t, name, appIn(t, report, name).Instances[0].Host, want)
	}
}

func TestAddressesOnTheHostsNetworkAreNoneAsDockerShowsIt(t *testing.T) {
	t.Parallel()
	app := appOf(t, newEngine(t, "host").provider(), "host")
	equal(t, "addresses", app.Instances[0].Addresses, []netip.Addr(nil))
}

func TestContainersThatUseEachOthersNetworkHaveNoAddress(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "a", "tty", onNetwork("container:b")))
	e.add(another(t, "b", "tty", onNetwork("container:a")))
	equal(t, "address", appOf(t, e.provider(), "a").Instances[0].Address, netip.Addr{})
}

func TestWhatIsOnTheHostsNetworkIsFoundAtTheGatewayOfPaastisNetwork(t *testing.T) {
	t.Parallel()
	gateway := func(c *api.InspectResponse) {
		c.NetworkSettings.Networks["apps"].Gateway = netip.MustParseAddr("10.0.0.1")
	}
	for _, c := range []struct {
		name string
		self func(*api.InspectResponse)
		web  []func(*api.InspectResponse)
		want string
	}{
		{"on the host's", gateway, []func(*api.InspectResponse){onNetwork("host")}, "10.0.0.1"},
		{"by the network of one that is", gateway, []func(*api.InspectResponse){onNetwork("container:hub")}, "10.0.0.1"},
		{"not running", gateway, []func(*api.InspectResponse){onNetwork("host"), exits(0)}, "invalid IP"},
		{"on a network of its own", gateway, []func(*api.InspectResponse){attachedTo("apps=10.0.0.3")}, "invalid IP"},
		{"no gateway", func(*api.InspectResponse) {}, []func(*api.InspectResponse){onNetwork("host")}, "invalid IP"},
		{"Paastis on the host, too", onNetwork("host"), []func(*api.InspectResponse){onNetwork("host")}, "invalid IP"},
	} {
		e := newEngine(t)
		e.add(another(t, "hub", "tty", onNetwork("host")))
		e.add(another(t, "web", "tty", c.web...))
		e.add(another(t, "paastis", "tty", attachedTo("apps=10.0.0.2"), c.self, func(c *api.InspectResponse) { c.Config.Hostname = "self" }))
		got := appOf(t, e.provider(func(c *Config) { c.Self = Self{Hostname: "self"} }), "web").Instances[0].Machine
		equal(t, c.name, got.String(), c.want)
	}
}

func TestAPortOfTheMachineIsOneOfWhoUsesItsNetworkToo(t *testing.T) {
	t.Parallel()
	publishing := func(c *api.InspectResponse) {
		c.HostConfig.PortBindings = network.PortMap{network.MustParsePort("8080/tcp"): {{HostPort: "8080"}}}
	}
	alone := func(c *api.InspectResponse) { c.HostConfig.PortBindings, c.HostConfig.PublishAllPorts = nil, false }
	e := newEngine(t)
	e.add(another(t, "vpn", "tty", attachedTo("apps=10.0.0.9"), publishing))
	e.add(another(t, "borrower", "tty", onNetwork("container:vpn"), alone))
	e.add(another(t, "hub", "tty", onNetwork("host"), alone))
	e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3"), alone))
	for app, want := range map[string]bool{"vpn": true, "borrower": true, "hub": true, "web": false} {
		equal(t, app, appOf(t, e.provider(), app).Published, want)
	}
}

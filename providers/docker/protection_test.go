package docker

import (
	"testing"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

func TestPaastisProtectsWhatItNeeds(t *testing.T) {
	t.Parallel()
	host := func(host string) func(*Config) { return func(c *Config) { c.Host = host } }
	inPaastis := func(c *Config) { c.Self = Self{Hostname: "my-paastis"} }
	all := func(changes ...func(*Config)) func(*Config) {
		return func(c *Config) {
			for _, change := range changes {
				change(c)
			}
		}
	}
	alias := func(name string) func(*api.InspectResponse) {
		return func(c *api.InspectResponse) {
			for _, at := range c.NetworkSettings.Networks {
				at.Aliases = []string{name}
			}
		}
	}
	for _, c := range []struct {
		name    string
		paastis func(*Config)
		web     func(*api.InspectResponse)
		want    reason.Kind
	}{
		{"an app", host(""), imaged("example/app"), ""},
		{"Paastis by hostname", inPaastis, func(c *api.InspectResponse) { c.Config.Hostname = "my-paastis" }, inventory.IsPaastis},
		{"a container that shares the network of Paastis", inPaastis, onNetwork("container:paastis"), inventory.SharesNetwork},
		{"Traefik", host(""), imaged("traefik"), inventory.RunsTraefik},
		{"Traefik with a tag", host(""), imaged("docker.io/library/traefik:v3.6"), inventory.RunsTraefik},
		{"Traefik of another registry", host(""), imaged("registry:5000/mirror/traefik:v3@sha256:0123"), inventory.RunsTraefik},
		{"Traefik's look-alike", host(""), imaged("containous/traefik-forward-auth:2"), ""},
		{"a registry named Traefik", host(""), imaged("traefik/whoami"), ""},
		{"the API by name", host("tcp://web:2375"), imaged("x"), inventory.ServesProvider},
		{"the API by HTTPS", host("https://web"), imaged("x"), inventory.ServesProvider},
		{"the API by service", host("tcp://proxy:2375"), labelled(labelService, "proxy"), inventory.ServesProvider},
		{"the API by address", host("tcp://10.0.0.3:2375"), imaged("x"), inventory.ServesProvider},
		{"the API by alias", host("tcp://engine:2375"), alias("engine"), inventory.ServesProvider},
		{"another name", host("tcp://other:2375"), alias("engine"), ""},
		{"the API on the network of Paastis", all(inPaastis, host("tcp://engine:2375")), alias("engine"), inventory.ServesProvider},
		{"a namesake on another network", all(inPaastis, host("tcp://engine:2375")),
			func(c *api.InspectResponse) { attachedTo("far=10.9.0.3")(c); alias("engine")(c) }, ""},
	} {
		e := newEngine(t)
		if c.want != inventory.IsPaastis {
			e.add(another(t, "paastis", "tty", attachedTo("apps=10.0.0.2"),
				func(c *api.InspectResponse) { c.Config.Hostname = "my-paastis" }))
		}
		e.add(another(t, "web", "tty", attachedTo("apps=10.0.0.3"), c.web))
		equal(t, c.name, appOf(t, e.provider(c.paastis), "web").Protected, c.want)
	}
}

func TestAppIsProtectedByAnyOfItsContainers(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.add(another(t, "shop-front-2", "shop-front-1", labelled(labelNumber, "2"), imaged("traefik:v3")))
	equal(t, "protected", appOf(t, e.provider(), "shop-front").Protected, inventory.RunsTraefik)
}

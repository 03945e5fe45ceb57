package registry

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

func TestAnAppThatPaastisDoesNotReachIsLeftToForwardAuthWhereThatWorks(t *testing.T) {
	for name, c := range map[string]struct {
		networks, paastis []string
		mode              string
		drop              string // label
		apart, published  bool
	}{
		"on another network":             {networks: []string{"inner"}, paastis: []string{"web"}, apart: true},
		"on no network":                  {paastis: []string{"web"}, apart: true},
		"on the host's":                  {networks: []string{"host"}, paastis: []string{"web"}, apart: true},
		"on one in common":               {networks: []string{"inner", "web"}, paastis: []string{"web"}, published: true},
		"Paastis on the host":            {networks: []string{"inner"}, paastis: []string{"host"}, published: true},
		"no Paastis among the apps":      {networks: []string{"inner"}, published: true},
		"in direct mode by its owner":    {networks: []string{"inner"}, paastis: []string{"web"}, mode: "direct", apart: true, published: true},
		"forgotten while it sleeps":      {networks: []string{"inner"}, paastis: []string{"web"}, drop: "traefik.docker.allownonrunning", apart: true, published: true},
		"with a router that asks nobody": {networks: []string{"inner"}, paastis: []string{"web"}, drop: "traefik.http.routers.shop.middlewares", apart: true, published: true},
	} {
		t.Run(name, func(t *testing.T) {
			labels := map[string]string{
				"paastis.enable":                                     "true",
				"traefik.docker.allownonrunning":                     "true",
				"traefik.http.routers.shop.rule":                     "Host(`shop.test`)",
				"traefik.http.routers.shop.middlewares":              "paastis@docker",
				"traefik.http.services.shop.loadbalancer.server.url": "http://shop:8080",
			}
			if c.mode != "" {
				labels["paastis.mode"] = c.mode
			}
			delete(labels, c.drop)
			apps := []inventory.Reported{{Provider: "docker", App: &inventory.App{Name: "shop", Labels: labels, Networks: c.networks, Instances: []inventory.Instance{{Name: "shop"}}}}}
			if c.paastis != nil {
				apps = append(apps, inventory.Reported{Provider: "docker", App: &inventory.App{Name: "paastis", Protected: inventory.IsPaastis, Networks: c.paastis, Instances: []inventory.Instance{{Name: "paastis"}}}})
			}
			e := inventory.Resolve(apps, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"}).Named("shop")
			if published := len(e.Routes) > 0; published != c.published || e.Apart != c.apart {
				t.Errorf("published %t, apart %t: %s", published, e.Apart, e.Problems)
			}
		})
	}
}

func TestAnAppOnTheHostsNetworkIsFoundAtTheMachine(t *testing.T) {
	rt := &inventory.Route{Definition: &inventory.Definition{Resolved: &rules.Resolved{}}, Router: &inventory.Router{}, Scheme: "http", Port: 8123}
	hub := inventory.App{Networks: []string{"host"}, Instances: []inventory.Instance{{Name: "hub", Status: inventory.Running, Machine: netip.MustParseAddr("172.18.0.1")}}}
	for name, c := range map[string]struct {
		to   *destination
		want string
	}{
		"by a Traefik in a network": {&destination{networks: networks{"web"}}, "http://172.18.0.1:8123"},
		"by a Traefik beside it":    {&destination{onHost: true}, "http://127.0.0.1:8123"},
		"by one that is not known":  {nil, "http://172.18.0.1:8123"},
	} {
		if got := serversOf(rt, &hub, hub.Instances, c.to); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

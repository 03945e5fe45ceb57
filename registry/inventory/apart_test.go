package inventory_test

import (
	"cmp"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

func TestAnAppThatPaastisDoesNotReachIsLeftToForwardAuthWhereThatWorks(t *testing.T) {
	for name, c := range map[string]struct {
		networks, paastis []string
		provider          string // of the app; empty: that of Paastis
		mode              string
		drop              string // label
		apart, published  bool
	}{
		"on another network":             {networks: []string{"inner"}, paastis: []string{"web"}, apart: true},
		"on no network":                  {paastis: []string{"web"}, apart: true},
		"on the host's":                  {networks: []string{"host"}, paastis: []string{"web"}, apart: true},
		"on one in common":               {networks: []string{"inner", "web"}, paastis: []string{"web"}, published: true},
		"on another engine":              {networks: []string{"inner"}, paastis: []string{"web"}, provider: "far", published: true},
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
			apps := []inventory.Reported{{Provider: cmp.Or(c.provider, "docker"), Unread: c.provider != "", App: &inventory.App{Name: "shop", Labels: labels, Networks: c.networks, Instances: []inventory.Instance{{Name: "shop"}}}}}
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

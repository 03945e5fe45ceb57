package inventory_test

import (
	"testing"

	"github.com/paastis/paastis/registry/inventory"
)

// atEdge is Traefik's own container, with a router whose server is at a URL.
func atEdge(url string) *played {
	a := service("edge", "traefik").awake()
	a.app.Protected = inventory.RunsTraefik
	a.label("traefik.http.routers.shop.rule", "Host(`www.shop.example`)").label("traefik.http.routers.shop.middlewares", "paastis@docker")
	return a.label("traefik.http.services.shop.loadbalancer.server.url", url)
}

func TestRouterOfAnotherContainerThatLeadsToTheURLOfAnAppIsForThat(t *testing.T) {
	t.Parallel()
	settings := settingsFor(t, "rules: [{pattern: '^shop$'}]")
	for url, want := range map[string]string{
		"https://shop.osc-fr1.scalingo.io":       "shop",
		"https://SHOP.osc-fr1.scalingo.io.:443/": "shop",
		"http://shop.osc-fr1.scalingo.io":        "edge-traefik",
		"https://other.osc-fr1.scalingo.io":      "edge-traefik",
	} {
		inv := resolvedWith(settings, onPlatform("shop"), atEdge(url))
		if got := owners(t, inv, "www.shop.example"); got != want {
			t.Errorf("%s: requests are for %q", url, got)
		}
		if e, r := inv.Route(request(t, "https://www.shop.example/")); nameOf(e) != want || r.Name != "shop" {
			t.Errorf("%s: the router is for %q", url, nameOf(e))
		}
		if len(inv.Routes) > 0 || len(inv.Problems()) > 0 {
			t.Errorf("%s: published are %s, problems are %q", url, routesOf(inv), inv.Problems())
		}
	}
}

func TestAHostStandsBesideARouterOfAnotherContainerForTheSameApp(t *testing.T) {
	t.Parallel()
	settings := settingsFor(t, "rules: [{pattern: '^shop$', host: www.shop.example}]")
	inv := resolvedWith(settings, onPlatform("shop"), atEdge("https://shop.osc-fr1.scalingo.io"))
	if got := owners(t, inv, "www.shop.example"); got != "shop" || routesOf(inv) != "shop" || len(inv.Problems()) > 0 {
		t.Errorf("requests are for %q, published are %s, problems are %q", got, routesOf(inv), inv.Problems())
	}
}

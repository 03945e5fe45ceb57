package inventory_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
)

// A router that Traefik cannot build takes no request: the next one does.
func TestARouterTakesNothingWhoseMiddlewareTraefikDoesNotHave(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		middlewares string
		auth        func(*played) // the app that defines login@docker
		want        string
	}{
		"all there":                          {"login,paastis@docker", nil, "shop-new"},
		"one that no label defines":          {"logni@docker,paastis@docker", nil, "shop-old"},
		"the same, by its name alone":        {"logni,paastis@docker", nil, "shop-old"},
		"one of a file":                      {"logni@file,paastis@docker", nil, "shop-new"},
		"one whose container stands still":   {"login@docker,paastis@docker", func(a *played) { a.app.Instances[0] = inventory.Instance{} }, "shop-old"},
		"one whose container is kept":        {"login@docker,paastis@docker", func(a *played) { a.app.Instances[0] = inventory.Instance{}; allowed(a) }, "shop-new"},
		"one whose container is not healthy": {"login,paastis@docker", status(inventory.Running, inventory.Unhealthy), "shop-old"},
		"Paastis's, of a container unseen":   {"paastis@docker", nil, "shop-new"},
	} {
		auth := service("edge", "auth").awake().label("traefik.http.middlewares.login.basicauth.users", "a:b").
			label("traefik.http.services.auth.loadbalancer.server.port", "80")
		if c.auth != nil {
			c.auth(auth)
		}
		app := func(name, priority string) *played {
			return service("shop", name).routed("shop.example").awake().label("traefik.http.routers.shop-"+name+".priority", priority)
		}
		var apps []inventory.Reported
		for _, a := range []*played{auth, app("old", "10"), app("new", "20").label("traefik.http.routers.shop-new.middlewares", c.middlewares)} {
			apps = append(apps, inventory.Reported{Provider: "docker", App: &a.app})
		}
		inv := inventory.Resolve(apps, settingsFor(t, ""))
		if got := nameOf(inv.Find(request(t, "http://shop.example/"))); got != c.want {
			t.Errorf("%s: the request is for %q, want %q", name, got, c.want)
		}
		told := inv.Problems().String()
		if want := strings.Contains(c.middlewares, "logni") && !strings.Contains(c.middlewares, "@file"); want != strings.Contains(told, `uses the middleware "logni@docker", which no label defines`) {
			t.Errorf("%s: told: %s", name, told)
		}
	}
}

func TestARouterTakesNothingWhoseMiddlewareIsDefinedInTwoWays(t *testing.T) {
	t.Parallel()
	const login = "traefik.http.middlewares.login."
	for name, c := range map[string]struct {
		middleware, label, users string
		other                    func(*played)
		want                     string
		told                     bool
	}{
		"with other options":            {"login@docker,paastis@docker", "users", "c:d", nil, "shop-old", true},
		"by its name alone":             {"login,paastis", "users", "c:d", nil, "shop-old", true},
		"with one option more":          {"login,paastis", "realm", "x", nil, "shop-old", true},
		"in the same way as well":       {"login,paastis", "USERS", "c:d", nil, "shop-old", true},
		"in the same way":               {"login,paastis", "users", "a:b, e:f", nil, "shop-new", false},
		"used by nobody":                {"paastis", "users", "c:d", nil, "shop-new", true},
		"where the other one is asleep": {"login,paastis", "users", "c:d", func(a *played) { a.app.Instances[0] = inventory.Instance{} }, "shop-new", true},
		"asleep, and kept":              {"login,paastis", "users", "c:d", func(a *played) { a.app.Instances[0] = inventory.Instance{}; allowed(a) }, "shop-old", true},
		"where Traefik ignores it":      {"login,paastis", "users", "c:d", func(a *played) { a.label("traefik.enable", "false") }, "shop-new", false},
	} {
		auth := func(which string) *played {
			return service("edge", which).awake().label(login+"basicauth.users", "a:b,e:f").
				label("traefik.http.services."+which+".loadbalancer.server.port", "80")
		}
		other := auth("sso").label(login+"basicauth."+c.label, c.users)
		if c.other != nil {
			c.other(other)
		}
		app := func(name, priority string) *played {
			return service("shop", name).routed("shop.example").awake().label("traefik.http.routers.shop-"+name+".priority", priority)
		}
		var apps []inventory.Reported
		for _, a := range []*played{auth("auth"), other, app("old", "10"), app("new", "20").label("traefik.http.routers.shop-new.middlewares", c.middleware)} {
			apps = append(apps, inventory.Reported{Provider: "docker", App: &a.app})
		}
		inv := inventory.Resolve(apps, settingsFor(t, ""))
		if got := nameOf(inv.Find(request(t, "http://shop.example/"))); got != c.want {
			t.Errorf("%s: the request is for %q, want %q", name, got, c.want)
		}
		told := inv.Problems().String()
		if c.told != strings.Contains(told, `middleware "login@docker" is defined on container "edge-auth-1" and on container "edge-sso-1" with different options`) {
			t.Errorf("%s: told: %s", name, told)
		}
	}
}

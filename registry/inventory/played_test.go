package inventory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// played is an app as a provider may report it.
type played struct{ app inventory.App }

// service is a compose service that is asleep, with what it needs.
func service(stack, name string, needs ...string) *played {
	full := stack + "-" + name
	a := &played{app: inventory.App{
		Name: full, Stack: stack, Origin: fmt.Sprintf("container %q", full+"-1"),
		Labels:    map[string]string{},
		Instances: []inventory.Instance{{Name: full + "-1", ID: full + "-id1"}},
	}}
	for _, n := range needs {
		a.app.Links = append(a.app.Links, rules.Link{Name: stack + "-" + n})
	}
	return a
}

// solo is one that needs no other.
func solo() *played { return service("solo", "web").routed("solo.test") }

func (a *played) label(key, value string) *played {
	a.app.Labels[key] = value
	return a
}

// routed gives the app a router that asks Paastis, with a static server.
func (a *played) routed(host string) *played {
	a.label("traefik.http.routers."+a.app.Name+".rule", "Host(`"+host+"`)")
	a.label("traefik.http.routers."+a.app.Name+".middlewares", "paastis@docker")
	return a.label("traefik.http.services."+a.app.Name+".loadbalancer.server.url", "http://"+a.app.Name+"-1:8080")
}

// awake lets the app run, and be healthy.
func (a *played) awake() *played {
	status(inventory.Running, inventory.Healthy)(a)
	return a
}

func status(is inventory.Status, health inventory.Health) func(*played) {
	return func(a *played) { a.app.Instances[0].Status, a.app.Instances[0].Health = is, health }
}

// allowed lets Traefik keep the app's routers while it does not run.
func allowed(a *played) { a.label("traefik.docker.allownonrunning", "true") }

// portOf makes a running app one that Traefik has to find by itself.
func portOf(label, network string, image ...uint16) func(*played) {
	return func(a *played) {
		delete(a.app.Labels, "traefik.http.services."+a.app.Name+".loadbalancer.server.url")
		if a.app.Networks, a.app.Ports = []string{network}, image; label != "" {
			a.label("traefik.http.services."+a.app.Name+".loadbalancer.server.port", label)
		}
		a.awake()
	}
}

func settingsFor(t *testing.T, yml string) inventory.Settings {
	t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatal(err)
	}
	return inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis", Throttle: 2 * time.Second}
}

func resolved(t *testing.T, apps ...*played) *inventory.Inventory {
	t.Helper()
	return resolvedWith(settingsFor(t, ""), apps...)
}

func resolvedWith(s inventory.Settings, apps ...*played) *inventory.Inventory {
	var reported []inventory.Reported
	for _, a := range apps {
		reported = append(reported, inventory.Reported{Provider: "fake", App: &a.app})
	}
	return inventory.Resolve(reported, s)
}

func request(t *testing.T, url string) *traefik.Request {
	t.Helper()
	r, err := traefik.FromURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

func nameOf(e *inventory.Definition) string {
	if e == nil {
		return ""
	}
	return e.Name
}

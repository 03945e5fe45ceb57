package registry

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

func TestRouterComesAndGoesWithItsApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "blue").routed("shop.example").awake(),
			service("shop", "green").routed("shop.example").label("traefik.http.routers.shop-green.priority", "1000"))
		want := func(name string) {
			t.Helper()
			synctest.Wait()
			if got := w.Find(request(t, "http://shop.example/")); got == nil || got.Name() != name {
				t.Errorf("the request is for %v, want %s", got, name)
			}
		}
		want("shop-blue")
		w.wantCalls("")
		w.change("shop-green", func(i *inventory.Instance) {
			i.Status, i.Health, i.StartedAt = inventory.Running, inventory.HealthStarting, time.Now()
		})
		want("shop-blue")
		w.change("shop-green", func(i *inventory.Instance) { i.Health = inventory.Healthy })
		want("shop-green")
		w.change("shop-green", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID} })
		want("shop-blue")
		w.publisher.Fetched(netip.MustParseAddr("10.0.0.9"), "http://paastis:3000", 1) // Paastis publishes it in every state
		want("shop-green")
	})
}

// Helpers

func allowed(a *fakeApp) { a.label("traefik.docker.allownonrunning", "true") }

func resolved(t *testing.T, apps ...*fakeApp) *inventory.Inventory {
	t.Helper()
	var reported []inventory.Reported
	for _, a := range apps {
		reported = append(reported, inventory.Reported{Provider: "fake", App: &a.App.App})
	}
	return inventory.Resolve(reported, settingsFor(t, ""))
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

package registry

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

// routersOf are the routers that a Traefik of which nothing is known gets.
func routersOf(t *testing.T, w *world) map[string]traefik.Router {
	t.Helper()
	var c struct {
		HTTP struct{ Routers map[string]traefik.Router }
	}
	if err := json.Unmarshal(w.publisher.Publish(netip.MustParseAddr("10.0.0.2"), self).Body, &c); err != nil {
		t.Fatal(err)
	}
	return c.HTTP.Routers
}

// ported gives an app a router with a priority, "" for that of its length.
func ported(name, rule, priority string) *fakeApp {
	a := service("shop", name).label("traefik.http.routers."+name+".rule", rule)
	if priority != "" {
		a.label("traefik.http.routers."+name+".priority", priority)
	}
	return a.label("traefik.http.services."+name+".loadbalancer.server.port", "8080").awake()
}

func TestAPublishedRouteTakesNoRequestOfAnAppThatIsNotPublished(t *testing.T) {
	for name, c := range map[string]struct{ front, frontPriority, api, apiPriority, request string }{
		"priorities one apart":     {"Host(`shop.test`)", "1", "Host(`shop.test`) && PathPrefix(`/api`)", "2", "http://shop.test/api"},
		"rules one letter apart":   {"Host(`shop.test`) && PathPrefix(`/a`)", "", "Host(`shop.test`) && PathPrefix(`/ab`)", "", "http://shop.test/ab/api"},
		"priorities further apart": {"Host(`shop.test`)", "1", "PathPrefix(`/api`)", "3", "http://shop.test/api"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				front := ported("front", c.front, c.frontPriority).label("paastis.enable", "true")
				w := liveFor(t, settingsFor(t, ""), front, ported("api", c.api, c.apiPriority))
				request, err := traefik.FromURL(c.request)
				if err != nil {
					t.Fatal(err)
				}
				api := w.Inventory().Named("shop-api").Routers[0]
				own := api.Priority
				if own == 0 {
					own = len(api.Rule)
				}
				published := routersOf(t, w)
				for name, r := range published {
					rule, err := rule.Parse(r.Rule, "")
					if err != nil {
						t.Fatal(err)
					}
					if rule.Match(&request) && r.Priority >= own {
						t.Errorf("%s is also taken by the published %s, of priority %d, and is for one of %d", c.request, name, r.Priority, own)
					}
				}
				if len(published) == 0 {
					t.Error("front is not published")
				}
			})
		})
	}
}

func TestARouterThatHasNoPlaceIsLeftToForwardAuthAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := ported("front", "Host(`shop.test`)", "1").label("paastis.enable", "true")
		old := ported("old", "Path(`/api`)", "2").label("traefik.http.routers.old.rulesyntax", "v2")
		w := liveFor(t, settingsFor(t, ""), front, old)
		by := netip.MustParseAddr("10.0.0.2")
		w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
		if got := routersOf(t, w); len(got) > 0 {
			t.Errorf("published: %v", got)
		}
		told := w.Health().Problems.String()
		for _, part := range []string{`router "front" on container "shop-front-1" is not published`, `router "old" (container "shop-old-1")`, "give one of them another priority"} {
			if !strings.Contains(told, part) {
				t.Errorf("%q is not told: %q", part, told)
			}
		}
	})
}

package scalingo_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry"
)

// paastisURL is where Traefik reaches Paastis.
const paastisURL = "http://paastis:3000"

// edge is what a Traefik has fetched.
type edge struct {
	HTTP struct {
		Routers  map[string]struct{ Rule, Service string }
		Services map[string]struct {
			LoadBalancer struct{ Servers []struct{ URL string } }
		}
	}
}

// fetched is what is published now, as Traefik takes it in.
func fetched(t *testing.T, reg *registry.Registry) (e edge) {
	t.Helper()
	by := netip.MustParseAddr("10.0.0.2")
	p := reg.Publisher().Publish(by, paastisURL)
	if err := json.Unmarshal(p.Body, &e); err != nil {
		t.Fatal(err)
	}
	reg.Publisher().Fetched(by, paastisURL, p.Version)
	return e
}

func TestOneRuleRoutesFiveHundredAppsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scalingotest.Config{})
		w.rules = `rules:
- pattern: '^pr(\d+)-(front|back)$'
  linked_apps: [pr$1-front, pr$1-back]
  host: '{name}.apps.example.com'
`
		for n := range 250 {
			w.Create("osc-fr1", fmt.Sprintf("pr%d-front", n))
			w.Create("osc-fr1", fmt.Sprintf("pr%d-back", n))
		}
		w.lives(func() {
			traefik := fetched(t, w.reg)
			if len(traefik.HTTP.Routers) != 500 || len(traefik.HTTP.Services) != 500 {
				t.Fatalf("published are %d routers, %d services", len(traefik.HTTP.Routers), len(traefik.HTTP.Services))
			}
			for name, router := range traefik.HTTP.Routers {
				if server := traefik.HTTP.Services[router.Service].LoadBalancer.Servers[0].URL; router.Rule != "Host(`"+name+".apps.example.com`)" || !strings.HasPrefix(server, paastisURL) {
					t.Errorf("asleep, %s has the rule %s and leads to %s", name, router.Rule, server)
				}
			}
			w.await("pr42-front", time.Minute)
			if w.Status("pr42-back") != "running" || w.Status("pr43-front") != "stopped" || w.Calls.Of(scaleCall) != 2 {
				t.Errorf("the back is %s, another front %s, after %d orders", w.Status("pr42-back"), w.Status("pr43-front"), w.Calls.Of(scaleCall))
			}
			target := w.reg.Publisher().Target(w.reg.Inventory().Routes["pr42-front"])
			if target == nil || target.String() != "https://pr42-front.osc-fr1.scalingo.io" || !target.KnowsHost {
				t.Errorf("Paastis carries its requests to %v", target)
			}
			if problems := w.reg.Health().Problems; len(problems) > 0 {
				t.Errorf("problems are %q", problems)
			}
		})
	})
}

package registry

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// telling is a Traefik whose API tells these routers, and no servers.
type telling []api.Router

func (l telling) Servers(context.Context, string) ([]api.Server, error) {
	return nil, api.ErrNoService
}

func (l telling) Routers(context.Context) ([]api.Router, error) { return l, nil }

func running(name, provider, rule string, priority int) api.Router {
	return api.Router{
		Router:   traefik.Router{Name: name + "@" + provider, Rule: rule, Priority: priority},
		Provider: provider, Status: "enabled",
	}
}

// liveTold is a registry for one Traefik, at the endpoint "e", that tells its routers.
func liveTold(t *testing.T, g telling, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	s := settingsFor(t, "")
	s.Endpoints = map[string]traefik.Static{"e": {}}
	w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: s, Gateways: map[string]handover.Gateway{"e": g}})
	by := netip.MustParseAddr("10.0.0.2")
	w.publisher.FetchedAt("e", by, self, w.publisher.PublishAt("e", by, self).Version)
	go func() { // it goes on fetching
		for t.Context().Err() == nil {
			sleep(t.Context(), time.Second)
			w.publisher.FetchedAt("e", by, self, w.publisher.PublishAt("e", by, self).Version)
		}
	}()
	return w
}

func TestAPublishedRouterDoesNotTieWithOneOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := solo().label("traefik.http.routers.solo-web.priority", "5")
		w := liveTold(t, telling{running("api", "file", "Host(`solo.test`) && PathPrefix(`/api`)", 6), running("gone", "file", "PathPrefix(`/x`)", 9)}, front)
		time.Sleep(time.Second)
		var c struct {
			HTTP struct {
				Routers map[string]struct {
					Rule     string
					Priority int
				}
			}
		}
		if err := json.Unmarshal(w.publisher.PublishAt("e", netip.MustParseAddr("10.0.0.2"), self).Body, &c); err != nil {
			t.Fatal(err)
		}
		if r := c.HTTP.Routers["solo-web"]; r.Priority != 6 || r.Rule != "(Host(`solo.test`)) && !(Host(`solo.test`) && PathPrefix(`/api`))" {
			t.Errorf("published: %+v", c.HTTP.Routers)
		}
	})
}

func TestWhatTraefiksAPISaysOtherwiseIsTold(t *testing.T) {
	const rule = "Host(`solo.test`)"
	for name, c := range map[string]struct {
		tells telling
		want  string // empty: nothing is told
	}{
		"it has what is published":       {telling{running("solo-web", "fake", rule, 17)}, ""},
		"it lacks what is published":     {telling{running("edge", "fake", "Host(`edge.test`)", 17)}, "its API lacks it"},
		"it tells no router of Docker's": {telling{running("x", "file", "PathPrefix(`/x`)", 3)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				edge := service("edge", "edge").label("traefik.http.routers.edge.rule", "Host(`edge.test`)")
				w := liveTold(t, c.tells, solo(), edge)
				w.visit("solo-web")
				time.Sleep(2 * time.Minute)
				told := w.Health().Problems.String()
				if !strings.Contains(told, c.want) || (c.want == "") != (told == "") {
					t.Errorf("told: %q", told)
				}
			})
		})
	}
}

func TestARouterThatTraefikHasAgainstItsSettingsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveTold(t, telling{running("shop-in", "fake", "Host(`in.test`)", 17)}, zoned("in", "in"))
		s := settingsFor(t, "")
		out, _ := traefik.ParseConstraint("Label(`zone`,`out`)")
		s.Endpoints = map[string]traefik.Static{"e": {Constraints: out}}
		w.Reload(s)
		time.Sleep(time.Minute)
		if told := w.Health().Problems.String(); !strings.Contains(told, "traefik.endpoints.e.constraints") {
			t.Errorf("told: %q", told)
		}
	})
}

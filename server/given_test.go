package server

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/traefik"
)

// given is an app without a label of Traefik's, whose provider knows its router.
func given(r traefik.Router) *registrytest.App {
	a := service("shop")
	a.Routers, a.Ports = []traefik.Router{r}, []uint16{8080}
	return a
}

func TestHostOfARouterThatItsProviderGivesWakesTheAppInBothModes(t *testing.T) {
	router := traefik.Router{Name: "shop", Rule: "Host(`shop.test`)", TLS: true}
	synctest.Test(t, func(t *testing.T) {
		s := live(t, given(router), service("other"))
		if w := s.answer(ask("https://shop.test/", "Accept: text/html")); w.Code != 503 || w.Header().Get("X-Paastis-State") != "starting" {
			t.Errorf("by ForwardAuth: %d, %v", w.Code, w.Header())
		}
		time.Sleep(time.Minute)
		if got := s.Took(); got != "start shop" || s.view("shop").State != registry.Ready {
			t.Errorf("by ForwardAuth: orders %s, then %v", got, s.view("shop").State)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := live(t, given(router), service("other")).open()
		s.answer(askRoutes())
		if w := s.answer(come("shop", "/", "Accept: text/html")); w.Code != 503 || w.Header().Get("X-Paastis-State") != "starting" {
			t.Errorf("in direct mode: %d, %v", w.Code, w.Header())
		}
		time.Sleep(time.Minute)
		if got := s.Took(); got != "start shop" {
			t.Errorf("in direct mode: orders %s", got)
		}
	})
}

// routersIn are those of the routes that Traefik gets.
func (s *testServer) routersIn(t *testing.T) map[string]map[string]any {
	t.Helper()
	var got struct {
		HTTP struct{ Routers map[string]map[string]any }
	}
	if err := json.Unmarshal(s.answer(askRoutes()).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got.HTTP.Routers
}

func TestRouterThatItsProviderGivesIsPublishedWithAllThatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, given(traefik.Router{
			Name: "front", Rule: "Host(`shop.test`)", Priority: 7, EntryPoints: []string{"websecure"}, Middlewares: []string{"paastis@file", "auth@file"},
			Secured: &traefik.TLS{Options: "strict@file", CertResolver: "le", Domains: []traefik.Domain{{Main: "test", SANs: []string{"*.test"}}}},
		})).open()
		router := s.routersIn(t)["shop.front"]
		middlewares, _ := router["middlewares"].([]any)
		if len(middlewares) == 0 || middlewares[0] != "auth@file" {
			t.Errorf("its middlewares are %v", middlewares)
		}
		delete(router, "middlewares")
		want := map[string]any{
			"rule": "Host(`shop.test`)", "priority": 8.0, "entryPoints": []any{"websecure"}, "service": "shop.front",
			"tls": map[string]any{"options": "strict@file", "certResolver": "le", "domains": []any{map[string]any{"main": "test", "sans": []any{"*.test"}}}},
		}
		if !reflect.DeepEqual(router, want) {
			t.Errorf("it is %v", router)
		}
	})
}

func TestLabelsThatAreHiddenSayNothingOfARouterThatItsProviderGives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := given(traefik.Router{Rule: "Host(`shop.test`)"}).Label("traefik.enable", "false")
		app.Label("traefik.http.routers.shop.rule", "Host(`hidden.test`)").Label("traefik.http.routers.shop.tls.certresolver", "le")
		s := live(t, app).open()
		routers := s.routersIn(t)
		if router := routers["shop"]; len(routers) != 1 || router["rule"] != "Host(`shop.test`)" || router["tls"] != nil {
			t.Errorf("published are %v", routers)
		}
	})
}

func TestRoutersThatTheirProviderGivesAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, given(traefik.Router{Rule: "Host(`old.test`)"})).open()
		if got := s.routersIn(t); len(got) != 1 {
			t.Fatalf("published are %v", got)
		}
		for _, rule := range []string{"Host(`store.test`)", ""} {
			s.Change("shop", func(a *registrytest.App) {
				a.Routers = nil
				if rule != "" {
					a.Routers = []traefik.Router{{Rule: rule}}
				}
			})
			time.Sleep(3 * time.Minute) // until the next listing
			router := s.routersIn(t)["shop"]
			if got, _ := router["rule"].(string); got != rule {
				t.Errorf("the rule is %q, want %q", got, rule)
			}
			w := s.answer(ask("http://old.test/", "Accept: text/html"))
			if w.Code != 200 {
				t.Errorf("who asks for the host that it had gets %d", w.Code)
			}
		}
	})
}

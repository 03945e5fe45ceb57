package dynamic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
)

// ofFile is a catalog of middlewares as a file has them, written as labels.
func ofFile(t *testing.T, labels map[string]string) traefik.Catalog {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		t.Fatal(err)
	}
	catalog := traefik.Catalog{}
	for _, m := range decoded.Middlewares {
		catalog[m.Name+"@file"] = m
	}
	return catalog
}

func TestNothingOfAFilePutsAPageInPlaceOfTheWaitingPage(t *testing.T) {
	t.Parallel()
	known := ofFile(t, map[string]string{
		"traefik.http.middlewares.nice.errors.status":              "400-599",
		"traefik.http.middlewares.nice.errors.service":             "pages",
		"traefik.http.middlewares.break.circuitbreaker.expression": "NetworkErrorRatio() > 0.5",
		"traefik.http.middlewares.login.basicauth.users":           "a:b",
		"traefik.http.middlewares.all.chain.middlewares":           "login,inner,nice,paastis@docker",
		"traefik.http.middlewares.inner.chain.middlewares":         "break@file,limit@file",
		"traefik.http.middlewares.limit.ratelimit.average":         "1",
		"traefik.http.middlewares.harmless.chain.middlewares":      "login,limit",
	})
	for names, c := range map[string]struct{ asleep, awake string }{
		"nice@file,paastis@docker": {"[paastis-shop]", "[nice@file]"},
		"login@file,break@file":    {"[login@file paastis-shop]", "[login@file break@file]"},
		"all@file":                 {"[login@file limit@file paastis-shop]", "[all@file]"},
		"harmless@file":            {"[harmless@file paastis-shop]", "[harmless@file]"},
		"unheard@file":             {"[unheard@file paastis-shop]", "[unheard@file]"},
		"own@docker":               {"[paastis:own paastis-shop]", "[own]"}, // a chain of labels with nice@file in it
	} {
		labels, err := traefik.Decode(map[string]string{
			"traefik.http.routers.shop.rule": "Host(`shop.test`)", "traefik.http.routers.shop.middlewares": names,
			"traefik.http.middlewares.own.chain.middlewares": "login@file,nice@file",
		})
		if err != nil {
			t.Fatal(err)
		}
		p := dynamic.Publication{Name: "shop", Labels: labels, Router: labels.Routers[0], Provider: "docker", Known: known, Servers: []string{"http://shop:80"}}
		if got := fmt.Sprint(published(t, p).HTTP.Routers["shop"].Middlewares); got != c.asleep {
			t.Errorf("%s while asleep: %s, want %s", names, got, c.asleep)
		}
		if strings.Contains(string(published(t, p).HTTP.Middlewares), "nice") {
			t.Errorf("%s: %s", names, published(t, p).HTTP.Middlewares)
		}
		p.Awake = true
		if got := fmt.Sprint(published(t, p).HTTP.Routers["shop"].Middlewares); got != c.awake {
			t.Errorf("%s while awake: %s, want %s", names, got, c.awake)
		}
	}
}

func TestWhatMayCoverAnAnswerIsKnownByItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"400-599": true, "503": true, "404,500-503": true, "500 - 599": false, "404": false, "500-502,504": false, "x": false, "503-": false,
	} {
		known := ofFile(t, map[string]string{"traefik.http.middlewares.nice.errors.status": status})
		covering, unknown := known.Covering([]string{"nice@file", "other@file", "paastis", "nice@file"}, "docker", "paastis", 503)
		if (len(covering) == 1) != want || len(unknown) != 1 {
			t.Errorf("%s: %q, unknown %q", status, covering, unknown)
		}
	}
	if covering, unknown := ofFile(t, nil).Covering([]string{"other@file"}, "docker", "paastis", 503); covering != nil || unknown != nil {
		t.Errorf("without Paastis: %q, %q", covering, unknown)
	}
}

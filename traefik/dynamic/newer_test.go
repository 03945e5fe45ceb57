package dynamic_test

import (
	"testing"

	"github.com/paastis/paastis/traefik"
)

// newerLabels have an option of each kind that Traefik 3.7 has and 3.6.12 has not.
func newerLabels() map[string]string {
	return map[string]string{
		"middlewares": "again,path,login,pages,paastis",
		"traefik.http.middlewares.again.retry.attempts":                      "2",
		"traefik.http.middlewares.again.retry.status":                        "502,503",
		"traefik.http.middlewares.path.encodedcharacters.allowencodedslash":  "true",
		"traefik.http.middlewares.login.forwardauth.address":                 "http://login",
		"traefik.http.middlewares.login.forwardauth.authsigninurl":           "https://login",
		"traefik.http.middlewares.pages.errors.status":                       "503",
		"traefik.http.middlewares.pages.errors.service":                      "x@file",
		"traefik.http.middlewares.pages.errors.errorrequestheaders":          "",
		"traefik.http.middlewares.inner.headers.customrequestheaders.X-Team": "a",
		"traefik.http.services.shop.middlewares":                             "inner",
		"traefik.http.services.shop.loadbalancer.server.port":                "80",
	}
}

func TestOptionsThatATraefikMayNotKnowAreLeftToIt(t *testing.T) {
	t.Parallel()
	p := publication(t, newerLabels())
	got := published(t, p)
	check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares, []string{"again@docker", "path@docker", "login@docker", "pages@docker", "inner"})
	check(t, "copies", compact(t, got.HTTP.Middlewares), `{"inner":{"headers":{"customRequestHeaders":{"X-Team":"a"}}}}`)
	check(t, "left to Traefik", p.Labels.Uncopied(p.Router, false), "again")
	p.Awake = false
	got = published(t, p)
	check(t, "asleep", got.HTTP.Routers["shop"].Middlewares, []string{"again@docker", "path@docker", "login@docker", "inner", "paastis-shop"})
}

func TestOptionsThatATraefikKnowsArePublished(t *testing.T) {
	t.Parallel()
	p := publication(t, newerLabels())
	p.Newer = true
	got := published(t, p)
	check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares, []string{"again", "path", "login", "pages", "inner"})
	check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(`{
		"again": {"retry": {"attempts": 2, "status": ["502", "503"]}},
		"path": {"encodedCharacters": {"allowEncodedSlash": true}},
		"login": {"forwardAuth": {"address": "http://login", "authSigninURL": "https://login"}},
		"pages": {"errors": {"status": ["503"], "service": "x@file", "errorRequestHeaders": []}},
		"inner": {"headers": {"customRequestHeaders": {"X-Team": "a"}}}
	}`)))
	check(t, "left to Traefik", p.Labels.Uncopied(p.Router, true), "")
}

func TestOneTraefikThatMayBeOldKeepsOptionsFromAll(t *testing.T) {
	t.Parallel()
	newer, older := publication(t, newerLabels()), publication(t, map[string]string{"rule": "Host(`b`)"})
	newer.Newer, older.Name = true, "other"
	got := published(t, newer, older)
	check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares[:2], []string{"again@docker", "path@docker"})
}

func TestWhatMayGuardAnAppIsNotLeftOut(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{
		"traefik.http.routers.shop.guard":                "x",
		"traefik.http.routers.shop.tls.guard":            "x",
		"traefik.http.routers.shop.observability.new":    "x",
		"traefik.http.services.shop.guard":               "x",
		"traefik.http.services.shop.loadbalancer.new":    "x",
		"traefik.http.services.shop.middlewares":         "a",
		"traefik.http.middlewares.a.retry.new":           "x",
		"traefik.http.middlewares.b.newkind.option":      "x",
		"traefik.http.middlewares.c.retry.attempts":      "many",
		"traefik.http.middlewares.d.retry.timeout":       "1s",
		"traefik.http.middlewares.e.encodedcharacters.x": "true",
	})
	check(t, "unpublishable", labels.Unpublishable(), []string{
		"traefik.http.middlewares.c.retry.attempts",
		"traefik.http.routers.shop.guard",
		"traefik.http.routers.shop.tls.guard",
		"traefik.http.services.shop.guard",
	})
	check(t, "unpublishable of none", traefik.Labels{}.Unpublishable(), []string(nil))
	check(t, "middlewares of the service", labels.ServiceMiddlewares(traefik.Router{Service: "shop@docker"}), []string{"a"})
	check(t, "middlewares of another's", labels.ServiceMiddlewares(traefik.Router{Service: "shop@file"}), []string(nil))
}

package server

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// endpoints gives the test server a Traefik inside, which gets nothing of shop, and one anywhere.
func (s *testServer) endpoints(t *testing.T) *testServer {
	t.Helper()
	none, err := traefik.ParseConstraint("Label(`zone`,`in`)")
	if err != nil {
		t.Fatal(err)
	}
	s.registry.Reload(inventory.Settings{
		Defaults: rules.Defaults(), Middleware: "paastis", Throttle: 2 * time.Second,
		Endpoints: map[string]traefik.Static{"inside": {Constraints: none}, "anywhere": {}},
	})
	s.routes.access.tokens = map[string]string{"inside": "s3cret"}
	return s
}

func TestAnEndpointHasATokenAndRoutesOfItsOwn(t *testing.T) {
	for _, c := range []struct {
		path, token string
		lines       []string
		want        int
		routes      bool
	}{
		{"/traefik/config", "", nil, 200, true},
		{"/traefik/config/anywhere", "", nil, 200, true},
		{"/traefik/config/inside", "", nil, 403, false},
		{"/traefik/config/inside", "", []string{"query token=s3cret"}, 200, false},
		{"/traefik/config/inside", "other", []string{"query token=other"}, 403, false},
		{"/traefik/config/inside", "other", []string{"query token=s3cret"}, 200, false},
		{"/traefik/config/anywhere", "other", []string{"query token=s3cret"}, 403, false},
		{"/traefik/config/anywhere", "other", []string{"query token=other"}, 200, true},
		{"/traefik/config", "other", []string{"query token=s3cret"}, 403, false},
		{"/traefik/config/nowhere", "", []string{"query token=s3cret"}, 404, false},
		{"/traefik/config/", "", nil, 404, false},
		{"/traefik/config/inside/more", "", []string{"query token=s3cret"}, 404, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := live(t, service("shop").Found("shop.test").Label("paastis.port", "8080")).open().endpoints(t)
			s.routes.access.token = c.token
			r := askRoutes(c.lines...)
			r.URL.Path = c.path
			w := s.answer(r)
			if w.Code != c.want || strings.Contains(w.Body.String(), "shop.test") != c.routes {
				t.Errorf("%s %q with the token %q: %d %s", c.path, c.lines, c.token, w.Code, w.Body)
			}
		})
	}
}

package rule

import (
	"slices"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func TestURLsAreThoseThatARuleSurelyTakes(t *testing.T) {
	for _, c := range []struct {
		rule, syntax string
		router       traefik.Router
		want         []string
	}{
		{rule: "Host(`Shop.example.com`)", want: []string{"http://shop.example.com/"}},
		{rule: "Host(`shop.example.com`)", router: traefik.Router{TLS: true}, want: []string{"https://shop.example.com/"}},
		{rule: "Host(`shop.example.com`)", router: traefik.Router{EntryPoints: []string{"websecure"}}, want: []string{"https://shop.example.com/"}},
		{rule: "Host(`a.test`) || Host(`b.test`)", want: []string{"http://a.test/", "http://b.test/"}},
		{rule: "Host(`a.test`) && (PathPrefix(`/api`) || Path(`/status page`))", want: []string{"http://a.test/api", "http://a.test/status%20page"}},
		{rule: "Host(`a.test`) && PathPrefix(`/api`) && Path(`/api/v1`)", want: []string{"http://a.test/api/v1"}},
		{rule: "Host(`a.test`) && Host(`b.test`)"},
		{rule: "Host(`a.test`) && !PathPrefix(`/api`)", want: []string{"http://a.test/"}},
		{rule: "Host(`a.test`) && !PathPrefix(`/`)"},
		{rule: "Host(`a.test`) && Header(`X-Beta`, `1`)"},
		{rule: "Host(`a.test`) && Method(`POST`)"},
		{rule: "Host(`a.test`) && Method(`GET`)", want: []string{"http://a.test/"}},
		{rule: "Host(`a.test`) && PathRegexp(`^/v[0-9]+$`)"},
		{rule: "HostRegexp(`^.+\\.test$`)"},
		{rule: "PathPrefix(`/api`)"},
		{rule: "Host(`shop-front`)"},
		{rule: "Host(`localhost`)", want: []string{"http://localhost/"}},
		{rule: "Host(`a.test`, `b.test`) && PathPrefix(`/x`)", syntax: SyntaxV2, want: []string{"http://a.test/x", "http://b.test/x"}},
		{rule: "Host(`a.test`) && PathPrefix(`/{id:[0-9]+}`)", syntax: SyntaxV2},
	} {
		rule, err := Parse(c.rule, c.syntax)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got := rule.URLs(c.router); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
	var none *Rule
	if got := none.URLs(traefik.Router{}); got != nil {
		t.Errorf("no rule has %q", got)
	}
}

package traefik_test

import (
	"strings"
	"testing"
	"text/template"

	"github.com/paastis/paastis/traefik"
)

func TestContainerWithoutLabelsGetsTheDefaultRouter(t *testing.T) {
	t.Parallel()
	got := complete(t, map[string]string{}, nil)
	check(t, "routers", got.Routers, []traefik.Router{{Name: "my-app-1", Rule: "Host(`my-app-1`)", Service: "my-app-1"}})
	check(t, "services", got.Services, []traefik.Service{{Name: "my-app-1"}})
}

func TestContainerOfComposeIsNamedByItsLabels(t *testing.T) {
	t.Parallel()
	got := complete(t, map[string]string{"com.docker.compose.project": "pr.42", "com.docker.compose.service": "front"}, nil)
	check(t, "rule", got.Routers[0].Rule, "Host(`front-pr-42`)")
}

func TestRouterWithoutRuleGetsTheDefaultRule(t *testing.T) {
	t.Parallel()
	rule, err := traefik.ParseDefaultRule(
		"Host(`{{ .ContainerName }}.{{ normalize .Name }}.{{ index .Labels \"zone\" }}`)")
	if err != nil {
		t.Fatal(err)
	}
	got := complete(t, map[string]string{
		"traefik.http.routers.a.priority":                    "7",
		"traefik.http.routers.b.rule":                        "Path(`/b`)",
		"traefik.http.services.api.loadbalancer.server.port": "80",
		"zone": "example",
	}, rule)
	check(t, "routers", got.Routers, []traefik.Router{
		{Name: "a", Priority: 7, Rule: "Host(`my_app.1.my-app-1.example`)", Service: "api"},
		{Name: "b", Rule: "Path(`/b`)", Service: "api"},
	})
}

func TestRouterThatTraefikLeavesOutIsReportedAndTheRestIsGood(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{
		"traefik.http.routers.good.service":                  "api",
		"traefik.http.routers.lost.rule":                     "Host(`a`)",
		"traefik.http.services.api.loadbalancer.server.port": "80",
		"traefik.http.services.web.loadbalancer.server.port": "81",
	})
	got, err := labels.WithDefaults("app", "app", nil)
	if err == nil || !strings.Contains(err.Error(), `router "lost"`) || strings.Contains(err.Error(), "good") {
		t.Errorf("error %v", err)
	}
	check(t, "routers", got.Routers, []traefik.Router{{Name: "good", Service: "api", Rule: "Host(`app`)"}})
	check(t, "routers before", len(labels.Routers), 2)
}

func TestSeveralServicesAndNoRouterGetNone(t *testing.T) {
	t.Parallel()
	got := complete(t, map[string]string{
		"traefik.http.services.api.loadbalancer.server.port": "80",
		"traefik.http.services.web.loadbalancer.server.port": "81",
	}, nil)
	check(t, "routers", len(got.Routers), 0)
}

func TestAppOfTCPAloneGetsNoRouter(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"traefik.tcp.routers.db.rule": "HostSNI(`*`)"}
	check(t, "routers", len(complete(t, labels, nil).Routers), 0)
	labels["traefik.http.services.web.loadbalancer.server.port"] = "80"
	check(t, "routers with HTTP", len(complete(t, labels, nil).Routers), 1)
}

func TestDefaultRuleThatFailsOrIsEmptyLeavesTheRouterOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{{ if false }}x{{ end }}", "{{ .Missing }}", "{{ index .Labels 7 }}"} {
		rule, err := traefik.ParseDefaultRule(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(t, nil).WithDefaults("app", "app", rule)
		if err == nil || len(got.Routers) > 0 {
			t.Errorf("default rule %q: routers %+v, error %v", text, got.Routers, err)
		}
	}
}

func TestDefaultRuleHasTheFunctionsOfTraefik(t *testing.T) {
	t.Setenv("DOMAIN", "example.com")
	for text, want := range map[string]string{
		"Host(`{{ trimPrefix `my-` .Name }}.localhost`)":                                      "Host(`app-1.localhost`)",
		"Host(`{{ .ContainerName | replace \"_\" \"-\" | trimSuffix \".1\" }}.local`)":        "Host(`my-app.local`)",
		"Host(`{{ index .Labels \"zone\" | default .Name | upper }}`)":                        "Host(`EXAMPLE`)",
		"Host(`{{ index .Labels \"none\" | default .Name | upper }}`)":                        "Host(`MY-APP-1`)",
		"Host(`{{ regexReplaceAll \"[0-9]+\" .Name \"x\" }}`)":                                "Host(`my-app-x`)",
		"{{ if hasPrefix \"my\" .Name }}Host(`a`){{ else }}Host(`b`){{ end }}":                "Host(`a`)",
		"Host(`{{ .Name }}.{{ env \"DOMAIN\" }}`) || Host(`{{ expandenv \"x.${DOMAIN}\" }}`)": "Host(`my-app-1.example.com`) || Host(`x.example.com`)",
	} {
		rule, err := traefik.ParseDefaultRule(text)
		if err != nil {
			t.Errorf("default rule %q: %v", text, err)
			continue
		}
		got := complete(t, map[string]string{"zone": "example"}, rule)
		check(t, text, got.Routers[0].Rule, want)
	}
}

func TestDefaultRuleTellsNoSecretAndWhatOnlyTraefikKnows(t *testing.T) {
	t.Setenv("PAASTIS_ADMIN_TOKEN", "s3cret")
	for text, want := range map[string]string{
		"Host(`{{ env \"PAASTIS_ADMIN_TOKEN\" }}`)":                 "variables of Paastis",
		"Host(`{{ expandenv \"a$PAASTIS_ADMIN_TOKEN\" }}`)":         "variables of Paastis",
		"Host(`{{ randAlphaNum 5 }}`)":                              "something else each time",
		"Host(`{{ getHostByName \"paastis.example\" }}`)":           "takes too long",
		"Host(`{{ genPrivateKey \"rsa\" }}`)":                       "something else each time",
		"Host(`{{ derivePassword 1 \"long\" \"a\" \"b\" .Name }}`)": "takes too long",
	} {
		rule, err := traefik.ParseDefaultRule(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(t, nil).WithDefaults("app", "app", rule)
		if err == nil || len(got.Routers) > 0 || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("default rule %q: routers %+v, error %v", text, got.Routers, err)
		}
	}
}

func TestNamesAreNormalizedAsTraefikDoes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"/shop_web.1": "shop-web-1", "a--b": "a-b", "été 2": "été-2", "...": "", "": "", "-a-": "a",
	} {
		check(t, name, traefik.Normalize(name), want)
	}
}

// Helpers

func complete(t *testing.T, labels map[string]string, rule *template.Template) traefik.Labels {
	t.Helper()
	got, err := decode(t, labels).WithDefaults("/my_app.1", "/my_app.1", rule)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

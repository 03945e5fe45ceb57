package command

import (
	"maps"
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

func TestCheckWarnsOfRoutersThatLeadToPaastis(t *testing.T) {
	const router, service = "traefik.http.routers.admin.", "traefik.http.services.admin.loadbalancer.server."
	for name, c := range map[string]struct {
		labels map[string]string
		want   string // in one warning; empty: none
	}{
		"enabled without a router":           {nil, "Traefik makes one, Host(`paastis-infra`), that leads anybody to Paastis itself; add the labels traefik.http.routers.paastis.rule"},
		"a default router to the main port":  {map[string]string{service + "port": "3000"}, "Traefik makes one"},
		"a default router to the TLS port":   {map[string]string{service + "port": "3443"}, "Traefik makes one"},
		"a port label that leads nowhere":    {map[string]string{service + "port": "9"}, ""},
		"not enabled":                        {map[string]string{"traefik.enable": "false"}, ""},
		"the labels of the README":           {map[string]string{router + "rule": "Host(`paastis.invalid`)", router + "service": "noop@internal"}, ""},
		"a router of all":                    {map[string]string{router + "rule": "Host(`p.example.com`)"}, "as far as /auth; admins need no more than && PathPrefix(`/paastis-admin`), so add that to the label traefik.http.routers.admin.rule"},
		"a router of all hosts":              {map[string]string{router + "rule": "HostRegexp(`.+`)"}, "as far as /auth"},
		"a router without a rule":            {map[string]string{router + "entrypoints": "web"}, "as far as /auth"},
		"a router of published requests":     {map[string]string{router + "rule": "Host(`p.example.com`) && PathPrefix(`/.paastis`)"}, "as far as /.paastis/"},
		"a router of the routes":             {map[string]string{router + "rule": "PathPrefix(`/traefik`)"}, "as far as /traefik/config"},
		"a router of admins":                 {map[string]string{router + "rule": "Host(`p.example.com`) && PathPrefix(`/paastis-admin`)"}, ""},
		"a router to the address of admins":  {map[string]string{router + "rule": "Host(`p.example.com`)", service + "port": "8091"}, ""},
		"a router that a redirect answers":   {map[string]string{router + "rule": "Host(`p.example.com`)", router + "service": "x@file"}, ""},
		"a router whose rule cannot be read": {map[string]string{router + "rule": "Host(`"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			labels := map[string]string{
				"traefik.enable": "true", "com.docker.compose.project": "infra", "com.docker.compose.service": "paastis",
				"traefik.http.middlewares.paastis.forwardauth.address": "http://paastis:3000/auth",
			}
			maps.Copy(labels, c.labels)
			app := inventory.App{Name: "infra-paastis", Stack: "infra", Origin: `container "paastis"`, Labels: labels, Ports: []uint16{3000}, Instances: []inventory.Instance{{Name: "paastis"}}}
			inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
			warnings := lintStrangers(inv, nil, "/paastis-admin", ":3000", "0.0.0.0:3443")
			got := strings.Join(warnings, "\n")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || len(warnings) > 1 || got != "" && !strings.HasSuffix(got, `(container "paastis")`) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	app := inventory.App{Name: "paastis", Origin: `container "paastis"`, Protected: inventory.IsPaastis, Instances: []inventory.Instance{{Name: "paastis"}},
		Labels: map[string]string{"traefik.enable": "true", router + "rule": "Host(`p.example.com`)"}}
	inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
	if got := strings.Join(lintStrangers(inv, nil, "", ":3000"), "\n"); !strings.Contains(got, "add the label traefik.http.routers.admin.service=noop@internal") {
		t.Errorf("without admins: %q", got)
	}
}

func TestCheckWarnsOfARouterThatNobodyHasAskedFor(t *testing.T) {
	yes, no := true, false
	for name, c := range map[string]struct {
		label    string
		traefiks []traefik.Static
		warns    bool
	}{
		"exposed by default":                    {"", []traefik.Static{{ExposedByDefault: &no}, {ExposedByDefault: &yes}}, true},
		"not exposed by default":                {"", []traefik.Static{{ExposedByDefault: &no}}, false},
		"a Traefik of which nothing is known":   {"", []traefik.Static{{}}, false},
		"a middleware, so it has to be exposed": {"traefik.http.middlewares.paastis.forwardauth.address", []traefik.Static{{}}, true},
	} {
		app := inventory.App{Name: "infra-paastis", Origin: `container "paastis"`, Protected: inventory.IsPaastis, Instances: []inventory.Instance{{Name: "paastis"}}, Labels: map[string]string{}}
		if c.label != "" {
			app.Labels[c.label] = "http://paastis:3000/auth"
		}
		inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
		got := strings.Join(lintStrangers(inv, c.traefiks, "", ":3000"), "\n")
		if warns := strings.Contains(got, "Traefik makes one, Host(`infra-paastis`)"); warns != c.warns || got != "" && !warns {
			t.Errorf("%s: %q", name, got)
		}
	}
}

package inventory_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
)

func TestOptionsOfALaterTraefikDoNotUnpublishAnApp(t *testing.T) {
	const middleware, service = "traefik.http.middlewares.again.", "traefik.http.services.solo-web."
	for name, c := range map[string]struct {
		label, value string
		kept         bool // Traefik keeps routers of stopped containers
		version      string
		published    bool
		problem      string
	}{
		"nothing":                        {label: "paastis.port", value: "8080", published: true},
		"a middleware's":                 {label: middleware + "retry.timeout", value: "5s", kept: true, published: true},
		"of a router that ends":          {label: middleware + "retry.timeout", value: "5s", problem: "traefik.docker.allownonrunning=true"},
		"of a router that ends, 3.6":     {label: middleware + "retry.timeout", value: "5s", version: "3.6.12", problem: "traefik.docker.allownonrunning=true"},
		"of a router that ends, 3.7":     {label: middleware + "retry.timeout", value: "5s", version: "3.7.1", published: true},
		"of a router that ends, 4.0":     {label: middleware + "retry.timeout", value: "5s", version: "v4.0.0-rc1", published: true},
		"a middleware's of tomorrow":     {label: middleware + "retry.tomorrow", value: "5s", version: "3.7.1", problem: "traefik.docker.allownonrunning=true"},
		"kept, of tomorrow":              {label: middleware + "retry.tomorrow", value: "5s", kept: true, published: true, problem: "may take requests that are another app's"},
		"a service's middleware":         {label: service + "middlewares", value: "again", published: true},
		"a load balancer's of tomorrow":  {label: service + "loadbalancer.tomorrow", value: "5s", published: true, problem: service + "loadbalancer.tomorrow\" on container \"solo-web-1\" is none that Traefik 3.7 or an older one can read"},
		"a router's of tomorrow":         {label: "traefik.http.routers.solo-web.guard", value: "x", problem: "traefik.http.routers.solo-web.guard"},
		"a TLS option of tomorrow":       {label: "traefik.http.routers.solo-web.tls.guard", value: "x", problem: "tls.guard"},
		"a service's of tomorrow":        {label: service + "guard", value: "x", problem: service + "guard"},
		"a value that nobody can read":   {label: service + "loadbalancer.passhostheader", value: "maybe", problem: "passhostheader"},
		"a middleware's that nobody can": {label: middleware + "retry.attempts", value: "many", kept: true, problem: "retry.attempts"},
	} {
		t.Run(name, func(t *testing.T) {
			app := solo().label("traefik.http.routers.solo-web.middlewares", "again,paastis").
				label(middleware+"retry.attempts", "2").label(c.label, c.value)
			if c.kept {
				app.label("traefik.docker.allownonrunning", "true")
			}
			s := settingsFor(t, "")
			s.TraefikVersion = c.version
			e := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app.app}}, s).Named("solo-web")
			if published := len(e.Routes) > 0; published != c.published {
				t.Errorf("published %t", published)
			}
			if problems := e.Problems.String(); c.problem == "" && problems != "" || !strings.Contains(problems, c.problem) {
				t.Errorf("problems %q, want %q", problems, c.problem)
			}
		})
	}
}

func TestAnAppWithOptionsOfALaterTraefikIsAskedAboutToo(t *testing.T) {
	for version, want := range map[string]bool{"": true, "3.7.13": true, "3.6.12": false} {
		app := solo().label("traefik.http.middlewares.again.retry.timeout", "5s").label("paastis.mode", "forwardauth").
			label("traefik.docker.allownonrunning", "true")
		s := settingsFor(t, "")
		s.TraefikVersion = version
		e := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app.app}}, s).Named("solo-web")
		if got := e.Routers[0].There(); got != want {
			t.Errorf("Traefik %q has its router: %t", version, got)
		}
	}
}

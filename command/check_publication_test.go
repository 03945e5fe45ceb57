package command

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
)

// edge is a Traefik with these arguments.
func edge(name string, args ...string) inventory.App {
	static, _ := traefik.ReadStatic(args, nil)
	return inventory.App{
		Name: name, Origin: `container "` + name + `"`, Labels: map[string]string{}, Protected: inventory.RunsTraefik, Traefik: &static,
		Instances: []inventory.Instance{{Name: name}},
	}
}

func TestCheckTellsWhichRoutersNoTraefikGets(t *testing.T) {
	const fetches = "--providers.http.endpoint=http://paastis:3000/traefik/config"
	app := web(func(a *inventory.App) { a.Labels["zone"], a.Labels["paastis.mode"] = "in", "direct" })
	outer := edge("outer", fetches, "--providers.docker.constraints=Label(`zone`,`out`)")
	for name, c := range map[string]struct {
		traefiks []inventory.App
		want     string // empty: nothing is told
	}{
		"the only one leaves it out": {[]inventory.App{outer}, "published to no Traefik (container \"outer\": the constraints of Traefik leave it out: Label(`zone`,`out`))"},
		"another one has it":         {[]inventory.App{outer, edge("inner", fetches, "--providers.docker", "--entrypoints.web.address=:80")}, ""},
		"nobody fetches":             {[]inventory.App{edge("outer", "--providers.docker.constraints=Label(`zone`,`out`)")}, ""},
		"what it has is in a file":   {[]inventory.App{edge("outer", "--configfile=/etc/t.yml")}, "set traefik.constraints, traefik.exposed_by_default and traefik.entry_points"},
		"its constraints are none":   {[]inventory.App{edge("outer", fetches, "--providers.docker.constraints=Label(")}, "none that it can read"},
	} {
		report := provider.Report{Apps: append([]inventory.App{app}, c.traefiks...)}
		var reported []inventory.Reported
		for _, a := range report.Apps {
			reported = append(reported, inventory.Reported{Provider: "docker", App: &a})
		}
		s := inventory.Settings{Middleware: "paastis"}
		told := strings.Join(lintTraefiks(inventory.Resolve(reported, s), report, s), "\n")
		if !strings.Contains(told, c.want) || (c.want == "") != (told == "") {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

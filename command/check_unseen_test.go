package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// blindTo is a provider that does not see the use of some apps, and says why.
type blindTo map[string]string

func (b blindTo) Unseen(name string, _ []uint16) string { return b[name] }

func TestCheckNamesEachAppWhoseUseCannotBeSeen(t *testing.T) {
	const yml = "rules:\n  - pattern: '.*'\n    enable: true\n  - pattern: careless\n    unseen: sleep\n"
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatal(err)
	}
	var apps []inventory.Reported
	for _, name := range []string{"hub", "careless", "web"} {
		apps = append(apps, inventory.Reported{Provider: "docker", App: &inventory.App{
			Name: name, Origin: "container \"" + name + "\"", Instances: []inventory.Instance{{Name: name}},
		}})
	}
	inv := inventory.Resolve(apps, inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"})
	got := unseenWarnings(inv, blindTo{"hub": "it is on the host's network; give Paastis pid: host", "careless": "likewise"})
	want := `app "hub" stays awake, for its use cannot be seen: it is on the host's network; give Paastis pid: host; or let it sleep without regard to what it has open by the label paastis.unseen=sleep (container "hub")`
	if len(got) != 1 || got[0] != want {
		t.Errorf("warnings %q\nwant %q", got, want)
	}
}

// refusing is a provider that lets nobody look at its apps.
type refusing struct{ err error }

func (r refusing) Measure(context.Context, string, provider.Want) (idle.Usage, error) {
	return idle.Usage{}, r.err
}

func TestCheckTellsThatAppsCannotBeLookedAt(t *testing.T) {
	set, err := rules.ParseFile("paastis.yml", []byte("rules: [{pattern: '.*', enable: true}]"))
	if err != nil {
		t.Fatal(err)
	}
	app := inventory.App{Name: "web", Origin: "container \"web\"", Instances: []inventory.Instance{{Name: "web", Status: inventory.Running}}}
	settings := inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"}
	inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &app}}, settings)
	got := refusedLook(t.Context(), inv, refusing{errors.New("403 not by this proxy")})
	if len(got) != 1 || !strings.Contains(got[0], `app "web" stays awake`) || !strings.Contains(got[0], "403 not by this proxy") || !strings.Contains(got[0], "/stats") {
		t.Errorf("warnings %q", got)
	}
	if got := refusedLook(t.Context(), inv, refusing{}); got != nil {
		t.Errorf("an app that can be looked at: %q", got)
	}
	if got := refusedLook(t.Context(), inv, refusing{fmt.Errorf("measure: %w", docker.ErrNotRunning)}); got != nil {
		t.Errorf("an app that was put to sleep before the look: %q", got)
	}
}

func TestExplainSaysWhatUseIsNotSeen(t *testing.T) {
	last := idle.Usage{Connections: idle.UnknownConnections, Unseen: "it is on the host's network"}
	for unseen, want := range map[rules.Unseen]string{
		rules.UnseenAwake: "until then it stays awake (unseen: awake)", rules.UnseenSleep: "it sleeps all the same (unseen: sleep)",
	} {
		p := rules.Defaults()
		p.Unseen = unseen
		got := strings.Join(useText(idle.Usage{}, last, 1, &inventory.Definition{Resolved: &p}), "\n")
		if !strings.Contains(got, "not seen     it is on the host's network; "+want) {
			t.Errorf("%s: %s", unseen, got)
		}
	}
}

func TestAnAppOnTheHostsNetworkMayHaveAnyNameOfTheMachine(t *testing.T) {
	for _, network := range []string{"host", "web"} {
		e := &inventory.Definition{App: &inventory.App{Name: "hub", Networks: []string{network}, Instances: []inventory.Instance{{Name: "hub"}}}}
		for _, url := range []string{"http://host.docker.internal:8123", "http://172.17.0.1:8123"} {
			if err := staticElsewhere(&inventory.Inventory{}, e, url); (err == nil) != (network == "host") {
				t.Errorf("on %s, %s: %v", network, url, err)
			}
		}
	}
}

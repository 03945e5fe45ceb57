package registry_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// unlabelled is a provider whose apps Traefik knows from Paastis alone, and are seen to be unused.
type unlabelled struct{ sampled }

func (unlabelled) TraefikProvider() string { return "" }

// onPlatform is an app of a platform, without labels but that of what it is there.
func onPlatform(name string) *registrytest.App {
	a := registrytest.NewApp(name)
	a.Labels, a.URL, a.Origin = map[string]string{"paastis.id": "id-" + name}, "https://"+name+".osc-fr1.scalingo.io", fmt.Sprintf("app %q", name)
	return a
}

// ruledBefore is ruled with a Traefik of which something is set.
func ruledBefore(t *testing.T, static traefik.Static, yml string, apps ...*registrytest.App) *registry.Registry {
	t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatal(err)
	}
	door := &frontDoor{}
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe: door.probe, Providers: []provider.Provider{unlabelled{sampled{registrytest.NewProvider(apps...)}}},
		Log: slog.New(slog.DiscardHandler), Settings: inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis", Traefik: static},
	}))
	synctest.Wait()
	return reg
}

// ruled runs a registry over apps of a platform that all answer, by rules.
func ruled(t *testing.T, yml string, apps ...*registrytest.App) *registry.Registry {
	t.Helper()
	return ruledBefore(t, traefik.Static{}, yml, apps...)
}

// published is the configuration that a Traefik gets.
type published struct {
	HTTP struct {
		Routers map[string]struct {
			Rule, Service string
			Priority      int
			EntryPoints   []string
			Middlewares   []string
			TLS           *struct{ CertResolver string }
		}
		Services map[string]struct {
			LoadBalancer struct {
				Servers        []struct{ URL string }
				PassHostHeader bool
			}
		}
	}
}

func publishedBy(t *testing.T, reg *registry.Registry) published {
	t.Helper()
	var p published
	if err := json.Unmarshal([]byte(fetch(reg)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOneRuleWithAHostRoutesFiveHundredAppsOfAPlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*registrytest.App
		for n := range 250 {
			apps = append(apps, onPlatform(fmt.Sprintf("pix-pr%d-front", n)), onPlatform(fmt.Sprintf("pix-pr%d-back", n)))
		}
		reg := ruled(t, `rules:
- pattern: '^pix-pr(\d+)-(front|back)$'
  linked_apps: [pix-pr$1-front, pix-pr$1-back]
  host: '{name}.apps.example.com'
`, apps...)
		fetch(reg)
		reg.Wake(reg.Named("pix-pr42-front"), false)
		time.Sleep(15 * time.Second)
		p, awake := publishedBy(t, reg), 0
		if len(p.HTTP.Routers) != 500 || len(p.HTTP.Services) != 500 {
			t.Fatalf("published are %d routers and %d services", len(p.HTTP.Routers), len(p.HTTP.Services))
		}
		for name, service := range p.HTTP.Services {
			if want := "Host(`" + name + ".apps.example.com`)"; p.HTTP.Routers[name].Rule != want {
				t.Errorf("%s has the rule %s", name, p.HTTP.Routers[name].Rule)
			}
			if r := p.HTTP.Routers[name]; r.Priority >= len(r.Rule) {
				t.Errorf("%s is published with %d, above a router of the same rule that somebody has written", name, r.Priority)
			}
			balancer := service.LoadBalancer
			switch at := balancer.Servers[0].URL; {
			case strings.HasPrefix(at, "http://paastis:3000"):
			case at == "https://"+name+".osc-fr1.scalingo.io" && !balancer.PassHostHeader && strings.HasPrefix(name, "pix-pr42-"):
				awake++
			default:
				t.Errorf("%s leads to %s, with the visitor's host: %t", name, at, balancer.PassHostHeader)
			}
		}
		if awake != 2 {
			t.Errorf("%d routes lead to their apps", awake)
		}
		req, _ := traefik.FromURL("https://pix-pr7-back.apps.example.com/a")
		if e := reg.Inventory().Find(&req); e == nil || e.Name != "pix-pr7-back" {
			t.Errorf("asked by Traefik, Paastis takes a request for %v", e)
		}
		if problems := reg.Health().Problems; len(problems) > 0 {
			t.Errorf("problems are %q", problems)
		}
	})
}

func TestARouterOfAHostIsPublishedAsItsRuleSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := ruled(t, "rules: [{pattern: '.*', host: '{name}.test', entry_points: websecure, cert_resolver: le, middlewares: [auth@file, gzip@file]}]", onPlatform("shop"))
		asleep := publishedBy(t, reg).HTTP.Routers["shop"]
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(15 * time.Second)
		awake := publishedBy(t, reg).HTTP.Routers["shop"]
		for state, r := range map[string][]string{"asleep": asleep.Middlewares[:2], "awake": awake.Middlewares} {
			if !slices.Equal(r, []string{"auth@file", "gzip@file"}) {
				t.Errorf("%s it has the middlewares %q", state, r)
			}
		}
		for _, r := range []struct {
			entryPoints []string
			resolver    string
		}{{asleep.EntryPoints, asleep.TLS.CertResolver}, {awake.EntryPoints, awake.TLS.CertResolver}} {
			if !slices.Equal(r.entryPoints, []string{"websecure"}) || r.resolver != "le" {
				t.Errorf("it is %+v", r)
			}
		}
		if plain := publishedBy(t, ruled(t, "rules: [{pattern: '.*', host: '{name}.test', tls: true}]", onPlatform("shop"))).HTTP.Routers["shop"]; plain.TLS == nil || plain.TLS.CertResolver != "" {
			t.Errorf("with tls alone it is %+v", plain)
		}
	})
}

func TestConstraintsOfTraefikAreNotAboutAppsThatHaveNoLabels(t *testing.T) {
	no := false
	constraints, err := traefik.ParseConstraint("Label(`zone`,`out`)")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		static := traefik.Static{Constraints: constraints, ExposedByDefault: &no}
		reg := ruledBefore(t, static, "rules: [{pattern: '.*', host: '{name}.test'}]", onPlatform("shop"))
		if p := publishedBy(t, reg); len(p.HTTP.Routers) != 1 {
			t.Errorf("published are %v, problems are %q", p.HTTP.Routers, reg.Health().Problems)
		}
	})
}

func TestWhatARuleSaysAnewOfAHostIsPublishedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := ruled(t, "rules: [{pattern: '.*', host: '{name}.test'}]", onPlatform("shop"))
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(15 * time.Second)
		was := fetch(reg)
		for _, more := range []string{"host: '{name}.example'", "host: '{name}.test', cert_resolver: le", "host: '{name}.test', tls: true", "host: '{name}.test', middlewares: auth@file", "host: '{name}.test', entry_points: web", "host: '{name}.test', pass_host: true", "host: ''"} {
			set, err := rules.ParseFile("paastis.yml", []byte("rules: [{pattern: '.*', "+more+"}]"))
			if err != nil {
				t.Fatal(err)
			}
			reg.Reload(inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"})
			synctest.Wait()
			if now := fetch(reg); now == was {
				t.Errorf("%s: it is %s", more, now)
			} else {
				was = now
			}
		}
	})
}

// An app that its platform does not let Paastis move is none that Paastis wakes or stops. Its route is
// still the only one that there is.
func TestAnAppThatIsLeftAloneIsReachedByItsHostAllTheSame(t *testing.T) {
	for _, why := range []reason.Kind{reason.NotAllowed, reason.UnknownState, reason.InMaintenance} {
		for _, awake := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, awake %t", why, awake), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					app := onPlatform("shop")
					app.Protected = why
					if awake {
						app.Awake()
					}
					reg := ruled(t, "rules: [{pattern: '.*', host: '{name}.test'}]", app)
					fetch(reg)
					time.Sleep(time.Minute)
					p := publishedBy(t, reg)
					servers := p.HTTP.Services["shop"].LoadBalancer.Servers
					if p.HTTP.Routers["shop"].Rule != "Host(`shop.test`)" || len(servers) != 1 || servers[0].URL != "https://shop.osc-fr1.scalingo.io" || p.HTTP.Services["shop"].LoadBalancer.PassHostHeader {
						t.Errorf("published is %+v", p)
					}
					if e := reg.Inventory().ByName["shop"]; e.Managed || e.Why.Kind != why {
						t.Errorf("managed: %t, %s", e.Managed, e.Why)
					}
				})
			})
		}
	}
}

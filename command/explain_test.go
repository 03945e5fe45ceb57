package command

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// emptyEngine is an engine that answers and has no container.
func emptyEngine(t *testing.T) {
	t.Helper()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.45")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/containers/json") {
			_, _ = w.Write([]byte("[]"))
		}
	}))
	t.Cleanup(engine.Close)
	t.Setenv("DOCKER_HOST", "tcp://"+engine.Listener.Addr().String())
}

func TestExplainTellsByWhatPropertyAnAppHasItsRouter(t *testing.T) {
	app := web(func(a *inventory.App) {
		a.Labels = map[string]string{"paastis.enable": "true", "paastis.host": "{name}.test"}
		a.URL = "https://web.scalingo.io"
	})
	got, err := explained(t, config.Loaded{}, "http://shop-web.test/", app)
	if err != nil || !strings.Contains(got, "shop-web") {
		t.Errorf("of its URL: %s, %v", got, err)
	}
	got, err = explained(t, config.Loaded{}, "shop-web", app)
	want := "\n  shop-web: Host(`shop-web.test`)\n    its own, by host (label paastis.host on container \"shop-web-1\"); Paastis publishes it in direct mode alone\n    reached at https://web.scalingo.io\n"
	if err != nil || !strings.Contains(got, want) {
		t.Errorf("lacks %q:\n%s, %v", want, got, err)
	}
}

func TestExplainTellsWhatTheRulesMakeOfAnAppThatNoProviderKnows(t *testing.T) {
	emptyEngine(t)
	path := file(t, "rules:\n  - pattern: 'pix-pr(\\d+)-(back|front)'\n    linked_apps: ['pix-pr$1-back']\n    max_idle_time: 30m\n")
	code, stdout, stderr := paastis(t, nil, "explain", "pix-pr42-front", "--config", path)
	if code != exitOK || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{`no provider knows an app "pix-pr42-front"`, "the rules alone", "managed: matched by", "paastis.yml:2", "30m", "pix-pr42-back: does not exist, skipped"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s", want, stdout)
		}
	}
	if code, stdout, _ = paastis(t, nil, "explain", "https://pix-pr42-front.example.com/", "--config", path); code != exitOK || !strings.Contains(stdout, "belongs to no known app") {
		t.Errorf("of a URL: exit %d: %s", code, stdout)
	}
}

// explained is what explain prints of a name, beside some apps.
func explained(t *testing.T, cfg config.Loaded, name string, apps ...inventory.App) (string, error) {
	t.Helper()
	noProvider(t) // nobody measures their use
	cfg.Provider, cfg.Traefik.Middleware = "docker", "paastis"
	if cfg.Defaults.Origins == nil {
		cfg.Defaults = rules.Defaults()
	}
	var reported []inventory.Reported
	for _, app := range apps {
		reported = append(reported, inventory.Reported{Provider: "docker", App: &app})
	}
	inv := inventory.Resolve(reported, cfg.RegistrySettings())
	var out strings.Builder
	var err error
	if strings.Contains(name, "/") {
		err = explainURL(t.Context(), cfg, inv, name, false, &out)
	} else {
		err = explainName(t.Context(), cfg, inv, name, false, &out)
	}
	return out.String(), err
}

func TestExplainSupposesAnAppBesideThoseThatThereAre(t *testing.T) {
	set, err := rules.ParseFile("paastis.yml", []byte("rules:\n  - pattern: '^shop-api$'\n    linked_apps: [shop-web]\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := explained(t, config.Loaded{Rules: set}, "shop-api", web(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`no provider knows an app "shop-api"`, "1. shop-web\n  2. shop-api"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if got, _ = explained(t, config.Loaded{}, "shop-wbe", web(nil)); !strings.Contains(got, "did you mean shop-web?") {
		t.Errorf("of a slip: %s", got)
	}
}

func TestExplainKnowsAnAppByTheNamesOfItsContainers(t *testing.T) {
	known := func(project string) inventory.App {
		return web(func(a *inventory.App) {
			a.Name, a.Stack, a.Aliases = project+"-web", project, []string{"web"}
			a.Instances = []inventory.Instance{{Name: project + "-web-1", ID: project}}
		})
	}
	for _, name := range []string{"shop-web", "shop-web-1", "web"} {
		if got, err := explained(t, config.Loaded{}, name, known("shop")); err != nil || !strings.HasPrefix(got, "app shop-web (") {
			t.Errorf("%s: %v %s", name, err, got)
		}
	}
	_, err := explained(t, config.Loaded{}, "web", known("shop"), known("blog"))
	if want := `containers of several apps are known as "web": blog-web, shop-web; write the name of one`; err == nil || err.Error() != want {
		t.Errorf("of two: %v, want %s", err, want)
	}
}

func TestExplainTellsWhichOfSeveralTraefiksRoutesAURL(t *testing.T) {
	runs := func(name string, flags ...string) inventory.App {
		static, _ := traefik.ReadStatic(append([]string{"--entrypoints.web.address=:80", "--providers.docker"}, flags...), nil)
		return inventory.App{
			Name: name, Origin: `container "` + name + `"`, Protected: inventory.RunsTraefik, Traefik: &static,
			Networks: []string{"apps"}, Instances: []inventory.Instance{{Name: name, ID: name}},
		}
	}
	inner := web(func(a *inventory.App) { a.Labels["zone"] = "in" })
	private, public := runs("private", "--providers.docker.constraints=Label(`zone`,`in`)"), runs("public", "--providers.docker.constraints=Label(`zone`,`out`)")
	hidden := runs("hidden")
	hidden.Traefik = &traefik.Static{Unread: "its command is a script"}
	got, err := explained(t, config.Loaded{}, "http://web.test/cart", inner, private, public, hidden)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`is for router "web"`,
		`Traefik on container "private": routes it to shop-web by router "web"`,
		`Traefik on container "public": has no router for it`,
		`Traefik on container "hidden": not known, for its command is a script`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if got, _ = explained(t, config.Loaded{}, "http://web.test/cart", inner, private); strings.Contains(got, "Traefik on") {
		t.Errorf("of one Traefik alone: %s", got)
	}
}

func TestExplainAndCheckTellOfRoutersThatAProviderGives(t *testing.T) {
	given := func(change func(*traefik.Router)) inventory.App {
		return web(func(a *inventory.App) {
			a.Labels = map[string]string{"paastis.enable": "true"}
			a.Routers = []traefik.Router{{Name: "front", Rule: "Host(`front.test`)"}}
			change(&a.Routers[0])
		})
	}
	for want, change := range map[string]func(*traefik.Router){
		"\n  front: Host(`front.test`)\n    its provider gives it; only in direct mode\n": func(*traefik.Router) {},
		"\n  front: Host(`front.test`)\n    its provider gives it; asks Paastis\n":        func(r *traefik.Router) { r.Middlewares = []string{"paastis@file"} },
		"in direct mode Paastis publishes shop-web.front\n":                               func(*traefik.Router) {},
	} {
		got, err := explained(t, config.Loaded{}, "shop-web", given(change))
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s, %v", want, got, err)
		}
		if problems := lintOf(t, false, given(change)); len(problems) > 0 {
			t.Errorf("problems are %q", problems)
		}
	}
	got, err := explained(t, config.Loaded{}, "http://front.test/", given(func(*traefik.Router) {}))
	if err != nil || !strings.Contains(got, "shop-web") {
		t.Errorf("of its URL: %s, %v", got, err)
	}
	if problems := lintOf(t, false, given(func(r *traefik.Router) { r.RuleSyntax = "v2" })); len(problems) != 1 || !strings.Contains(problems[0], `router "front" has ruleSyntax=v2`) {
		t.Errorf("problems are %q", problems)
	}
	other := given(func(*traefik.Router) {})
	other.Name, other.Origin, other.Routers = "blog-web", `container "blog-web-1"`, []traefik.Router{{Name: "front", Rule: "Host(`blog.test`)"}}
	if problems := lintOf(t, false, given(func(*traefik.Router) {}), other); len(problems) > 0 {
		t.Errorf("two apps of one router's name: problems are %q", problems)
	}
}

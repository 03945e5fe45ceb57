package command

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// Routers of an engine whose labels no Traefik reads, and names in its networks, have nothing to
// do with those of another engine.
func TestCheckWarnsOfNoNameThatTwoEnginesHave(t *testing.T) {
	near := web(func(a *inventory.App) {
		a.Networks, a.Aliases, a.Links = []string{"proxy"}, []string{"web"}, []rules.Link{{Name: "shop-db"}}
	})
	db := func(stack string) inventory.App {
		return inventory.App{
			Name: stack + "-db", Stack: stack, Origin: `container "` + stack + `-db-1"`, Ports: []uint16{5432},
			Instances: []inventory.Instance{{Name: stack + "-db-1", ID: stack + "d"}},
			Networks:  []string{"proxy"}, Aliases: []string{"db", stack + "-db-1"},
		}
	}
	far := web(func(a *inventory.App) {
		a.Name, a.Stack, a.Origin = "blog-web", "blog", `container "blog-web-1"`
		a.Instances = []inventory.Instance{{Name: "blog-web-1", ID: "id2"}}
		a.Labels["traefik.http.routers.web.rule"] = "Host(`blog.test`)"
		a.Labels["traefik.http.services.web.loadbalancer.server.url"] = "http://blog-web-1:8080"
		a.Networks, a.Aliases, a.Links = []string{"proxy"}, []string{"web"}, []rules.Link{{Name: "blog-db"}}
	})
	warnings := func(provider string) string {
		var reported []inventory.Reported
		here, there := []inventory.App{near, db("shop")}, []inventory.App{far, db("blog")}
		for i := range here {
			reported = append(reported, inventory.Reported{Provider: "docker", App: &here[i]},
				inventory.Reported{Provider: provider, Unread: provider != "docker", App: &there[i]})
		}
		inv := inventory.Resolve(reported, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
		return strings.Join(append(lintNames(inv), lintAmbiguities(inv)...), "\n")
	}
	if got := warnings("docker"); !strings.Contains(got, `router "web" is defined on`) || !strings.Contains(got, `"db"`) {
		t.Errorf("on one engine: %q", got)
	}
	if got := warnings("far"); got != "" {
		t.Errorf("on two engines: %q", got)
	}
}

func TestCheckTellsOfANameThatTwoStacksHaveInOneNetwork(t *testing.T) {
	stack := func(project string, change func(web, db *inventory.App)) []inventory.App {
		front := web(func(a *inventory.App) {
			a.Name, a.Stack, a.Origin = project+"-web", project, `container "`+project+`-web-1"`
			a.Instances = []inventory.Instance{{Name: project + "-web-1", ID: project + "w"}}
			a.Networks, a.Aliases = []string{project + "_default", "proxy"}, []string{"web", project + "-web-1"}
			for label, value := range a.Labels {
				delete(a.Labels, label)
				a.Labels[strings.ReplaceAll(label, ".web.", "."+project+".")] = strings.ReplaceAll(value, "web.test", project+".test")
			}
			a.Labels["traefik.http.services."+project+".loadbalancer.server.url"] = "http://" + project + "-web-1:8080"
		})
		front.Links = []rules.Link{{Name: project + "-db"}}
		db := inventory.App{
			Name: project + "-db", Stack: project, Origin: `container "` + project + `-db-1"`, Ports: []uint16{5432},
			Instances: []inventory.Instance{{Name: project + "-db-1", ID: project + "d"}},
			Networks:  []string{project + "_default", "proxy"}, Aliases: []string{"db", project + "-db-1"},
		}
		if change != nil {
			change(&front, &db)
		}
		return []inventory.App{front, db}
	}
	private := func(_, db *inventory.App) { db.Networks = db.Networks[:1] }
	for name, c := range map[string]struct {
		blog, shop func(web, db *inventory.App)
		want       string
	}{
		"both join it":        {nil, nil, `apps blog-db, shop-db are all known as "db" in the network proxy: its DNS answers with any of them, so app "blog-web" may get one of another stack`},
		"one keeps to itself": {private, nil, ""},
		"nobody asks for it": {
			func(_, db *inventory.App) { db.Networks = []string{"blog_default"} },
			func(_, db *inventory.App) { db.Networks = []string{"shop_default"} }, "",
		},
		"Traefik asks": {
			func(web, db *inventory.App) {
				private(web, db)
				web.Labels["traefik.http.services.blog.loadbalancer.server.url"] = "http://web:8080"
			}, private, `apps blog-web, shop-web are all known as "web" in the network proxy: its DNS answers with any of them, so Traefik, by a static server URL, may get`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := lintOf(t, true, append(stack("blog", c.blog), stack("shop", c.shop)...)...)
			told := ""
			for _, line := range got {
				if strings.Contains(line, "all known as") {
					told += line
				}
			}
			if c.want == "" && told != "" || !strings.Contains(told, c.want) {
				t.Errorf("got %q, want %q", told, c.want)
			}
			if told != "" && (!strings.Contains(told, `container "blog-`) || !strings.Contains(told, "let them leave that network")) {
				t.Errorf("no place or no cure: %q", told)
			}
		})
	}
}

func TestAPatternThatMatchesAnAppByAnotherNameIsToldSo(t *testing.T) {
	const unknown = "matches no known app"
	for name, c := range map[string]struct {
		rule   string
		change func(*inventory.App)
		want   string
	}{
		"its provider's, and the rule names it": {"pattern: '^shop-web$'\n    app_name: front", nil, ""},
		"the label's":                           {"pattern: '^front$'", func(a *inventory.App) { a.Labels["paastis.name"] = "front" }, ""},
		"its provider's beside the label's":     {"pattern: '^shop-web$'", func(a *inventory.App) { a.Labels["paastis.name"] = "front" }, `matches shop-web alone, which is another name of app "front"`},
		"with its provider":                     {"pattern: 'docker/shop-web'", nil, `matches docker/shop-web alone, which is another name of app "shop-web": patterns are tried on the latter; write that`},
		"its container's":                       {"pattern: 'shop-web-\\d'", nil, `matches shop-web-1 alone, which is another name of app "shop-web"`},
		"its service's":                         {"pattern: '^web$'", func(a *inventory.App) { a.Aliases = []string{"web"} }, `matches web alone`},
		"none":                                  {"pattern: '^blog$'", nil, unknown},
	} {
		set, err := rules.ParseFile("paastis.yml", []byte("rules:\n  - "+c.rule+"\n    max_idle_time: 1h\n"))
		if err != nil {
			t.Fatal(err)
		}
		inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: new(web(c.change))}}, inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"})
		got := strings.Join(inv.RuleWarnings(set), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || c.want != unknown && strings.Contains(got, unknown) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCheckTellsOfARouterOfAFileThatWakesNothing(t *testing.T) {
	unlabelled := web(func(a *inventory.App) { a.Labels = map[string]string{"paastis.enable": "true"} })
	for name, c := range map[string]struct {
		app                        inventory.App
		provider, rule, middleware string
		told                       bool
	}{
		"to a container without labels": {unlabelled, "file", "Host(`shop.test`) && PathPrefix(`/cart`)", "paastis@docker", true},
		"in a chain":                    {unlabelled, "file", "Host(`shop.test`)", "all@file", true},
		"to an app by its host's name":  {unlabelled, "file", "Host(`shop-web.test`)", "paastis@docker", false},
		"to what labels have as well":   {web(nil), "file", "Host(`web.test`)", "paastis@docker", false},
		"with the app's name":           {unlabelled, "file", "Host(`shop.test`)", "paastis@file", false},
		"without Paastis":               {unlabelled, "file", "Host(`shop.test`)", "login@file", false},
		"for any host":                  {unlabelled, "file", "PathPrefix(`/`)", "paastis@docker", false},
		"of labels":                     {unlabelled, "docker", "Host(`shop.test`)", "paastis@docker", false},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]string{
				"/api/version":      `{"Version":"3.6.12"}`,
				"/api/http/routers": fmt.Sprintf(`[{"name":"shop@file","provider":%q,"rule":%q,"middlewares":[%q],"service":"shop@file","status":"enabled"}]`, c.provider, c.rule, c.middleware),
				"/api/http/middlewares": `[{"name":"paastis@docker","provider":"docker","forwardAuth":{"address":"http://paastis:3000/auth"}},
					{"name":"paastis@file","provider":"file","forwardAuth":{"address":"http://paastis:3000/auth?app=shop-web"}},
					{"name":"login@file","provider":"file","basicAuth":{}},{"name":"all@file","provider":"file","chain":{"middlewares":["login@file","paastis@docker"]}}]`,
			}
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Path]) }))
			defer api.Close()
			inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &c.app}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
			got := strings.Join(checkAPI(t.Context(), config.Traefik{APIURL: api.URL, Middleware: "paastis"}, inv), "\n")
			if c.told != strings.Contains(got, `router "shop@file" asks Paastis about http://shop.test/`) || !c.told && got != "" {
				t.Errorf("told: %q", got)
			}
		})
	}
}

func TestCheckTellsOfAMiddlewareThatKeepsPaastisFromItsWork(t *testing.T) {
	const fine = "http://paastis:3000/auth"
	for name, c := range map[string]struct {
		address, option, value string
		want                   string
	}{
		"in order":             {fine, "maxresponsebodysize", "4096", ""},
		"with an app's name":   {fine + "?app=shop", "maxresponsebodysize", "65536", ""},
		"a short answer":       {fine, "maxresponsebodysize", "1024", "it takes no answer of more than 1024 bytes, and a waiting page may have 4096: visitors get 401 in its place; set traefik.http.middlewares.paastis.forwardauth.maxresponsebodysize=4096"},
		"few headers":          {fine, "authrequestheaders", "Accept, cookie,authorization", "it tells Paastis nothing of the headers Content-Type, Origin,"},
		"all that it needs":    {fine, "authrequestheaders", strings.ToLower(strings.Join(toldHeaders, ",")), ""},
		"the body as well":     {fine, "forwardbody", "true", "remove traefik.http.middlewares.paastis.forwardauth.forwardbody"},
		"no path":              {"http://me:secret@paastis:3000?token=secret", "maxresponsebodysize", "4096", "its address http://paastis:3000 is not that of Paastis's /auth"},
		"a path of another's":  {"http://paastis:3000/verify", "maxresponsebodysize", "4096", "so every app that uses it answers 404 or worse"},
		"a slash behind it":    {fine + "/", "maxresponsebodysize", "4096", "is not that of Paastis's /auth"},
		"over TLS as the docs": {"https://paastis:3443/auth", "tls.insecureskipverify", "true", ""},
	} {
		paastis := inventory.App{
			Name: "paastis", Origin: `container "paastis"`, Instances: []inventory.Instance{{Name: "paastis", ID: "p"}},
			Labels: map[string]string{
				"traefik.http.middlewares.paastis.forwardauth.address":     c.address,
				"traefik.http.middlewares.paastis.forwardauth." + c.option: c.value,
			},
		}
		inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: &paastis}, {Provider: "docker", App: new(web(nil))}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
		got := strings.Join(lintAsking(inv, "paastis"), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got != "" && (!strings.HasSuffix(got, `(container "paastis")`) || strings.Contains(got, "\n")) {
			t.Errorf("%s: no line that says where: %q", name, got)
		}
	}
}

func TestCheckTellsThatNobodyDefinesTheMiddleware(t *testing.T) {
	const address = "traefik.http.middlewares.paastis.forwardauth.address"
	unlabelled := inventory.App{Name: "paastis", Origin: `container "paastis"`, Protected: inventory.IsPaastis, Instances: []inventory.Instance{{Name: "paastis", ID: "p"}}}
	disabled := unlabelled
	disabled.Labels = map[string]string{"traefik.enable": "false", address: "http://paastis:3000/auth"}
	labelled := unlabelled
	labelled.Labels = map[string]string{address: "http://paastis:3000/auth"}
	enabled := unlabelled
	enabled.Labels = map[string]string{"traefik.enable": "true", address: "http://paastis:3000/auth"}
	ofFile := func(a *inventory.App) { a.Labels["traefik.http.routers.web.middlewares"] = "paastis@file" }
	for name, c := range map[string]struct {
		paastis         *inventory.App
		change          func(*inventory.App)
		fetches, hidden bool
		told            string
	}{
		"none defines it":          {&unlabelled, nil, false, false, `which no label defines`},
		"who does is disabled":     {&disabled, nil, false, false, `which no label defines`},
		"Paastis does":             {&labelled, nil, false, false, ""},
		"it is of a file":          {&unlabelled, ofFile, false, false, ""},
		"Traefik fetches routes":   {&unlabelled, nil, true, false, ""},
		"Paastis runs elsewhere":   {nil, nil, false, false, ""},
		"the app in direct mode":   {&unlabelled, func(a *inventory.App) { a.Labels["paastis.mode"] = "direct" }, false, false, ""},
		"Traefik does not have it": {&labelled, nil, false, true, "by its constraints, its exposedByDefault=false or an option that it cannot read"},
		"enabled, it has":          {&enabled, nil, false, true, ""},
		"an app that asks nothing": {&unlabelled, func(a *inventory.App) { delete(a.Labels, "traefik.http.routers.web.middlewares") }, false, false, ""},
	} {
		settings := inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"}
		if exposed := false; c.hidden {
			settings.Traefik.ExposedByDefault = &exposed
		}
		reported := []inventory.Reported{{Provider: "docker", App: new(web(c.change))}}
		if c.paastis != nil {
			reported = append(reported, inventory.Reported{Provider: "docker", App: c.paastis})
		}
		inv := inventory.Resolve(reported, settings)
		got := strings.Join(lintUndefined(inv, []traefik.Static{{Fetches: c.fetches}}, "paastis"), "\n")
		if c.told == "" && got != "" || c.told != "" && !strings.HasPrefix(got, `router "web" uses the middleware "paastis", which `) || !strings.Contains(got, c.told) {
			t.Errorf("%s: %q, want %q", name, got, c.told)
		}
	}
}

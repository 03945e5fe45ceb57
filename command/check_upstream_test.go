package command

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
)

// at is an app, shop, that a platform has at a URL. It runs, and is up.
func at(url string) inventory.App {
	a := onPlatform("shop")
	a.URL = url
	a.Instances[0].Status, a.Instances[0].Health = inventory.Running, inventory.Healthy
	return a
}

// asleep is the app while nothing of it runs.
func asleep(a inventory.App) inventory.App {
	a.Instances = []inventory.Instance{{Name: "shop", ID: "shop"}}
	return a
}

// lookedAt are the warnings of what answers at the URL of an app with the host shop.test.
func lookedAt(t *testing.T, by *registrytest.Authority, app inventory.App) string {
	t.Helper()
	inv := byRules(t, "rules: [{pattern: '.*', host: '{name}.test'}]", []inventory.App{app})
	return strings.Join(upstreams{ways: ways{inv: inv}, roots: by.Pool()}.lint(t.Context(), inv), "\n")
}

func TestCheckTellsWhereTheURLOfAnAppLeadsItsVisitors(t *testing.T) {
	authority, to, code := registrytest.NewAuthority(), "", http.StatusMovedPermanently
	s := authority.Serve(t, "localhost", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.ReplaceAll(to, "{self}", r.Host))
		w.WriteHeader(code)
	}))
	url := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	host := strings.TrimPrefix(url, "https://")
	for _, c := range []struct {
		code     int
		to, want string
	}{
		{301, "https://shop.test/", `app "shop": its URL {url} answers 301 to https://shop.test/, which Traefik leads to that very URL, so its visitors go in circles; let that host not be the canonical one at the platform, or let the platform be asked for it by pass_host: true (app "shop")`},
		{302, "https://shop.test/?a=b", `app "shop": its URL {url} answers 302 to https://shop.test/, which Traefik leads to that very URL, so`},
		{301, "http://www.example.com", `app "shop": its URL {url} answers 301 to http://www.example.com, which no router has, so its visitors leave Traefik there, and Paastis sees nothing of them; let that host not be the canonical one at the platform, or lead it to Traefik and give it to the app by host (app "shop")`},
		{307, "https://{self}/", `app "shop": its URL {url} answers 307 to https://{self}/, which is itself, so its visitors go in circles; mend the app, which may take X-Forwarded-Proto or X-Forwarded-Host for wrong (app "shop")`},
		{302, "https://www.example.com/", ""},
		{301, "https://www.example.com/login", ""},
		{301, "https://shop.test/fr", ""},
		{302, "/login", ""},
		{302, "https://{self}/login", ""},
		{301, "", ""},
		{200, "https://shop.test/", ""},
		{503, "https://shop.test/", ""},
	} {
		code, to = c.code, c.to
		want := strings.NewReplacer("{url}", url, "{self}", host).Replace(c.want)
		if got := lookedAt(t, authority, at(url)); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%d to %s:\n%s\nwant\n%s", c.code, c.to, got, want)
		}
	}
}

func TestCheckTellsOfAURLThatNobodyReaches(t *testing.T) {
	authority := registrytest.NewAuthority()
	fine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	local := func(by *registrytest.Authority, name string) string {
		return strings.Replace(by.Serve(t, name, fine).URL, "127.0.0.1", "localhost", 1)
	}
	for url, want := range map[string]string{
		local(authority, "localhost"):                   "",
		"https://shop.platform.invalid":                 `app "shop": its URL https://shop.platform.invalid cannot be resolved: `,
		local(registrytest.NewAuthority(), "localhost"): `app "shop": the certificate of its URL https://localhost:`,
		local(authority, "shop.example.com"):            `app "shop": the certificate of its URL https://localhost:`,
		"https://localhost:1":                           `app "shop": nobody is reached at its URL https://localhost:1: `,
		"http://localhost:1":                            `app "shop": nobody is reached at its URL http://localhost:1: `,
	} {
		for state, app := range map[string]inventory.App{"awake": at(url), "asleep": asleep(at(url))} {
			if got := lookedAt(t, authority, app); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
				t.Errorf("%s, %s: %s", url, state, got)
			}
		}
	}
}

func TestCheckAsksNothingOfAnAppThatDoesNotRun(t *testing.T) {
	authority := registrytest.NewAuthority()
	var asked atomic.Int32
	s := authority.Serve(t, "localhost", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	app := asleep(at(strings.Replace(s.URL, "127.0.0.1", "localhost", 1)))
	booting, none := app, app
	booting.Instances = []inventory.Instance{{Name: "shop", Status: inventory.Running, Health: inventory.HealthStarting}}
	none.Instances = nil
	for _, a := range []inventory.App{app, booting, none} {
		if got := lookedAt(t, authority, a); got != "" || asked.Load() > 0 {
			t.Errorf("%+v: asked %d times, told %q", a.Instances, asked.Load(), got)
		}
	}
}

func TestCheckAsksTheURLOfAnAppAsTraefikDoes(t *testing.T) {
	authority := registrytest.NewAuthority()
	came := make(chan string, 1)
	s := authority.Serve(t, "localhost", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- r.Method + " " + r.Host + r.URL.Path + " " + r.Header.Get("X-Forwarded-Proto") + "://" + r.Header.Get("X-Forwarded-Host") + " " + r.UserAgent()
	}))
	url := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for rule, host := range map[string]string{"host: shop.test": strings.TrimPrefix(url, "https://"), "host: shop.test, pass_host: true": "shop.test"} {
		inv := byRules(t, "rules: [{pattern: '.*', "+rule+"}]", []inventory.App{at(url)})
		upstreams{ways: ways{inv: inv}, roots: authority.Pool()}.lint(t.Context(), inv)
		if got, want := <-came, "GET "+host+"/ https://shop.test Paastis"; got != want {
			t.Errorf("%s: asked as %q, want %q", rule, got, want)
		}
	}
}

func TestCheckSaysNothingOfURLsWhereNoAppHasOne(t *testing.T) {
	if got := checkHosted(t.Context(), config.Traefik{APIURL: "http://127.0.0.1:1"}, byRules(t, allManaged, nil, web(nil))); got != nil {
		t.Errorf("told %q", got)
	}
}

package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// reachedBy makes an app one that is reached by a URL, whatever its labels say of its ports.
func (a *played) reachedBy(url string) *played {
	a.app.URL = url
	delete(a.app.Labels, "traefik.http.services."+a.app.Name+".loadbalancer.server.url")
	return a.label("paastis.port", "8080")
}

func TestAnAppOfAURLIsReachedAtThatAlone(t *testing.T) {
	for said, want := range map[string]struct {
		url    string
		scheme string
		port   uint16
	}{
		"https://pr1-front.osc-fr1.scalingo.io":  {"https://pr1-front.osc-fr1.scalingo.io", "https", 443},
		"https://Shop.Example.com./":             {"https://shop.example.com", "https", 443},
		"HTTPS://shop.example.com:443":           {"https://shop.example.com", "https", 443},
		"https://shop.example.com:8443/":         {"https://shop.example.com:8443", "https", 8443},
		"http://shop_1.internal":                 {"http://shop_1.internal", "http", 80},
		"http://10.1.2.3:8080":                   {"http://10.1.2.3:8080", "http", 8080},
		"https://[2001:db8::1]":                  {"https://[2001:db8::1]", "https", 443},
		"https://[2001:DB8::1]:8443":             {"https://[2001:db8::1]:8443", "https", 8443},
		"https://xn--schn-7qa.example.com:00443": {"https://xn--schn-7qa.example.com", "https", 443},
	} {
		a := solo().reachedBy(said)
		a.app.Ports, a.app.Networks = []uint16{3000}, []string{"inner"}
		paastis := service("infra", "paastis")
		paastis.app.Protected, paastis.app.Networks = inventory.IsPaastis, []string{"web"}
		e := resolved(t, a, paastis).Named("solo-web")
		if len(e.Problems) > 0 || e.URL == nil || e.URL.String() != want.url {
			t.Errorf("%s is read as %v: %s", said, e.URL, e.Problems)
			continue
		}
		at := []uint16{want.port}
		if e.Port() != want.port || !slices.Equal(e.Targets().Ports(), at) || !slices.Equal(e.VisitedPorts(), at) || e.Targets().GuessesPort() {
			t.Errorf("%s: it listens at %d, probed at %d, visited at %d, guessed %t", said, e.Port(), e.Targets().Ports(), e.VisitedPorts(), e.Targets().GuessesPort())
		}
		if len(e.Routes) != 1 || e.Routes[0].Scheme != want.scheme || e.Routes[0].Port != want.port {
			t.Errorf("%s: it has the routes %+v", said, e.Routes)
		}
		if e.Apart {
			t.Errorf("%s: it is apart, though it is in no network that counts", said)
		}
		if got := e.Targets().ReachedAt(8080); got != want.url {
			t.Errorf("%s: explained as reached at %q", said, got)
		}
	}
}

func TestAURLThatCannotBeOneIsToldWithoutWhatIsSecretInIt(t *testing.T) {
	for said, want := range map[string]string{
		"https://bob:hunter2@shop.example.com": "has a user in it",
		"https://hunter2@shop.example.com":     "has a user in it",
		"https://bob:hunt er2@shop":            "cannot be read",
		"bob:hunter2@shop.example.com":         "begins with neither",
		"//bob:hunter2@shop.example.com":       "has a user in it",
		"shop.example.com":                     "begins with neither",
		"ftp://shop.example.com":               "(ftp://shop.example.com…) begins with neither",
		"https:shop.example.com":               "has no host",
		"https://":                             "has no host",
		"https://.":                            "has no host",
		"https://:8443":                        "has no host",
		"https://schön.example.com":            "has no host that one can ask for",
		"https://[fe80::1%25eth0]":             "has no host",
		"https://shop.example.com:0":           "has a port that is none",
		"https://shop.example.com:65536":       "has a port that is none",
		"https://shop.example.com/api/hunter2": "(https://shop.example.com…) has a path",
		"https://shop.example.com?key=hunter2": "has more behind its host",
		"https://shop.example.com/#hunter2":    "has more behind its host",
		"https://shop.example.com?":            "has more behind its host",
		" https://shop.example.com":            "cannot be read",
	} {
		e := resolved(t, solo().reachedBy(said)).Named("solo-web")
		told := e.Problems.String()
		for _, part := range []string{want, `app "solo-web"`, `container "solo-web-1"`, "correct it at the provider"} {
			if !strings.Contains(told, part) {
				t.Errorf("%s: %q does not say %q", said, told, part)
			}
		}
		if len(e.Problems) != 1 || e.Problems[0].Kind != inventory.URLUnreadable || strings.Contains(told, "hunt") || strings.Contains(told, "bob") {
			t.Errorf("%s: told as %+v", said, e.Problems)
		}
		if e.URL != nil || len(e.Routes) > 0 {
			t.Errorf("%s: it is reached at %v by the routes %v", said, e.URL, e.Routes)
		}
	}
}

func TestAReportOfAnotherURLIsOfAnotherDefinition(t *testing.T) {
	was, is := solo().reachedBy("https://shop.example.com").app, solo().reachedBy("https://shop.example.com").app
	if !inventory.SameDefinition(&was, &is) {
		t.Error("two reports of one URL differ")
	}
	if is.URL = "https://shop-2.example.com"; inventory.SameDefinition(&was, &is) {
		t.Error("two URLs are the same")
	}
	if is.ShareDefinition(&was); is.URL != was.URL {
		t.Errorf("what it shares leads to %q", is.URL)
	}
}

func TestAnAppOfAPlatformIsFoundByItsIDThereUnlessAnotherIsCalledSo(t *testing.T) {
	const url = "https://shop.cleverapps.io"
	inv := inventory.Resolve([]inventory.Reported{
		{Provider: "here", App: &inventory.App{Name: "shop", URL: url, Aliases: []string{"app_1", "app_2"}}},
		{Provider: "here", App: &inventory.App{Name: "app_2", URL: url}},
		{Provider: "here", App: &inventory.App{Name: "db", Aliases: []string{"app_3"}}},
	}, inventory.Settings{Defaults: rules.Defaults()})
	for name, want := range map[string]string{"app_1": "shop", "app_2": "app_2", "app_3": ""} {
		got := ""
		if e := inv.Named(name); e != nil {
			got = e.Name
		}
		if got != want {
			t.Errorf("by %s one finds %q, not %q", name, got, want)
		}
	}
}

package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/traefik"
)

// relocated is what becomes of a header for a visitor of https://shop.apps.example.com, by an
// app at https://shop.osc-fr1.scalingo.io.
func relocated(t *testing.T, name, value string) string {
	t.Helper()
	return relocatedFor(t, "https://shop.osc-fr1.scalingo.io", "https://shop.apps.example.com/a", name, value)
}

func relocatedFor(t *testing.T, upstream, asked, name, value string) string {
	t.Helper()
	at, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	request, err := traefik.FromURL(asked)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{name: {value}}
	newRelocation(at, &request).apply(h)
	return h.Get(name)
}

func TestARedirectToTheURLOfAnAppLeadsToWhereItsVisitorIs(t *testing.T) {
	t.Parallel()
	const here = "https://shop.apps.example.com"
	for location, want := range map[string]string{
		"https://shop.osc-fr1.scalingo.io/a%2Fb?c=%20d#e":  here + "/a%2Fb?c=%20d#e",
		"https://shop.osc-fr1.scalingo.io":                 here,
		"https://shop.osc-fr1.scalingo.io?a":               here + "?a",
		"http://shop.osc-fr1.scalingo.io/":                 here + "/",
		"https://SHOP.osc-fr1.scalingo.io.:443/":           here + "/",
		"//shop.osc-fr1.scalingo.io/a":                     here + "/a",
		"/a//shop.osc-fr1.scalingo.io/":                    "/a//shop.osc-fr1.scalingo.io/",
		"login?next=https://shop.osc-fr1.scalingo.io/":     "login?next=https://shop.osc-fr1.scalingo.io/",
		"https://shop.osc-fr1.scalingo.io:8443/":           "https://shop.osc-fr1.scalingo.io:8443/",
		"https://other.osc-fr1.scalingo.io/":               "https://other.osc-fr1.scalingo.io/",
		"https://a.shop.osc-fr1.scalingo.io/":              "https://a.shop.osc-fr1.scalingo.io/",
		"https://sso.example.com/?at=https://shop.osc-fr1": "https://sso.example.com/?at=https://shop.osc-fr1",
		"https://me@shop.osc-fr1.scalingo.io/":             "https://me@shop.osc-fr1.scalingo.io/",
		"ftp://shop.osc-fr1.scalingo.io/":                  "ftp://shop.osc-fr1.scalingo.io/",
		"https://[/":                                       "https://[/",
		"":                                                 "",
	} {
		for _, name := range []string{"Location", "Content-Location"} {
			if got := relocated(t, name, location); got != want {
				t.Errorf("%s: %s leads to %s, want %s", name, location, got, want)
			}
		}
	}
	if got := relocatedFor(t, "https://shop.example.net:8443", "http://shop.test:8080/", "Location", "https://shop.example.net:8443/a"); got != "http://shop.test:8080/a" {
		t.Errorf("with ports and by HTTP: %s", got)
	}
}

func TestAPageThatLeadsOnToTheURLOfItsAppLeadsToWhereItsVisitorIs(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"5": "5",
		"5; url=https://shop.osc-fr1.scalingo.io/a":  "5; url=https://shop.apps.example.com/a",
		`0;URL="https://shop.osc-fr1.scalingo.io/a"`: `0;URL="https://shop.apps.example.com/a"`,
		"5; url=https://other.osc-fr1.scalingo.io/a": "5; url=https://other.osc-fr1.scalingo.io/a",
		"5; url=/shop.osc-fr1.scalingo.io":           "5; url=/shop.osc-fr1.scalingo.io",
	} {
		if got := relocated(t, "Refresh", value); got != want {
			t.Errorf("%s becomes %s, want %s", value, got, want)
		}
	}
}

func TestACookieOfTheURLOfAnAppIsOneThatTheVisitorsBrowserKeeps(t *testing.T) {
	t.Parallel()
	for cookie, want := range map[string]string{
		"a=b; Path=/; HttpOnly":                                "a=b; Path=/; HttpOnly",
		"a=b; Domain=shop.osc-fr1.scalingo.io; Path=/":         "a=b; Path=/",
		"a=b; path=/; domain=.Osc-fr1.Scalingo.IO":             "a=b; path=/",
		"a=b; Secure;DOMAIN = scalingo.io":                     "a=b; Secure",
		"a=b; Domain=example.com":                              "a=b; Domain=example.com",
		"a=b; Domain=apps.example.com":                         "a=b; Domain=apps.example.com",
		"a=b; Domain=other.osc-fr1.scalingo.io":                "a=b; Domain=other.osc-fr1.scalingo.io",
		"a=b; Domain=calingo.io":                               "a=b; Domain=calingo.io",
		"Domain=shop.osc-fr1.scalingo.io; Path=/":              "Domain=shop.osc-fr1.scalingo.io; Path=/",
		"a=b; Domain=; Path=/":                                 "a=b; Domain=; Path=/",
		"a=\"Domain=x\"; Domain=shop.osc-fr1.scalingo.io; X=1": "a=\"Domain=x\"; X=1",
	} {
		if got := relocated(t, "Set-Cookie", cookie); got != want {
			t.Errorf("%s becomes %s, want %s", cookie, got, want)
		}
	}
	const shared = "a=b; Domain=example.com"
	if got := relocatedFor(t, "https://shop.up.example.com", "https://shop.example.com/", "Set-Cookie", shared); got != shared {
		t.Errorf("of a domain that both are in it becomes %s", got)
	}
}

func TestWhatAnAppSaysOfItsURLLeadsBackWhilePaastisCarries(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://"+r.Host+"/b")
		w.Header().Add("Set-Cookie", "a=b; Domain=localhost; Path=/")
		w.Header().Add("Set-Cookie", "c=d; Domain=example.com")
		w.Header().Set("X-Said", r.Header.Get("X-Forwarded-Proto")+" "+r.Header.Get("X-Forwarded-Host"))
		if r.Header.Get("Upgrade") == "" {
			w.WriteHeader(http.StatusFound)
			return
		}
		if c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}); err == nil {
			defer c.CloseNow()
			_, _, _ = c.Read(r.Context())
		}
	})
	s := onSockets(t, app)
	for lines, want := range map[string]string{
		"X-Forwarded-Proto: https|X-Forwarded-Host: shop.test": "https shop.test",
		"X-Unknown: 1": "http shop.test",
	} {
		resp := do(t, s.to("POST", "/a", nil, strings.Split(lines, "|")...))
		scheme, _, _ := strings.Cut(want, " ")
		if got := resp.Header.Get("Location"); got != scheme+"://shop.test/b" {
			t.Errorf("%s: it leads to %s, its own being %s", lines, got, app.URL)
		}
		if got := resp.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"a=b; Path=/", "c=d; Domain=example.com"}) {
			t.Errorf("%s: cookies are %q", lines, got)
		}
		if got := resp.Header.Get("X-Said"); got != want {
			t.Errorf("%s: it hears of %q", lines, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, s.url+"/.paastis/"+registrytest.Mark("shop")+"/chat", &websocket.DialOptions{Host: "shop.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if location, cookie := resp.Header.Get("Location"), resp.Header.Get("Set-Cookie"); location != "http://shop.test/b" || cookie != "a=b; Path=/" {
		t.Errorf("of a WebSocket: it leads to %s, with the cookie %s", location, cookie)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
}

func TestWhatAContainerSaysOfHostsStays(t *testing.T) {
	var own string
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		own = "http://" + r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() + "/b"
		w.Header().Set("Location", own)
		w.Header().Set("Set-Cookie", "a=b; Domain=test")
		w.WriteHeader(http.StatusFound)
	}).Awake())
	resp := do(t, s.to("GET", "/", nil, "X-Forwarded-Proto: https"))
	if location, cookie := resp.Header.Get("Location"), resp.Header.Get("Set-Cookie"); location != own || cookie != "a=b; Domain=test" {
		t.Errorf("it leads to %s, with the cookie %s", location, cookie)
	}
}

func TestAPlatformThatKnowsTheVisitorsHostIsAskedForIt(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://localhost/b")
		fmt.Fprintf(w, "%s %s %s", r.TLS.ServerName, r.Host, r.Header.Get("X-Forwarded-Host"))
	}).Label("paastis.pass_host", "true")
	resp := do(t, onSockets(t, app).to("GET", "/", nil))
	if got := read(t, resp.Body); got != "localhost shop.test " || resp.Header.Get("Location") != "https://localhost/b" {
		t.Errorf("it is asked for %q, and leads to %s", got, resp.Header.Get("Location"))
	}
}

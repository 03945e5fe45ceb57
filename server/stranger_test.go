package server

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/traefik"
)

// A stranger is somebody whom a proxy leads to Paastis itself, or who is on a network of an
// app: not Traefik with a question, and not by a published route.

// marksOfStrangers are those that one could make up or find in an old log.
func marksOfStrangers() []string {
	mark := registrytest.Mark("shop")
	tag, _, _ := strings.Cut(mark, ".")
	return []string{
		"", "shop", "nobody", ".shop", "x.shop", strings.Repeat("A", len(tag)) + ".shop", strings.Repeat("A", len(tag)) + ".nobody",
		tag, tag + ".", tag + ".blog", tag + ".nobody", tag + "..shop", tag + ".shop.", tag + ".SHOP", tag + "%2Eshop", tag + ".sho%70",
		tag[1:] + ".shop", tag + "A.shop", strings.ToUpper(tag) + ".shop", registrytest.Mark("blog")[:len(tag)] + ".shop",
		"%41%41%41", strings.Repeat("%41", 200), strings.ReplaceAll(mark, ".", "/"), "shop/" + mark, "../" + mark, "./" + mark, "%2e/" + mark,
	}
}

// headersOfStrangers could make Paastis take one for Traefik, or for somebody else.
var headersOfStrangers = [][]string{
	nil,
	{browser},
	{"X-Paastis-Poll: 1"}, {"X-Paastis-Retry: 1", "X-Paastis-Poll: failed"},
	{"X-Forwarded-Host: shop.test"}, {"X-Forwarded-Prefix: /.paastis/" + registrytest.Mark("shop")},
	{"X-Replaced-Path: /.paastis/" + registrytest.Mark("shop") + "/"},
	{"Upgrade: websocket", "Connection: Upgrade", "Sec-Websocket-Key: x"},
	{"Sec-Purpose: prefetch"}, {"Authorization: Bearer " + registrytest.Mark("shop")},
	{"method POST"}, {"method HEAD"}, {"method OPTIONS"}, {"method PAASTIS"},
}

func TestWhoHasNoMarkOfARouteLearnsNothing(t *testing.T) {
	for _, state := range []string{"awake", "asleep", "starting", "stopping", "failed"} {
		synctest.Test(t, func(t *testing.T) {
			s := routedInState(t, state)
			for _, mark := range marksOfStrangers() {
				for _, lines := range headersOfStrangers {
					for _, path := range []string{"", "/", "/admin?x", "*"} {
						r := stranger("shop.test", "/.paastis/"+mark+path, lines)
						s.wantNothing(t, r, stranger("shop.test", "/nothing", lines))
					}
				}
			}
			if got := s.Took(); got != "-" {
				t.Errorf("%s: orders %s", state, got)
			}
		})
	}
}

// stranger is a request with a path that is written as it is. Lines are as for come.
func stranger(host, path string, lines []string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
	raw, query, _ := strings.Cut(path, "?")
	u, err := url.Parse("http://" + host + strings.TrimSuffix(raw, "*"))
	if err != nil {
		panic(err)
	}
	if strings.HasSuffix(raw, "*") {
		u.Path += "*"
	}
	u.RawQuery = query
	r.URL = u
	for _, line := range lines {
		if method, ok := strings.CutPrefix(line, "method "); ok {
			r.Method = method
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// wantNothing fails the test unless a request is answered as one for a path that is none.
func (s *testServer) wantNothing(t *testing.T, r, none *http.Request) {
	t.Helper()
	got, want := s.answer(r), s.answer(none)
	if got.Code != http.StatusNotFound || got.Body.String() != want.Body.String() || !maps.EqualFunc(got.Header(), want.Header(), func(a, b []string) bool {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}) {
		t.Errorf("%s %s %v: %d %v %s, want %d %v %s", r.Method, r.URL, r.Header, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
	}
}

func TestAMarkOpensNoOtherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop"), routed("blog"))
		for _, host := range []string{"blog.test", "paastis-infra", "paastis:3000", "192.0.2.1"} {
			for _, lines := range headersOfStrangers {
				r := stranger(host, "/.paastis/"+registrytest.Mark("shop")+"/", lines)
				s.wantNothing(t, r, stranger(host, "/nothing", lines))
			}
		}
		if got := s.Took(); got != "-" {
			t.Errorf("orders %s", got)
		}
		if s.log.count(registrytest.Mark("shop")) > 0 {
			t.Error("the mark is in the log")
		}
		if n := s.log.count("level=WARN msg=\"request refused that has the mark"); n != 1 {
			t.Errorf("its owner is told %d times", n)
		}
	})
}

func TestWhoComesByARouteOfThePaastisBeforeIsSentThereAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginOn(t, nil, routed("shop"))
		synctest.Wait()
		by := netip.MustParseAddr("10.0.0.2")
		time.AfterFunc(3*time.Second, func() {
			s.registry.Publisher().Sends(s.registry.Publisher().Publish(by, "http://paastis:3000").Version)
		})
		for _, name := range []string{"shop", "nobody"} { // which the route may have been called
			began := time.Now()
			r := stranger("shop.test", "/.paastis/"+registrytest.Mark(name)+"/a%2Fb?c", []string{"X-Forwarded-Proto: https", "method POST"})
			w := s.answer(r)
			if to := w.Header().Get("Location"); gist(w) != "307 starting" || to != "https://shop.test/a%2Fb?c" {
				t.Errorf("%s: %s to %q", name, gist(w), to)
			}
			if took := time.Since(began); took < time.Second || took > 6*time.Second {
				t.Errorf("%s: after %s", name, took)
			}
		}
		if w := s.answer(come("shop", "/", "X-Forwarded-Prefix: /x")); gist(w) != "503 problem starting" || w.Header().Get("Refresh") != "1" {
			t.Errorf("behind a middleware: %s", gist(w))
		}
		for _, host := range []string{"paastis-infra", "nobody.test", "paastis:3000"} {
			s.wantNothing(t, stranger(host, "/.paastis/"+registrytest.Mark("shop")+"/", nil), stranger(host, "/nothing", nil))
		}
		s.wantNothing(t, stranger("shop.test", "/.paastis/A.shop/", nil), stranger("shop.test", "/nothing", nil))
		time.Sleep(20 * time.Second)
		s.wantNothing(t, come("shop", "/"), stranger("shop.test", "/nothing", nil))
		if got := s.Took(); got != "-" || s.log.count(registrytest.Mark("shop")) > 0 {
			t.Errorf("orders %s; or the mark is in the log", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := beginOn(t, nil, routed("shop"))
		synctest.Wait()
		if w := s.answer(come("shop", "/")); gist(w) != "503 problem starting" || w.Header().Get("Retry-After") != "1" {
			t.Errorf("no Traefik comes: %s", gist(w))
		}
	})
}

func TestTheAppNeverSeesAMark(t *testing.T) {
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.RequestURI, r.URL, r.Header)
	}).Awake())
	mark := "/.paastis/" + registrytest.Mark("shop")
	for path, want := range map[string]string{
		"/a%2Fb?c": "/a%2Fb?c ", "": "/ ", mark + "/again": "/again ", mark + mark + "/a%2Fb": "/a%2Fb ", "/x" + mark[:20]: "/x" + mark[:20] + " ",
	} {
		got := read(t, do(t, s.to("GET", path, nil, "X-Forwarded-For: 203.0.113.7", "Referer: http://shop.test/")).Body)
		if strings.Contains(got, registrytest.Mark("shop")) || !strings.HasPrefix(got, want) {
			t.Errorf("%s arrives as %s", path, got)
		}
	}
}

// besideStrangers is a test server of which shop is managed and asleep; all others run.
func besideStrangers(t *testing.T) *testServer {
	t.Helper()
	there := func(a *registrytest.App, address string, protected reason.Kind) *registrytest.App {
		a.Awake()
		a.Instances[0].Addresses, a.Protected = []netip.Addr{netip.MustParseAddr(address)}, protected
		return a
	}
	paastis := service("paastis").Label("traefik.enable", "true").Label("com.docker.compose.project", "infra").
		Label("com.docker.compose.service", "paastis").Label("traefik.http.middlewares.paastis.forwardauth.address", "http://paastis:3000/auth").
		Label("traefik.http.routers.admin.rule", "Host(`Admin.example.com`) && PathPrefix(`/paastis-admin`) || Host(`paastis-infra`) || Host(`paastis`) || Host(`ask.example.com`)").
		Label("traefik.http.middlewares.far.forwardauth.address", "https://Ask.example.com/auth")
	other := service("other")
	delete(other.Labels, "paastis.enable")
	custom := service("custom")
	delete(custom.Labels, "paastis.enable")
	custom.Traefik = new(traefik.Static)
	return live(t, routed("shop"), there(routed("blog"), "10.0.0.5", ""), there(other, "10.0.0.6", ""),
		there(service("traefik"), "10.0.0.2", inventory.RunsTraefik), there(service("vpn"), "10.0.0.7", ""),
		there(service("edge"), "10.0.0.7", inventory.RunsTraefik), there(custom, "10.0.0.8", ""), there(paastis, "10.0.0.3", inventory.IsPaastis)).open()
}

func TestAQuestionOfAStrangerIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, host, from string
		lines            []string
		want             bool // to be answered
	}{
		{"Traefik", "paastis:3000", "10.0.0.2", nil, true},
		{"Traefik behind a VPN", "paastis:3000", "10.0.0.7", nil, true},
		{"Traefik, which is unknown", "paastis:3000", "172.17.0.1", nil, true},
		{"Traefik in an image of its own", "paastis:3000", "10.0.0.6", nil, true},
		{"Traefik by a name that a router has, too", "ask.example.com", "10.0.0.2", nil, true},
		{"Traefik on the machine", "localhost:3000", "127.0.0.1", nil, true},
		{"a visitor by Traefik's default router", "paastis-infra", "10.0.0.2", []string{"X-Forwarded-Host: paastis-infra"}, false},
		{"one who is believed anything", "paastis-infra", "10.0.0.2", nil, false},
		{"one by a port", "PAASTIS-infra:8443", "10.0.0.2", nil, false},
		{"one by a dot at its end", "paastis-infra.", "10.0.0.2", nil, false},
		{"one by a dot and a port", "Paastis-infra.:80", "10.0.0.2", nil, false},
		{"one by the router of admins", "admin.example.com", "10.0.0.2", nil, false},
		{"one by a router for all hosts", "shop.test", "10.0.0.2", nil, false},
		{"an app", "paastis:3000", "10.0.0.5", nil, false},
		{"nobody at all", "paastis:3000", "10.0.0.2", []string{"X-Forwarded-Uri: "}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := besideStrangers(t)
				var answers []string
				for _, app := range []string{"shop.test", "blog.test", "nobody.test"} {
					for _, query := range []string{"", "?app=shop", "?app=nobody"} {
						r := ask("http://"+app+"/", c.lines...)
						r.URL.RawQuery, r.Host, r.RemoteAddr = strings.TrimPrefix(query, "?"), c.host, c.from+":40000"
						if c.name == "one by a router for all hosts" {
							r.Header.Set("X-Forwarded-Host", c.host)
						}
						r.Header.Set(page.PollHeader, "x")
						w := s.answer(r)
						answers = append(answers, fmt.Sprint(w.Code, w.Header(), w.Body))
						if got := w.Code != http.StatusForbidden; got != c.want {
							t.Errorf("%s%s: %s", app, query, answers[len(answers)-1])
						}
					}
				}
				if all := slices.Compact(answers); !c.want && len(all) > 1 {
					t.Errorf("one learns of apps by %q", all)
				}
				if got := s.Took(); got != "-" && !c.want {
					t.Errorf("orders %s", got)
				}
			})
		})
	}
}

func TestRoutesAreForNoOtherAppOfTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := besideStrangers(t)
		for from, want := range map[string]int{
			"10.0.0.2": 200, "10.0.0.7": 200, "10.0.0.8": 200, "10.0.0.3": 200, "10.9.9.9": 200, "10.0.0.5": 403, "10.0.0.6": 403,
		} {
			if w := s.answer(askRoutes("from " + from)); w.Code != want {
				t.Errorf("from %s: %d", from, w.Code)
			}
		}
		for _, lines := range [][]string{
			{"X-Forwarded-Server: edge"}, {"X-Forwarded-Port: 80"}, {"X-Real-Ip: 10.0.0.9"}, {"X-Traefik-Router: x"}, {"Via: 1.1 edge"}, {"method POST", "from 10.0.0.5"},
		} {
			if w := s.answer(askRoutes(lines...)); w.Code != 403 {
				t.Errorf("%q: %d", lines, w.Code)
			}
		}
		s.routes.access.token = "s3cret"
		if w := s.answer(askRoutes("from 10.0.0.6", "query token=s3cret")); w.Code != 200 {
			t.Errorf("with the token: %d", w.Code)
		}
	})
}

func TestAnAddressIsOfWhoHasItNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := routed("shop").Awake()
		shop.Instances[0].Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.5")}
		edge := service("traefik")
		edge.Protected = inventory.RunsTraefik
		s := live(t, shop, edge)
		at := netip.MustParseAddr("10.0.0.5")
		if got := s.registry.CallerAt(at); got != registry.ManagedApp {
			t.Errorf("while shop runs it is of %d", got)
		}
		s.Become("shop", inventory.Instance{})
		synctest.Wait()
		if got := s.registry.CallerAt(at); got != registry.UnknownCaller {
			t.Errorf("when shop sleeps it is of %d", got)
		}
		s.Become("traefik", inventory.Instance{Status: inventory.Running, Addresses: []netip.Addr{at}})
		synctest.Wait()
		if got := s.registry.CallerAt(at); got != registry.TraefikOrPaastis {
			t.Errorf("when Traefik has it, it is of %d", got)
		}
	})
}

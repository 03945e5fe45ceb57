package server

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/registry/registrytest"
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
func (s *site) wantNothing(t *testing.T, r, none *http.Request) {
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

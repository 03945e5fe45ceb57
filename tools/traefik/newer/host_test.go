// Package newer checks that Paastis reads rules as Traefik 3.7 does, by asking its own
// code. It is a module of its own, for there can be one version of Traefik in each; more
// of 3.7 than the packages that it uses is not to be had by way of the module proxy.
//
//	go -C tools/traefik/newer test .
package newer

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

var hostRules = []string{
	"Host(`example.com`)", "Host(`*.example.com`)", "Host(`*.EXAMPLE.com`)", "Host(`*.example.com.`)", "Host(`*`)", "Host(`*.`)", "Host(`*.com`)", "Host(`**.example.com`)",
	"Host(`*example.com`)", "Host(`a*.example.com`)", "Host(`a.*.com`)", "Host(`*.*.com`)", "Host(`*.a.example.com`)", "Host(`*.0.0.1`)", "Host(`**`)", "Host(`*é.example.com`)", "!Host(`*.example.com`)", "!Host(`*`)",
	"Host(`*.example.com`) && PathPrefix(`/a`)", "Host(`*.example.com`) || Host(`example.com`)", "HOST(`*.example.com`)", "host(`*.example.com`)", "Host(`*`, `a`)", "HostRegexp(`^[a-z]+\\.example\\.com$`)",
}

var hosts = []string{
	"", "example.com", "a.example.com", "A.Example.com", "a.b.example.com", ".example.com", "a.example.com.", "a.example.com..", "example.com.", "bexample.com", "a.notexample.com",
	"*.example.com", "**.example.com", "localhost", "localhost.", "10.0.0.1", "[::1]", "a.example.com:8080", "com", "a.com", ".", "a.", "*", "*.",
}

func TestBothSidesTakeTheSameHosts(t *testing.T) {
	t.Parallel()
	for _, syntax := range []string{"", "v2"} {
		for _, rule := range hostRules {
			compare(t, rule, syntax)
		}
	}
}

func TestBothSidesTakeTheSameHostsByRandomRules(t *testing.T) {
	t.Parallel()
	d := rand.New(rand.NewPCG(3, 7))
	labels := []string{"*", "**", "a", "example", "com", "", "b*", "10"}
	for range 3000 {
		rule := "Host(`" + labels[d.IntN(len(labels))]
		for range d.IntN(4) {
			rule += "." + labels[d.IntN(len(labels))]
		}
		compare(t, rule+"`)", "")
	}
}

func compare(t *testing.T, text, syntax string) {
	t.Helper()
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	mux := muxer.NewMuxer(parser, nil)
	ours, weRefuse := rule.Parse(text, syntax)
	theyRefuse := mux.AddRoute(text, syntax, 0, "", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if (weRefuse == nil) != (theyRefuse == nil) {
		t.Errorf("%s in %q: Traefik: %v, Paastis: %v", text, syntax, theyRefuse, weRefuse)
	}
	if weRefuse != nil || theyRefuse != nil {
		return
	}
	decorator := requestdecorator.New(nil)
	for _, host := range hosts {
		request := httptest.NewRequest(http.MethodGet, "http://x/a", nil)
		request.Host = host
		recorder := httptest.NewRecorder()
		decorator.ServeHTTP(recorder, request, mux.ServeHTTP)
		visitors := traefik.FromRequest(request)
		if they, we := recorder.Code == http.StatusTeapot, ours.Match(&visitors); they != we {
			t.Errorf("%s in %q of %q: Traefik %t, Paastis %t", text, syntax, host, they, we)
		}
	}
}

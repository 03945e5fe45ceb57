// Package agreement checks that Paastis reads rules, requests and labels as Traefik
// does, by asking Traefik's own code. The first run compiles Traefik, which takes some
// minutes:
//
//	go -C tools/traefik/agreement test .
package agreement

import (
	"bufio"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/auth"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

// router is what both sides are given.
type router struct {
	name     string
	rule     string
	syntax   string
	priority int // 0: by length
}

func (r router) String() string {
	return fmt.Sprintf("%s %s (priority %d)", cmp.Or(r.syntax, "v3"), r.rule, r.priority)
}

// visit is a request as it comes over the wire.
type visit struct {
	method string // "" is GET
	target string
	host   string // "" sends no Host, which HTTP/1.0 may
	header string // lines of it, each with its \r\n
	remote string // "" is 192.0.2.1:1234
}

func (v visit) String() string {
	return fmt.Sprintf("%s %s host %q from %q %q", v.method, v.target, v.host, v.remote, v.header)
}

// request parses the visit as an HTTP server does; nil if a server would refuse it.
func (v visit) request() *http.Request {
	version, host := "HTTP/1.1", "Host: "+v.host+"\r\n"
	if v.host == "" {
		version, host = "HTTP/1.0", ""
	}
	wire := fmt.Sprintf("%s %s %s\r\n%s%s\r\n", cmp.Or(v.method, http.MethodGet), v.target, version, host, v.header)
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return nil
	}
	if request.URL.Path == "" {
		request.URL.Path = "/" // as Traefik's entry points do, unless told not to
	}
	request.RemoteAddr = cmp.Or(v.remote, "192.0.2.1:1234")
	return request
}

// theirs is Traefik.
type theirs struct {
	handler http.Handler
}

// newTheirs returns the names of the routers that Traefik refuses with it.
func newTheirs(t *testing.T, routers ...router) (theirs, map[string]error) {
	t.Helper()
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	mux, refused := muxer.NewMuxer(parser), make(map[string]error)
	for _, r := range routers {
		priority := cmp.Or(r.priority, muxer.GetRulePriority(r.rule))
		if err := mux.AddRoute(r.rule, r.syntax, priority, answer(r.name)); err != nil {
			refused[r.name] = err
		}
	}
	decorator := requestdecorator.New(nil)
	return theirs{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decorator.ServeHTTP(w, r, mux.ServeHTTP)
	})}, refused
}

// winner is the router that takes the request; "" if none does.
func (s theirs) winner(request *http.Request) string {
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder.Header().Get("Winner")
}

func answer(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Winner", name)
	})
}

// ours is Paastis.
type ours struct {
	table *rule.Table[string]
}

// newOurs returns the names of the routers that Paastis refuses with it.
func newOurs(routers ...router) (ours, map[string]error) {
	var entries []rule.Entry[string]
	refused := make(map[string]error)
	for _, r := range routers {
		parsed, err := rule.Parse(r.rule, r.syntax)
		if err != nil {
			refused[r.name] = err
			continue
		}
		entries = append(entries, rule.Entry[string]{
			Rule: parsed, Router: r.name, Priority: r.priority, Value: r.name,
		})
	}
	return ours{rule.NewTable(entries)}, refused
}

func (s ours) winner(request traefik.Request) string {
	name, _, _ := s.table.Lookup(&request)
	return name
}

// messenger is Traefik's ForwardAuth: it tells Paastis of requests.
type messenger struct {
	middleware http.Handler
	heard      http.Header
}

func newMessenger(t *testing.T) *messenger {
	t.Helper()
	m := &messenger{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.heard = r.Header
	}))
	t.Cleanup(server.Close)
	middleware, err := auth.NewForward(t.Context(), http.NotFoundHandler(), dynamic.ForwardAuth{Address: server.URL}, "paastis")
	if err != nil {
		t.Fatal(err)
	}
	m.middleware = middleware
	return m
}

// tell returns what Paastis makes of the headers that Traefik sends it.
func (m *messenger) tell(request *http.Request) (traefik.Request, error) {
	m.heard = nil
	m.middleware.ServeHTTP(httptest.NewRecorder(), request)
	return traefik.FromForwardAuth(m.heard)
}

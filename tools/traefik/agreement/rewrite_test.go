package agreement

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/addprefix"
	"github.com/traefik/traefik/v3/pkg/middlewares/auth"
	"github.com/traefik/traefik/v3/pkg/middlewares/forwardedheaders"
	"github.com/traefik/traefik/v3/pkg/middlewares/headers"
	"github.com/traefik/traefik/v3/pkg/middlewares/replacepath"
	"github.com/traefik/traefik/v3/pkg/middlewares/replacepathregex"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	"github.com/traefik/traefik/v3/pkg/middlewares/stripprefix"
	"github.com/traefik/traefik/v3/pkg/middlewares/stripprefixregex"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

// guarded is a router with what its labels define before Paastis.
type guarded struct {
	router
	labels map[string]string // of middlewares
	names  []string          // of middlewares, in order
}

func (g guarded) String() string {
	return fmt.Sprintf("%s via %v of %q", g.router, g.names, g.labels)
}

// question is a request as Traefik made of it: the router that it chose, what the visitor
// asked for, and what Paastis hears, asked or at the end of a published route.
type question struct {
	winner   string
	uri      string // the visitor's
	host     string
	asked    http.Header   // nil: the request did not get there
	arriving *http.Request // nil: it did not
}

// crossing runs Traefik's own code: entry point, router, middlewares, ForwardAuth.
type crossing struct {
	handler http.Handler
	now     *question
}

func newCrossing(t *testing.T, routers ...guarded) *crossing {
	t.Helper()
	c := &crossing{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.now.asked = r.Header }))
	t.Cleanup(server.Close)
	syntax, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	mux := muxer.NewMuxer(syntax)
	for _, g := range routers {
		end := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.now.arriving = r })
		ask, err := auth.NewForward(t.Context(), end, dynamic.ForwardAuth{Address: server.URL}, "paastis")
		if err != nil {
			t.Fatal(err)
		}
		chain, err := before(t.Context(), ask, g)
		if err != nil {
			t.Fatal(err)
		}
		chosen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.now.winner, c.now.uri, c.now.host = g.name, r.URL.RequestURI(), r.Host
			chain.ServeHTTP(w, r)
		})
		if err := mux.AddRoute(g.rule, "", muxer.GetRulePriority(g.rule), chosen); err != nil {
			t.Fatal(err)
		}
	}
	decorator := requestdecorator.New(nil)
	routed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { decorator.ServeHTTP(w, r, mux.ServeHTTP) })
	c.handler, err = forwardedheaders.NewXForwarded(false, nil, nil, routed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends a visitor's request.
func (c *crossing) ask(r *http.Request) question {
	c.now = &question{}
	c.handler.ServeHTTP(httptest.NewRecorder(), r)
	return *c.now
}

// before builds the middlewares of the labels, as Traefik decodes them.
func before(ctx context.Context, next http.Handler, g guarded) (http.Handler, error) {
	conf, err := theirConfiguration(g.labels)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(flat(conf, g.names)) {
		if next, err = build(ctx, next, conf.HTTP.Middlewares[name]); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// flat follows chains, as Traefik's middleware of that name does.
func flat(conf *dynamic.Configuration, names []string) []string {
	var all []string
	for _, name := range names {
		if chain := conf.HTTP.Middlewares[name].Chain; chain != nil {
			all = append(all, flat(conf, chain.Middlewares)...)
		} else {
			all = append(all, name)
		}
	}
	return all
}

func build(ctx context.Context, next http.Handler, m *dynamic.Middleware) (http.Handler, error) {
	switch {
	case m.StripPrefix != nil:
		return stripprefix.New(ctx, next, *m.StripPrefix, "m")
	case m.StripPrefixRegex != nil:
		return stripprefixregex.New(ctx, next, *m.StripPrefixRegex, "m")
	case m.ReplacePath != nil:
		return replacepath.New(ctx, next, *m.ReplacePath, "m")
	case m.ReplacePathRegex != nil:
		return replacepathregex.New(ctx, next, *m.ReplacePathRegex, "m")
	case m.AddPrefix != nil:
		return addprefix.New(ctx, next, *m.AddPrefix, "m")
	default:
		return headers.New(ctx, next, *m.Headers, "m")
	}
}

// kinds are labels of a middleware, "path = value".
var kinds = [][]string{
	{"stripprefix.prefixes = /a"}, {"stripprefix.prefixes = /a/b,/a"}, {"stripprefix.prefixes = /a/"}, {"stripprefix.prefixes = /b"},
	{"stripprefix.prefixes = /a", "stripprefix.forceslash = true"}, {"stripprefix.prefixes = /é,/a b"},
	{"stripprefixregex.regex = ^/a/[0-9]+"}, {"stripprefixregex.regex = /[ab],/12"},
	{"replacepath.path = /new"}, {"replacepath.path = /a/new%20x"},
	{"replacepathregex.regex = ^/a/(.*)", "replacepathregex.replacement = /$1"}, {"replacepathregex.regex = b", "replacepathregex.replacement = c"},
	{"addprefix.prefix = /add"}, {"addprefix.prefix = /a"}, {"addprefix.prefix = add"},
	{"headers.customrequestheaders.Host = inner.test"}, {"headers.customrequestheaders.X-Team = a"}, {"headers.customrequestheaders.X-Forwarded-Prefix = /mine"},
}

var (
	crossedRules = []string{
		"Host(`a.test`)", "Host(`a.test`) && PathPrefix(`/a`)", "Host(`a.test`) && PathPrefix(`/a/b`)", "Host(`a.test`) && Path(`/a`)",
		"Host(`a.test`) && PathPrefix(`/add`)", "Host(`b.test`)", "Host(`a.test`) || Host(`b.test`)", "PathPrefix(`/12`)", "Host(`inner.test`)",
	}
	crossedTargets = []string{
		"/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c?x=/a", "/a/12", "/a/12/b", "/12", "/a%20b/c", "/%C3%A9", "/a/x%2Fy", "/a/b%2Fc", "/add/a", "/new", "/cart", "/%61/b", "/aa",
	}
	crossedHosts  = []string{"a.test", "b.test", "inner.test", "a.test:8443"}
	crossedForged = []string{"", "X-Replaced-Path: /a/b\r\n", "X-Forwarded-Prefix: /a\r\n", "X-Replaced-Path: /cart\r\nX-Replaced-Path: /a\r\n"}
)

// middlewares makes labels of up to three, of which the last may be a chain of all.
func (d dice) middlewares() (labels map[string]string, names []string) {
	labels = map[string]string{}
	for i := range d.IntN(4) {
		name := fmt.Sprintf("m%d", i)
		for _, line := range kinds[d.IntN(len(kinds))] {
			path, value, _ := strings.Cut(line, " = ")
			labels["traefik.http.middlewares."+name+"."+path] = value
		}
		names = append(names, name)
	}
	if len(names) > 1 && d.IntN(3) == 0 {
		labels["traefik.http.middlewares.all.chain.middlewares"] = strings.Join(names, ",")
		names = []string{"all"}
	}
	return labels, names
}

// ourTable is Paastis's, and what it does by published routes.
func ourTable(t *testing.T, routers ...guarded) (*rule.Table[string], map[string]traefik.Rewrites, map[string]*rule.Rule) {
	t.Helper()
	var entries []rule.Entry[string]
	rewrites, rules := map[string]traefik.Rewrites{}, map[string]*rule.Rule{}
	for _, g := range routers {
		labels, err := traefik.Decode(g.labels)
		if err != nil {
			t.Fatal(err)
		}
		catalog := traefik.Catalog{}
		for _, m := range labels.Middlewares {
			catalog[m.Name+"@docker"] = m
		}
		parsed, err := rule.Parse(g.rule, "")
		if err != nil {
			t.Fatal(err)
		}
		rules[g.name] = parsed
		rewrites[g.name] = catalog.Before(append(slices.Clone(g.names), "paastis"), "docker", "paastis")
		entries = append(entries, rule.Entry[string]{Rule: parsed, Router: g.name, Value: g.name, Rewrites: rewrites[g.name]})
	}
	return rule.NewTable(entries), rewrites, rules
}

// asVisitor is a request of a visitor's on the wire; nil if a server would refuse it.
func asVisitor(host, target, header string) *http.Request {
	return visit{host: host, target: target, header: header}.request()
}

// heard is what Paastis can know of a request, whatever it makes of it.
func heard(r traefik.Request) string {
	return fmt.Sprintf("%s%s %q %q", r.Host, r.URI, r.Header["X-Forwarded-Prefix"], r.Header["X-Replaced-Path"])
}

// isSame reports whether two URIs are the same to rules, but for a slash at the end.
func isSame(a, b string) bool {
	plain := func(uri string) string {
		path, query, _ := strings.Cut(uri, "?")
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
		return strings.TrimSuffix(path, "/") + "?" + query
	}
	return plain(a) == plain(b)
}

// Whatever stands before Paastis, it finds the router that Traefik has chosen, and what the
// visitor asked for; or something that a visitor may have asked for all the same, about which
// Traefik would have put the very same question. `paastis check` warns of routers where
// that can be another app's.
func TestBothSidesAgreeOnWhatWasAskedBeforeMiddlewares(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(10, 4))}
	var agreed, changed, alike int
	listed := map[string]int{}
	for range 3000 {
		routers := d.guarded()
		table, rewrites, rules := ourTable(t, routers...)
		crossing := newCrossing(t, routers...)
		for range 12 {
			host, target, forged := d.of(crossedHosts), d.of(crossedTargets), d.of(crossedForged)
			q := crossing.ask(asVisitor(host, target, forged))
			if q.asked == nil {
				continue
			}
			asked, err := traefik.FromForwardAuth(q.asked)
			if err != nil {
				t.Fatal(err)
			}
			if asked.URI != q.uri {
				changed++
			}
			if reason := hides(routers, q.winner, target); reason != "" {
				listed[reason]++
				continue
			}
			original := asked
			router, _, _ := table.Recognize(&original)
			switch {
			case router == q.winner && isSame(original.URI, q.uri):
				agreed++
			case isIndistinct(crossing, asked, original, router, forged):
				alike++
				why := doubt(rewrites[q.winner], rewrites[router], original.URI, q.uri, forged)
				if listed[why]++; why == "" {
					t.Errorf("%s %s %q, routers %v: no reason to take it for %q, %s", host, target, forged, routers, router, original.URI)
				}
			default:
				t.Errorf("%s %s %q, routers %v:\nTraefik chose %q and asks about %s;\nPaastis finds %q, asked for %s%s", host, target, forged, routers, q.winner, heard(asked), router, original.Host, original.URI)
			}
			compareArrival(t, crossing, q, rewrites[q.winner], rules[q.winner], forged)
		}
	}
	t.Logf("agreed on %d questions, %d of them about changed paths; %d could have been another's", agreed, changed, alike)
	t.Logf("left out: %v", listed)
	if alike*10 > agreed {
		t.Errorf("%d of %d could have been another's", alike, agreed)
	}
}

// doubt is why a question could have been about another request. Empty: there is no reason.
func doubt(winner, found traefik.Rewrites, uri, asked, forged string) string {
	slashless := func(uri string) string { return strings.ReplaceAll(uri, "/", "") }
	switch {
	case !winner.LeavesTrace() || !found.LeavesTrace():
		return "a middleware leaves no trace; check tells"
	case strings.Contains(forged, "X-Replaced-Path"):
		return "the visitor lied"
	case slashless(uri) == slashless(asked):
		return "Traefik puts a slash behind what it strips"
	default:
		return ""
	}
}

// hides is why no reading can be found of a request by a router: Paastis then takes it as it
// came.
func hides(routers []guarded, winner, target string) string {
	var labels string
	for _, g := range routers {
		if g.name == winner {
			labels = fmt.Sprint(g.labels)
		}
	}
	switch {
	case strings.Contains(labels, "stripprefixregex") && strings.Contains(labels, "X-Forwarded-Prefix"):
		return "headers put another X-Forwarded-Prefix in place of what a pattern has stripped; check tells"
	case strings.Contains(labels, "replacepathregex") && strings.Contains(target, "%61"):
		return "a letter was sent as an escape, which a pattern tells apart, and then stripped"
	case strings.Contains(labels, "replacepathregex") && strings.Contains(target, "%2F"):
		return "an escaped slash was behind what is stripped, which a pattern tells apart: Traefik itself loses it"
	case strings.Contains(labels, "Host:inner.test") && isHostless(routers, winner):
		return "the host was replaced, and the router's rule is bound to none; check tells"
	default:
		return ""
	}
}

func isHostless(routers []guarded, name string) bool {
	return slices.ContainsFunc(routers, func(g guarded) bool { return g.name == name && !strings.Contains(g.rule, "Host") })
}

// guarded makes routers of different priorities.
func (d dice) guarded() []guarded {
	var routers []guarded
	lengths := map[int]bool{}
	for i := range 1 + d.IntN(3) {
		rule := d.of(crossedRules)
		if lengths[len(rule)] {
			continue // Traefik chooses at random
		}
		lengths[len(rule)] = true
		labels, names := d.middlewares()
		routers = append(routers, guarded{router: router{name: fmt.Sprintf("r%d", i), rule: rule}, labels: labels, names: names})
	}
	return routers
}

// isIndistinct reports whether Traefik asks the same about what Paastis takes a question
// for, and chooses the router that Paastis finds.
func isIndistinct(c *crossing, asked, original traefik.Request, router, forged string) bool {
	for _, header := range partsOf(forged) {
		r := asVisitor(original.Host, original.URI, header)
		if r == nil {
			continue
		}
		q := c.ask(r)
		if q.asked == nil || q.winner != router {
			continue
		}
		if again, err := traefik.FromForwardAuth(q.asked); err == nil && heard(again) == heard(asked) {
			return true
		}
	}
	return false
}

// partsOf are the first lines of headers: none, some or all.
func partsOf(lines string) []string {
	parts := []string{""}
	for i := range lines {
		if lines[i] == '\n' {
			parts = append(parts, lines[:i+1])
		}
	}
	return parts
}

// compareArrival compares what a published route brings.
func compareArrival(t *testing.T, c *crossing, q question, rewrites traefik.Rewrites, rule *rule.Rule, forged string) {
	t.Helper()
	arrived := traefik.FromRequest(q.arriving)
	original := arrived
	switch {
	case !rule.Restore(&original, rewrites):
		t.Errorf("%s%s arrives as %s: no way back", q.host, q.uri, heard(arrived))
	case isSame(original.URI, q.uri) || !rewrites.LeavesTrace():
	default:
		for _, header := range []string{"", forged} {
			if again := c.ask(asVisitor(original.Host, original.URI, header)); again.arriving != nil && heard(traefik.FromRequest(again.arriving)) == heard(arrived) {
				return
			}
		}
		t.Errorf("%s%s arrives as %s: it was %s%s", q.host, q.uri, heard(arrived), original.Host, original.URI)
	}
}

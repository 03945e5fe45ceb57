package rule_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
)

func TestRuleOfTraefik3TakesWhatTraefikTakes(t *testing.T) {
	t.Parallel()
	const yes, no = true, false
	for _, row := range []struct {
		rule string
		url  string
		want bool
	}{
		{"Host(`shop.example`)", "http://shop.example/", yes},
		{"Host(`shop.example`)", "http://SHOP.example:8080/", yes},
		{"Host(`SHOP.example`)", "http://shop.example/", yes},
		{"Host(`shop.example`)", "http://shop.example./", yes},
		{"Host(`shop.example.`)", "http://shop.example/", yes},
		{"Host(`shop.example.`)", "http://shop.example../", yes},
		{"Host(`shop.example`)", "http://shop.example../", no},
		{"Host(`shop.example`)", "http://a.shop.example/", no},
		{"Host(`::1`)", "http://[::1]:8080/", yes},
		{"Host(`[::1]`)", "http://[::1]:8080/", no},
		{"Host(`*.shop.example`)", "http://pr-1.SHOP.example:8080/", yes},
		{"Host(`*.shop.example.`)", "http://pr-1.shop.example/", yes},
		{"Host(`*.shop.example`)", "http://pr-1.shop.example./", yes},
		{"Host(`*.shop.example`)", "http://shop.example/", no},
		{"Host(`*.shop.example`)", "http://a.pr-1.shop.example/", no},
		{"Host(`*.shop.example`)", "http://pr-1.bookshop.example/", no},
		{"Host(`*shop.example`)", "http://bookshop.example/", no},
		{"Host(`pr-*.shop.example`)", "http://pr-1.shop.example/", no},
		{"Host(`*`)", "http://anything.example/", yes},
		{"!Host(`*.shop.example`)", "http://shop.example/", yes},
		{"HostRegexp(`^pr-[0-9]+\\.example$`)", "http://pr-42.example/", yes},
		{"HostRegexp(`^pr-[0-9]+\\.example$`)", "http://pr-x.example/", no},
		{"HostRegexp(`PR`)", "http://pr-42.example/", no},
		{"HostRegexp(`^(pr)?$`)", "http://anything.example/", yes},
		{"Path(`/cart`)", "http://a/cart?id=7", yes},
		{"Path(`/cart`)", "http://a/cart/", no},
		{"Path(`/a b`)", "http://a/a%20b", yes},
		{"Path(`/a%20b`)", "http://a/a%20b", no},
		{"Path(`/a%2Fb`)", "http://a/a%2Fb", yes},
		{"Path(`/a/b`)", "http://a/a%2Fb", no},
		{"Path(`/a/b`)", "http://a/a%2fb", yes},
		{"Path(`/A`)", "http://a/%41", yes},
		{"PathPrefix(`/api`)", "http://a/apis", yes},
		{"PathPrefix(`/api/`)", "http://a/api", no},
		{"PathRegexp(`^/(a/b|c)$`)", "http://a/a/b", yes},
		{"PathRegexp(`^/(a/b|c)$`)", "http://a/a", no},
		{"Query(`a`, `1`)", "http://a/?a=2&a=1", yes},
		{"Query(`a`, `1`)", "http://a/?a=12", no},
		{"Query(`a`)", "http://a/?a", yes},
		{"Query(`a`)", "http://a/?a=", yes},
		{"Query(`a`)", "http://a/?a=1", no},
		{"Query(`a`, `x y`)", "http://a/?%61=x+y", yes},
		{"Query(`a`, `1`)", "http://a/?a=1;b=2", no},
		{"QueryRegexp(`a`, `^[0-9]+$`)", "http://a/?a=x&a=12", yes},
		{"QueryRegexp(`a`, `.*`)", "http://a/?b=x", no},
		{"Host(`a`) && Path(`/x`)", "http://a/x", yes},
		{"Host(`a`) && Path(`/x`)", "http://a/y", no},
		{"Host(`a`) || Host(`b`) && Path(`/x`)", "http://a/y", yes},
		{"(Host(`a`) || Host(`b`)) && Path(`/x`)", "http://a/y", no},
		{"!Host(`a`)", "http://b/", yes},
		{"!!Host(`a`)", "http://b/", no},
		{"!(Host(`a`) && Path(`/x`))", "http://a/y", yes},
		{"!(Host(`a`) || Path(`/x`))", "http://b/x", no},
		{"!Host(`a`) && Path(`/x`)", "http://b/x", yes},
		{"HOST(`a`) && pathprefix(`/`) && Pathregexp(`x`)", "http://a/x", yes},
		{`Host("a")`, "http://a/", yes},
	} {
		if got := mustParse(t, row.rule, "").Match(open(t, row.url)); got != row.want {
			t.Errorf("%s takes %s: %t, want %t", row.rule, row.url, got, row.want)
		}
	}
}

func TestRuleOfTraefik2TakesWhatTraefikTakes(t *testing.T) {
	t.Parallel()
	const yes, no = true, false
	for _, row := range []struct {
		rule string
		url  string
		want bool
	}{
		{"Host(`a`, `b`)", "http://b/", yes},
		{"HostHeader(`a`, `b`)", "http://c/", no},
		{"HostRegexp(`{sub:[a-z]+}.example`)", "http://SHOP.example:8080/", yes},
		{"HostRegexp(`{sub:[a-z]+}.example`)", "http://1.example/", no},
		{"HostRegexp(`{sub}.example`)", "http://a.b.example/", no},
		{"HostRegexp(`::1`)", "http://[::1]:80/", yes},
		{"HostRegexp(`::1`)", "http://[::1]/", no},
		{"Path(`/x`, `/{id:[0-9]{1,2}}`)", "http://a/12", yes},
		{"Path(`/x`, `/{id:[0-9]{1,2}}`)", "http://a/123", no},
		{"Path(`/{id}`)", "http://a/x/y", no},
		{"Path(`/a.b`)", "http://a/axb", no},
		{"PathPrefix(`/{id}/`)", "http://a/x/y", yes},
		{"Query(`a=1`, `b=2`)", "http://a/?b=2&a=1", yes},
		{"Query(`a=1`, `b=2`)", "http://a/?a=1", no},
		{"Query(`a=1`)", "http://a/?a=2&a=1", no},
		{"Query(`a=`)", "http://a/?a=7", yes},
		{"Query(`a={n:[0-9]+}`)", "http://a/?a=7", yes},
		{"Query(`a`, `7`)", "http://a/?a=7", yes},
		{"!Query(`a=1`, `b=2`)", "http://a/?a=1", yes},
	} {
		if got := mustParse(t, row.rule, rule.SyntaxV2).Match(open(t, row.url)); got != row.want {
			t.Errorf("%s takes %s: %t, want %t", row.rule, row.url, got, row.want)
		}
	}
}

func TestRuleLooksAtMethodHeaderAndClient(t *testing.T) {
	t.Parallel()
	request := &traefik.Request{
		Method:   http.MethodPost,
		Header:   http.Header{"X-App": {"one", "two"}, "Accept": {"text/html"}},
		ClientIP: netip.MustParseAddr("192.0.2.7"),
	}
	for _, row := range []struct {
		rule, syntax string
		want         bool
	}{
		{"Method(`post`)", "v3", true},
		{"Method(`GET`)", "v3", false},
		{"Method(`GET`, `post`)", "v2", true},
		{"Header(`x-app`, `two`)", "v3", true},
		{"Header(`X-App`, `Two`)", "v3", false},
		{"HeaderRegexp(`X-App`, `^t`)", "v3", true},
		{"HeaderRegexp(`X-Other`, `.*`)", "v3", false},
		{"Headers(`X-App`, `two`, `Accept`, `text/html`)", "v2", true},
		{"Headers(`X-App`, `two`, `Accept`, `text/plain`)", "v2", false},
		{"Headers(`X-App`, `no`, `X-App`, `two`)", "v2", true},
		{"HeadersRegexp(`X-App`, `^t`, `Accept`, `html`)", "v2", true},
		{"ClientIP(`192.0.2.7`)", "v3", true},
		{"ClientIP(`192.0.2.0/24`)", "v3", true},
		{"ClientIP(`::ffff:192.0.2.7`)", "v3", true},
		{"ClientIP(`::/0`)", "v3", false},
		{"!ClientIP(`192.0.2.0/24`)", "v3", false},
		{"ClientIP(`10.0.0.0/8`, `192.0.2.7`)", "v2", true},
	} {
		if got := mustParse(t, row.rule, row.syntax).Match(request); got != row.want {
			t.Errorf("%s %s takes the request: %t, want %t", row.syntax, row.rule, got, row.want)
		}
	}
}

func TestUnknownClientIsInNoNetwork(t *testing.T) {
	t.Parallel()
	if mustParse(t, "ClientIP(`0.0.0.0/0`)", "").Match(&traefik.Request{}) {
		t.Error("a network takes a client without an address")
	}
}

func TestNilRuleTakesNoRequest(t *testing.T) {
	t.Parallel()
	var rule *rule.Rule
	if rule.Match(open(t, "http://a/")) || rule.Hosts() != nil || rule.String() != "" {
		t.Error("the nil rule is not empty")
	}
}

func TestBadRuleIsRefusedInOneLine(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ rule, syntax, want string }{
		{"", "", "expected operand"},
		{"Hots(`a`)", "", "unknown matcher Hots"},
		{"hOST(`a`)", "", "unknown matcher hOST"},
		{"Headers(`a`, `b`)", "", "unknown matcher Headers"},
		{"Header(`a`, `b`)", "v2", "unknown matcher Header"},
		{"Host(shop.example)", "", "shop.example: want text in `backquotes`"},
		{"Host(7)", "", "Host: want text in `backquotes`"},
		{"Host()", "", "Host: want an argument"},
		{"Path(``)", "", "Path: empty argument"},
		{"Host(`a`, `b`)", "", "Host: 2 arguments"},
		{"Host(`bücher.example`)", "", "Host: \"bücher.example\" has characters other than ASCII"},
		{"Path(`cart`)", "", "Path: path \"cart\" does not start with a slash"},
		{"PathRegexp(`(`)", "", "PathRegexp: error parsing regexp"},
		{"ClientIP(`10.0.0.0/33`)", "", "ClientIP: \"10.0.0.0/33\" is neither"},
		{"Host(`a`) & Host(`b`)", "", "& is not supported"},
		{"Host(`a`) && `b`", "", "!, && and || want matchers"},
		{"!`a`", "", "!, && and || want matchers"},
		{"`a`", "", "not a rule"},
		{"Host(\"a\nb\")", "", "not terminated"},
		{"HostRegexp(`{a`)", "v2", "HostRegexp: unbalanced braces"},
		{"Path(`/{:x}`)", "v2", "Path: variable \"{:x}\" has no name"},
		{"Headers(`a`)", "v2", "Headers: want pairs"},
		{"Query(`a={x}`, `b={x}`)", "v2", "Query: variable \"x\" twice"},
	} {
		_, err := rule.Parse(row.rule, row.syntax)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("rule %q: error %v, want one line with %q", row.rule, err, row.want)
		}
	}
}

func TestSyntaxIsThatOfTraefik3UnlessItIsV2(t *testing.T) {
	t.Parallel()
	for _, syntax := range []string{"", "v3", "default", "V2", "v1"} {
		if _, err := rule.Parse("PathRegexp(`x`)", syntax); err != nil {
			t.Errorf("syntax %q: %v", syntax, err)
		}
	}
}

func TestRuleKnowsTheHostsThatItIsBoundTo(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string][]string{
		"Host(`A.example`)":                             {"a.example"},
		"Host(`a`) || Host(`b`)":                        {"a", "b"},
		"Path(`/`) && Host(`a`)":                        {"a"},
		"(Host(`a`) || Host(`b`)) && Path(`/`)":         {"a", "b"},
		"(Host(`a`) || Path(`/`)) && Host(`b`)":         {"b"},
		"Host(`a`) || Host(`b`) && Path(`/`)":           {"a", "b"},
		"Host(`a`) || Path(`/`)":                        nil,
		"!Host(`a`)":                                    nil,
		"!(Host(`a`) || Host(`b`))":                     nil,
		"HostRegexp(`a`)":                               nil,
		"HostRegexp(`a`) && Host(`a`) && Method(`GET`)": {"a"},
	} {
		if got := mustParse(t, rule, "").Hosts(); !slices.Equal(got, want) {
			t.Errorf("%s is bound to %q, want %q", rule, got, want)
		}
	}
}

func TestDeepRuleEndsInAnAnswer(t *testing.T) {
	t.Parallel()
	const depth = 5_000
	for _, rule := range []string{
		strings.Repeat("!", depth) + "Host(`a`)",
		strings.Repeat("(", depth) + "Host(`a`)" + strings.Repeat(")", depth),
		"Host(`a`)" + strings.Repeat(" || Host(`b`)", depth),
		"!(" + strings.Repeat("!(Host(`b`) || ", depth) + "Host(`b`)" + strings.Repeat(")", depth) + ")",
	} {
		if !mustParse(t, rule, "").Match(open(t, "http://a/")) {
			t.Errorf("%.20s… of %d bytes does not match", rule, len(rule))
		}
	}
}

func FuzzParseRule(f *testing.F) {
	f.Add("Host(`a`) && !PathPrefix(\"/x\") || Method(`GET`)", "")
	f.Add("Query(`a`, `1`) || QueryRegexp(`b`, `.`) && HeaderRegexp(`X-App`, `(a|b)+`)", "v3")
	f.Add("HostRegexp(`{sub:[a-z]+}.example`) || Path(`/{id:[0-9]{1,2}}`, `/x`)", "v2")
	f.Add("Query(`a={v}`, `b=`) && Headers(`X-App`, `one`) && ClientIP(`::/0`)", "v2")
	requests := []*traefik.Request{
		{},
		{Method: "GET", Host: "a", Authority: "a:80", Path: "/x", RawQuery: "a=1&b=%zz&=;", Header: http.Header{"X-App": {"", "ab"}}},
		{Method: "POST", Host: "sub.example.", Path: "/a%2Fb", RawQuery: "&&a", ClientIP: netip.MustParseAddr("::ffff:10.0.0.1")},
	}
	f.Fuzz(func(t *testing.T, text, syntax string) {
		parsed, err := rule.Parse(text, syntax)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error in several lines: %q", err)
			}
			return
		}
		table := rule.NewTable([]rule.Entry[int]{{Rule: parsed, Value: 1}})
		for _, request := range requests {
			if _, _, found := table.Lookup(request); found != parsed.Match(request) {
				t.Errorf("rule %q, request %+v: the table finds it: %t", text, request, found)
			}
		}
	})
}

// Helpers

func mustParse(t testing.TB, text, syntax string) *rule.Rule {
	t.Helper()
	parsed, err := rule.Parse(text, syntax)
	if err != nil {
		t.Fatalf("rule %s: %v", text, err)
	}
	return parsed
}

func open(t testing.TB, url string) *traefik.Request {
	t.Helper()
	request, err := traefik.FromURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return &request
}

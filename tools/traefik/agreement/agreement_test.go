package agreement

import (
	"fmt"
	"testing"
)

var rulesV3 = []string{
	// Host
	"Host(`example.com`)", "Host(`example.com.`)", "Host(`example.com..`)", "Host(`.`)",
	"Host(`EXAMPLE.com`)", "Host(`127.0.0.1`)", "Host(`::1`)", "Host(`[::1]`)", "Host(`fe80::1`)",
	"Host(`example.com:8080`)", "Host(` example.com`)", "Host(`sub.example.com`)", "Host(`bücher.example`)",
	"Host(`xn--bcher-kva.example`)", "Host(`a_b.example.com`)", "Host(\"example.com\")", `Host("example\x2ecom")`,
	"Host()", "Host(``)", "Host(`example.com`, `example.org`)", "Host(example.com)", "Host('a')", "Host(1)", "Host(`{a}.example.com`)",
	"host(`example.com`)", "HOST(`example.com`)", "hOST(`example.com`)",
	"HostRegexp(`^[a-z]+\\.example\\.com$`)", "HostRegexp(`example`)", "HostRegexp(`.*`)", "HostRegexp(`^$`)", "HostRegexp(`^(foo)?$`)",
	"HostRegexp(`EXAMPLE`)", "HostRegexp(`(?i)EXAMPLE`)", "HostRegexp(`(`)", "HostRegexp(`é`)", "HostRegexp(`a`, `b`)",
	"hostregexp(`example`)", "Hostregexp(`example`)", "HOSTREGEXP(`example`)", "hostRegexp(`example`)",
	"HostHeader(`example.com`)", "HostSNI(`example.com`)",
	// Path
	"Path(`/`)", "Path(`/a`)", "Path(`/a/`)", "Path(`/a b`)", "Path(`/a%20b`)", "Path(`/a%2Fb`)", "Path(`/a/b`)", "Path(`/a%2fb`)",
	"Path(`/A`)", "Path(`/%41`)", "Path(`/é`)", "Path(`/%C3%A9`)", "Path(`a`)", "Path(``)", "Path(`*`)", "Path(`/a`, `/b`)", "Path(`/{id}`)",
	"Path(`/100%25`)", "Path(`/100%`)", "Path(`//double`)", "Path(`/a;b`)", "Path(`/a:b@c`)", "Path(`/[x]`)", "Path(`/\"<>^{|}\\\\`)",
	"PathPrefix(`/`)", "PathPrefix(`/a`)", "PathPrefix(`/a/`)", "PathPrefix(`a`)", "PathPrefix(`/a `)", "PathPrefix(`/a%2F`)", "PathPrefix(`//`)",
	"pathprefix(`/a`)", "PATHPREFIX(`/a`)", "Pathprefix(`/a`)", "pathPrefix(`/a`)",
	"PathRegexp(`^/a/[0-9]+$`)", "PathRegexp(`a`)", "PathRegexp(`\\.(jpe?g|png)$`)", "PathRegexp(`(`)", "PathRegexp(``)", "PathRegexp(`^/(a/b|a b)`)",
	// Method
	"Method(`GET`)", "Method(`get`)", "Method(`POST`)", "Method(`HEAD`)", "Method(`PURGE`)", "Method(`GET`, `POST`)", "Method()",
	// Header
	"Header(`X-App`, `one`)", "Header(`x-app`, `one`)", "Header(`X-App`, `two`)", "Header(`X-App`, `one, two`)", "Header(`X-App`)", "Header(`X-App`, ``)",
	"Header(`X-App`, `One`)", "Header(`Host`, `example.com`)", "Header(`X-Missing`, `one`)", "Header(`User-Agent`, `curl/8`)",
	"HeaderRegexp(`X-App`, `^o`)", "HeaderRegexp(`X-App`, `.*`)", "HeaderRegexp(`X-Missing`, `.*`)", "HeaderRegexp(`X-App`, `(`)", "HeaderRegexp(`Accept`, `text/.+`)",
	"Headers(`X-App`, `one`)", "HeadersRegexp(`X-App`, `one`)",
	// Query
	"Query(`a`)", "Query(`a`, `1`)", "Query(`a`, ``)", "Query(`a`, `1`, `2`)", "Query(`a=1`)", "Query(`b`, `x y`)", "Query(`b`, `x+y`)", "Query(`ü`, `ö`)",
	"QueryRegexp(`a`, `^[0-9]+$`)", "QueryRegexp(`a`)", "QueryRegexp(`a`, `.*`)", "QueryRegexp(`a`, `(`)", "QueryRegexp(`b`, `x.y`)",
	// ClientIP
	"ClientIP(`192.0.2.1`)", "ClientIP(`192.0.2.0/24`)", "ClientIP(`::ffff:192.0.2.1`)", "ClientIP(`::ffff:192.0.2.0/120`)", "ClientIP(`::/0`)", "ClientIP(`0.0.0.0/0`)",
	"ClientIP(`2001:db8::/32`)", "ClientIP(`2001:db8::1`)", "ClientIP(`fe80::/10`)", "ClientIP(`fe80::1%eth0`)", "ClientIP(`10.0.0.256`)", "ClientIP(`10.0.0.0/33`)", "ClientIP(`x`)",
	"ClientIP(`192.0.2.1`, `10.0.0.1`)", "ClientIP(`192.0.2.9/24`)", "ClientIP(` 192.0.2.1`)", "!ClientIP(`192.0.2.1`)", "clientip(`192.0.2.1`)", "ClientIp(`192.0.2.1`)", "Clientip(`192.0.2.1`)",
	// Operators
	"Host(`example.com`) && PathPrefix(`/a`)", "Host(`example.com`) || PathPrefix(`/a`)", "!Host(`example.com`)", "!!Host(`example.com`)", "!!!Host(`example.com`)",
	"!(Host(`example.com`) && PathPrefix(`/a`))", "!(Host(`example.com`) || PathPrefix(`/a`))", "!(!Host(`example.com`) || !PathPrefix(`/a`))",
	"!Host(`example.com`) && PathPrefix(`/a`)", "Host(`example.com`) || Host(`example.org`) && Path(`/a`)", "(Host(`example.com`) || Host(`example.org`)) && Path(`/a`)",
	"Host(`example.com`) && !(PathPrefix(`/a`) || Method(`POST`))", "((((Host(`example.com`)))))", "Host(`example.com`)&&Path(`/a`)||Path(`/`)",
	"Host(`example.com`) &&\n\tPath(`/a`)", "Host(`example.com`) // note", "Host(`example.com`) /* note */ && Path(`/a`)",
	// What is no rule
	"", " ", "Host", "Host(`a`) Host(`b`)", "Host(`a`) &&", "&& Host(`a`)", "Host(`a`) & Host(`b`)", "Host(`a`) == Host(`b`)", "Host(`a`) > Host(`b`)", "-Host(`a`)",
	"`a`", "1", "1 && 2", "!1", "`a` || Host(`a`)", "Host(Host(`a`))", "Host(`a`)(`b`)", "Host[`a`]", "Host{`a`}", "func() {}", "rules.Host(`a`)", "Host(`a`...)",
	"Host(`a`, )", "Host(`a`", "Host`a`)", "(Host(`a`)", "Host(`a`))", "Host(`a`);", "Host(nil)", "Host(1.5)", "Host(-1)", "Host(`a` && `b`)", "Host[int](`a`)", "*Host(`a`)", "<-Host(`a`)", "Host(`a`).b",
	"Host('ab')", "Host(1i)", "Host(99999999999999999999)", "Host(\"\\q\")", "\x00", "Host(`\x00`)", "Host(`a`)\x00", "Host(\"a\nb\")", "Host(`a\nb`)",
}

var rulesV2 = []string{
	"Host(`example.com`)", "Host(`example.com`, `example.org`)", "Host(`EXAMPLE.com.`)", "Host(`example.com`, ``)", "Host(`é`)", "Host()", "HostHeader(`example.com`)", "hostheader(`example.com`)", "Host(`{sub}.example.com`)",
	"HostRegexp(`example.com`)", "HostRegexp(`{sub:[a-z]+}.example.com`)", "HostRegexp(`{sub}.example.com`)", "HostRegexp(`{any:.*}`)", "HostRegexp(`EXAMPLE.COM`, `[::1]`)", "HostRegexp(`::1`)", "HostRegexp(`fe80::1`)",
	"HostRegexp(`{sub:(?-i:[A-Z])+}.example.com`)", "HostRegexp(`{a}.{b}.{c}`)", "HostRegexp(`{a}.{a}.{a}`)", "HostRegexp(`{`)", "HostRegexp(`}`)", "HostRegexp(`}{`)", "HostRegexp(`{}`)", "HostRegexp(`{a:}`)", "HostRegexp(`{:a}`)", "HostRegexp(`{a:(}`)", "HostRegexp(`{a:a)(b}`)", "HostRegexp(`é`)", "HostRegexp(`example.com:8080`)", "HostRegexp(`{a:(?P<v0>x)}`)", "HostRegexp(`.+`)",
	"Path(`/`)", "Path(`/a`, `/a/b`)", "Path(`/{id}`)", "Path(`/{id:[0-9]+}`)", "Path(`/a/{x}/{y:.+}`)", "Path(`/{id:[0-9]{1,3}}`)", "Path(`a`)", "Path(`{a}`)", "Path(`/{`)", "Path(`/a b`)", "Path(`/a%2Fb`)", "Path(`/é`)", "Path(`//double`)", "Path(`/{a:/}`)", "Path(`/a.b`)",
	"PathPrefix(`/a`)", "PathPrefix(`/{x}/`)", "PathPrefix(`/{x:a|b}`)", "PathPrefix(`/`, `a`)", "PathPrefix(`/a`, `/b`)", "PathPrefix(`/{a:^/a}`)", "PathPrefix(`/a b`)",
	"Method(`GET`)", "Method(`post`, `get`)", "Method(`PURGE`)",
	"Headers(`X-App`, `one`)", "Headers(`x-app`, `two`)", "Headers(`X-App`)", "Headers(`X-App`, `one`, `Accept`, `text/html`)", "Headers(`X-App`, `zero`, `X-App`, `one`)", "Headers(`X-App`, `one`, `x-app`, `zero`)", "Headers(`X-App`, ``)",
	"HeadersRegexp(`X-App`, `^o`)", "HeadersRegexp(`X-App`, `(`)", "HeadersRegexp(`X-App`, `o`, `Accept`, `html`)", "HeadersRegexp(`X-App`, `(`, `X-App`, `o`)", "HeadersRegexp(`X-Missing`, `.*`)",
	"Query(`a=1`)", "Query(`a=`)", "Query(`a`)", "Query(`a`, `1`)", "Query(`a=1`, `b=x y`)", "Query(`a=1`, `b`)", "Query(`a={v:[0-9]+}`)", "Query(`a={v}`)", "Query(`a={v}`, `b={v}`)", "Query(`a={v}`, `b={w}`)", "Query(`{a=b}`)", "Query(`{k:.*}=1`)", "Query(`a={v:x=y}`)", "Query(`a={`)", "Query(`a=1=2`)", "Query(`=1`)", "Query(`a`, `b=c`, `d`)", "Query(`a={v}{v}`)", "Query(`b=x{v}y`)",
	"ClientIP(`192.0.2.1`, `10.0.0.0/8`)", "ClientIP(`x`)", "ClientIP(`2001:db8::/32`)", "!ClientIP(`192.0.2.1`)",
	"!(Host(`example.com`) && Path(`/a`))", "Header(`X-App`, `one`)", "PathRegexp(`a`)", "!Query(`a=1`)", "!Headers(`X-App`, `one`, `Accept`, `text/html`)",
}

var visits = []visit{
	// Hosts
	{target: "/", host: "example.com"}, {target: "/", host: "EXAMPLE.com"}, {target: "/", host: "example.com."}, {target: "/", host: "example.com.."}, {target: "/", host: "example.com..."},
	{target: "/", host: "example.com:8080"}, {target: "/", host: "example.com.:8080"}, {target: "/", host: "example.com:"}, {target: "/", host: "."}, {target: "/", host: ".."}, {target: "/"},
	{target: "/", host: "sub.example.com"}, {target: "/", host: "SUB.example.com"}, {target: "/", host: "a.b.c"}, {target: "/", host: "example.org"}, {target: "/", host: "foo"}, {target: "/", host: "a_b.example.com"},
	{target: "/", host: "127.0.0.1"}, {target: "/", host: "127.0.0.1:80"}, {target: "/", host: "[::1]"}, {target: "/", host: "[::1]:80"}, {target: "/", host: "::1"}, {target: "/", host: "[fe80::1%25eth0]:80"}, {target: "/", host: "xn--bcher-kva.example"},
	{target: "/", host: ":80"}, {target: "/", host: ":"}, {target: "/", host: "["}, {target: "/", host: "a:b:c"}, {target: "/", host: "example.com:x"}, {target: "/", host: "\"a\nb\""},
	{target: "http://example.com/a", host: "evil.example"}, {target: "http://example.com", host: "example.com"}, {target: "http://example.com?a=1", host: "example.com"}, {target: "https://user@example.com/a?a=1", host: "example.com"},
	// Paths
	{target: "/a", host: "example.com"}, {target: "/A", host: "example.com"}, {target: "/a/", host: "example.com"}, {target: "/a/b", host: "example.com"}, {target: "/ab", host: "example.com"}, {target: "/b", host: "example.org"},
	{target: "/a%20b", host: "example.com"}, {target: "/a%2Fb", host: "example.com"}, {target: "/a%2fb", host: "example.com"}, {target: "/%41", host: "example.com"}, {target: "/%61", host: "example.com"}, {target: "/%C3%A9", host: "example.com"}, {target: "/é", host: "example.com"}, {target: "/%c3%a9", host: "example.com"},
	{target: "/100%25", host: "example.com"}, {target: "/100%2525", host: "example.com"}, {target: "/100%", host: "example.com"}, {target: "/%zz", host: "example.com"}, {target: "/%4", host: "example.com"}, {target: "//double", host: "example.com"}, {target: "//evil.example/a", host: "example.com"}, {target: "///a", host: "example.com"},
	{target: "/a;b", host: "example.com"}, {target: "/a%3Bb", host: "example.com"}, {target: "/a:b@c", host: "example.com"}, {target: "/a%3Ab%40c", host: "example.com"}, {target: "/[x]", host: "example.com"}, {target: "/%5Bx%5D", host: "example.com"}, {target: "/%22%3C%3E%5E%7B%7C%7D%5C", host: "example.com"}, {target: "/\"<>^{|}\\", host: "example.com"},
	{target: "/a/../b", host: "example.com"}, {target: "/a/%2e%2e/b", host: "example.com"}, {target: "/a#b", host: "example.com"}, {target: "/a%23b", host: "example.com"}, {target: "/a%00b", host: "example.com"}, {target: "/a%0Ab", host: "example.com"}, {target: "/a%FFb", host: "example.com"}, {target: "/123", host: "example.com"}, {target: "/a/12", host: "example.com"}, {target: "/x.png", host: "example.com"},
	{target: "*", host: "example.com", method: "OPTIONS"}, {target: "/a%2F%2f%20%41%3f", host: "example.com"}, {target: "/a%3Fa=1", host: "example.com"}, {target: "/a%2B+%2b", host: "example.com"},
	// Methods
	{target: "/a", host: "example.com", method: "POST"}, {target: "/a", host: "example.com", method: "HEAD"}, {target: "/a", host: "example.com", method: "get"}, {target: "/a", host: "example.com", method: "PURGE"}, {target: "/a", host: "example.com", method: "OPTIONS"},
	// Headers
	{target: "/a", host: "example.com", header: "X-App: one\r\n"}, {target: "/a", host: "example.com", header: "x-app: two\r\nX-App: one\r\n"}, {target: "/a", host: "example.com", header: "X-App: one, two\r\n"}, {target: "/a", host: "example.com", header: "X-App:\r\n"}, {target: "/a", host: "example.com", header: "X-App: zero\r\nAccept: text/html\r\nUser-Agent: curl/8\r\n"}, {target: "/a", host: "example.com", header: "X-App: one\r\nAccept: text/html\r\n"},
	{target: "/a", host: "example.com", header: "X-Forwarded-Host: evil.example\r\nX-Forwarded-Uri: /evil\r\nX-Forwarded-Method: POST\r\nX-Forwarded-For: 10.0.0.1\r\n"},
	// Queries
	{target: "/?a=1", host: "example.com"}, {target: "/?a", host: "example.com"}, {target: "/?a=", host: "example.com"}, {target: "/?", host: "example.com"}, {target: "/?a=2&a=1", host: "example.com"}, {target: "/?a=1&a=2", host: "example.com"}, {target: "/?A=1", host: "example.com"}, {target: "/?%61=%31", host: "example.com"}, {target: "/?b=x+y", host: "example.com"}, {target: "/?b=x%20y", host: "example.com"}, {target: "/?b=x%2By", host: "example.com"},
	{target: "/?a=1;b=2", host: "example.com"}, {target: "/?a=%zz", host: "example.com"}, {target: "/?%zz=1&a=1", host: "example.com"}, {target: "/?=1", host: "example.com"}, {target: "/?&&a=1", host: "example.com"}, {target: "/?a=1=2", host: "example.com"}, {target: "/?a=x=y", host: "example.com"}, {target: "/?a=1&b=x+y", host: "example.com"}, {target: "/?%C3%BC=%C3%B6", host: "example.com"}, {target: "/?ü=ö", host: "example.com"}, {target: "/?a=1?b=2", host: "example.com"}, {target: "/?{a=b", host: "example.com"}, {target: "/?a=%0A1", host: "example.com"},
	// Clients
	{target: "/", host: "example.com", remote: "192.0.2.9:1"}, {target: "/", host: "example.com", remote: "10.0.0.1:1"}, {target: "/", host: "example.com", remote: "[2001:db8::1]:1"}, {target: "/", host: "example.com", remote: "[::ffff:192.0.2.1]:1"}, {target: "/", host: "example.com", remote: "[fe80::1%eth0]:1"}, {target: "/", host: "example.com", remote: "@"}, {target: "/", host: "example.com", remote: "x:1"},
}

func TestBothSidesAcceptTheSameRulesAndMatchTheSameRequests(t *testing.T) {
	t.Parallel()
	var pairs, matches int
	for _, r := range routers(rulesV3, rulesV2) {
		matched, met := compare(t, newMessenger(t), []router{r}, visits)
		pairs, matches = pairs+met, matches+matched
	}
	t.Logf("%d pairs of a rule and a request, %d of them match", pairs, matches)
	if matches < pairs/10 {
		t.Errorf("only %d of %d pairs match: the table says little", matches, pairs)
	}
}

func TestBothSidesChooseTheSameRouter(t *testing.T) {
	t.Parallel()
	compare(t, newMessenger(t), []router{
		{name: "site", rule: "Host(`example.com`)"},
		{name: "site with a dot", rule: "Host(`example.com.`)"},
		{name: "api", rule: "Host(`example.com`) && PathPrefix(`/a`)"},
		{name: "catch all", rule: "PathPrefix(`/`)", priority: 1},
		{name: "below zero", rule: "PathPrefix(`/`)", priority: -5},
		{name: "hooks", rule: "Method(`POST`)", priority: 1000},
		{name: "not the site", rule: "!Host(`example.com`)", priority: 12},
		{name: "either", rule: "Host(`example.org`) || Host(`sub.example.com`)", priority: 30},
		{name: "any name", rule: "HostRegexp(`^.+$`)", priority: 5},
		{name: "old", rule: "HostRegexp(`{sub}.example.com`)", syntax: "v2", priority: 31},
	}, visits)
}

func routers(v3, v2 []string) []router {
	var all []router
	for _, rule := range v3 {
		all = append(all, router{rule: rule}, router{rule: rule, syntax: "v3"}, router{rule: rule, syntax: "V2"})
	}
	for _, rule := range append(v2, v3...) {
		all = append(all, router{rule: rule, syntax: "v2"})
	}
	for i := range all {
		all[i].name = fmt.Sprint("router ", i)
	}
	return all
}

// compare asks both sides which of the routers takes each visit, and returns how many
// pairs of a router and a visit there were, and how many of them match.
func compare(t *testing.T, m *messenger, routers []router, visits []visit) (matches, pairs int) {
	t.Helper()
	traefik, theyRefuse := newTheirs(t, routers...)
	paastis, weRefuse := newOurs(routers...)
	byName := make(map[string]router)
	for _, r := range routers {
		byName[r.name] = r
		if they, we := theyRefuse[r.name], weRefuse[r.name]; (they == nil) != (we == nil) {
			t.Errorf("rule %s:\n\tTraefik says %v\n\tPaastis says %v", r, they, we)
		}
	}
	for _, v := range visits {
		if v.request() == nil {
			continue
		}
		told, err := m.tell(v.request())
		if err != nil {
			t.Errorf("visit %s: %v", v, err)
		}
		they, we := byName[traefik.winner(v.request())], byName[paastis.winner(told)]
		if they != we {
			t.Errorf("visit %s:\n\tTraefik chooses %s\n\tPaastis chooses %s", v, they, we)
		}
		if pairs++; we.name != "" {
			matches++
		}
	}
	return matches, pairs
}

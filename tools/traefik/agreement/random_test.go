package agreement

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Words of which rules and visits are made, few enough that they meet.
var (
	hostWords   = []string{"example.com", "EXAMPLE.com", "example.com.", "example.org", "a.example.com", "b.example.com", "10.0.0.1", "::1", "localhost"}
	pathWords   = []string{"/", "/a", "/a/", "/a/b", "/a b", "/é", "/a%2Fb", "/a%2fb", "//a", "/12", "/a/12.png"}
	targetWords = []string{"/", "/a", "/a/", "/a/b", "/a%20b", "/%C3%A9", "/a%2Fb", "/a%2fb", "//a", "/%61/%62", "/12", "/a/12.png", "/%2e/a"}
	methodWords = []string{"GET", "get", "POST", "HEAD"}
	nameWords   = []string{"X-A", "x-a", "X-B"}
	valueWords  = []string{"1", "2", "x y", "1, 2", "x"}
	paramWords  = []string{"a", "b", "ü"}
	queryWords  = []string{"", "?", "?a", "?a=1", "?a=2&a=1", "?b=x+y", "?b=x%20y&a", "?a=1;b=2", "?%C3%BC=x", "?=1", "?a=%"}
	clientWords = []string{"10.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1"}
	netWords    = []string{"10.0.0.1", "10.0.0.0/8", "192.0.2.0/31", "2001:db8::/64", "::/0", "0.0.0.0/0", "::ffff:10.0.0.0/104"}
	patternV3   = []string{"^[a-z.]+$", "example", "[0-9]+", "^/a", "\\.png$", "a|b", ".*", "^$", "(?i)EXAMPLE", "/"}
	patternV2   = []string{"{n}", "{n:[a-z]+}", "{n:[0-9]+}", "{n:.*}", "{n:a|b}"}
)

// dice makes rules and visits at random.
type dice struct{ *rand.Rand }

func (d dice) of(words []string) string { return words[d.IntN(len(words))] }

func (d dice) visit() visit {
	host := d.of(hostWords)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if d.IntN(4) == 0 {
		host += ":8443"
	}
	v := visit{method: d.of(methodWords), target: d.of(targetWords) + d.of(queryWords), host: host}
	for range d.IntN(3) {
		v.header += d.of(nameWords) + ": " + d.of(valueWords) + "\r\n"
	}
	v.remote = "[" + d.of(clientWords) + "]:1234"
	return v
}

func (d dice) rule(syntax string, depth int) string {
	switch d.IntN(max(depth, 1) + 2) {
	case 0, 1:
		return d.matcher(syntax)
	case 2:
		return "!" + d.rule(syntax, 0)
	case 3:
		return d.rule(syntax, depth-1) + " || " + d.rule(syntax, depth-1)
	case 4:
		return "!(" + d.rule(syntax, depth-1) + ")"
	default:
		return "(" + d.rule(syntax, depth-1) + ") && " + d.rule(syntax, depth-1)
	}
}

func (d dice) matcher(syntax string) string {
	if syntax == "v2" {
		return d.matcherV2()
	}
	switch d.IntN(11) {
	case 0:
		return call("HostRegexp", d.of(patternV3))
	case 1:
		return call("Path", d.of(pathWords))
	case 2:
		return call("PathPrefix", d.of(pathWords))
	case 3:
		return call("PathRegexp", d.of(patternV3))
	case 4:
		return call("Method", d.of(methodWords))
	case 5:
		return call("Header", d.of(nameWords), d.of(valueWords))
	case 6:
		return call("HeaderRegexp", d.of(nameWords), d.of(patternV3))
	case 7:
		return call("Query", d.some(d.of(paramWords), d.of(valueWords))...)
	case 8:
		return call("QueryRegexp", d.some(d.of(paramWords), d.of(patternV3))...)
	case 9:
		return call("ClientIP", d.of(netWords))
	default:
		return call("Host", d.of(hostWords))
	}
}

func (d dice) matcherV2() string {
	switch d.IntN(9) {
	case 0:
		return call("HostRegexp", d.some(d.of(patternV2)+".example.com", d.of(hostWords))...)
	case 1:
		return call("Path", d.some("/"+d.of(patternV2), d.of(pathWords))...)
	case 2:
		return call("PathPrefix", d.some("/"+d.of(patternV2)+"/", d.of(pathWords))...)
	case 3:
		return call("Method", d.some(d.of(methodWords), d.of(methodWords))...)
	case 4:
		return call("Headers", d.some(d.of(nameWords), d.of(valueWords), d.of(nameWords), d.of(valueWords))...)
	case 5:
		return call("HeadersRegexp", d.of(nameWords), d.of(patternV3))
	case 6:
		return call("Query", d.some(d.of(paramWords)+"="+d.of(valueWords), d.of(paramWords)+"="+d.of(patternV2), d.of(paramWords))...)
	case 7:
		return call("ClientIP", d.some(d.of(netWords), d.of(netWords))...)
	default:
		return call("Host", d.some(d.of(hostWords), d.of(hostWords))...)
	}
}

// some are the first few of the arguments, now and then too few or too many.
func (d dice) some(arguments ...string) []string {
	return arguments[:1+d.IntN(len(arguments))]
}

// spoil changes a few bytes of a rule.
func (d dice) spoil(rule string) string {
	bytes := []byte(rule)
	for range 1 + d.IntN(3) {
		at := d.IntN(len(bytes))
		switch d.IntN(3) {
		case 0:
			bytes[at] = "`\"(){}[]!&|,.\\ aH1\n"[d.IntN(19)]
		case 1:
			bytes = append(bytes[:at], bytes[at+1:]...)
		default:
			bytes = append(bytes[:at], append([]byte{bytes[d.IntN(len(bytes))]}, bytes[at:]...)...)
		}
		if len(bytes) == 0 {
			return ""
		}
	}
	return string(bytes)
}

func call(name string, arguments ...string) string {
	return name + "(`" + strings.Join(arguments, "`, `") + "`)"
}

func TestBothSidesAgreeOnRandomRulesAndRequests(t *testing.T) {
	t.Parallel()
	d, m := dice{rand.New(rand.NewPCG(3, 6))}, newMessenger(t)
	var pairs, matches int
	for pairs < 20_000 {
		visits := []visit{d.visit(), d.visit(), d.visit(), d.visit(), d.visit(), d.visit(), d.visit(), d.visit()}
		routers := d.routers()
		compare(t, m, routers, visits)
		for _, r := range routers {
			matched, met := compare(t, m, []router{r}, visits)
			pairs, matches = pairs+met, matches+matched
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d pairs of a rule and a request, %d of them match", pairs, matches)
	if matches < pairs/10 {
		t.Errorf("only %d of %d pairs match: the test says little", matches, pairs)
	}
}

// routers are some with priorities that differ: Traefik leaves it to chance which of
// those with the same one it takes.
func (d dice) routers() []router {
	var routers []router
	taken := make(map[int]bool)
	for i := range 10 {
		r := router{name: fmt.Sprint("router ", i), syntax: d.of([]string{"", "v2", "v3"})}
		r.rule = d.rule(r.syntax, 3)
		if d.IntN(3) == 0 {
			r.priority = d.IntN(40) - 5
		}
		if priority := cmp.Or(r.priority, len(r.rule)); !taken[priority] {
			taken[priority] = true
			routers = append(routers, r)
		}
	}
	return routers
}

func TestBothSidesAgreeOnSpoiltRules(t *testing.T) {
	t.Parallel()
	d, m := dice{rand.New(rand.NewPCG(19, 84))}, newMessenger(t)
	visits := []visit{d.visit(), d.visit(), d.visit(), d.visit()}
	for range 5_000 {
		syntax := d.of([]string{"v2", "v3"})
		compare(t, m, []router{{name: "spoilt", rule: d.spoil(d.rule(syntax, 2)), syntax: syntax}}, visits)
		if t.Failed() {
			t.FailNow()
		}
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// class is what kind of answer a visitor got.
type class string

const (
	fromApp class = "app"              // the app's own
	page    class = "page"             // our page, for people
	problem class = "problem document" // our answer to programs
	again   class = "307"              // to the very same URL
	polled  class = "poll"             // our answer to the page's poll
	wrong   class = "wrong"            // all else
)

// call is one request of a visitor.
type call struct {
	method, host, path string
	body               string
	header             []string // "Key: value"
	// app is the name that the app's own answer bears.
	app string
	// bytes is how long a download is; zero: it is none.
	bytes int
}

// classify says what kind of answer a call got. Nothing is right by default.
func (c call) classify(a answer, err error) class {
	state, kind := a.header.Get("X-Paastis-State"), a.header.Get("Content-Type")
	unavailable := a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests
	switch {
	case err != nil:
		return wrong
	case a.status == http.StatusOK && c.isTheApps(a):
		return fromApp
	case a.status == http.StatusTemporaryRedirect && state != "" && a.header.Get("Location") == c.url():
		return again
	case !unavailable || state == "" || a.header.Get("Cache-Control") != "no-store":
		return wrong
	case c.polls():
		if c.isPage(a) {
			return polled
		}
	case c.byPerson():
		if c.isPage(a) {
			return page
		}
	case kind == "application/problem+json" && json.Valid([]byte(a.body)) && a.header.Get("Retry-After") != "":
		return problem
	}
	return wrong
}

// isTheApps tells that the app itself has answered, that it was the right one, and that
// all of a body has come to it.
func (c call) isTheApps(a answer) bool {
	if c.bytes > 0 {
		return a.header.Get("X-Paastis-State") == "" && c.isWhole(a)
	}
	var told struct {
		Name   string
		Method string
		Length int
		SHA256 string
	}
	if a.header.Get("X-Paastis-State") != "" || c.polls() || json.Unmarshal([]byte(a.body), &told) != nil || told.Name != c.app {
		return false
	}
	return c.body == "" || told.Method == c.method && told.Length == len(c.body) && told.SHA256 == sum(c.body)
}

// isPage tells that an answer is the waiting page, whole.
func (c call) isPage(a answer) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && strings.HasSuffix(strings.TrimSpace(a.body), "</script>")
}

func (c call) url() string    { return "http://" + c.host + c.path }
func (c call) byPerson() bool { return c.has("Sec-Fetch-Mode: navigate") }
func (c call) polls() bool    { return c.has("X-Paastis-Poll: 1") }

func (c call) has(header string) bool {
	for _, h := range c.header {
		if h == header {
			return true
		}
	}
	return false
}

func (c call) String() string {
	return fmt.Sprintf("%s %s %q, body of %d bytes", c.method, c.url(), c.header, len(c.body))
}

// personTo is a person's navigation to an app.
func personTo(host, app string) call {
	return call{method: "GET", host: host, path: "/?p=1", app: app, header: []string{
		"Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode: navigate"}}
}

// programTo is a program's question to an app.
func programTo(host, app string) call {
	return call{method: "GET", host: host, path: "/?q=a%20b", app: app, header: []string{"Accept: application/json"}}
}

// postTo is a program's request with a body.
func postTo(host, app string) call {
	return call{method: "POST", host: host, path: "/echo?x=1", app: app, body: strings.Repeat("all of it ", 500),
		header: []string{"Accept: application/json", "Content-Type: text/plain"}}
}

// pollTo is what the waiting page's script asks.
func pollTo(host, app string, more ...string) call {
	return call{method: "GET", host: host, path: "/?p=1", app: app,
		header: append([]string{"Accept: */*", "Sec-Fetch-Mode: cors", "X-Paastis-Poll: 1"}, more...)}
}

// A poll that comes after the page has become the app would reach the app: Paastis
// never lets one through, so an app's answer to a poll is wrong.
func TestEveryAnswerHasItsClass(t *testing.T) {
	person, program, post, poll := personTo("a.test", "a"), programTo("a.test", "a"), postTo("a.test", "a"), pollTo("a.test", "a")
	ours := func(kind string) http.Header {
		return http.Header{"X-Paastis-State": {"starting"}, "Cache-Control": {"no-store"}, "Content-Type": {kind}, "Retry-After": {"1"}}
	}
	moved := func(to string) http.Header {
		return http.Header{"X-Paastis-State": {"ready"}, "Location": {to}}
	}
	for name, c := range map[string]struct {
		call call
		got  answer
		err  error
		want class
	}{
		"the app's own":              {person, answer{status: 200, body: `{"name":"a","answers":1}`}, nil, fromApp},
		"another app's":              {person, answer{status: 200, body: `{"name":"b","answers":1}`}, nil, wrong},
		"an empty 200":               {program, answer{status: 200}, nil, wrong},
		"a body that did not arrive": {post, answer{status: 200, body: `{"name":"a","method":"POST","length":3}`}, nil, wrong},
		"our page":                   {person, answer{status: 503, header: ours("text/html; charset=utf-8"), body: "<script></script>\n"}, nil, page},
		"half a page":                {person, answer{status: 503, header: ours("text/html; charset=utf-8"), body: "<scr"}, nil, wrong},
		"a page for a program":       {program, answer{status: 503, header: ours("text/html; charset=utf-8"), body: "<script></script>"}, nil, wrong},
		"a problem document":         {program, answer{status: 503, header: ours("application/problem+json"), body: "{}"}, nil, problem},
		"Traefik's own 503":          {program, answer{status: 503, body: "no available server"}, nil, wrong},
		"Traefik's 502":              {program, answer{status: 502, body: "Bad Gateway"}, nil, wrong},
		"again":                      {post, answer{status: 307, header: moved("http://a.test/echo?x=1")}, nil, again},
		"elsewhere":                  {post, answer{status: 307, header: moved("http://a.test/echo")}, nil, wrong},
		"an answer to a poll":        {poll, answer{status: 503, header: ours("text/html; charset=utf-8"), body: "<script></script>\n"}, nil, polled},
		"a poll at the app":          {poll, answer{status: 200, body: `{"name":"a","answers":1}`}, nil, wrong},
		"a whole download":           {download("a.test", "a", 1, 100), answer{status: 200, body: strings.Repeat("\x00", 100)}, nil, fromApp},
		"half a download":            {download("a.test", "a", 1, 100), answer{status: 200, body: strings.Repeat("\x00", 50)}, nil, wrong},
		"a cut connection":           {program, answer{}, io.ErrUnexpectedEOF, wrong},
	} {
		if got := c.call.classify(c.got, c.err); got != c.want {
			t.Errorf("%s is classed as %q, want %q", name, got, c.want)
		}
	}
}

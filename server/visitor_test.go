package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// header makes a header of lines such as "Accept: text/html".
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestPersonIsWhoNavigatesWithABrowser(t *testing.T) {
	for _, c := range []struct {
		method string
		lines  []string
		want   Visitor
	}{
		{"GET", []string{"Accept: text/html"}, Person},
		{"GET", []string{"Accept: text/html;q=0.9, */*"}, Person},
		{"GET", []string{"Accept: application/xhtml+xml, text/html"}, Person},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: navigate"}, Person},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: cors"}, Program},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: no-cors"}, Program},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: same-origin"}, Program},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: websocket"}, Program},
		{"GET", []string{"Accept: text/html", "Sec-WebSocket-Key: x"}, Program},
		{"GET", []string{"Accept: */*"}, Program},
		{"GET", []string{"Accept: application/json"}, Program},
		{"GET", []string{"Accept: text/plain"}, Program},
		{"GET", []string{"Accept: text/event-stream"}, Program},
		{"GET", nil, Program},
		{"GET", []string{"Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, Person},
		{"POST", []string{"Accept: text/html", "Sec-Fetch-Mode: navigate"}, Form},
		{"POST", []string{"Accept: text/html"}, Form},
		{"PUT", []string{"Accept: text/html"}, Form},
		{"POST", []string{"Accept: text/html", "Sec-Fetch-Mode: cors"}, Program},
		{"POST", []string{"Accept: text/html", "Sec-Fetch-Mode: same-origin"}, Program},
		{"POST", []string{"Accept: */*"}, Program},
		{"POST", nil, Program},
		{"POST", []string{"Accept: text/html", "X-Paastis-Poll: 1"}, Poll},
		{"HEAD", []string{"Accept: text/html"}, Program},
		{"OPTIONS", []string{"Accept: text/html"}, Program},
		{"get", []string{"Accept: text/html"}, Program}, // methods have a case
		{"GET", []string{"Accept: text/html", "X-Paastis-Poll: 1"}, Poll},
		{"GET", []string{"X-Paastis-Poll: "}, Poll},
		{"GET", []string{"Accept: text/html", "X-Paastis-Retry: 1"}, Person},
		{"GET", []string{"Accept: text/html", "HX-Request: true"}, Program},
		{"GET", []string{"Accept: text/html", "HX-Request: true", "HX-Boosted: true"}, Program},
		{"POST", []string{"Accept: text/html", "HX-Request: true"}, Program},
		{"GET", []string{"Accept: text/html, application/xhtml+xml", "Turbo-Frame: cart"}, Program},
		{"GET", []string{"Accept: text/html, application/xhtml+xml", "X-Turbo-Request-Id: 1"}, Program},
		{"POST", []string{"Accept: text/vnd.turbo-stream.html, text/html, application/xhtml+xml"}, Program},
		{"GET", []string{"Accept: text/html", "X-Requested-With: XMLHttpRequest"}, Program},
		{"GET", []string{"Accept: text/html", "X-Requested-With: swup"}, Program},
		{"GET", []string{"Accept: text/html", "X-Requested-With: com.example.browser"}, Person}, // Android's WebView
		{"GET", []string{"Accept: text/html, application/xhtml+xml", "X-Inertia: true"}, Program},
		{"GET", []string{"Accept: application/json, text/html"}, Program},
		{"GET", []string{"Accept: application/json, text/html;q=0.9, */*;q=0.8"}, Program},
		{"GET", []string{"Accept: text/html;q=0.1, application/json"}, Program},
		{"GET", []string{"Accept: text/html ; q=0.1 , application/json;q=0.5"}, Program},
		{"GET", []string{"Accept: application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"}, Program},
		{"GET", []string{"Accept: application/xml, application/atom+xml, application/rss+xml, text/html, */*;q=0.8"}, Program},
		{"GET", []string{"Accept: text/html;q=0, */*"}, Program},
		{"GET", []string{"Accept: text/html, application/json"}, Person},
		{"GET", []string{"Accept: text/html;q=x, */*"}, Person},
		{"GET", []string{"Accept: application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,image/png,*/*;q=0.5"}, Person}, // old WebKit
		{"PROPFIND", []string{"Accept: text/html"}, Program},
	} {
		if got := (Classifier{}).Classify(c.method, "/", header(c.lines...), netip.Addr{}); got != c.want {
			t.Errorf("%s with %q is %d, want %d", c.method, c.lines, got, c.want)
		}
	}
}

func TestOnlookersAreWhoTheConfigurationNames(t *testing.T) {
	never := NeverWake{
		UserAgents: []string{"UptimeRobot", " kube-probe/ ", "", "Better Uptime"},
		Paths:      []string{"/favicon.ico", "/icon-*.png", "/.well-known/*", "/v[12]", `/a\*b`},
		Methods:    []string{"OPTIONS"},
		Sources:    prefixes("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"),
		Prefetch:   true,
	}
	for _, c := range []struct {
		name, method, path, line, client string
		passive                          bool
	}{
		{"an agent", "GET", "/", "User-Agent: Mozilla/5.0+(compatible; UptimeRobot/2.0)", "", true},
		{"an agent in another case", "GET", "/", "User-Agent: uptimeROBOT", "", true},
		{"an agent written with blanks around", "GET", "/", "User-Agent: kube-probe/1.31", "", true},
		{"an agent with a blank inside", "GET", "/", "User-Agent: better uptime bot", "", true},
		{"an agent cut short", "GET", "/", "User-Agent: UptimeRobo", "", false},
		{"no agent", "GET", "/", "User-Agent: ", "", false},
		{"a path", "GET", "/favicon.ico", "", "", true},
		{"a path in another case", "GET", "/Favicon.ico", "", "", false},
		{"a path below", "GET", "/favicon.ico/more", "", "", false},
		{"a path elsewhere", "GET", "/img/favicon.ico", "", "", false},
		{"a glob", "GET", "/icon-32x32.png", "", "", true},
		{"a glob of nothing", "GET", "/icon-.png", "", "", true},
		{"a glob stops at a slash", "GET", "/icon-a/b.png", "", "", false},
		{"a folder's glob", "GET", "/.well-known/security.txt", "", "", true},
		{"a class", "GET", "/v2", "", "", true},
		{"a class without it", "GET", "/v3", "", "", false},
		{"an escaped star", "GET", "/a*b", "", "", true},
		{"an escaped star is no glob", "GET", "/axb", "", "", false},
		{"a method", "OPTIONS", "/", "", "", true},
		{"a source", "GET", "/", "", "10.200.3.4", true},
		{"a source as IPv4 in IPv6", "GET", "/", "", "::ffff:10.200.3.4", true},
		{"a single source", "GET", "/", "", "192.0.2.7", true},
		{"a neighbour", "GET", "/", "", "192.0.2.8", false},
		{"an IPv6 source", "GET", "/", "", "2001:db8:1::1", true},
		{"another IPv6 source", "GET", "/", "", "2001:db9::1", false},
		{"Chrome's prefetch", "GET", "/", "Sec-Purpose: prefetch", "", true},
		{"Chrome's prerender", "GET", "/", "Sec-Purpose: prefetch;prerender", "", true},
		{"an older prefetch", "GET", "/", "Purpose: prefetch", "", true},
		{"Safari's preview", "GET", "/", "X-Purpose: preview", "", true},
		{"Firefox's prefetch", "GET", "/", "X-Moz: prefetch", "", true},
		{"Turbo's prefetch", "GET", "/", "X-Sec-Purpose: prefetch", "", true},
		{"htmx's preload", "GET", "/", "HX-Preloaded: true", "", true},
		{"Next's prefetch", "GET", "/", "Next-Router-Prefetch: 1", "", true},
		{"another purpose", "GET", "/", "Sec-Purpose: none", "", false},
		{"a plain visit", "GET", "/", "Accept: text/html", "203.0.113.7", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var client netip.Addr
			if c.client != "" {
				client = netip.MustParseAddr(c.client)
			}
			classifier, err := NewClassifier(never)
			if err != nil {
				t.Fatal(err)
			}
			if got := classifier.Classify(c.method, c.path, header(c.line), client); (got == PassiveClient) != c.passive {
				t.Errorf("is %d", got)
			}
			if got := (Classifier{}).Classify(c.method, c.path, header(c.line), client); got == PassiveClient {
				t.Error("passive although nothing is configured")
			}
		})
	}
}

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestBadPathIsNamedInTheError(t *testing.T) {
	for path, good := range map[string]bool{
		"/robots.txt": true, "/icon-*.png": true, "/v[12]": true, "/": true,
		"robots.txt": false, "": false, "*": false, "/icon-[.png": false, "/x[": false, `/x\`: false,
	} {
		_, err := NewClassifier(NeverWake{Paths: []string{"/favicon.ico", path}})
		if (err == nil) != good {
			t.Errorf("%q: %v", path, err)
		}
		if err != nil && !strings.Contains(err.Error(), `"`+strings.ReplaceAll(path, `\`, `\\`)+`"`) {
			t.Errorf("%q is not in the error %q", path, err)
		}
	}
}

func TestBrowsersAreNoMonitors(t *testing.T) {
	c := monitors(t)
	for _, agent := range []string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0.0.0;]",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22A LinkedInApp/9.30",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22A Twitter for iPhone/10.60",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Electron/33.0 Slack_SSB/4.41 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Mattermost/5.10 Chrome/130.0.0.0 Electron/33.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Teams/24.1 Chrome/130.0.0.0 Safari/537.36",
	} {
		if got := c.Classify("GET", "/", header(browser, "User-Agent: "+agent), netip.Addr{}); got != Person {
			t.Errorf("%s is %d", agent, got)
		}
	}
}

func TestTellingVisitorsApartAllocatesNothing(t *testing.T) {
	c := monitors(t)
	h := header(browser, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	client := netip.MustParseAddr("::ffff:203.0.113.7")
	if n := testing.AllocsPerRun(100, func() { c.Classify("GET", "/a/b.png", h, client) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRequestForAnAwakeAppAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").At("shop.test").Awake())
		r := ask("http://shop.test/a?b=c", browser, "User-Agent: Mozilla/5.0 Firefox/140.0")
		c, w := s.echo.NewContext(r, nil), &nothing{h: http.Header{}}
		ours := testing.AllocsPerRun(100, func() {
			c.Reset(r, w)
			if err := s.auth.answer(c); err != nil || w.code != http.StatusOK {
				t.Fatal(w.code, err)
			}
		})
		if ours != 0 {
			t.Errorf("%v allocations", ours)
		}
		// Of the whole way the best call counts: Echo keeps its contexts in a sync.Pool, and
		// the race detector makes that forget at random.
		whole := 100.0
		for range 100 {
			whole = min(whole, testing.AllocsPerRun(1, func() {
				if s.ServeHTTP(w, r); w.code != http.StatusOK {
					t.Fatal(w.code)
				}
			}))
		}
		if whole != 0 {
			t.Errorf("%v allocations with Echo's", whole)
		}
	})
}

// nothing is a ResponseWriter that costs nothing.
type nothing struct {
	h    http.Header
	code int
}

func (w *nothing) Header() http.Header         { return w.h }
func (w *nothing) Write(b []byte) (int, error) { return len(b), nil }
func (w *nothing) WriteHeader(code int)        { w.code = code }

func TestStreamsAreToldByTheirHeaders(t *testing.T) {
	for line, want := range map[string]bool{
		"Sec-WebSocket-Key: x": true, "Accept: text/event-stream": true, "Accept: text/event-stream, */*": true,
		"Accept: application/json, text/event-stream": true, "Accept: application/x-ndjson": true, "Accept: application/stream+json": true,
		"Content-Type: application/x-ndjson": true, "Content-Type: application/grpc": false, "Content-Type: application/json": false,
		"Accept: text/html": false, "Accept: application/json": false, "Accept: */*": false, "Upgrade: websocket": false,
	} {
		if got := streams(ask("http://shop.test/", line).Header); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
}

func TestUploadsAndCallsAreToldByTheirMethodAndHeaders(t *testing.T) {
	for line, want := range map[string]bool{
		"GET": false, "HEAD": false, "OPTIONS": false, "POST": false, "DELETE": false, "PUT": true, "PATCH": true,
		"POST Content-Type: application/grpc": true, "POST Content-Type: application/grpc+proto": true, "POST Content-Type: Application/gRPC-web": true,
		"POST Content-Type: application/connect+json": true, "POST Expect: 100-continue": true, "POST Content-Type: multipart/form-data; boundary=x": true, "POST Content-Type: video/mp4": true,
		"POST Content-Type: application/offset+octet-stream": true, "POST Content-Type: application/json": false,
		"POST Content-Type: application/x-www-form-urlencoded": false, "GET Content-Type: video/mp4": false, "GET Expect: 100-continue": true,
	} {
		method, rest, _ := strings.Cut(line, " ")
		h := ask("http://shop.test/", "X-Forwarded-Method: "+method).Header
		if rest != "" {
			name, value, _ := strings.Cut(rest, ": ")
			h.Set(name, value)
		}
		if got := mayLast(h); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
}

func TestALinkInAChatWakesNothing(t *testing.T) {
	for _, agent := range []string{
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"Slack-ImgProxy (+https://api.slack.com/robots)",
		"WhatsApp/2.23.20.0 A", // and Signal
		"WhatsApp/2",
		"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
		"TelegramBot (like TwitterBot)",
		"Twitterbot/1.0",
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
		"facebookexternalhit/1.1;line-poker/1.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", // iMessage
		"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
		"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", // Teams
		"Mastodon/4.3.0 (http.rb/5.2.0; +https://mastodon.example/) Bot",
		"http.rb/5.1.1 (Mastodon/4.2.8; +https://mastodon.example/)",
		"Synapse (bot; +https://github.com/matrix-org/synapse)",
		"Mattermost-Bot/1.1",
		"Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
	} {
		t.Run(agent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop"))
				for _, r := range []*http.Request{ask("https://shop.test/", browser, "User-Agent: "+agent), come("shop", "/", "Accept: */*", "User-Agent: "+agent)} {
					if got := gist(s.answer(r)); got != "503 problem asleep" {
						t.Error(got)
					}
				}
				if got := s.Took(); got != "-" {
					t.Errorf("orders %s", got)
				}
			})
		})
	}
}

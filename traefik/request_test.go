package traefik_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func TestForwardAuthTellsTheVisitorsRequest(t *testing.T) {
	t.Parallel()
	h := forwarded("Shop.Example:8443", "/a%20b%2Fc?id=7&x=%20")
	h.Set("X-Forwarded-Method", "PATCH")
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-For", "10.0.0.1, 192.0.2.7")
	got := hear(t, h)
	for name, pair := range map[string][2]string{
		"method":    {got.Method, "PATCH"},
		"proto":     {got.Proto, "https"},
		"host":      {got.Host, "shop.example"},
		"authority": {got.Authority, "Shop.Example:8443"},
		"uri":       {got.URI, "/a%20b%2Fc?id=7&x=%20"},
		"path":      {got.Path, "/a b%2Fc"},
		"query":     {got.RawQuery, "id=7&x=%20"},
		"client":    {got.ClientIP.String(), "192.0.2.7"},
		"header":    {got.Header.Get("X-Forwarded-Proto"), "https"},
		"url":       {got.URL(), "https://Shop.Example:8443/a%20b%2Fc?id=7&x=%20"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
}

func TestForwardAuthWithoutMethodIsAboutGET(t *testing.T) {
	t.Parallel()
	if got := hear(t, forwarded("a", "/")).Method; got != http.MethodGet {
		t.Errorf("method %q", got)
	}
}

func TestForwardAuthWithoutURIIsNone(t *testing.T) {
	t.Parallel()
	if _, err := traefik.FromForwardAuth(http.Header{"X-Forwarded-Host": {"a"}}); !errors.Is(err, traefik.ErrNotForwarded) {
		t.Errorf("error %v", err)
	}
}

func TestForwardAuthReadsHostsAsTraefikDoes(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"":                   "",
		"a.example":          "a.example",
		"A.Example":          "a.example",
		"a.example:80":       "a.example",
		"a.example:":         "a.example",
		"a.example.":         "a.example.",
		"a.example.:80":      "a.example.",
		" a.example ":        "a.example",
		"10.0.0.1:80":        "10.0.0.1",
		"[::1]":              "::1",
		"[::1]:80":           "::1",
		"::1":                "::1",
		"[FE80::1%25eth0]:1": "fe80::1%25eth0",
		"[":                  "[",
		":":                  "",
		"[:":                 "[:",
	} {
		if got := hear(t, forwarded(sent, "/")).Host; got != want {
			t.Errorf("host of %q is %q, want %q", sent, got, want)
		}
	}
}

func TestForwardAuthReadsURIsAsTraefikDoes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ uri, path, query, url string }{
		{"/", "/", "", "http://a/"},
		{"/x?", "/x", "", "http://a/x?"},
		{"/x?a?b", "/x", "a?b", "http://a/x?a?b"},
		{"/%41%2f%2F%25", "/A/%2F%25", "", "http://a/%41%2f%2F%25"},
		{"/%C3%A9", "/é", "", "http://a/%C3%A9"},
		{"/é", "/é", "", "http://a/%C3%A9"},
		{"/x?a=%zz", "/x", "a=%zz", "http://a/x?a=%zz"},
		{"//evil.example/x", "//evil.example/x", "", "http://a//evil.example/x"},
		{"/\\evil.example", "/\\evil.example", "", "http://a/%5Cevil.example"},
		{"/x y\"<>#z", "/x y\"<>#z", "", "http://a/x%20y%22%3C%3E%23z"},
		{"/x\r\nSet-Cookie: a", "/x\r\nSet-Cookie: a", "", "http://a/x%0D%0ASet-Cookie:%20a"},
		{"http://evil.example/x?y", "/x", "y", "http://a/x?y"},
		{"HTTPS://evil.example", "/", "", "http://a/"},
		{"http://evil.example?y", "/", "y", "http://a/?y"},
		{"/to?u=http://b/", "/to", "u=http://b/", "http://a/to?u=http://b/"},
		{"*", "*", "", "http://a/"},
	} {
		got := hear(t, forwarded("a", row.uri))
		if got.Host != "a" || got.Path != row.path || got.RawQuery != row.query || got.URL() != row.url {
			t.Errorf("URI %q: host %q, path %q, query %q, URL %q", row.uri, got.Host, got.Path, got.RawQuery, got.URL())
		}
	}
}

func TestForwardAuthRefusesWhatIsNoURI(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"x", "mailto:me", "ftp://evil.example/", "/%", "/%4", "/%zz", "/a%g0b", "?x"} {
		if got, err := traefik.FromForwardAuth(forwarded("a", uri)); err == nil {
			t.Errorf("URI %q is taken: %+v", uri, got)
		}
	}
}

func TestClientIsWhoCalledTheProxyNearestToUs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		lines []string
		want  string
	}{
		{nil, "invalid IP"},
		{[]string{""}, "invalid IP"},
		{[]string{"192.0.2.7"}, "192.0.2.7"},
		{[]string{"10.0.0.1,192.0.2.7"}, "192.0.2.7"},
		{[]string{"10.0.0.1", "10.0.0.2, 192.0.2.7 "}, "192.0.2.7"},
		{[]string{"10.0.0.1, unknown"}, "invalid IP"},
		{[]string{"2001:db8::1"}, "2001:db8::1"},
		{[]string{"fe80::1%eth0"}, "fe80::1%eth0"},
	} {
		h := forwarded("a", "/")
		h["X-Forwarded-For"] = row.lines
		if got := hear(t, h).ClientIP.String(); got != row.want {
			t.Errorf("client of %q is %s, want %s", row.lines, got, row.want)
		}
	}
}

func TestURLIsEmptyForAHostThatIsNone(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "a b", "user@evil.example", "a/evil", "a\\evil", "a?b", "a#b", "a,b", "a:x", "[::1", "a\r\nb", "é", "[a]b"} {
		r := hear(t, forwarded(host, "/x"))
		if got := r.URL(); got != "" {
			t.Errorf("URL for host %q is %q", host, got)
		}
	}
}

func TestURLOfAWebSocketIsOneThatABrowserOpens(t *testing.T) {
	t.Parallel()
	for proto, want := range map[string]string{"ws": "http://a/", "wss": "https://a/", "javascript": "http://a/", "": "http://a/"} {
		h := forwarded("a", "/")
		h.Set("X-Forwarded-Proto", proto)
		r := hear(t, h)
		if got := r.URL(); got != want {
			t.Errorf("URL for %q is %q, want %q", proto, got, want)
		}
	}
}

func TestRequestThatReachesPaastisItself(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPut, "/a%20b?x=1", nil)
	r.Host, r.RemoteAddr = "Shop.example:80", "[2001:db8::1]:1234"
	got := traefik.FromRequest(r)
	if got.Method != "PUT" || got.Host != "shop.example" || got.Path != "/a b" || got.RawQuery != "x=1" ||
		got.Proto != "http" || got.ClientIP != netip.MustParseAddr("2001:db8::1") || got.URL() != "http://Shop.example:80/a%20b?x=1" {
		t.Errorf("got %+v", got)
	}
}

func TestRequestBehindAProxyIsThatOfTheVisitor(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	if got := traefik.FromRequest(r); got.Proto != "https" || got.ClientIP != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("got %+v", got)
	}
}

func TestRequestOverTLSIsHTTPS(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	if got := traefik.FromRequest(r).Proto; got != "https" {
		t.Errorf("proto %q", got)
	}
}

func TestRequestWithoutAPathHasNone(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL = &url.URL{Scheme: "mailto", Opaque: "me", RawQuery: "x"}
	if got := traefik.FromRequest(r); got.Path != "" || got.RawQuery != "x" {
		t.Errorf("got %+v", got)
	}
}

func TestURLOfAPersonBecomesARequest(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://Shop.example/cart?id=7#top": "https://Shop.example/cart?id=7",
		"shop.example":                       "http://shop.example/",
		"shop.example:8080/x y":              "http://shop.example:8080/x%20y",
	} {
		if got := open(t, given).URL(); got != want {
			t.Errorf("%s is opened as %s, want %s", given, got, want)
		}
	}
}

func TestURLWithoutHostOrOfAnotherSchemeIsRefused(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"", "http://", "ftp://a/", "http://a b/", "http:///x", "http://a/%zz"} {
		if got, err := traefik.FromURL(given); err == nil {
			t.Errorf("%q is opened as %+v", given, got)
		}
	}
}

func FuzzFromForwardAuth(f *testing.F) {
	f.Add("a:80", "/a%20b?x=1", "10.0.0.1, ::1")
	f.Add("[::1", "http://b?x", ",")
	f.Add("a@b", "//b/%2f", "")
	f.Fuzz(func(t *testing.T, host, uri, client string) {
		h := forwarded(host, uri)
		h.Set("X-Forwarded-For", client)
		r, err := traefik.FromForwardAuth(h)
		if err != nil {
			return
		}
		again := r.URL()
		if again == "" {
			return
		}
		parsed, err := url.Parse(again)
		if err != nil || parsed.Host != host || strings.ContainsFunc(again, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("host %q, URI %q: URL %q, %v", host, uri, again, err)
		}
	})
}

// Helpers

func forwarded(host, uri string) http.Header {
	return http.Header{"X-Forwarded-Host": {host}, "X-Forwarded-Uri": {uri}}
}

func hear(t testing.TB, h http.Header) traefik.Request {
	t.Helper()
	r, err := traefik.FromForwardAuth(h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, url string) *traefik.Request {
	t.Helper()
	request, err := traefik.FromURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return &request
}

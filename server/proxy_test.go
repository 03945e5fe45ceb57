package server

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// echoing is an app that tells how a request came.
var echoing = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip", "Forwarded", "User-Agent", "Accept-Encoding", "Cookie", "Te"} {
		for _, value := range r.Header[name] {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
})

func TestRequestReachesTheAppAsTheVisitorSentIt(t *testing.T) {
	s := onSockets(t, behind(t, echoing).awake())
	for _, path := range []string{
		"/", "/a/b", "/a/b/", "//", "//a//b", "/a%2Fb", "/a%2fb%20c", "/%7Euser/~user", "/a/../b/./c", "/%2e%2e/b",
		"/?", "/?a", "/?a=b&c=d", "/?a;b=c;d", "/?q=%zz&r=%", "/?q=a+b%20c", "/a;v=1/b?x", "/[a]/(b)!$&'*,=:@", "/é?é",
		"/.paastis/shop/", "/ä%C3%A4",
	} {
		want := "GET " + strings.NewReplacer("é?é", "%C3%A9?é", "ä", "%C3%A4").Replace(path) + " shop.test\n"
		got := read(t, do(t, s.to("GET", path, nil)).Body)
		if line, _, _ := strings.Cut(got, "\n"); line+"\n" != want {
			t.Errorf("%s arrives as %q", path, line)
		}
	}
	headers := []string{
		"X-Forwarded-For: 203.0.113.7, 10.0.0.9", "X-Forwarded-Host: shop.test", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443",
		"X-Forwarded-Server: traefik", "X-Real-Ip: 203.0.113.7", "Forwarded: for=203.0.113.7", "User-Agent: test/1", "Accept-Encoding: zstd",
		"Cookie: a=b; c=d", "Te: trailers",
	}
	got := read(t, do(t, s.to("PATCH", "/x", nil, headers...)).Body)
	if want := "PATCH /x shop.test\n" + strings.Join(headers, "\n") + "\n"; got != want {
		t.Errorf("arrives as\n%swant\n%s", got, want)
	}
	if got := read(t, do(t, s.to("GET", "/", nil, "User-Agent: ")).Body); got != "GET / shop.test\n" {
		t.Errorf("a bare request arrives as\n%s", got)
	}
}

func TestHeldBodyArrivesWholeOnceTheAppIsAwake(t *testing.T) {
	sums := sha256.New()
	app := behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		fmt.Fprintf(w, "%d %v %x", n, err, h.Sum(nil))
	}))
	app.boot = time.Second
	s := onSockets(t, app)
	const size = 20 << 20
	body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), sums)
	resp := do(t, s.to("POST", "/upload", body))
	if got, want := read(t, resp.Body), fmt.Sprintf("%d <nil> %x", size, sums.Sum(nil)); got != want {
		t.Errorf("%d: the app got %s, want %s", resp.StatusCode, got, want)
	}
}

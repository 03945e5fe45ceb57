package paas

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
)

func TestTheURLOfAnAppLeadsToAPlatformAlone(t *testing.T) {
	for raw, want := range map[string]string{
		"https://shop.osc-fr1.scalingo.io":         "https://shop.osc-fr1.scalingo.io",
		"https://shop-0123456789ab.herokuapp.com/": "https://shop-0123456789ab.herokuapp.com",
		"http://shop.herokuapp.com":                "https://shop.herokuapp.com",
		"https://shop.example.com:8443":            "https://shop.example.com:8443",
		"http://169.254.169.254":                   "", "https://169.254.169.254": "", "https://10.0.0.1:443": "", "https://[::1]": "", "https://127.1": "", "https://0x7f.1": "", "https://2130706433": "",
		"https://localhost": "", "https://LOCALHOST.": "", "https://a.localhost": "", "https://paastis": "", "https://paastis:3000": "",
		"https://metadata.google.internal": "", "https://printer.local": "", "ftp://shop.example.com": "", "unix:///var/run/docker.sock": "", "shop.example.com": "", "": "",
	} {
		if got := AppURL(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestWhatAPlatformCallsAThingHasNothingThatATerminalObeys(t *testing.T) {
	for text, want := range map[string]string{
		"shop": "shop", "Boutique à Noël 🎄": "Boutique à Noël 🎄", "a\nb\tc": "a b c", "\x1b[2Jshop": " [2Jshop",
		"a\u009bb": "a b", "a\u202eb\u2066c": "abc", "a\u2028b": "a b",
	} {
		if got := Line(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestALogIsReadWithoutTheTokenAndNotInTheClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		transport := paastest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Host+r.URL.RequestURI()+r.Header.Get("Authorization"))
			_, _ = w.Write([]byte("one\ntwo\n"))
		}))
		a := NewAccount(Config{BaseURL: &url.URL{Scheme: "https", Host: "api.example.com"}, Transport: transport, Header: http.Header{"Authorization": {"Bearer secret"}}})
		text, err := a.Read(t.Context(), "https://logs.example.com/shop?token=x", url.Values{"n": {"2"}})
		if err != nil || text != "one\ntwo\n" || len(asked) != 1 || asked[0] != "logs.example.com/shop?n=2&token=x" {
			t.Errorf("%q by %q: %v", text, asked, err)
		}
		for _, raw := range []string{"http://169.254.169.254/latest/meta-data", "http://logs.example.com/", "file:///etc/passwd", "/logs", "://", ""} {
			if _, err := a.Read(t.Context(), raw, nil); err == nil {
				t.Errorf("%s: no error", raw)
			}
		}
		if len(asked) != 1 {
			t.Errorf("asked are %q", asked)
		}
	})
}

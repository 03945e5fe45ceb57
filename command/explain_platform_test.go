package command

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
)

func TestExplainTellsWhoseAHostIs(t *testing.T) {
	h := herokutest.New()
	h.Create(herokutest.App{Name: "shop", Boot: time.Nanosecond, Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
	api := httptest.NewServer(h.API())
	t.Cleanup(api.Close)
	path := file(t, "provider: heroku\nheroku: {token: "+herokutest.Token+", api_url: '"+api.URL+"'}\nrules: [{pattern: shop, host: '{name}.apps.example.com'}]\n")
	for operand, want := range map[string]string{
		"shop.apps.example.com":  "shop.apps.example.com/\n  is for router \"shop\"",
		"shop.apps.example.com/": "shop.apps.example.com/\n  is for router \"shop\"",
		"shop":                   "app shop (Heroku app",
		"other.example.com":      "no provider knows an app \"other.example.com\"",
	} {
		code, stdout, stderr := paastis(t, nil, "explain", operand, "--config", path)
		if known := !strings.HasPrefix(stdout, "no provider"); known != strings.Contains(stdout, "all but 502-504") {
			t.Errorf("%s: what answers are a sign of life is told wrongly:\n%s", operand, stdout)
		}
		if code != exitOK || !strings.HasPrefix(stdout, want) {
			t.Errorf("%s: exit %d, does not begin with %q:\n%s%s", operand, code, want, stdout, stderr)
		}
	}
}

func TestExplainTellsWhatThePlatformOfAnAppSaysOfItsUse(t *testing.T) {
	h := herokutest.New()
	h.Create(herokutest.App{Name: "shop", Boot: time.Nanosecond, Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
	api := httptest.NewServer(h.API())
	t.Cleanup(api.Close)
	path := file(t, "provider: heroku\nheroku: {token: "+herokutest.Token+", api_url: '"+api.URL+"'}\nrules: [{pattern: shop}]\n")
	for _, want := range []string{"use beyond requests\n  none that its platform tells of", "use beyond requests\n  1 one-off container runs in it"} {
		code, stdout, stderr := paastis(t, nil, "explain", "shop", "--config", path)
		if code != exitOK || !strings.Contains(stdout, want) || strings.Contains(stdout, "B/s") || strings.Contains(stdout+stderr, herokutest.Token) {
			t.Errorf("exit %d, lacks %q:\n%s%s", code, want, stdout, stderr)
		}
		h.RunOneOff("shop")
	}
}

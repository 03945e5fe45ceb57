package scalingo

import (
	"log/slog"
	"net/url"
	"testing"

	"github.com/paastis/paastis/providers/internal/paas"
)

func TestAnAppWhoseURLIsNoneOfAPlatformIsReachedNowhere(t *testing.T) {
	calls := paas.NewAccount(paas.Config{BaseURL: &url.URL{Scheme: "https", Host: "api.example.com"}})
	r := &region{name: "osc-fr1", calls: calls}
	for raw, want := range map[string]string{
		"https://shop.osc-fr1.scalingo.io": "https://shop.osc-fr1.scalingo.io",
		"http://169.254.169.254":           "",
		"https://localhost:2375":           "",
	} {
		f := newFleet("", slog.New(slog.DiscardHandler))
		f.take(r, f.next(), []appInfo{{ID: "1", Name: "shop", Status: isRunning, BaseURL: text(raw)}})
		if got := f.named("shop").app().URL; got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestNamesOfAppsHaveNothingThatATerminalObeys(t *testing.T) {
	var name text
	for _, value := range []string{`"sh\u001b[2Jop"`, "\"sh\u009bop\"", "\"sh\u202eop\""} {
		if err := name.UnmarshalJSON([]byte(value)); err != nil || name != text(paas.Line(string(name))) {
			t.Errorf("%s: %q, %v", value, name, err)
		}
	}
}

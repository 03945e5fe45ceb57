package page

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
)

func TestFailureShowsTheLastLogLinesOnlyWhereAllowed(t *testing.T) {
	v := registry.View{Name: "shop", State: registry.Failed, Reason: reason.Reason{Kind: reason.Exited, Code: 3}, Logs: []string{"first", "cannot open <b>/data</b>"}}
	if page := drawn(v); !strings.Contains(page, "first\ncannot open &lt;b&gt;/data&lt;/b&gt;</pre>") {
		t.Errorf("page:\n%s", page)
	}
	v.Logs = slices.Repeat([]string{strings.Repeat("<", 500)}, 100)
	if n := len(drawn(v)); n > 4096 {
		t.Errorf("%d bytes", n)
	}
	v.Logs = nil
	if page := drawn(v); strings.Contains(page, "<pre") {
		t.Errorf("page without logs:\n%s", page)
	}
}

// builtPage is what the built-in themes draw.
func builtPage() *Themes { return NewThemes("", slog.New(slog.DiscardHandler)) }

// drawn is the page of a view, in English.
func drawn(v registry.View) string {
	return string(builtPage().render(State{View: v}, localeFor("")).body)
}

func TestThePageOfAnAppThatItsOwnerStoppedSaysSo(t *testing.T) {
	v := registry.View{Name: "shop", State: registry.Asleep, HeldDown: true, Reason: reason.Reason{Kind: reason.StaysStopped, Apps: []string{"shop"}}}
	for name, theme := range builtThemes() {
		for language, want := range map[string]string{
			"en": "It was stopped by hand. It stays so until somebody starts it: paastis wake shop",
			"fr": "Elle a été arrêtée à la main. Elle le reste jusqu’à ce que quelqu’un la démarre : paastis wake shop",
		} {
			drawn, err := theme.draw(State{View: v}.data(localeFor(language), sampleSize, time.Now()), brand{})
			body := string(drawn.body)
			if err != nil || !strings.Contains(body, want) || !strings.Contains(body, "⏸ shop") {
				t.Errorf("theme %s in %s: %v, %s", name, language, err, body)
			}
			if strings.Contains(body, `id="r"`) || strings.Contains(body, "<progress") {
				t.Errorf("theme %s in %s has a button to try again, or something to wait for: %s", name, language, body)
			}
		}
	}
}

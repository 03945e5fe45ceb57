package page

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// builtNames are the built-in themes.
var builtNames = []string{"branded", "plain", "terminal"}

// longestLogo is as long as a logo may be.
var longestLogo = "data:image/svg+xml;base64," + strings.Repeat("PHN2", (rules.LogoLimit-len("data:image/svg+xml;base64,"))/4)

func TestEachBuiltInThemeDrawsEverySampleAndCanBecomeTheApp(t *testing.T) {
	for name, theme := range builtThemes() {
		if err := theme.try(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPageWithEightLinkedAppsFitsInEachThemeLanguageAndState(t *testing.T) {
	all, _ := locales()
	now := time.Now()
	page := builtPage()
	every := knownReasons()
	longestOf := slices.MaxFunc(every, func(a, b knownReason) int { return cmp.Compare(len(a.english+a.french), len(b.english+b.french)) })
	for _, theme := range builtNames {
		longest, logos := 0, 0
		for _, in := range all {
			for state := registry.Asleep; state <= registry.Failed; state++ {
				told := every
				if state != registry.Failed { // there they only take room
					told = []knownReason{longestOf}
				}
				for _, form := range []bool{false, true} {
					for _, known := range told {
						v := registry.View{
							Name: "pix-app-review-pr1234-front", State: state, Reason: known.reason, Began: now.Add(-time.Hour), Usual: 95 * time.Second,
							Theme: theme, Brand: rules.Brand{Color: "#123456", Accent: "#fedcba", Logo: longestLogo},
						}
						for i := range 8 {
							step := registry.Step{Name: fmt.Sprintf("pix-app-review-pr1234-linked%d", i), Progress: registry.Waking}
							if i == 0 && state == registry.Failed {
								step.Progress, step.Reason = registry.Broken, known.reason
							}
							v.Steps = append(v.Steps, step)
						}
						drawn := string(page.render(State{View: v, Form: form}, in).body)
						longest = max(longest, len(drawn))
						if n := len(drawn); n > pageLimit || strings.Count(drawn, "<li") != 8 {
							t.Errorf("%s, %s, %s, form %t: %d bytes, %d steps", theme, in.code, state, form, n, strings.Count(drawn, "<li"))
						}
						if strings.Contains(html.UnescapeString(drawn), longestLogo) {
							logos++
						}
					}
				}
			}
		}
		t.Logf("%s: at most %d bytes, %d times with a logo", theme, longest, logos)
	}
}

package pages

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/paastis/paastis/server/page"
)

// states are the samples of page.Preview.
var states = []string{
	"first", "usual", "linked", "many", "late", "turn", "refused", "ready",
	"failed", "needs", "logs", "form", "form-ready", "form-failed",
}

// preview serves `paastis theme preview`.
func preview(t *testing.T) string {
	t.Helper()
	handler, err := page.NewPreview(page.NewThemes("", slog.New(slog.DiscardHandler)), "")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(handler)
	t.Cleanup(func() {
		srv.CloseClientConnections() // polls are held
		srv.Close()
	})
	return srv.URL
}

// The screenshots of this test are for people to look at.
func TestEveryoneCanReadEveryStateOfEveryTheme(t *testing.T) {
	url := preview(t)
	for _, theme := range []string{"plain", "terminal", "branded"} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			for device, o := range map[string]tabOptions{
				"phone":   {width: phoneWidth, height: phoneHeight, dark: dark, reducedMotion: true},
				"desktop": {width: desktopWidth, height: desktopHeight, dark: dark, reducedMotion: true},
			} {
				ctx := tab(t, o)
				for _, state := range states {
					t.Run(fmt.Sprintf("%s-%s-%s-%s", theme, state, scheme, device), func(t *testing.T) {
						do(t, ctx, chromedp.Navigate(url+"/"+theme+"/"+state))
						if got := ask(t, ctx, chromedp.Evaluate[bool]("document.documentElement.scrollWidth<=innerWidth")); !got {
							t.Error("it has to be scrolled sideways")
						}
						axe(t, ctx)
						screenshot(t, ctx, fmt.Sprintf("%s-%s-%s-%s", theme, state, scheme, device))
					})
				}
			}
		}
	}
}

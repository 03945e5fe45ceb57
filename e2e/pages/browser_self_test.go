package pages

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// serveHTML serves one page.
func serveHTML(t *testing.T, page func(r *http.Request) string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page(r)))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestATabIsWhatThePersonHasSetUp(t *testing.T) {
	url := serveHTML(t, func(r *http.Request) string {
		return "<!doctype html><title>x</title><p>" + r.Header.Get("Accept-Language") + "</p><script>document.title='on'</script>"
	})
	ctx := tab(t, tabOptions{width: phoneWidth, height: phoneHeight, dark: true, lang: "fr-CH", scriptOff: true, reducedMotion: true})
	do(t, ctx, chromedp.Navigate(url))
	if got := visibleText(t, ctx); got != "fr-CH" {
		t.Errorf("the language is %q", got)
	}
	if got := ask(t, ctx, chromedp.Title()); got != "x" {
		t.Errorf("a script ran, the title is %q", got)
	}
	until(t, ctx, "innerWidth==375&&matchMedia('(prefers-color-scheme:dark)').matches&&matchMedia('(prefers-reduced-motion:reduce)').matches")
	plain := tab(t, tabOptions{})
	do(t, plain, chromedp.Navigate(url))
	until(t, plain, "document.title=='on'&&innerWidth==1280&&matchMedia('(prefers-color-scheme:light)').matches&&!matchMedia('(prefers-reduced-motion:reduce)').matches")
}

// What axe must see, so that its silence elsewhere means something.
func TestAxeSeesAPageThatFewCanRead(t *testing.T) {
	url := serveHTML(t, func(*http.Request) string {
		return `<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><p style="color:#999;background:#fff">grey on white</p></main>`
	})
	ctx := tab(t, tabOptions{dark: true})
	do(t, ctx, chromedp.Navigate(url))
	violations := axeViolations(t, ctx)
	if len(violations) != 1 || violations[0].ID != "color-contrast" || !strings.Contains(violations[0].Nodes[0].HTML, "grey") {
		t.Errorf("axe saw %+v", violations)
	}
}

func TestAScreenshotIsAPicture(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "shots")
	t.Setenv("SCREENSHOTS", folder)
	url := serveHTML(t, func(*http.Request) string {
		return `<!doctype html><html lang="en"><title>x</title><main><h1>x</h1></main>`
	})
	ctx := tab(t, tabOptions{width: phoneWidth, height: phoneHeight})
	do(t, ctx, chromedp.Navigate(url))
	axe(t, ctx)
	screenshot(t, ctx, "one")
	data, err := os.ReadFile(filepath.Join(folder, "one.png"))
	if err != nil {
		t.Fatal(err)
	}
	if picture, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || picture.Width != phoneWidth {
		t.Errorf("it is %+v, %v", picture, err)
	}
}

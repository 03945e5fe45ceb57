package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserSees opens a URL in Chromium as a person would, and returns the texts that
// the page showed one after the other until one is the app's. It fails the test if the
// app does not show within half a minute.
func browserSees(t *testing.T, host, url string, isApp func(text string) bool) []string {
	t.Helper()
	ctx := browserTab(t, host)
	if _, err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for ctx.Err() == nil {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
		if err != nil {
			continue // the page is being replaced
		}
		if text != "" && (len(seen) == 0 || seen[len(seen)-1] != text) {
			seen = append(seen, text)
		}
		if isApp(text) {
			return seen
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the app never showed; the browser saw:\n%s", strings.Join(seen, "\n---\n"))
	return nil
}

// browserTab is an empty tab of a Chromium for which a host is this machine. It has half a
// minute, and is closed with the test.
func browserTab(t *testing.T, host string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+host+" 127.0.0.1"),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium found; `make test` installs one")
	return ""
}

// Package pages shows in a real browser what people see of Paastis. It needs a Chromium,
// but no engine: the apps are played. `make pages` runs it; E2E=0 leaves it out.
package pages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long a tab has for all that a test does in it.
const patience = 2 * time.Minute

// The sizes that people have.
const (
	phoneWidth, phoneHeight     = 375, 667
	desktopWidth, desktopHeight = 1280, 800
)

// browser is the one Chromium of a test run, started for the first test that needs it.
// Its tabs share nothing.
var browser = sync.OnceValues(newBrowser)

// closeBrowser ends the browser, if one was started.
var closeBrowser = func() {}

func TestMain(m *testing.M) {
	if os.Getenv("E2E") == "0" {
		fmt.Println("browser tests left out, because E2E=0")
		return
	}
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

func newBrowser() (context.Context, error) {
	path := chromiumPath()
	if path == "" {
		return nil, fmt.Errorf("no Chromium found; scripts/chromium installs one, E2E=0 leaves the browser tests out")
	}
	profile, err := os.MkdirTemp("", "paastis-pages-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		// Any name is this machine, and none is asked for elsewhere.
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1"),
		chromedp.UserDataDir(profile))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	closeBrowser = func() {
		cancel()
		stop()
		_ = os.RemoveAll(profile)
	}
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, nil
}

// chromiumPath is empty if there is no Chromium.
func chromiumPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// tabOptions are what a person has set up. The zero value is a desktop in light, in
// English, with scripts and motion.
type tabOptions struct {
	width, height int64
	dark          bool
	lang          string // Accept-Language
	scriptOff     bool
	reducedMotion bool
}

// tab opens an empty tab of its own profile, which is closed with the test. Pass it to
// chromedp.Run and chromedp.Do.
func tab(t *testing.T, o tabOptions) context.Context {
	t.Helper()
	b, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, patience)
	t.Cleanup(cancelTime)
	if o.width == 0 {
		o.width, o.height = desktopWidth, desktopHeight
	}
	do(t, ctx, chromedp.EmulateViewport(o.width, o.height))
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: o.media()})
	if o.lang != "" {
		call(t, ctx, network.Enable, network.EnableParams{})
		call(t, ctx, network.SetExtraHTTPHeaders,
			network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": o.lang}})
	}
	if o.scriptOff {
		call(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	return ctx
}

func (o tabOptions) media() []*emulation.MediaFeature {
	scheme, motion := "light", "no-preference"
	if o.dark {
		scheme = "dark"
	}
	if o.reducedMotion {
		motion = "reduce"
	}
	return []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: motion},
	}
}

// do carries steps out in a tab, or fails the test.
func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask is the result of one step in a tab.
func ask[T any](t *testing.T, tab context.Context, step chromedp.Action[T]) T {
	t.Helper()
	result, err := chromedp.Run(tab, step)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// call sends a tab a command of the DevTools protocol.
func call[P, R any](t *testing.T, tab context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(tab, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// until waits for a JavaScript expression to be true in a tab, over changes of the page.
func until(t *testing.T, tab context.Context, expression string) {
	t.Helper()
	for {
		is, err := chromedp.Run(tab, chromedp.Evaluate[bool]("!!("+expression+")"))
		switch {
		case err == nil && is:
			return
		case tab.Err() != nil:
			t.Fatalf("it never was so in the browser: %s", expression)
		}
		select { // a page that is being replaced cannot be asked
		case <-tab.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// visibleText is what a person can read in a tab.
func visibleText(t *testing.T, tab context.Context) string {
	t.Helper()
	return ask(t, tab, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
}

// click presses the mouse where something is, as soon as it stays where it is: it may be
// drawn anew while it is looked for.
func click(t *testing.T, page context.Context, selector string) {
	t.Helper()
	const where = `new Promise(resolve => {
		const it = document.querySelector(%q)
		if (!it) return resolve([])
		it.scrollIntoView({block: 'center', inline: 'center'})
		const at = () => { const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] }
		const before = at()
		requestAnimationFrame(() => requestAnimationFrame(() => {
			const [x, y] = at()
			const hit = document.elementFromPoint(x, y)
			resolve(x == before[0] && y == before[1] && hit && (it.contains(hit) || hit.contains(it)) ? [x, y] : [])
		}))
	})`
	for page.Err() == nil {
		at, err := chromedp.Run(page, chromedp.Evaluate[[]float64](fmt.Sprintf(where, selector), chromedp.EvalAwaitPromise))
		if err == nil && len(at) == 2 {
			do(t, page, chromedp.MouseClickXY(at[0], at[1]))
			return
		}
	}
	t.Fatalf("nothing to click on stays where it is: %s", selector)
}

// screenshot writes what a tab shows, in full length, as NAME.png into the folder
// $SCREENSHOTS. Without one it does nothing.
func screenshot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	png := ask(t, tab, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// axeFile is where scripts/axe puts axe-core.
const axeFile = "../../.cache/axe/node_modules/axe-core/axe.min.js"

var axeSource = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(axeFile)
	if err != nil {
		return "", fmt.Errorf("no axe-core found; scripts/axe installs it: %w", err)
	}
	return string(source), nil
})

// axeViolation is a rule of accessibility that a page breaks.
type axeViolation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe fails the test for each rule of axe-core that the page in a tab breaks. Scripts
// must be on there; the page's Content-Security-Policy is no hindrance.
func axe(t *testing.T, tab context.Context) {
	t.Helper()
	for _, v := range axeViolations(t, tab) {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s\n%s\n%s", v.ID, v.Help, n.HTML, n.Summary)
		}
	}
}

func axeViolations(t *testing.T, tab context.Context) []axeViolation {
	t.Helper()
	source, err := axeSource()
	if err != nil {
		t.Fatal(err)
	}
	ask(t, tab, chromedp.Evaluate[bool](source+";true"))
	return ask(t, tab, chromedp.Evaluate[[]axeViolation](
		"axe.run(document,{preload:false,resultTypes:['violations']}).then(r=>r.violations)", chromedp.EvalAwaitPromise))
}

package pages

import (
	"context"
	"fmt"
	"testing"
	"time"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// sampleApps is what a team may have: a shop with a database, review apps that need each
// other, a failed wiki, and some that are on their own.
func sampleApps() []adminApp {
	apps := joined(
		anApp("shop", "shop-front").ready("requests passed, the last one 40 s ago", 12*time.Minute+41*time.Second).needing("shop-api:healthy"),
		anApp("shop", "shop-admin").needing("shop-api:healthy", "shop-search:started?"),
		anApp("shop", "shop-api").ready("needed by shop-front", 0).needing("shop-db:healthy", "shop-cache:started", "shop-migrate:completed"),
		anApp("shop", "shop-migrate").needing("shop-db:healthy"),
		anApp("shop", "shop-search"),
		anApp("shop", "shop-cache").ready("needed by shop-api", 0),
		anApp("shop", "shop-db").ready("needed by shop-api", 0),
		anApp("pix-app-review-pr42", "pix-app-review-pr42-front").needing("pix-app-review-pr42-back:healthy", "pix-db:healthy"),
		anApp("pix-app-review-pr42", "pix-app-review-pr42-back").needing("pix-app-review-pr42-front:started", "pix-db:healthy"),
		anApp("pix", "pix-db"),
		anApp("pix-app-review-pr57", "pix-app-review-pr57-front").needing("pix-app-review-pr57-back:healthy"),
		anApp("pix-app-review-pr57", "pix-app-review-pr57-back").needing("pix-app-review-pr57-front:started"),
		anApp("tools", "wiki").needing("wiki-db:healthy"),
		anApp("tools", "wiki-db"),
		anApp("tools", "grafana").ready("websocket traffic 14 kB/s", 4*time.Minute),
		anApp("tools", "excalidraw"),
		anApp("", "blog"),
		anApp("", "recipes").ready("pinned", time.Minute),
	)
	byName := map[string]*adminApp{}
	for i := range apps {
		byName[apps[i].Name] = &apps[i]
		if i%3 == 1 {
			apps[i].Saved.Day.Asleep, apps[i].Saved.Month.Asleep = 51000, 1.4e6
		}
	}
	for _, name := range []string{"shop-api", "shop-cache", "shop-db"} {
		byName[name].NextStop = nil
	}
	shop := byName["shop-front"]
	shop.URLs, shop.Saved.Day.Asleep = []string{"https://shop.example.com/", "https://shop.example.com/fr"}, 61200
	for i, seconds := range []float64{11.8, 12.6, 14.2, 9.7, 31, 12.1, 12.4, 13} {
		wake := adminWake{At: time.Now().Add(-time.Duration(i*9) * time.Hour).UTC(), Took: seconds, Outcome: "ready"}
		if seconds == 31 {
			wake.Outcome, wake.Reason, wake.ReasonCode = "failed", "shop-db was not healthy within 30 s", "overdue"
		}
		shop.Wakes = append(shop.Wakes, wake)
	}
	wiki, code, again := byName["wiki"], 137, time.Now().Add(48*time.Second).UTC()
	wiki.State, wiki.Reason, wiki.ReasonCode, wiki.Since = "failed", "it ran out of memory", "out_of_memory", time.Now().Add(-2*time.Minute).UTC()
	wiki.Failure = &adminFailure{Kind: "out of memory", Reason: "It was killed for using more than its 256 MiB.", ReasonCode: "out_of_memory", ExitCode: &code, At: wiki.Since, RetryAt: &again,
		Logs: []string{"2026-11-26T09:12:01Z starting wiki 4.2", "2026-11-26T09:12:03Z connected to wiki-db", "2026-11-26T09:12:09Z building the search index of 18,204 pages", "Killed"}}
	wiki.Wakes = []adminWake{{At: wiki.Since, Took: 9.2, Outcome: "failed", Reason: "out of memory", ReasonCode: "out_of_memory"}}
	draw := byName["excalidraw"]
	draw.State, draw.Since, draw.Reason, draw.ReasonCode = "starting", time.Now().Add(-5*time.Second).UTC(), "a visitor asked for it", "asked"
	until := time.Now().Add(3 * time.Hour).UTC()
	byName["recipes"].PinnedUntil = &until
	return apps
}

func sampleAdmin(t *testing.T) *fakeAdmin {
	f := newFakeAdmin(t, sampleApps())
	f.rules = []adminRule{
		{Where: "paastis.yml:3", Pattern: `pix-app-review-pr(\d+)-(back|front)`, Properties: map[string]any{"max_idle_time": "30m"}, Linked: []string{"pix-app-review-pr$1-front", "pix-app-review-pr$1-back"},
			Matches: []string{"pix-app-review-pr42-front", "pix-app-review-pr42-back", "pix-app-review-pr57-front", "pix-app-review-pr57-back"}},
		{Where: "paastis.yml:8", Pattern: `shop-.*`, Properties: map[string]any{"mode": "direct", "probe": "/health"}, Matches: []string{"shop-admin", "shop-api", "shop-cache", "shop-db", "shop-front", "shop-migrate", "shop-search"}},
		{Where: "paastis.yml:12", Pattern: `legacy-.*`, Properties: map[string]any{"max_idle_time": "never"}}}
	f.becomes("pix-db", "ready", "needed by pix-app-review-pr42-front")
	f.becomes("pix-db", "asleep", "nobody needs it")
	f.pin("recipes", f.apps["recipes"].PinnedUntil)
	return f
}

// theViews are the places of the dashboard, each with what says that it is drawn.
var theViews = []struct{ name, hash, drawn string }{
	{"apps", "#/", "document.querySelectorAll('.row').length == 18"},
	{"app", "#/app/shop-front", "document.querySelector('.graph') && document.querySelector('.timeline') && document.querySelector('.wakes')"},
	{"circle", "#/app/pix-app-review-pr42-front", "document.querySelector('.hull') && document.querySelector('.timeline')"},
	{"failed", "#/app/wiki", "document.querySelector('.failure pre') && document.querySelector('.timeline')"},
	{"rules", "#/rules", "document.querySelectorAll('.rules > li').length == 3"},
	{"events", "#/events", "document.querySelectorAll('#events-list li').length == 3"},
}

type look struct {
	name string
	tab  tabOptions
}

var looks = []look{
	{"desktop-light", tabOptions{width: 1440, height: 900, reducedMotion: true}},
	{"desktop-dark", tabOptions{width: 1440, height: 900, dark: true, reducedMotion: true}},
	{"phone-light", tabOptions{width: 360, height: 740, reducedMotion: true}},
	{"phone-dark", tabOptions{width: 360, height: 740, dark: true, reducedMotion: true}},
}

func TestEveryViewOfTheDashboardIsAccessibleInEveryLook(t *testing.T) {
	for _, look := range looks {
		t.Run(look.name, func(t *testing.T) {
			f := sampleAdmin(t)
			f.problems = []string{"Traefik's API has not answered for 2 min; wakes may take longer."}
			page := tab(t, look.tab)
			listen(t, page)
			for _, view := range theViews {
				openDashboard(t, page, f.url+view.hash, view.drawn)
				axe(t, page)
				fits(t, page, view.name)
				isQuiet(t, page)
				screenshot(t, page, fmt.Sprintf("dashboard-%s-%s", view.name, look.name))
			}
			openDashboard(t, page, f.url+"#/app/shop-front", theViews[1].drawn)
			click(t, page, "[data-do=month]")
			click(t, page, "summary")
			axe(t, page)
			fits(t, page, "30 days")
			screenshot(t, page, "dashboard-month-"+look.name)
			openDashboard(t, page, f.url, theViews[0].drawn)
			press(t, page, "?")
			axe(t, page)
			screenshot(t, page, "dashboard-keys-"+look.name)
			press(t, page, kb.Escape)
			until(t, page, "!document.querySelector('dialog[open]')")
			click(t, page, "[data-app=grafana] [data-act=pin]")
			until(t, page, "document.querySelector('#pin[open]')")
			axe(t, page)
			screenshot(t, page, "dashboard-pin-"+look.name)
		})
	}
}

// openDashboard goes to a view, and waits until it is drawn and live.
func openDashboard(t *testing.T, page context.Context, url, drawn string) {
	t.Helper()
	do(t, page, chromedp.Navigate(url))
	until(t, page, "document.querySelector('#live')?.dataset.live == 'on' && ("+drawn+")")
}

// listen makes a tab keep what its pages complain of: their policy, and errors.
func listen(t *testing.T, tab context.Context) {
	t.Helper()
	call(t, tab, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.complaints = []
		addEventListener('securitypolicyviolation', e => complaints.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile + ':' + e.lineNumber))
		addEventListener('error', e => complaints.push(e.message))
		addEventListener('unhandledrejection', e => complaints.push(String(e.reason)))`})
}

func isQuiet(t *testing.T, tab context.Context) {
	t.Helper()
	if complaints := ask(t, tab, chromedp.Evaluate[string]("complaints.join('\\n')")); complaints != "" {
		t.Errorf("the page complains: %s", complaints)
	}
}

// fits fails the test if a person would have to scroll sideways.
func fits(t *testing.T, page context.Context, view string) {
	t.Helper()
	if wide := ask(t, page, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth")); wide > 0 {
		t.Errorf("%s is %d px wider than the screen", view, wide)
	}
}

package pages

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// dashboard opens the page of a fake at a hash, on a desktop.
func dashboard(t *testing.T, f *fakeAdmin, hash string) context.Context {
	t.Helper()
	page := tab(t, tabOptions{reducedMotion: true})
	openDashboard(t, page, f.url+hash, "document.querySelectorAll('.row').length == "+fmt.Sprint(len(f.list())))
	return page
}

// row is the text of an app's row, as JavaScript.
func row(name string) string {
	return fmt.Sprintf("document.querySelector('[data-app=%q]').innerText", name)
}

// shows waits until an app's row has a text.
func shows(t *testing.T, page context.Context, name, text string) {
	t.Helper()
	until(t, page, fmt.Sprintf("%s.replace(/\\s+/g, ' ').includes(%q)", row(name), text))
}

// detailShows waits until the detail view has a text.
func detailShows(t *testing.T, page context.Context, text string) {
	t.Helper()
	until(t, page, fmt.Sprintf("document.querySelector('#detail').innerText.includes(%q)", text))
}

// press presses keys as a keyboard does: a character that a script takes for itself when
// its key goes down is not typed too, which chromedp's own events would do.
func press(t *testing.T, page context.Context, keys ...string) {
	t.Helper()
	for _, r := range strings.Join(keys, "") {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		call(t, page, input.DispatchKeyEvent, down)
		call(t, page, input.DispatchKeyEvent, up)
	}
}

// asked waits until the page has done something with the API.
func asked(t *testing.T, page context.Context, f *fakeAdmin, deed string) {
	t.Helper()
	for !strings.Contains(f.hasAsked(), deed) {
		select {
		case <-page.Done():
			t.Fatalf("the page never did %q, but\n%s", deed, f.hasAsked())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func shopApps() []adminApp {
	return joined(
		anApp("shop", "shop-db").ready("needed by shop-front", 5*time.Minute),
		anApp("shop", "shop-front").needing("shop-db:healthy"),
		anApp("blog", "blog"))
}

func TestWakingAnAppIsSeenFromTheClickToReady(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/app/shop-front")
	detailShows(t, page, "Usually awake in 12 s.")
	click(t, page, "[data-app=shop-front] [data-act=wake]")
	asked(t, page, f, "wake shop-front {}")
	shows(t, page, "shop-front", "waking")
	shows(t, page, "shop-front", "of about 12 s")
	detailShows(t, page, "waking")
	f.becomes("shop-front", "ready", "requests passed")
	shows(t, page, "shop-front", "awake requests passed sleeps in 15:00")
	detailShows(t, page, "Awake because: requests passed")
	until(t, page, "document.querySelector('#t-awake').innerText == '2'")
}

func TestTheCountdownFollowsTheServersClockAndTicks(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.skew = 10 * time.Minute
	f.changes("shop-db", func(app *adminApp) {
		stop := f.now().Add(5*time.Minute + 500*time.Millisecond)
		app.NextStop = &stop
	})
	page := dashboard(t, f, "#/app/shop-db")
	shows(t, page, "shop-db", "sleeps in 4:59")
	detailShows(t, page, "sleeps in 4:59")
	shows(t, page, "shop-db", "sleeps in 4:58")
	detailShows(t, page, "sleeps in 4:58")
}

func TestASleepThatIsRefusedSaysWhyAndCanBeHadAnyway(t *testing.T) {
	for _, place := range []struct{ name, selector, hash string }{
		{"in the list", "[data-app=shop-db]", "#/"},
		{"in the detail view", "#detail", "#/app/shop-db"},
	} {
		t.Run(place.name, func(t *testing.T) {
			f := newFakeAdmin(t, shopApps())
			f.refusals["shop-db"] = `an open request of 3 min holds it awake`
			page := dashboard(t, f, place.hash)
			click(t, page, place.selector+" [data-act=sleep]")
			until(t, page, fmt.Sprintf("document.querySelector('%s [role=alert]')?.innerText.includes('An open request of 3 min holds it awake.')", place.selector))
			screenshot(t, page, "dashboard-refused-"+strings.ReplaceAll(place.name, " ", "-"))
			axe(t, page)
			shows(t, page, "shop-db", "awake")
			click(t, page, place.selector+" [data-do=force]")
			asked(t, page, f, `sleep shop-db {"force":true}`)
			f.becomes("shop-db", "asleep", "asked for by an admin")
			shows(t, page, "shop-db", "asleep asked for by an admin")
			until(t, page, "!document.querySelector('[role=alert].notice')")
		})
	}
}

func TestASleepThatForceWouldNotBringAboutIsRefusedWithoutIt(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.refusals["shop-db"] = `needed by "shop-front"`
	page := dashboard(t, f, "#/")
	click(t, page, "[data-app=shop-db] [data-act=sleep]")
	until(t, page, `document.querySelector('[data-app=shop-db] [role=alert]')?.innerText.includes('Needed by "shop-front".')`)
	until(t, page, "!document.querySelector('[data-app=shop-db] [data-do=force]')")
}

func TestAPinCanBeSetForATimeUntilMorningOrUntilAMoment(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/")
	for _, choice := range []struct{ pick, asked string }{
		{"#pin [value='3600']", `pin shop-db {"for":3600}`},
		{"#pin [value='14400']", `pin shop-db {"for":14400}`},
		{"#pin [value=morning]", `pin shop-db {"until":"` + morning().UTC().Format("2006-01-02T15:04:05.000Z") + `"}`},
		{"#pin [value=until]", `pin shop-db {"until":"`},
	} {
		click(t, page, "[data-app=shop-db] [data-act=pin]")
		until(t, page, "document.querySelector('#pin[open]')")
		click(t, page, choice.pick)
		asked(t, page, f, choice.asked)
		shows(t, page, "shop-db", "pinned needed by shop-front until")
		click(t, page, "[data-app=shop-db] [data-act=unpin]")
		shows(t, page, "shop-db", "sleeps in")
	}
	click(t, page, "[data-app=shop-db] [data-act=pin]")
	do(t, page, chromedp.Evaluate[chromedp.Void]("document.querySelector('#pin-until').value = '2020-01-01T10:00'; undefined"))
	click(t, page, "#pin [value=until]")
	until(t, page, "document.querySelector('#pin-wrong').innerText.includes('has passed')")
}

func TestAReasonThatEndsIsToldWithTheTimeOfHere(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/app/blog")
	end := time.Now().Add(time.Hour).UTC()
	for code, want := range map[string]string{"pinned": "pinned until", "keep_awake": "kept awake by keep_awake until"} {
		f.changes("blog", func(app *adminApp) {
			app.State, app.Reason, app.ReasonCode, app.ReasonUntil = "ready", "until noon where the server is", code, &end
		})
		shows(t, page, "blog", want)
		shows(t, page, "blog", end.Local().Format("15:04"))
		detailShows(t, page, "Awake because: "+want)
		detailShows(t, page, end.Local().Format("15:04"))
	}
	f.changes("blog", func(app *adminApp) { app.ReasonCode = "of_tomorrow" })
	shows(t, page, "blog", "until noon where the server is")
}

func TestWhatSleepAvoidsIsShownInMoneyWhereThatIsKnown(t *testing.T) {
	apps := shopApps()
	apps[0].Avoided, apps[1].Avoided = avoiding(1234.5, "0.02 EUR", "24.6900"), avoiding(0.04, "0.02 EUR", "0.0008")
	apps[2].Avoided = adminAvoided{Since: apps[0].Avoided.Since, Hours: 3, Cost: []adminAmount{{"CHF", "0.3000"}, {"EUR", "1.2550"}}, Sizes: []adminAvoidedSize{
		{"docker", "L", 1, new("0.3 CHF")}, {"docker", "M", 1, new("1.255 EUR")}, {"docker", "XL", 1, nil},
	}}
	page := dashboard(t, newFakeAdmin(t, apps), "#/app/shop-db")
	detailShows(t, page, "24.69 EUR avoided: 1,235 container hours not run since ")
	detailShows(t, page, "M 1,235 h at 0.02 EUR")
	open := func(name string) { click(t, page, "[data-app="+name+"] a") }
	open("shop-front")
	detailShows(t, page, "0.00 EUR avoided: 0 container hours not run since ")
	open("blog")
	detailShows(t, page, "0.30 CHF + 1.26 EUR avoided: 3 container hours not run since ")
	detailShows(t, page, "L 1 h at 0.3 CHF, M 1 h at 1.255 EUR, XL 1 h. What has no price is not in it.")
}

func TestWhatSleepAvoidsIsShownInHoursWhereNoPriceIsKnown(t *testing.T) {
	apps := shopApps()
	for i := range apps {
		apps[i].Avoided = avoiding(0.5, "", "")
	}
	f := newFakeAdmin(t, apps)
	page := dashboard(t, f, "#/app/blog")
	detailShows(t, page, "0.5 container hours not run since ")
	total := func(text string) {
		t.Helper()
		until(t, page, fmt.Sprintf("document.querySelector('#t-avoided').innerText.replace(/\\s+/g, ' ').startsWith(%q)", text))
	}
	total("Not run 1.5 container hours since ")
}

func TestWithoutASleepNothingIsSaidToBeAvoided(t *testing.T) {
	apps := shopApps()
	for i := range apps {
		apps[i].Avoided = adminAvoided{Cost: []adminAmount{}, Sizes: []adminAvoidedSize{}}
	}
	page := dashboard(t, newFakeAdmin(t, apps), "#/app/blog")
	detailShows(t, page, "Hours slept")
	until(t, page, "document.querySelector('#t-avoided').hidden && !document.querySelector('#detail').innerText.includes('not run')")
}

func TestWhatIsHeardOfAnAppIsNotUndoneByAnOlderAnswer(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.held = make(chan struct{})
	page := dashboard(t, f, "#/app/blog")
	asked(t, page, f, "ask for blog")
	detailShows(t, page, "Loading…")
	f.changes("blog", func(app *adminApp) { app.Reason, app.ReasonCode = "put to sleep by hand", "put_to_sleep" })
	shows(t, page, "blog", "put to sleep by hand")
	close(f.held)
	until(t, page, "!document.querySelector('#detail').innerText.includes('Loading…')")
	if text := ask(t, page, chromedp.Evaluate[string](row("blog"))); !strings.Contains(text, "put to sleep by hand") {
		t.Errorf("once the answer is there the list says %q", text)
	}
}

func morning() time.Time {
	now := time.Now()
	return time.Date(now.Year(), now.Month(), now.Day()+1, 8, 0, 0, 0, time.Local)
}

func TestWhatAnotherClientDoesIsSeenAtOnce(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/app/blog")
	f.becomes("blog", "starting", "a visitor asked for it")
	shows(t, page, "blog", "waking a visitor asked for it")
	detailShows(t, page, "A visitor asked for it")
	code := 3
	f.mu.Lock()
	f.apps["blog"].Failure = &adminFailure{Kind: "exited", Reason: "it ended at once", ExitCode: &code, At: f.now(), Logs: []string{"no config found"}}
	f.mu.Unlock()
	f.becomes("blog", "failed", "it ended at once")
	shows(t, page, "blog", "failed it ended at once")
	detailShows(t, page, "exited, exit code 3")
	detailShows(t, page, "no config found")
	f.pin("shop-db", new(f.now().Add(time.Hour)))
	shows(t, page, "shop-db", "pinned")
	f.remove("shop-front")
	until(t, page, "!document.querySelector('[data-app=shop-front]')")
	f.mu.Lock()
	f.apps["fresh"] = new(anApp("blog", "fresh"))
	f.mu.Unlock()
	f.becomes("fresh", "ready", "just deployed")
	shows(t, page, "fresh", "awake just deployed")
	if order := ask(t, page, chromedp.Evaluate[string]("[...document.querySelectorAll('.row')].map(r => r.dataset.app).join()")); order != "blog,fresh,shop-db" {
		t.Errorf("the list is in the order %s", order)
	}
}

func TestTheWholeJobCanBeDoneWithoutAMouse(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.refusals["shop-db"] = "a download is under way"
	page := dashboard(t, f, "#/")
	focus := func(expression string) {
		t.Helper()
		until(t, page, "document.activeElement"+expression)
	}

	press(t, page, "/")
	focus(".id == 'search'")
	press(t, page, "f", "r", "o", "n", "t", kb.ArrowDown)
	focus(".closest('.row').dataset.app == 'shop-front'")
	press(t, page, "w")
	asked(t, page, f, "wake shop-front")
	f.becomes("shop-front", "ready", "woken")
	shows(t, page, "shop-front", "awake")
	press(t, page, kb.Enter)
	focus(".id == 'd-name'")
	press(t, page, "s")
	asked(t, page, f, `sleep shop-front {}`)
	press(t, page, kb.Escape)
	focus(".closest('.row').dataset.app == 'shop-front'")
	press(t, page, kb.Escape)
	until(t, page, "document.querySelector('#search').value == '' && !document.querySelector('.row[hidden]')")

	press(t, page, "k")
	focus(".closest('.row').dataset.app == 'shop-db'")
	press(t, page, "s")
	until(t, page, "document.querySelector('[data-app=shop-db] [role=alert]')")
	press(t, page, kb.Tab, kb.Tab, kb.Tab)
	focus(".dataset.do == 'force'")
	press(t, page, kb.Enter)
	asked(t, page, f, `sleep shop-db {"force":true}`)
	focus(".closest('.row').dataset.app == 'shop-db'")
	press(t, page, "p")
	until(t, page, "document.querySelector('#pin[open]')")
	press(t, page, kb.Tab, kb.Enter)
	asked(t, page, f, `pin shop-db {"for":14400}`)
	shows(t, page, "shop-db", "Unpin")
	press(t, page, "p")
	asked(t, page, f, "unpin shop-db")

	f.becomes("blog", "failed", "it broke")
	shows(t, page, "blog", "failed")
	press(t, page, "k")
	focus(".closest('.row').dataset.app == 'blog'")
	press(t, page, "r")
	asked(t, page, f, "retry blog")

	press(t, page, "?")
	until(t, page, "document.querySelector('#keys[open]')")
	press(t, page, kb.Escape)
	until(t, page, "!document.querySelector('#keys[open]')")
	press(t, page, "3")
	focus(".id == 'events-title'")
}

func TestAnAppThatIsNotManagedIsShownButNotMoved(t *testing.T) {
	apps := shopApps()
	apps[0].Managed = false
	f := newFakeAdmin(t, apps)
	page := dashboard(t, f, "#/app/shop-db")
	detailShows(t, page, "Paastis does not manage it")
	press(t, page, "s")
	until(t, page, "!document.querySelector('[data-app=shop-db] .acts').offsetParent && !document.querySelector('#detail [data-act]')")
	if deeds := f.hasAsked(); deeds != "" {
		t.Errorf("the page did %s", deeds)
	}
}

func TestAnAppThatIsNotManagedAnyMoreIsStillShownWhileOthersNeedIt(t *testing.T) {
	apps := shopApps()
	apps[0].Managed, apps[0].Since = false, time.Time{}
	f := newFakeAdmin(t, apps)
	f.record(adminEvent{Kind: "state", App: apps[0].Name, State: "asleep", Was: "stopping"})
	f.record(adminEvent{Kind: "gone", App: apps[0].Name, State: "asleep", Was: "asleep", Reason: "Paastis does not manage it any more: nothing enables it"})
	page := dashboard(t, f, "")
	until(t, page, "document.querySelector('#live').dataset.live == 'on'")
	do(t, page, chromedp.Sleep(100*time.Millisecond))
	shows(t, page, apps[0].Name, "awake")
}

func TestAClockThatIsPutBackDoesNotStopThePicture(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "")
	until(t, page, "document.querySelector('#live').dataset.live == 'on'")
	shows(t, page, "shop-db", "awake")
	f.changes("shop-db", func(app *adminApp) { app.State, app.Since = "asleep", app.Since.Add(-2*time.Hour) })
	do(t, page, chromedp.Sleep(2*time.Second)) // later it may ask for all anew
	if text := ask(t, page, chromedp.Evaluate[string](row("shop-db"))); !strings.Contains(text, "asleep") {
		t.Errorf("the row says %q", text)
	}
}

func TestLettersThatAreTypedActOnNothing(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/app/shop-db")
	click(t, page, "#search")
	press(t, page, "s", "w", "r", "p", "?")
	until(t, page, "document.querySelector('#search').value == 'swrp?'")
	if deeds := f.hasAsked(); deeds != "" {
		t.Errorf("typing did %s", deeds)
	}
}

func TestSearchFindsByNameStackAndState(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.becomes("blog", "failed", "it broke")
	page := dashboard(t, f, "#/")
	for _, search := range []struct{ text, found string }{
		{"front", "shop-front"},
		{"shop", "shop-db,shop-front"},
		{"failed", "blog"},
		{"SHOP awake", "shop-db"},
		{"nothing like it", ""},
	} {
		do(t, page, chromedp.Evaluate[chromedp.Void]("document.querySelector('#search').select()"), chromedp.SendKeys("#search", search.text))
		until(t, page, fmt.Sprintf("[...document.querySelectorAll('.row')].filter(r => r.offsetParent).map(r => r.dataset.app).join() == %q", search.found))
	}
	until(t, page, "document.querySelector('#none').innerText == 'No app matches.'")
	press(t, page, kb.Escape)
	click(t, page, "[data-filter=failed]")
	until(t, page, "[...document.querySelectorAll('.row')].filter(r => r.offsetParent).map(r => r.dataset.app).join() == 'blog'")
}

func TestAHostileAppIsNothingButText(t *testing.T) {
	evil := `<img src=x onerror="window.owned=1">"'&`
	app := anApp(evil, evil).ready(evil, time.Minute).needing("gone-" + evil + ":healthy")
	app.URLs = []string{"javascript:window.owned=1", "https://good.example.com/"}
	code := 1
	app.Failure = &adminFailure{Kind: evil, Reason: evil, ExitCode: &code, At: time.Now().UTC(), Logs: []string{evil}}
	app.Wakes = []adminWake{{At: time.Now().UTC(), Took: 3, Outcome: "failed", Reason: evil}}
	f := newFakeAdmin(t, joined(app))
	f.rules = []adminRule{{Where: evil, Pattern: evil, Properties: map[string]any{evil: evil}, Linked: []string{evil}, Matches: []string{evil}}}
	f.problems = []string{evil}
	page := tab(t, tabOptions{reducedMotion: true})
	openDashboard(t, page, f.appHash(evil), "document.querySelector('.graph') && document.querySelector('.wakes')")
	f.refusals[evil] = evil
	click(t, page, "#detail [data-act=sleep], #detail [data-act=retry]")
	f.becomes(evil, "starting", evil)
	for _, hash := range []string{"#/app/" + url.PathEscape(evil), "#/rules", "#/events", "#/"} {
		openDashboard(t, page, f.url+hash, "document.querySelector('.rules li, .events li, .row')")
		if ask(t, page, chromedp.Evaluate[bool]("window.owned || document.querySelector('img, [onerror]') !== null || document.querySelector('[href^=javascript]') !== null")) {
			t.Errorf("%s: the name became more than text", hash)
		}
		if !strings.Contains(visibleText(t, page), evil) {
			t.Errorf("%s does not show the name as it is", hash)
		}
	}
}

func TestThePhoneHasNothingToScrollSideways(t *testing.T) {
	long := anApp(strings.Repeat("stack", 12), strings.Repeat("averylongname", 6)).ready(strings.Repeat("because", 20), time.Minute)
	f := newFakeAdmin(t, append(shopApps(), long))
	page := tab(t, tabOptions{width: 360, height: 740})
	for _, hash := range []string{"#/", "#/app/shop-front", "#/app/" + long.Name, "#/rules", "#/events"} {
		do(t, page, chromedp.Navigate(f.url+hash))
		until(t, page, "document.querySelectorAll('.row').length == 4")
		fits(t, page, hash)
	}
}

func TestLinksAndTimelineAreDrawnAndSaid(t *testing.T) {
	f := sampleAdmin(t)
	page := dashboard(t, f, "#/app/shop-api")
	until(t, page, "document.querySelectorAll('.graph a').length == 7 && document.querySelectorAll('.graph .edge').length == 7")
	until(t, page, "document.querySelector('#d-links-text').textContent.includes('shop-api needs shop-db (healthy), shop-cache (started), shop-migrate (completed).')")
	until(t, page, "document.querySelector('.timeline .lived-awake')")
	until(t, page, "document.querySelector('.timeline').getAttribute('aria-label') == document.querySelector('#d-summary').innerText")
	detailShows(t, page, "Last 24 hours: awake ")
	click(t, page, "[data-do=month]")
	detailShows(t, page, "Last 30 days: awake ")

	do(t, page, chromedp.Focus("[data-name=shop-db]"))
	press(t, page, kb.Enter)
	until(t, page, "document.querySelector('#d-name').innerText == 'shop-db'")
	do(t, page, chromedp.Navigate(f.url+"#/app/pix-app-review-pr42-front"))
	until(t, page, "document.querySelector('.hull') && document.querySelector('#d-links-text').textContent.includes('starts together with pix-app-review-pr42-back')")
}

func TestTheBackButtonGoesThroughTheViews(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/")
	click(t, page, "[data-app=blog] .name")
	until(t, page, "document.title == 'blog · Paastis'")
	click(t, page, "[data-view=rules]")
	until(t, page, "document.title == 'Rules · Paastis'")
	do(t, page, chromedp.Evaluate[chromedp.Void]("history.back()"))
	until(t, page, "document.title == 'blog · Paastis' && !document.querySelector('#detail').hidden")
	do(t, page, chromedp.Evaluate[chromedp.Void]("history.back()"))
	until(t, page, "document.title == 'Paastis' && document.querySelector('#detail').hidden")
}

func TestALostConnectionIsSaidAndCaughtUpWith(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/")
	f.set(&f.away, true)
	f.cut()
	until(t, page, "document.querySelector('#lost').innerText.includes('Connection lost, trying again')")
	axe(t, page)
	screenshot(t, page, "dashboard-lost")
	f.becomes("blog", "ready", "woken meanwhile")
	f.changes("shop-db", func(app *adminApp) { app.Reason = "websocket traffic 14 kB/s" }) // of which there is no event
	f.remove("shop-front")
	f.set(&f.away, false)
	shows(t, page, "shop-db", "websocket traffic")
	shows(t, page, "blog", "awake woken meanwhile")
	until(t, page, "!document.querySelector('[data-app=shop-front]') && document.querySelector('#lost').hidden")
	f.becomes("blog", "draining", "nobody asked for it")
	shows(t, page, "blog", "draining")
}

func TestALostSessionLeadsToTheLoginPageAndBackToTheSameView(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	page := dashboard(t, f, "#/app/blog")
	f.set(&f.session, false)
	do(t, page, chromedp.Evaluate[chromedp.Void]("document.querySelector('#detail [data-act=wake]').click()"))
	until(t, page, "document.querySelector('input[name=token]')")
	f.set(&f.session, true)
	do(t, page, chromedp.Navigate(f.url))
	until(t, page, "document.querySelector('#d-name')?.innerText == 'blog'")
}

func TestProblemsAreOnEveryView(t *testing.T) {
	f := newFakeAdmin(t, shopApps())
	f.problems = []string{"docker does not answer"}
	page := dashboard(t, f, "#/")
	for _, hash := range []string{"#/", "#/rules", "#/events"} {
		do(t, page, chromedp.Navigate(f.url+hash))
		until(t, page, "document.querySelector('#problems').innerText == 'docker does not answer'")
	}
	until(t, page, "document.querySelector('#about').innerText.startsWith('Paastis 1.4.0')")
}

func TestTheDashboardIsAtMost100KB(t *testing.T) {
	size := 0
	modules, err := filepath.Glob(filepath.Join(dashboardFiles, "modules", "*.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "app.js", "style.css"} {
		modules = append(modules, filepath.Join(dashboardFiles, name))
	}
	for _, name := range modules {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		size += len(text)
	}
	t.Logf("%d bytes", size)
	if size > 100_000 {
		t.Errorf("the dashboard has %d bytes", size)
	}
}

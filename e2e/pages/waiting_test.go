package pages

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/page"
)

// seen are the texts that a tab shows one after the other, until the app is there.
func seen(t *testing.T, tab context.Context, url string) []string {
	t.Helper()
	do(t, tab, chromedp.Navigate(url))
	var texts []string
	for tab.Err() == nil {
		text, err := chromedp.Run(tab, chromedp.Evaluate[string]("document.body ? document.body.innerText.trim() : ''"))
		if err == nil && text != "" && (len(texts) == 0 || texts[len(texts)-1] != text) {
			texts = append(texts, text)
		}
		if strings.HasPrefix(text, "This is ") {
			return texts
		}
		select {
		case <-tab.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("the app never showed; the tab saw %q", texts)
	return nil
}

// wantRequests checks what has reached an app.
func wantRequests(t *testing.T, s *stage, name string, want ...string) {
	t.Helper()
	if got := s.reached(name); !slices.Equal(got, want) {
		t.Errorf("%s got %q, want %q", name, got, want)
	}
}

// readIt takes the moment that a person needs to read a page. A button that is pressed
// sooner was pressed by mistake: nothing is tried again.
func readIt(t *testing.T, tab context.Context) {
	t.Helper()
	do(t, tab, chromedp.Sleep(1500*time.Millisecond))
}

func TestThePageBecomesTheAppThatWasAskedFor(t *testing.T) {
	for _, theme := range []string{"plain", "terminal", "branded"} {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, play("shop", time.Second, "paastis.linked_apps=db", "paastis.theme="+theme), play("db", time.Second))
			ctx := tab(t, tabOptions{})
			url := s.url("shop", "/cart/7?size=L&x=%2F#reviews")
			texts := seen(t, ctx, url)
			for i, text := range texts {
				if is := strings.Contains(text, "This is shop"); is != (i == len(texts)-1) || !is && !strings.Contains(text, "shop") {
					t.Errorf("the visitor saw %q", texts)
				}
			}
			if len(texts) < 3 {
				t.Errorf("nothing changed before it was there: %q", texts)
			}
			if got := ask(t, ctx, chromedp.Location()); got != url {
				t.Errorf("it is at %s, not %s", got, url)
			}
			wantRequests(t, s, "shop", "GET /cart/7?size=L&x=%2F")
			do(t, ctx, chromedp.NavigateBack())
			until(t, ctx, "location.href=='about:blank'")
		})
	}
}

func TestWhoHasNoScriptGetsToTheApp(t *testing.T) {
	t.Parallel()
	s := newStage(t, play("shop", time.Second))
	seen(t, tab(t, tabOptions{scriptOff: true}), s.url("shop", "/a?b=c"))
	wantRequests(t, s, "shop", "GET /a?b=c")
}

func TestAFailedAppIsTriedAgainByTheButton(t *testing.T) {
	for name, o := range map[string]tabOptions{"with script": {}, "without": {scriptOff: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := play("shop", 300*time.Millisecond)
			shop.Err = noImage{}
			s := newStage(t, shop)
			ctx := tab(t, o)
			do(t, ctx, chromedp.Navigate(s.url("shop", "/a")))
			until(t, ctx, "document.title=='⚠ shop could not start'&&document.getElementById('r')")
			if text := visibleText(t, ctx); !strings.Contains(text, "the image is missing") {
				t.Errorf("it does not say why: %s", text)
			}
			s.Change("shop", func(a *registrytest.App) { a.Err = nil })
			readIt(t, ctx)
			do(t, ctx, chromedp.Click("#r")) // also without script
			until(t, ctx, "document.title=='the app'")
			wantRequests(t, s, "shop", "GET /a")
		})
	}
}

func TestTheButtonKeepsTheFocusWhileThePageChanges(t *testing.T) {
	t.Parallel()
	db := play("db", 0)
	db.Err = noImage{}
	s := newStage(t, play("shop", 0, "paastis.linked_apps=db, cache"), db, play("cache", 1500*time.Millisecond))
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(s.url("shop", "/")))
	until(t, ctx, "document.getElementById('r')&&document.querySelector('li.starting')")
	do(t, ctx, chromedp.KeyEvent("\t"))
	until(t, ctx, "document.activeElement.id=='r'")
	until(t, ctx, "document.querySelector('li.healthy')")
	if !ask(t, ctx, chromedp.Evaluate[bool]("document.activeElement.id=='r'")) {
		t.Error("the focus is lost")
	}
}

func TestThePageSpeaksFrench(t *testing.T) {
	t.Parallel()
	s := newStage(t, play("shop", time.Second))
	ctx := tab(t, tabOptions{lang: "fr-CH, fr;q=0.9, en;q=0.8"})
	texts := seen(t, ctx, s.url("shop", "/"))
	if !strings.Contains(texts[0], "se réveille") {
		t.Errorf("it says %q", texts)
	}
}

func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror="document.title='owned'">`
	s := newStage(t, play("shop", time.Minute, "paastis.name="+evil))
	s.hosts["shop.test"] = evil
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(s.url("shop", "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E?"+`"><script>document.title='owned'</script>`)))
	until(t, ctx, "document.querySelector('main')")
	if text := visibleText(t, ctx); !strings.Contains(text, evil) {
		t.Errorf("the name is not shown as text: %s", text)
	}
	if !ask(t, ctx, chromedp.Evaluate[bool]("!document.querySelector('img')&&document.title.startsWith('⏳ <img')")) {
		t.Errorf("the title is %q", ask(t, ctx, chromedp.Title()))
	}
}

func TestAFormReachesTheAppWithWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	s := newStage(t, play("shop", 2*time.Second))
	from := serveHTML(t, func(*http.Request) string {
		return `<!doctype html><title>x</title><form method="post" action="` + s.url("shop", "/order?id=1") + `"><input name="size" value="7"><button>Order</button></form>`
	})
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(from))
	click(t, ctx, "button")
	until(t, ctx, "document.title=='the app'")
	wantRequests(t, s, "shop", "POST /order?id=1 size=7")
}

func TestTheTitleTellsTheStateOfATabInTheBackground(t *testing.T) {
	t.Parallel()
	s := newStage(t, play("shop", 0, "paastis.linked_apps=db"), play("db", time.Second))
	s.Change("shop", func(a *registrytest.App) { a.Err = noImage{} })
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(s.url("shop", "/")))
	until(t, ctx, "document.title=='⏳ shop is waking up'")
	until(t, ctx, "document.title=='⚠ shop could not start'")
}

func TestThePageWorksInsideAFrame(t *testing.T) {
	t.Parallel()
	s := newStage(t, play("shop", time.Second))
	around := serveHTML(t, func(*http.Request) string {
		return `<!doctype html><title>around</title><iframe src="` + s.url("shop", "/widget") + `" onload="document.title+='+'"></iframe>`
	})
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(around))
	until(t, ctx, "document.title=='around++'") // the page, then the app
	wantRequests(t, s, "shop", "GET /widget")
}

func TestNothingMovesForWhoDoesNotWantIt(t *testing.T) {
	t.Parallel()
	url := preview(t)
	for _, theme := range []string{"plain", "terminal", "branded"} {
		moves := map[bool]bool{}
		for _, reduced := range []bool{false, true} {
			ctx := tab(t, tabOptions{reducedMotion: reduced})
			do(t, ctx, chromedp.Navigate(url+"/"+theme+"/first"))
			moves[reduced] = ask(t, ctx, chromedp.Evaluate[int]("document.getAnimations().length")) > 0
			do(t, ctx, chromedp.Navigate(url+"/"+theme+"/linked"))
			before := ask(t, ctx, chromedp.Evaluate[float64]("document.querySelector('progress').value"))
			after := ask(t, ctx, chromedp.Evaluate[float64](
				"new Promise(done=>setTimeout(()=>done(document.querySelector('progress').value),1500))", chromedp.EvalAwaitPromise))
			if grows := after > before; grows == reduced {
				t.Errorf("%s, reduced %t: the bar goes from %v to %v", theme, reduced, before, after)
			}
		}
		if !moves[false] || moves[true] {
			t.Errorf("%s moves: %v", theme, moves)
		}
	}
}

func TestAPageWhosePollsReachTheAppLetsGoOfIt(t *testing.T) {
	t.Parallel()
	preview, err := page.NewPreview(page.NewThemes("", slog.New(slog.DiscardHandler)), "plain")
	if err != nil {
		t.Fatal(err)
	}
	var polls atomic.Int32
	shown := false
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Paastis-Poll") != "":
			if polls.Add(1); polls.Load() < 3 { // Paastis begins anew
				http.Error(w, "", http.StatusBadGateway)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/favicon.ico":
		case !shown:
			shown, r.URL.Path = true, "/plain/usual"
			preview.ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "This is not in the app")
		}
	}))
	t.Cleanup(front.Close)
	ctx := tab(t, tabOptions{})
	do(t, ctx, chromedp.Navigate(front.URL+"/gone"))
	until(t, ctx, "document.body.innerText.includes('This is not in the app')")
	if n := polls.Load(); n > 10 {
		t.Errorf("it polled %d times", n)
	}
}

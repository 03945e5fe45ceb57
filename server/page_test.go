package server

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
)

// hostile are names that would do harm, or damage, if they were believed.
var hostile = map[string]string{
	"script":          `</script><script>alert(1)</script>`,
	"end of title":    `</title></style></noscript><img src=x onerror=alert(1)>`,
	"quotes":          `" onload="alert(1)' onload='`,
	"entities":        `&lt;&#x3C;&amp;`,
	"plus":            strings.Repeat("+", 300), // the longest escape of HTML
	"control":         strings.Repeat("\x01", 300),
	"line separators": strings.Repeat("\u2028", 300), // the longest escape of JSON
	"invalid UTF-8":   "shop\xff\xfe\xc3",
	"right to left":   "\u202eשלום\u202c",
	"emoji":           strings.Repeat("🛒", 300),
	"template":        `{{.Style}}${alert(1)}`,
	"very long":       strings.Repeat("long-", 2000),
}

// crowd is a shop that needs so many other apps; all names end alike.
func crowd(ending string, linked int) []*registrytest.App {
	var names []string
	for i := range linked {
		names = append(names, fmt.Sprintf("app%d%s", i, ending))
	}
	apps := []*registrytest.App{service("shop"+ending, names...)}
	for _, name := range names {
		apps = append(apps, service(name))
	}
	return apps
}

// askFor is a question about the app that the middleware's address names.
func askFor(name string, lines ...string) *http.Request {
	r := ask("http://shop.test/", lines...)
	r.URL.RawQuery = url.Values{"app": {name}}.Encode()
	return r
}

func TestNoAnswerIsLongerThanTraefikMayBeToldToTake(t *testing.T) {
	names := map[string]string{"plain": "", "usual": "-of-the-review-app-pr1234-eu-west-1-production"}
	for key, name := range hostile {
		names[key] = name
	}
	for key, name := range names {
		for _, linked := range []int{0, 8, 50} {
			for _, fails := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s names, %d linked, fails %v", key, linked, fails), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { wantShortAnswers(t, name, linked, fails) })
				})
			}
		}
	}
}

func wantShortAnswers(t *testing.T, name string, linked int, fails bool) {
	apps := crowd(name, linked)
	if fails {
		apps[len(apps)-1].Err = visibleError(strings.Repeat(name+"+", 5000/(len(name)+1)))
	}
	s := live(t, apps...)
	for _, lines := range [][]string{
		{browser, "X-Paastis-Poll: 1"}, // wakes it
		{browser},
		{browser, "X-Paastis-Poll: 1"},
		{"User-Agent: UptimeRobot"},
	} {
		w := s.answer(askFor("shop"+name, lines...))
		if w.Code != 503 || w.Body.Len() > 4096 || w.Body.Len() < 50 {
			t.Errorf("%s of %d bytes to %q", gist(w), w.Body.Len(), lines)
		}
		if !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("no UTF-8: %q", w.Body)
		}
		synctest.Wait()
	}
}

// visibleError is a provider's error that a visitor may read.
type visibleError string

func (e visibleError) Error() string { return "fake: secret: " + string(e) }
func (e visibleError) Reason() reason.Reason {
	return reason.Reason{Kind: reason.ProviderRefused, Text: string(e)}
}

var tag = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

func TestNamesAndReasonsStayText(t *testing.T) {
	for key, name := range hostile {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plain := unpolled(pageOf(t, "", "no"))
				got := unpolled(pageOf(t, name, name))
				if want, got := tag.FindAllString(plain, -1), tag.FindAllString(got, -1); !slices.Equal(got, want) {
					t.Errorf("tags\n got %q\nwant %q", got, want)
				}
				if strings.Contains(got, "\xff") || strings.Contains(got, "alert(1)<") {
					t.Errorf("shown as it is in\n%s", got)
				}
			})
		})
	}
}

// unpolled is a page without what its script polls with, which differs, and without the
// marks of a step's reason, which is left out where there is no room.
func unpolled(page string) string {
	return regexp.MustCompile(`data-poll="[0-9a-f]{16}[.a-z]*"|</?i>`).ReplaceAllString(page, "")
}

// pageOf is the page of an app that needs one of such a name, which fails.
func pageOf(t *testing.T, name, reason string) string {
	t.Helper()
	apps := crowd(name, 1)
	apps[1].Err = visibleError(reason)
	s := live(t, apps...)
	s.answer(askFor("shop"+name, browser))
	synctest.Wait()
	w := s.answer(askFor("shop"+name, browser))
	if got := gist(w); got != "503 page failed" {
		t.Fatal(got)
	}
	return w.Body.String()
}

// yard is a shop whose linked apps are each at another point of their way: db boots,
// back waits for db, mail runs, search is nobody's, and nothing is known of ghost.
func yard(t *testing.T) *testServer {
	t.Helper()
	search := service("search")
	delete(search.Labels, "paastis.enable")
	shop := service("shop", "back", "mail", "search", "ghost").At("shop.test")
	s := live(t, shop, service("back", "db"), service("db"), service("mail").Awake(), search)
	s.answerTo("http://shop.test/", browser)
	synctest.Wait()
	return s
}

var yardSteps = map[string]string{"db": "starting", "back": "queued", "mail": "healthy", "search": "skipped", "played/ghost": "skipped"}

func TestPageTellsHowFarEachLinkedAppIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := yard(t).answerTo("http://shop.test/", browser).Body.String()
		got := map[string]string{}
		for _, m := range regexp.MustCompile(`<li class="(\w+)">([^<]*)<b>(\w+)</b>`).FindAllStringSubmatch(page, -1) {
			if got[m[2]] = m[1]; m[1] != m[3] {
				t.Errorf("%s is %s and %s", m[2], m[1], m[3])
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(yardSteps) {
			t.Errorf("steps\n got %v\nwant %v", got, yardSteps)
		}
		for _, want := range []string{"<title>⏳ shop is waking up</title>", "<h1>shop</h1>"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s is not in\n%s", want, page)
			}
		}
	})
}

func TestPollGetsThePageDrawnAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yard(t)
		page := s.answerTo("http://shop.test/", browser)
		poll := s.answerTo("http://shop.test/", "X-Paastis-Poll: 1")
		if poll.Body.String() != page.Body.String() {
			t.Errorf("page\n%s\npoll\n%s", page.Body, poll.Body)
		}
	})
}

func TestPageListsSomeStepsAndCountsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := live(t, crowd("", 50)...).answer(askFor("shop", browser)).Body.String()
		if n := strings.Count(page, "<li "); n != 12 || !strings.Contains(page, "and 38 more") {
			t.Errorf("%d steps in\n%s", n, page)
		}
	})
}

func TestPageWorksWithoutScriptAndAllowsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, service("shop").At("shop.test")).answerTo("http://shop.test/", browser)
		page, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
		if !strings.Contains(page, `<noscript><meta http-equiv=refresh content=2></noscript>`) {
			t.Errorf("no refresh in\n%s", page)
		}
		for _, inline := range []string{"style", "script"} {
			found := regexp.MustCompile(`(?s)<`+inline+`>(.*?)</`+inline+`>`).FindAllStringSubmatch(page, -1)
			if len(found) != 1 {
				t.Fatalf("%d times <%s>", len(found), inline)
			}
			if want := inline + "-src " + sha256Of(found[0][1]) + ";"; !strings.Contains(policy, want) {
				t.Errorf("%s is not in %s", want, policy)
			}
		}
		for _, want := range []string{"default-src 'none'", "connect-src 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s is not in %s", want, policy)
			}
		}
		if m := regexp.MustCompile(`<[^>]*\s(style|on\w+|src)=`).FindString(page); m != "" {
			t.Errorf("%s is against the policy", m)
		}
	})
}

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func TestFailureShowsWhyAndAButtonAndNoSecret(t *testing.T) {
	for reason, err := range map[string]error{
		"its provider refused; the log says why": errors.New("fake: start: 401 for https://user:secret@10.0.0.1"),
		"the image is missing":                   fmt.Errorf("fake: secret: %w", visibleError("the image is missing")),
	} {
		for _, broken := range []string{"shop", "db"} {
			t.Run(broken+": "+reason, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					apps := map[string]*registrytest.App{"shop": service("shop", "db").At("shop.test"), "db": service("db").Awake()}
					if broken == "db" {
						apps["db"] = service("db")
					}
					apps[broken].Err = err
					s := live(t, apps["shop"], apps["db"])
					s.answerTo("http://shop.test/", browser)
					time.Sleep(time.Second)
					wantToldTo(t, s, reason)
				})
			})
		}
	}
}

// wantToldTo checks that persons, programs and polls hear the reason and no secret.
func wantToldTo(t *testing.T, s *testServer, reason string) {
	t.Helper()
	for _, lines := range [][]string{{browser}, {}, {"X-Paastis-Poll: 1"}} {
		kind := "page"
		if len(lines) == 0 {
			kind = "problem"
		}
		w := s.answerTo("http://shop.test/", lines...)
		if got := gist(w); got != "503 "+kind+" failed" {
			t.Errorf("%s to a %s", got, kind)
		}
		body := html.UnescapeString(w.Body.String())
		if !strings.Contains(body, reason) || strings.Contains(body, "secret") || strings.Contains(body, "fake:") {
			t.Errorf("the %s says\n%s", kind, body)
		}
		if kind == "page" && !strings.Contains(body, `<a href="" id="r">Try again</a>`) {
			t.Errorf("no button in\n%s", body)
		}
	}
}

func TestOnlyThePagesButtonStartsAFailedAppAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inState(t, "failed")
		for _, c := range []struct {
			lines []string
			want  string
		}{
			{[]string{"X-Paastis-Poll: 1"}, "-"},
			{[]string{browser}, "-"},
			{[]string{browser, "X-Paastis-Retry: 1"}, "-"}, // no poll
			{[]string{"X-Paastis-Poll: 1", "X-Paastis-Retry: 1"}, "start shop"},
		} {
			s.answerTo("http://shop.test/", c.lines...)
			synctest.Wait()
			if got := s.Took(); got != c.want {
				t.Errorf("%q: orders %s, want %s", c.lines, got, c.want)
			}
		}
		time.Sleep(time.Minute) // past the back-off
		s.answerTo("http://shop.test/", "X-Paastis-Poll: 1")
		synctest.Wait()
		if got := s.Took(); got != "-" {
			t.Errorf("a page that is left open starts it again: %s", got)
		}
	})
}

func TestPageSaysThatAnAppWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("first").At("first.test"), service("second").At("second.test").Label("paastis.max_concurrent_starts", "1"))
		s.answerTo("http://first.test/", "Accept: text/html")
		synctest.Wait()
		s.answerTo("http://second.test/", "Accept: text/html")
		synctest.Wait()
		if got := s.answerTo("http://second.test/", "Accept: text/html").Body.String(); !strings.Contains(got, "It waits for its turn: number 1 in the queue, 1 other app on the way up.") {
			t.Errorf("page:\n%s", got)
		}
	})
}

package admin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// everywhere are the routes of a room, and paths that it does not have, each with a method.
func (r *room) everywhere() [][2]string {
	all := [][2]string{
		{"GET", "/"}, {"GET", "/nowhere"}, {"POST", "/nowhere"}, {"GET", "/login"}, {"PUT", "/api/v1/apps"},
		{"DELETE", "/api/v1/apps/shop"}, {"GET", "/api/v1/apps/nobody"}, {"POST", "/api/v1/apps/nobody/wake"},
		{"OPTIONS", "/api/v1/apps"}, {"GET", "/api/v1/../v1/apps"}, {"GET", "//api/v1/apps"}, {"GET", "/api/v1/apps/%2e%2e/apps"},
		{"GET", "/auth?app=shop"}, {"GET", "/healthz"}, {"GET", "/api/v1/events?after=x"}, {"GET", "/logout"},
		{"POST", "/%6cogin"}, {"POST", "/login%2f"}, {"POST", "/login/"}, {"POST", "//login"}, {"POST", "/login;x"}, {"POST", "/./login"},
		{"POST", "/x/../login"}, {"POST", "/login%3f"}, {"POST", "/LOGIN"}, {"GET", "/api/v1/apps;x"}, {"GET", "/%2e%2e/api/v1/apps"}, {"HEAD", "/login"},
		{"OPTIONS", "/login"}, {"OPTIONS", "/nowhere"}, {"TRACE", "/"}, {"GET", "/api/v1/apps/shop%2fhistory"}, {"GET", "//evil.test/"},
	}
	for _, route := range r.echo.Routes() {
		all = append(all, [2]string{route.Method, strings.NewReplacer(":name", "shop", ":module", "list.js").Replace(route.Path)})
	}
	return all
}

// told is all that an answer tells.
func told(w *httptest.ResponseRecorder) string { return fmt.Sprint(w.Code, w.Header(), w.Body) }

func TestWithoutTheTokenEveryPathAnswersAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		want := told(r.ask("GET", "/api/v1/apps"))
		if !strings.HasPrefix(want, "401") || strings.Contains(want, "shop") {
			t.Fatalf("without a token: %s", want)
		}
		for _, who := range []string{
			"X-Nothing: at all", "Authorization: Bearer wrong", "Authorization: Basic " + token, "Cookie: paastis_session=x.y",
			"Cookie: paastis_session=" + token, "Authorization: " + token,
		} {
			for _, at := range r.everywhere() {
				if got := told(r.ask(at[0], at[1], who, "Origin: http://evil.test", "body {}")); got != want && at[1] != "/login" {
					t.Errorf("%s %s with %q:\n got %s\nwant %s", at[0], at[1], who, got, want)
				}
			}
		}
		if got := told(r.ask("POST", "/login", "body token=x")); got != want {
			t.Errorf("a program's wrong log-in:\n got %s\nwant %s", got, want)
		}
		if got := r.Took(); got != "-" {
			t.Errorf("and yet: %s", got)
		}
	})
}

func TestHeadWithoutTheTokenIsRefusedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if w := open(t).ask("HEAD", "/api/v1/apps"); w.Code != http.StatusUnauthorized || w.Body.Len() > 0 {
			t.Errorf("got %s", told(w))
		}
	})
}

func TestAPersonAtTheDoorGetsTheLoginPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		w := r.ask("GET", "/", "Accept: text/html,*/*;q=0.8", "Sec-Fetch-Mode: navigate")
		page := w.Body.String()
		if w.Code != http.StatusUnauthorized || !strings.Contains(page, `<label for="token">`) || strings.Contains(page, `role="alert"`) || strings.Contains(page, "shop") {
			t.Errorf("got %s", told(w))
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("policy %q", policy)
		}
		if w := r.ask("GET", "/api/v1/apps", "Accept: text/html"); w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("a person elsewhere got %s", told(w))
		}
	})
}

func TestAPersonWhoIsLoggedInGetsTheDashboard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		cookie, _ := r.logsIn(t)
		w := r.ask("GET", "/", "Accept: text/html", cookie)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `src="app.js"`) {
			t.Errorf("got %s", told(w))
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
			"Referrer-Policy":         "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

func TestASessionMovesNothingWithoutItsSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		cookie, csrf := r.logsIn(t)
		_, others := r.logsIn(t)
		for _, sent := range []string{"X-Nothing: at all", csrfHeader + ": ", csrfHeader + ": x", others, csrf + "x", csrfHeader + ": " + valueOf(cookie)} {
			for _, what := range []string{"wake", "sleep", "pin", "unpin", "retry"} {
				if w := r.ask("POST", "/api/v1/apps/shop/"+what, cookie, sent, `body {"for":60}`); w.Code != http.StatusForbidden {
					t.Errorf("%s with %q: %s", what, sent, told(w))
				}
			}
			if w := r.ask("POST", "/logout", cookie, sent); w.Code != http.StatusForbidden {
				t.Errorf("logout with %q: %s", sent, told(w))
			}
		}
		synctest.Wait()
		if got := r.Took(); got != "-" {
			t.Errorf("and yet: %s", got)
		}
		if w := r.ask("POST", "/api/v1/apps/shop/wake", cookie, csrf); w.Code != http.StatusAccepted {
			t.Errorf("with its secret: %s", told(w))
		}
	})
}

func TestAnotherSitesPageMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		cookie, csrf := r.logsIn(t)
		for _, from := range []string{
			"Origin: https://evil.test", "Origin: null", "Origin: http://paastis.test:81", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
		} {
			for _, who := range [][]string{{cookie, csrf}, {bearer}} {
				if w := r.ask("POST", "/api/v1/apps/shop/wake", append(who, from)...); w.Code != http.StatusForbidden {
					t.Errorf("%s as %s: %s", from, who, told(w))
				}
			}
			if w := r.ask("POST", "/login", append(form("token="+token), from)...); w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("a log-in from %s: %s", from, told(w))
			}
		}
		synctest.Wait()
		if got := r.Took(); got != "-" {
			t.Errorf("and yet: %s", got)
		}
		for _, from := range []string{"Origin: http://paastis.test", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"} {
			if w := r.ask("POST", "/api/v1/apps/shop/wake", cookie, csrf, from); w.Code != http.StatusAccepted {
				t.Errorf("%s: %s", from, told(w))
			}
		}
	})
}

func TestTheTokenIsInNoLogAndNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		cookie, csrf := r.logsIn(t)
		for _, at := range r.everywhere() {
			if strings.HasSuffix(at[1], "/events") {
				continue // a list is enough
			}
			mark := "?"
			if strings.Contains(at[1], "?") {
				mark = "&"
			}
			for _, lines := range [][]string{
				{bearer}, {cookie, csrf}, {}, {bearer + "x"}, {"Cookie: paastis_session=" + token}, {"X-Paastis-CSRF: " + token, cookie},
			} {
				lines = append(lines, `body {"token":"`+token+`"}`, "Accept: text/html", "Referer: http://paastis.test/?"+token)
				w := r.ask(at[0], at[1]+mark+"token="+token, lines...)
				if strings.Contains(told(w), token) {
					t.Errorf("%s %s tells the token: %s", at[0], at[1], told(w))
				}
			}
		}
		r.ask("GET", "/api/v1/events", bearer)
		r.ask("GET", "/"+token, bearer)
		r.ask("POST", "/login", form("token="+token+"&token=x")...)
		r.ask("POST", "/login", form("token=x"+token)...)
		synctest.Wait()
		if r.logs.has(token) || r.logs.has(strings.TrimPrefix(cookie, "Cookie: paastis_session=")) {
			t.Error("the log tells the token, or a session")
		}
	})
}

// TestThePageFetchesAllItsModulesAtOnce holds that a browser does not learn of them one after
// the other, by each other's imports.
func TestThePageFetchesAllItsModulesAtOnce(t *testing.T) {
	modules, err := dashboardModules.ReadDir("dashboard/modules")
	if err != nil || len(modules) == 0 {
		t.Fatal(modules, err)
	}
	for _, m := range modules {
		if preload := `<link rel="modulepreload" href="modules/` + m.Name() + `">`; !strings.Contains(string(dashboardHTML), preload) {
			t.Errorf("the page has no %s", preload)
		}
	}
	if n := strings.Count(string(dashboardHTML), `rel="modulepreload"`); n != len(modules) {
		t.Errorf("%d preloads of %d modules", n, len(modules))
	}
}

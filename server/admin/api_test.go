package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/paastis/paastis/registry/registrytest"
)

// decode reads an answer.
func decode(t *testing.T, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%v in %s", err, told(w))
	}
}

// state is that of an app, as the API tells it.
func (r *room) state(t *testing.T, name string) string {
	t.Helper()
	var a appDocument
	decode(t, r.order("GET", "/api/v1/apps/"+name), &a)
	return a.State
}

// described is openapi.yaml.
func described(t *testing.T) libopenapi.Document {
	t.Helper()
	document, err := libopenapi.NewDocument(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheFileHasEveryRouteAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, err := described(t).BuildV3Model()
		if err != nil {
			t.Fatal(err)
		}
		var inFile, inEcho []string
		for path, item := range model.Model.Paths.PathItems.FromOldest() {
			for method := range item.GetOperations().FromOldest() {
				inFile = append(inFile, strings.ToUpper(method)+" "+path)
			}
		}
		for _, route := range open(t).echo.Routes() {
			inEcho = append(inEcho, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
		}
		slices.Sort(inFile)
		slices.Sort(inEcho)
		if !slices.Equal(inFile, inEcho) {
			t.Errorf("the file has\n%s\nand Echo\n%s", strings.Join(inFile, "\n"), strings.Join(inEcho, "\n"))
		}
	})
}

func TestEveryAnswerIsAsTheFileSays(t *testing.T) {
	valid, errs := validator.NewValidator(described(t))
	if errs != nil {
		t.Fatal(errs)
	}
	if ok, faults := valid.ValidateDocument(); !ok {
		for _, f := range faults {
			t.Errorf("the file itself: %s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := openWith(t, "rules:\n  - pattern: 'shop-(.*)'\n    linked_apps: ['db', 'shop-$1-cache?']\n    max_idle_time: never\n",
			asleep("shop-front"), asleep("db"), asleep("broken", "db"), stranger("vault"))
		r.Change("broken", func(a *registrytest.App) { a.Err = errors.New("it is broken") })
		cookie, csrf := r.logsIn(t)
		seen := map[string]bool{}
		check := func(want int, method, target string, lines ...string) {
			t.Helper()
			req := request(method, target, lines...)
			if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "body ") }) && req.Header.Get("Content-Type") == "" {
				req.Header.Set("Content-Type", "application/json")
			}
			w := r.answer(req.Clone(t.Context()))
			synctest.Wait()
			if w.Code != want {
				t.Errorf("%s %s: got %d, want %d: %s", method, target, w.Code, want, w.Body)
			}
			seen[fmt.Sprintf("%s %s %d", method, strings.Split(target, "?")[0], w.Code)] = true
			if ok, faults := valid.ValidateHttpResponse(req, w.Result()); !ok {
				for _, f := range faults {
					t.Errorf("%s %s: %s: %s\n%v\n%s", method, target, f.Message, f.Reason, f.SchemaValidationErrors, w.Body)
				}
			}
			if want >= 300 || method == http.MethodGet && strings.Contains(target, "?") {
				return // the request is to be wrong
			}
			if ok, faults := valid.ValidateHttpRequest(request(method, target, append(lines, "Content-Type: application/json")...)); !ok {
				for _, f := range faults {
					t.Errorf("%s %s, the request: %s: %s", method, target, f.Message, f.Reason)
				}
			}
		}
		const app = "/api/v1/apps/"
		look := func() {
			t.Helper()
			for _, target := range []string{"apps", "apps/shop-front", "apps/broken", "apps/db", "apps/vault", "apps/db/history", "apps/broken/history?days=30", "events", "events?app=db&after=1&limit=2", "rules", "health", "session", "openapi.yaml"} {
				check(200, "GET", "/api/v1/"+target, bearer)
			}
		}
		look()
		check(202, "POST", app+"broken/wake", bearer, "body {}")
		check(202, "POST", app+"shop-front/wake", bearer)
		look()
		time.Sleep(30 * time.Second)
		look()
		check(202, "POST", app+"broken/retry", bearer)
		check(200, "POST", app+"shop-front/pin", bearer, `body {"for":7200}`)
		check(200, "POST", app+"shop-front/pin", bearer, `body {"until":"2001-01-01T00:00:00+01:00"}`)
		look()
		check(409, "POST", app+"db/sleep", bearer, `body {}`)
		check(409, "POST", app+"shop-front/sleep", bearer, `body {}`)
		check(200, "POST", app+"shop-front/unpin", bearer)
		check(202, "POST", app+"shop-front/sleep", bearer, `body {"force":true}`)
		time.Sleep(time.Minute)
		look()
		check(200, "GET", "/api/v1/session", cookie)
		check(401, "GET", "/", "Accept: text/html")
		for _, target := range []string{"/", "/app.js", "/modules/list.js", "/style.css"} {
			check(200, "GET", target, cookie)
		}
		for _, what := range []string{"wake", "retry", "sleep", "pin", "unpin"} {
			check(400, "POST", app+"db/"+what, bearer, "body {")
			check(401, "POST", app+"db/"+what)
			check(403, "POST", app+"db/"+what, cookie)
			check(404, "POST", app+"nobody/"+what, bearer)
			check(409, "POST", app+"vault/"+what, bearer, `body {"for":60}`)
		}
		check(400, "GET", app+"db/history?days=31", bearer)
		check(404, "GET", app+"nobody/history", bearer)
		check(404, "GET", app+"nobody", bearer)
		for _, none := range []string{"nothing.js", "..%2Fapp.js", "%2e%2e%2fapp.js", "."} {
			check(404, "GET", "/modules/"+none, cookie)
		}
		check(400, "GET", "/api/v1/events?after=-1", bearer)
		check(401, "POST", "/logout")
		check(403, "POST", "/logout", cookie)
		check(303, "POST", "/logout", cookie, csrf)
		check(303, "POST", "/login", form("token="+token)...)
		check(403, "POST", "/login", append(form("token="+token), "Origin: http://evil.test")...)
		check(401, "POST", "/login", form("token=x")...)
		check(401, "POST", "/login", "body token=x", "Content-Type: application/x-www-form-urlencoded")
		for range 10 {
			r.ask("POST", "/login", form("token=x")...)
		}
		check(429, "POST", "/login", form("token=x")...)
		for range 100 {
			r.ask("GET", "/", "Authorization: Bearer x")
		}
		for _, route := range r.echo.Routes() {
			if route.Path == "/login" {
				continue
			}
			target := strings.NewReplacer(":name", "db", ":module", "list.js").Replace(route.Path)
			check(401, route.Method, target)
			check(429, route.Method, target, "Authorization: Bearer x")
		}
		for _, route := range r.echo.Routes() {
			target := strings.NewReplacer(":name", "db", ":module", "list.js").Replace(route.Path)
			if !slices.ContainsFunc([]int{200, 202, 303, 400}, func(code int) bool { return seen[fmt.Sprintf("%s %s %d", route.Method, target, code)] }) {
				t.Errorf("%s %s was not asked for", route.Method, target)
			}
		}
	})
}

func TestAnAppIsWokenPutToSleepAndPinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop-front", "shop-db"), asleep("shop-db"))
		if w := r.order("POST", "/api/v1/apps/shop-front/wake"); w.Code != http.StatusAccepted {
			t.Fatalf("wake: %s", told(w))
		}
		time.Sleep(time.Minute)
		if got, calls := r.state(t, "shop-front"), r.Took(); got != "ready" || calls != "start shop-db, start shop-front" {
			t.Errorf("a minute later it is %s, by %s", got, calls)
		}

		w := r.order("POST", "/api/v1/apps/shop-db/sleep")
		var p map[string]any
		decode(t, w, &p)
		if w.Code != http.StatusConflict || p["detail"] != `needed by "shop-front"` || p["app"] != "shop-db" || p["state"] != "ready" || p["force"] != nil {
			t.Errorf("sleep of what is needed: %s", told(w))
		}
		if w := r.order("POST", "/api/v1/apps/shop-db/sleep", `body {"force":true}`); w.Code != http.StatusConflict {
			t.Errorf("and by force: %s", told(w))
		}

		if w := r.order("POST", "/api/v1/apps/shop-front/pin", `body {"for":3600}`); w.Code != http.StatusOK {
			t.Errorf("pin: %s", told(w))
		}
		if w := r.order("POST", "/api/v1/apps/shop-front/sleep"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "pinned until") || !strings.Contains(w.Body.String(), `"force":true`) {
			t.Errorf("sleep of what is pinned: %s", told(w))
		}
		time.Sleep(30 * time.Minute)
		if got := r.state(t, "shop-front"); got != "ready" {
			t.Errorf("pinned, after half an hour it is %s", got)
		}
		var a appDocument
		decode(t, r.order("POST", "/api/v1/apps/shop-front/unpin"), &a)
		if a.PinnedUntil != nil {
			t.Errorf("unpinned, it is pinned until %s", a.PinnedUntil)
		}
		if w := r.order("POST", "/api/v1/apps/shop-front/sleep"); w.Code != http.StatusAccepted {
			t.Errorf("sleep: %s", told(w))
		}
		time.Sleep(time.Minute)
		if got, calls := r.state(t, "shop-front"), r.Took(); got != "asleep" || !strings.HasPrefix(calls, "stop shop-front") {
			t.Errorf("put to sleep it is %s, by %s", got, calls)
		}
	})
}

func TestAnAppThatIsWokenWhileItIsAwakeHasItsWholeIdleTimeBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		r.order("POST", "/api/v1/apps/shop/wake")
		for range 3 {
			time.Sleep(9 * time.Minute)
			r.order("POST", "/api/v1/apps/shop/wake")
		}
		var a appDocument
		decode(t, r.order("GET", "/api/v1/apps/shop"), &a)
		if want := time.Now().Add(10 * time.Minute); a.State != "ready" || a.NextStop == nil || !a.NextStop.Equal(want) {
			t.Errorf("woken again it is %s until %v, not %s", a.State, a.NextStop, want)
		}
	})
}

func TestAPinnedAppSleepsByForceAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		r.order("POST", "/api/v1/apps/shop/wake")
		time.Sleep(time.Minute)
		r.order("POST", "/api/v1/apps/shop/pin", `body {"for":3600}`)
		if w := r.order("POST", "/api/v1/apps/shop/sleep", `body {"force":false}`); w.Code != http.StatusConflict {
			t.Errorf("without force: %s", told(w))
		}
		if w := r.order("POST", "/api/v1/apps/shop/sleep", `body {"force":true}`); w.Code != http.StatusAccepted {
			t.Errorf("with force: %s", told(w))
		}
		time.Sleep(time.Minute)
		if got := r.state(t, "shop"); got != "asleep" {
			t.Errorf("a minute later it is %s", got)
		}
	})
}

func TestAFailedAppIsTriedAgainAtOnceOnlyByRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		r.Change("shop", func(a *registrytest.App) { a.Err = errors.New("it is broken") })
		r.order("POST", "/api/v1/apps/shop/wake")
		if got := r.Took(); got != "start shop" {
			t.Errorf("woken: %s", got)
		}
		if w := r.order("POST", "/api/v1/apps/shop/wake"); w.Code != http.StatusAccepted || r.Took() != "-" {
			t.Errorf("woken again, it does not wait: %s", told(w))
		}
		r.Change("shop", func(a *registrytest.App) { a.Err = nil }) // else it may have failed again before it is told
		var a appDocument                                           // in the instant of the failure: who orders it does not look at an old page
		decode(t, r.order("POST", "/api/v1/apps/shop/retry"), &a)
		if got := r.Took(); a.State != "starting" || a.Failure != nil || got != "start shop" {
			t.Errorf("tried again it is %s, failed by %v: %s", a.State, a.Failure, got)
		}
	})
}

func TestAnOrderThatIsNoneGetsOneClearLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		for _, c := range [][3]string{
			{"sleep", `{"forse":true}`, `the body has the unknown field "forse"`},
			{"sleep", `{"force":"yes"}`, "force in the body cannot be a string"},
			{"sleep", `{"force":`, "the body is no JSON: unexpected EOF"},
			{"sleep", `{"force":true}{}`, "the body has more than one JSON document"},
			{"sleep", `[]`, "the body is no JSON object"},
			{"sleep", `{"force":` + strings.Repeat(" ", 64<<10) + `true}`, "the body is longer than 64 kB"},
			{"wake", `{"force":true}`, `the body has the unknown field "force"`},
			{"pin", ``, `give either "until", a time such as "2000-01-01T01:00:00Z", or "for", a number of seconds`},
			{"pin", `{"for":60,"until":"2001-01-01T00:00:00Z"}`, `give either "until", a time such as "2000-01-01T01:00:00Z", or "for", a number of seconds`},
			{"pin", `{"for":0}`, `"for" must be more than 0 and at most 315360000 seconds (ten years)`},
			{"pin", `{"for":1e300}`, `"for" must be more than 0 and at most 315360000 seconds (ten years)`},
			{"pin", `{"until":"1999-01-01T00:00:00Z"}`, `"until" is past; to let go of a pin there is unpin`},
			{"pin", `{"until":"2099-01-01T00:00:00Z"}`, `"until" is more than ten years from now`},
			{"pin", `{"until":"soon"}`, `"soon" in the body is no time such as "2027-01-31T18:00:00+01:00"`},
		} {
			w := r.order("POST", "/api/v1/apps/shop/"+c[0], "body "+c[1])
			var p map[string]any
			decode(t, w, &p)
			if w.Code != http.StatusBadRequest || p["detail"] != c[2] {
				t.Errorf("%s %.40s: got %s\nwant %s", c[0], c[1], told(w), c[2])
			}
		}
	})
}

func TestWhatIsNotThereIsToldToWhoIsLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"), stranger("vault"))
		for _, c := range []struct {
			method, target string
			status         int
			allow          string
		}{
			{"GET", "/api/v1/nowhere", 404, ""},
			{"GET", "/api/v1/apps/nobody", 404, ""},
			{"POST", "/api/v1/apps/nobody/wake", 404, ""},
			{"POST", "/api/v1/apps/vault/wake", 409, ""},
			{"HEAD", "/api/v1/apps", 405, "GET"},
			{"OPTIONS", "/api/v1/apps", 405, "GET"},
			{"POST", "/api/v1/apps", 405, "GET"},
			{"GET", "/api/v1/apps/shop/wake", 405, "POST"},
			{"DELETE", "/api/v1/apps/shop", 405, "GET"},
			{"GET", "/auth?app=shop", 404, ""},
			{"GET", "/healthz", 404, ""},
			{"GET", "/api/v1/apps/sh%6Fp", 200, ""},
		} {
			w := r.order(c.method, c.target)
			if w.Code != c.status || w.Header().Get("Allow") != c.allow {
				t.Errorf("%s %s: %s", c.method, c.target, told(w))
			}
		}
	})
}

func TestARuleIsToldWithTheAppsThatItMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := openWith(t, "rules:\n  - pattern: 'shop-(front|back)'\n    linked_apps: ['shop-front', {name: 'shop-$1-db', optional: true}]\n    max_idle_time: 90\n  - pattern: nothing\n    hold_timeout: 5s\n",
			asleep("shop-front"), asleep("shop-back"), asleep("other"))
		want := `{"rules":[{"where":"paastis.yml:2","pattern":"shop-(front|back)","properties":{"max_idle_time":"1h30m0s"},"linked_apps":["shop-front","shop-$1-db?"],"matches":["shop-back","shop-front"]},` +
			`{"where":"paastis.yml:5","pattern":"nothing","properties":{"hold_timeout":"5s"},"linked_apps":[],"matches":[]}],`
		if got := r.order("GET", "/api/v1/rules").Body.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, "matches no known app") {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestTheHistoryHasNoGapsUntilNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		time.Sleep(time.Hour)
		r.order("POST", "/api/v1/apps/shop/wake")
		time.Sleep(2 * time.Hour)
		var h historyDocument
		decode(t, r.order("GET", "/api/v1/apps/shop/history?days=2"), &h)
		at := h.From
		var states []string
		for _, s := range h.Spans {
			if !s.From.Equal(at) {
				t.Errorf("a gap between %s and %s", at, s.From)
			}
			at = s.To
			states = append(states, s.State)
		}
		if !at.Equal(h.Now) || !h.From.Equal(h.Now.Add(-48*time.Hour)) || strings.Join(states, " ") != "unknown asleep awake asleep" {
			t.Errorf("from %s until %s: %v", h.From, h.Now, states)
		}
		if len(h.Wakes) != 1 || h.Wakes[0].Outcome != "ready" || h.Wakes[0].Took < 10 {
			t.Errorf("wakes %+v", h.Wakes)
		}
	})
}

func TestAPanicIsAnsweredAndNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		r.echo.GET("/panic", func(echo.Context) error { panic("secret") })
		if w := r.order("GET", "/panic"); w.Code != http.StatusServiceUnavailable || strings.Contains(told(w), "secret") || !r.logs.has("secret") {
			t.Errorf("got %s", told(w))
		}
	})
}

func TestHealthIsDegradedWhileAProviderDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		var h healthDocument
		decode(t, r.order("GET", "/api/v1/health"), &h)
		if h.Status != "ok" || len(h.Providers) != 1 || !h.Providers[0].Connected || h.Apps["asleep"] != 1 || h.Version != "test" {
			t.Errorf("got %+v", h)
		}
		r.Lose()
		synctest.Wait()
		decode(t, r.order("GET", "/api/v1/health"), &h)
		if h.Status != "degraded" || h.Providers[0].Connected || h.Providers[0].Error == "" || h.Providers[0].Since == nil || !h.Providers[0].Since.Equal(time.Now()) {
			t.Errorf("with the provider lost: %+v", h)
		}
	})
}

package command

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/paastis/paastis/config"
)

// answers are what a Paastis answers, by method and path below api/v1; a path without
// one gets 404. A code may stand before the JSON.
type answers map[string]string

const noon = "2026-07-30T12:00:00Z"

// adminAPI runs a Paastis that answers so at noon, takes adminToken, and notes
// what it is asked.
func adminAPI(t *testing.T, a answers) (environ []string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Thu, 30 Jul 2026 12:00:00 GMT")
		body, _ := io.ReadAll(r.Body)
		key := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1/")
		if r.Header.Get("Accept") == "text/event-stream" {
			key = "STREAM " + r.URL.RawQuery
		}
		*asked = append(*asked, strings.TrimSpace(key+" "+string(body)))
		text, ok := a[key]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+adminToken:
			text = `401 {"status":401}`
		case !ok:
			text = `404 {"status":404,"title":"Not Found","detail":"There is no such app."}`
		}
		if strings.HasPrefix(key, "STREAM") && ok {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, text)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		code := 200
		kind := "application/json"
		if n, _ := fmt.Sscanf(text, "%d ", &code); n == 1 {
			text, kind = text[4:], "application/problem+json"
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return []string{"PAASTIS_ADMIN_URL=" + s.URL, "PAASTIS_ADMIN_TOKEN=" + adminToken}, asked
}

// TestMain makes UTC the clock of this machine.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

const threeApps = `{"now":"` + noon + `","apps":[
 {"name":"shop-back","managed":true,"state":"ready","since":"2026-07-30T11:57:00Z","reason":"shop-front needs it","next_stop":null,"max_idle_seconds":900},
 {"name":"shop-front-with-a-name-that-is-rather-long","managed":true,"state":"ready","since":"2026-07-30T11:57:00Z","reason":"the last request came 12 s ago, and it is given its fifteen minutes","next_stop":"2026-07-30T12:14:48Z","max_idle_seconds":900},
 {"name":"wiki","managed":true,"state":"asleep","since":"2026-07-30T09:00:00Z","reason":"unused for\u001b[2J 15m","next_stop":null,"max_idle_seconds":null},
 {"name":"hook","managed":true,"state":"ready","since":"2026-07-27T09:00:00Z","reason":"pinned","pinned_until":"2026-07-30T14:00:00Z","max_idle_seconds":900},
 {"name":"blog","managed":true,"state":"failed","since":"2026-07-30T11:59:48Z","reason":"It ended with exit code 3.","max_idle_seconds":900}],
 "totals":{"apps":5,"awake":3,"failed":1,"saved":{"day":{"asleep_seconds":45000,"memory_byte_seconds":7.2e12},"month":{"asleep_seconds":1,"memory_byte_seconds":null}},
  "avoided":{"since":"2026-07-01T08:00:00Z","container_hours":210.25,"cost":[{"currency":"EUR","amount":"4.2050"}],"sizes":[]}}}`

const oneApp = `{"name":"boutique","provider":"docker","own_name":"shop-front","stack":"shop","managed":true,"state":"failed",
 "since":"2026-07-30T11:59:48Z","reason":"It ended with exit code 3.","last_activity":"2026-07-29T12:00:00Z","next_stop":null,"pinned_until":"2026-07-30T14:00:00Z",
 "max_idle_seconds":900,"mode":"auto","urls":["https://shop.example.com/"],
 "needs":[{"name":"shop-db","condition":"healthy","optional":false,"missing":false},{"name":"search","condition":"started","optional":true,"missing":true}],
 "needed_by":["till"],"group":["shop-back"],"usual_wake_seconds":12.3,"open_requests":0,"memory_bytes":128000000,
 "saved":{"day":{"asleep_seconds":45000,"memory_byte_seconds":7.2e12},"month":{"asleep_seconds":1800,"memory_byte_seconds":null}},
 "avoided":{"since":"2026-07-01T08:00:00Z","container_hours":12.5,"cost":[{"currency":"EUR","amount":"0.2500"}],"sizes":[]},
 "failure":{"kind":"exited","reason":"It ended with exit code 3.","exit_code":3,"at":"2026-07-30T11:59:48Z","retry_at":"2026-07-30T12:00:20Z","logs":["no\u001b]0;x\u0007 database","bye"]},
 "wakes":[{"at":"2026-07-30T11:59:40Z","took_seconds":8,"outcome":"failed","reason":"It ended with exit code 3."},{"at":"2026-07-29T11:00:00Z","took_seconds":12.3,"outcome":"ready","reason":""}]}`

func TestStatusShowsAllAppsInATableThatFits(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET apps": threeApps})
	code, stdout, stderr := paastis(t, environ, "status")
	want := `NAME                                        STATE   SINCE     SLEEPS-IN  WHY
shop-back                                   ready   3 m ago   -          shop-front needs it
shop-front-with-a-name-that-is-rather-long  ready   3 m ago   14 m       the last request came 12 s…
wiki                                        asleep  3 h ago   -          unused for` + "\uFFFD" + `[2J 15m
hook                                        ready   3 d ago   pinned     pinned
blog                                        failed  12 s ago  -          It ended with exit code 3.

5 apps: 3 awake, 1 asleep, 1 failed; last 24 h: 12.5 h asleep, 1.9 GiB·h of memory saved
not run: 210.3 container hours since 2026-07-01 08:00, worth 4.21 EUR
`
	if code != exitOK || stdout != want || stderr != "" {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", code, stderr, stdout, want)
	}
}

func TestStatusDoesNotMakeUpSinceWhenAnAppIsInItsState(t *testing.T) {
	const app = `{"name":"db","provider":"docker","own_name":"db","managed":false,"state":"ready","since":null,"reason":"nothing enables it","max_idle_seconds":900}`
	environ, _ := adminAPI(t, answers{"GET apps": `{"now":"` + noon + `","apps":[` + app + `]}`, "GET apps/db": app})
	_, stdout, _ := paastis(t, environ, "status")
	if want := "db    ready  -      never      nothing enables it\n"; !strings.Contains(stdout, want) {
		t.Errorf("%q is not in\n%s", want, stdout)
	}
	_, stdout, _ = paastis(t, environ, "status", "db")
	if want := "  state         ready\n"; !strings.Contains(stdout, want) {
		t.Errorf("%q is not in\n%s", want, stdout)
	}
}

func TestStatusOfAnAppTellsAllThatIsKnownOfIt(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET apps/boutique": oneApp})
	code, stdout, stderr := paastis(t, environ, "status", "boutique")
	want := `app boutique (docker, there shop-front, stack shop)
  state         failed since 11:59:48 (12 s ago)
  why           It ended with exit code 3.
  last used     2026-07-29 12:00 (1 d ago)
  sleeps        after 15 m without use
  pinned until  14:00:00 (in 2 h)
  usual wake    about 12 s
  mode          auto
  memory        122 MiB while awake
  saved         last 24 h: 12.5 h asleep, 1.9 GiB·h of memory saved
                last 30 d: 30 m asleep
  not run       12.5 container hours since 2026-07-01 08:00, worth 0.25 EUR

addresses
  https://shop.example.com/

needs
  shop-db, healthy
  search, started, optional: does not exist, skipped

starts and sleeps together with
  shop-back

needed by
  till

last wakes
  11:59:40 (20 s ago): failed after 8.0 s: It ended with exit code 3.
  2026-07-29 11:00 (25 h ago): ready after 12 s

failed 11:59:48 (12 s ago)
  It ended with exit code 3.
  exit code 3
  a request may start it again from 12:00:20 on; paastis retry does it at once

its last lines
  no` + "\uFFFD]0;x\uFFFD" + ` database
  bye
`
	if code != exitOK || stdout != want || stderr != "" {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", code, stderr, stdout, want)
	}
}

func TestJSONIsWhatTheAPIAnswers(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET apps": "{\"now\":\"" + noon + "\",\"apps\":[ ],\n\"later\":{\"a\u009b\":1.50}}"})
	_, stdout, _ := paastis(t, environ, "status", "--json")
	if want := "{\n  \"now\": \"" + noon + "\",\n  \"apps\": [],\n  \"later\": {\n    \"a\\u009b\": 1.50\n  }\n}\n"; stdout != want {
		t.Errorf("%s\nwant\n%s", stdout, want)
	}
}

func TestAnOrderSaysWhatHasComeOfIt(t *testing.T) {
	ready := `{"name":"shop","state":"ready","reason":"","next_stop":"2026-07-30T12:05:00Z","pinned_until":"2026-07-30T14:00:00Z"}`
	environ, asked := adminAPI(t, answers{
		"POST apps/shop/wake":  `{"name":"shop","state":"starting","usual_wake_seconds":0.84}`,
		"POST apps/shop/retry": oneApp,
		"POST apps/shop/sleep": `{"name":"shop","state":"draining","reason":"put to sleep by hand"}`,
		"POST apps/db/sleep":   `409 {"status":409,"detail":"It is needed by shop."}`,
		"POST apps/hook/sleep": `{"name":"hook","state":"ready","reason":"looking whether it is in use"}`,
		"POST apps/blog/sleep": `{"name":"blog","state":"asleep","reason":"unused for 15m"}`,
		"POST apps/wiki/sleep": `409 {"status":409,"detail":"It is pinned.","force":true}`,
		"POST apps/shop/pin":   ready,
		"POST apps/shop/unpin": ready,
	})
	for _, c := range []struct {
		args  string
		code  int
		says  string
		asked string
	}{
		{"wake shop", exitOK, "shop is starting; it usually takes about 0.8 s\n", "POST apps/shop/wake"},
		{"retry shop", exitOK, "boutique has failed: It ended with exit code 3. It is tried again when somebody comes, from 12:00:20 on; paastis retry boutique does it at once.\n", "POST apps/shop/retry"},
		{"sleep shop", exitOK, "shop is going to sleep: put to sleep by hand\n", `POST apps/shop/sleep {"force":false}`},
		{"sleep --force shop", exitOK, "shop is going to sleep: put to sleep by hand\n", `POST apps/shop/sleep {"force":true}`},
		{"sleep hook", exitOK, "hook is going to sleep: looking whether it is in use\n", `POST apps/hook/sleep {"force":false}`},
		{"sleep blog", exitOK, "blog is asleep: unused for 15m\n", `POST apps/blog/sleep {"force":false}`},
		{"sleep db", exitFailure, "paastis: db: It is needed by shop.\n", `POST apps/db/sleep {"force":false}`},
		{"sleep wiki", exitFailure, "paastis: wiki: It is pinned. (--force puts it to sleep all the same)\n", `POST apps/wiki/sleep {"force":false}`},
		{"sleep db --force", exitFailure, "paastis: db: It is needed by shop.\n", `POST apps/db/sleep {"force":true}`},
		{"pin shop --for 2h", exitOK, "shop is pinned until 14:00:00 (in 2 h)\n", `POST apps/shop/pin {"for":7200}`},
		{"--for=1.5d pin shop", exitOK, "shop is pinned until 14:00:00 (in 2 h)\n", `POST apps/shop/pin {"for":129600}`},
		{"pin shop --until 2199-01-01T00:00:00+01:00", exitOK, "shop is pinned until 14:00:00 (in 2 h)\n", `POST apps/shop/pin {"until":"2198-12-31T23:00:00Z"}`},
		{"unpin shop", exitOK, "shop is not pinned: it is ready, and sleeps in 5 m if nobody comes\n", "POST apps/shop/unpin"},
	} {
		*asked = nil
		code, stdout, stderr := paastis(t, environ, strings.Fields(c.args)...)
		if code != c.code || stdout+stderr != c.says || len(*asked) != 1 || (*asked)[0] != c.asked {
			t.Errorf("%s: exit %d, asked %q\n%s%s", c.args, code, *asked, stdout, stderr)
		}
	}
}

func TestAWrongOrderIsToldBeforeAnybodyIsAsked(t *testing.T) {
	for args, says := range map[string]string{
		"wake":                         "wake: needs NAME",
		"theme":                        "theme: needs preview: paastis theme preview [NAME]",
		"theme --help":                 "theme: needs preview",
		"status a b":                   `status: unexpected argument "b"`,
		"status --force":               "--force: unknown flag of status",
		"sleep x --froce":              "did you mean --force?",
		"sleep x --force=maybe":        "--force: takes no value",
		"events --app":                 "--app: needs a value",
		"pin x":                        "pin: needs --for 2h or --until 18:00, one of both",
		"pin x --for 1h --until 18:00": "one of both",
		"pin x --for soon":             `--for: "soon" is no duration; write one such as 90m, 2h or 3d`,
		"pin x --for -1h":              "is no duration",
		"pin x --for NaNd":             "is no duration",
		"pin x --until tomorrow":       `--until: "tomorrow" is no time; write one such as 18:00`,
		"pin x --until 2020-01-01":     "--until: 2020-01-01 is over",
	} {
		code, _, stderr := paastis(t, nil, strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit %d, %s", args, code, stderr)
		}
	}
}

func TestACommandTellsItsOwnFlags(t *testing.T) {
	for _, args := range []string{"pin --help", "help pin", "-h pin x"} {
		code, stdout, _ := paastis(t, nil, strings.Fields(args)...)
		if code != exitOK || !strings.Contains(stdout, "Usage:\n  paastis pin NAME [flags]\n") || !strings.Contains(stdout, "  --until TIME ") {
			t.Errorf("%s: exit %d\n%s", args, code, stdout)
		}
	}
	switches := map[string]bool{}
	for _, c := range (&shell{}).root().Commands() {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			isSwitch := f.NoOptDefVal != ""
			if was, known := switches[f.Name]; known && was != isSwitch {
				t.Errorf("--%s takes a value in one command and none in another", f.Name)
			}
			switches[f.Name] = isSwitch
			if _, taken := config.FlagKind("--" + f.Name); taken {
				t.Errorf("--%s is a setting too", f.Name)
			}
		})
	}
	if len(switches) < 6 {
		t.Errorf("these have flags of their own: %v", switches)
	}
}

func TestWhyThereIsNoAnswerIsToldInOneLine(t *testing.T) {
	noProvider(t)
	environ, _ := adminAPI(t, answers{"GET apps": threeApps})
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	at := func(variables ...string) []string { return append(variables, environ[0]) }
	for name, c := range map[string]struct {
		environ []string
		args    string
		says    string
	}{
		"off":          {nil, "status", "the admin API is off, for it has no token: set admin.token"},
		"no token":     {at(), "status", "the admin API wants a token: set PAASTIS_ADMIN_TOKEN"},
		"only the sum": {at("PAASTIS_ADMIN_TOKEN_SHA256=" + strings.Repeat("ab", 32)), "status", "only admin.token_sha256 is known here, and the token cannot be made of it: set PAASTIS_ADMIN_TOKEN"},
		"wrong token":  {at("PAASTIS_ADMIN_TOKEN=wrong-horse-battery"), "status", "refuses this token: PAASTIS_ADMIN_TOKEN must be its admin.token"},
		"nobody there": {[]string{"PAASTIS_ADMIN_TOKEN=" + adminToken}, "wake shop --admin.listen 127.0.0.1:1", "no Paastis answers on http://127.0.0.1:1: connection refused; does it run"},
		"another page": {[]string{"PAASTIS_ADMIN_TOKEN=" + adminToken}, "events --admin.url " + page.URL, "there is no admin API on " + page.URL + ": 404 Not Found; is admin.url or admin.path right"},
		"no address":   {[]string{"PAASTIS_ADMIN_TOKEN=" + adminToken, "PAASTIS_ADMIN_LISTEN="}, "status", "the admin API has no address"},
		"bad address":  {at("PAASTIS_ADMIN_TOKEN=" + adminToken), "status --admin.url paastis:8091", "--admin.url: admin.url: want http://HOST:PORT"},
		"unknown app":  {environ, "sleep wik", `no app is known as "wik"; did you mean wiki?`},
		"unknown too":  {environ, "events --app hoook", `no app is known as "hoook"; did you mean hook?`},
	} {
		code, stdout, stderr := paastis(t, c.environ, strings.Fields(c.args)...)
		if code != exitFailure || stdout != "" || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, adminToken) {
			t.Errorf("%s: exit %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

const twoEvents = `{"events":[
 {"id":16,"at":"2026-07-30T11:59:40Z","kind":"state","app":"shop-front","state":"starting","was":"asleep","reason":"a request","took_seconds":3600},
 {"id":17,"at":"2026-07-30T11:59:52Z","kind":"pin","app":"shop-front","state":"starting","was":"starting","reason":"pinned until 14:00","took_seconds":null}]}`

func TestEventsAreALineEach(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET events": twoEvents, "GET apps/shop-front": oneApp})
	_, stdout, stderr := paastis(t, environ, "events", "--app", "shop-front")
	want := `2026-07-30 11:59:40  shop-front                asleep → starting after 60 m: a request
2026-07-30 11:59:52  shop-front                pin: pinned until 14:00
`
	if want = strings.Replace(want, "60 m", "1 h", 1); stdout != want || stderr != "" {
		t.Errorf("%s%s\nwant\n%s", stderr, stdout, want)
	}
}

// until is a context that ends as soon as what is written has a text in it.
type until struct {
	strings.Builder
	text string
	end  context.CancelFunc
}

func (u *until) Write(p []byte) (int, error) {
	defer func() {
		if strings.Contains(u.String(), u.text) {
			u.end()
		}
	}()
	return u.Builder.Write(p)
}

func TestFollowingGoesOnAfterTheEventsThatAreKnown(t *testing.T) {
	environ, asked := adminAPI(t, answers{"GET events": twoEvents,
		"STREAM after=17": ": hi\n\nevent: app\ndata: {}\n\nid: 18\nevent: event\ndata: {\"id\":18,\"at\":\"" + noon + "\",\"kind\":\"gone\",\"app\":\"x\",\"reason\":\"\"}\n\n"})
	for flags, want := range map[string]string{
		"":       "2026-07-30 12:00:00  x                         gone\n",
		"--json": `{"id":18,"at":"` + noon + `","kind":"gone","app":"x","reason":""}` + "\n",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &until{text: "gone", end: cancel}
		var errs strings.Builder
		code := run(ctx, "dev", append([]string{"events", "--follow"}, strings.Fields(flags)...), environ, out, &errs)
		cancel()
		if got := out.String(); code != exitOK || !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 3 || errs.String() != "" {
			t.Errorf("exit %d, asked %q\n%s%s", code, *asked, got, errs.String())
		}
	}
}

// unread is what nobody reads any more after some lines.
type unread struct{ left int }

func (u *unread) Write(p []byte) (int, error) {
	if u.left--; u.left < 0 {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

func TestFollowingEndsWithTheNextEventWhenNobodyReadsIt(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET events": twoEvents,
		"STREAM after=17": "id: 18\nevent: event\ndata: {\"id\":18,\"at\":\"" + noon + "\",\"kind\":\"gone\",\"app\":\"x\"}\n\n"})
	for _, flags := range []string{"", "--json"} {
		for lines := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			var errs strings.Builder
			code := run(ctx, "dev", append([]string{"events", "--follow"}, strings.Fields(flags)...), environ, &unread{lines}, &errs)
			if code != exitFailure || errs.String() != "paastis: broken pipe\n" || ctx.Err() != nil {
				t.Errorf("%s after %d lines: exit %d, %s", flags, lines, code, errs.String())
			}
			cancel()
		}
	}
}

func TestWaitingEndsWhenTheAppIsReadyOrIsNotGoingToBe(t *testing.T) {
	starting := `{"name":"shop","state":"starting"}`
	says := func(pictures ...string) string {
		text := ""
		for _, p := range pictures {
			text += "event: app\ndata: " + p + "\n\n"
		}
		return text
	}
	for name, c := range map[string]struct {
		told, then, stream string
		code               int
		says               string
	}{
		"ready already":       {told: `{"name":"shop","state":"ready"}`, says: "shop is ready\n"},
		"ready meanwhile":     {told: starting, then: `{"name":"shop","state":"ready","reason":"It answers."}`, says: "shop is ready: It answers.\n"},
		"ready later":         {told: `{"name":"shop","state":"stopping"}`, then: `{"name":"shop","state":"asleep"}`, stream: says(starting, `{"name":"shop","state":"ready"}`), says: "shop is ready\n"},
		"failed":              {told: starting, then: starting, stream: says(`{"name":"shop","state":"failed","failure":{"reason":"It has no image."}}`), code: exitFailure, says: "paastis: shop has failed: It has no image.\n"},
		"put to sleep again":  {told: starting, then: starting, stream: says(`{"name":"shop","state":"asleep"}`), code: exitFailure, says: "paastis: shop was put to sleep before it was ready\n"},
		"removed":             {told: starting, then: starting, stream: "event: gone\ndata: {\"name\":\"shop\"}\n\n", code: exitFailure, says: "paastis: shop was removed\n"},
		"gone before a look":  {told: starting, then: "", code: exitFailure, says: "paastis: no app is known as \"shop\"\n"},
		"failed from earlier": {told: `{"name":"shop","state":"failed","reason":"It crashed."}`, code: exitFailure, says: "paastis: shop has failed: It crashed.\n"},
	} {
		a := answers{"POST apps/shop/wake": c.told, "GET apps/shop": c.then, "STREAM app=shop": c.stream}
		if c.then == "" {
			delete(a, "GET apps/shop")
		}
		environ, _ := adminAPI(t, a)
		code, stdout, stderr := paastis(t, environ, "wake", "shop", "--wait")
		if code != c.code || stdout+stderr != c.says {
			t.Errorf("%s: exit %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

func TestAnAppSleepsAfterThoseThatNeedIt(t *testing.T) {
	needed := func(reason, apps string) string {
		return `{"now":"` + noon + `","name":"db","state":"ready","reason":` + reason + `,"reason_code":"needed_by","reason_apps":` + apps + `,"next_stop":"2026-07-30T12:05:00Z","max_idle_seconds":900}`
	}
	one, many := needed(`"needed by \"shop-front\""`, `["shop-front"]`), needed(`"who needs it is awake"`, `["shop-front","till"]`)
	environ, _ := adminAPI(t, answers{"GET apps": `{"now":"` + noon + `","apps":[` + one + `,` + many + `]}`, "GET apps/one": one, "GET apps/many": many})
	for args, wants := range map[string][]string{
		"status":      {"after shop-front  needed by", "after 2 apps      who needs it is awake"},
		"status one":  {"sleeps        after shop-front; not before 12:05:00 (in 5 m), if nobody comes\n"},
		"status many": {"sleeps        after shop-front, till; not before 12:05:00 (in 5 m), if nobody comes\n"},
	} {
		_, stdout, _ := paastis(t, environ, strings.Fields(args)...)
		for _, want := range wants {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: %q is not in\n%s", args, want, stdout)
			}
		}
	}
}

func TestTimesAreBriefAndSeenFromNow(t *testing.T) {
	now := time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0 s", 12 * time.Second: "12 s", 90 * time.Second: "90 s", time.Minute: "1 m", 2 * time.Minute: "2 m",
		90 * time.Minute: "90 m", time.Hour: "1 h", 47 * time.Hour: "47 h", 24 * time.Hour: "1 d", 72 * time.Hour: "3 d",
	} {
		if got := ago(now.Add(-d), now); got != want+" ago" {
			t.Errorf("%s: %s, want %s ago", d, got, want)
		}
		if got := ahead(now.Add(d), now); got != "in "+want {
			t.Errorf("%s: %s, want in %s", d, got, want)
		}
	}
	if got := ago(now.Add(time.Second), now) + ", " + ahead(now.Add(-time.Second), now); got != "0 s ago, in 0 s" {
		t.Errorf("by a clock that goes wrong: %s", got)
	}
}

func TestATimeIsSeenFromTheAnswersOwn(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET apps/shop": `{"now":"2026-07-30T12:00:01.9Z","name":"shop","state":"failed",
 "since":"2026-07-30T12:00:01.5Z","max_idle_seconds":900,"failure":{"reason":"It ended.","at":"2026-07-30T12:00:01.5Z","retry_at":"2026-07-30T12:00:01.8Z"}}`})
	_, stdout, _ := paastis(t, environ, "status", "shop")
	for _, want := range []string{
		"failed since 12:00:01 (0 s ago)\n", "\nfailed 12:00:01 (0 s ago)\n", "  a request may start it again; paastis retry does it at once\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
}

func TestAnEndWithoutADateIsTheNextOneOfTheClock(t *testing.T) {
	now := time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"18:00": "2026-07-30T18:00:00Z", "12:00": "2026-07-31T12:00:00Z", "2026-12-24": "2026-12-24T00:00:00Z",
		"2026-12-24 18:30": "2026-12-24T18:30:00Z", "2026-12-24T18:00:00+01:00": "2026-12-24T17:00:00Z",
	} {
		until, err := parseUntil(text, now)
		if err != nil || until.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %s %v, want %s", text, until, err, want)
		}
	}
}

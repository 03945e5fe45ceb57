package admin

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// token is what lets into the rooms of the tests.
const token = "correct-horse-battery-staple"

// asleep is an app that Paastis manages, with a route. It is up 10 s after its start.
func asleep(name string, needs ...string) *registrytest.App {
	a := registrytest.NewApp(name, needs...).At(name + ".test")
	a.Stack, _, _ = strings.Cut(name, "-")
	a.Stopping = 0
	return a
}

// stranger is an app that nobody enabled.
func stranger(name string) *registrytest.App {
	a := registrytest.NewApp(name)
	delete(a.Labels, "paastis.enable")
	return a
}

// logged keeps what is written, such as a log.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) has(text string) bool { return strings.Contains(l.String(), text) }

// room is an Admin over a running registry of played apps, inside a synctest bubble.
type room struct {
	*Admin
	*registrytest.Provider
	logs *logged
}

// open runs a room until the test ends.
func open(t *testing.T, apps ...*registrytest.App) *room { return openWith(t, "", apps...) }

// openWith is open with rules, as paastis.yml has them.
func openWith(t *testing.T, rulesText string, apps ...*registrytest.App) *room {
	t.Helper()
	p := registrytest.NewProvider(apps...)
	kept := &logged{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), kept), &slog.HandlerOptions{Level: slog.LevelDebug}))
	defaults := rules.Defaults()
	defaults.MaxIdleTime = 10 * time.Minute
	set, err := rules.ParseFile("paastis.yml", []byte(rulesText))
	if err != nil {
		t.Fatal(err)
	}
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: []provider.Provider{p},
		Settings:  inventory.Settings{Rules: set, Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second},
		Log:       log,
	}))
	synctest.Wait()
	sum, err := SumOf(token)
	if err != nil {
		t.Fatal(err)
	}
	return &room{Admin: New(Options{Registry: reg, Token: sum, Log: log, Version: "test", Started: time.Now()}), Provider: p, logs: kept}
}

// request is one to the room, of nobody in particular. Lines are headers; a body may be
// among them as "body …".
func request(method, target string, lines ...string) *http.Request {
	var body string
	header := http.Header{}
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "body "); ok {
			body = text
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	r := httptest.NewRequest(method, "http://paastis.test"+target, strings.NewReader(body))
	r.Header = header
	return r
}

// answer serves a request, to its end.
func (r *room) answer(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// ask asks as nobody.
func (r *room) ask(method, target string, lines ...string) *httptest.ResponseRecorder {
	return r.answer(request(method, target, lines...))
}

// bearer is the header of who knows the token.
const bearer = "Authorization: Bearer " + token

// order asks with the token, and then lets happen what can.
func (r *room) order(method, target string, lines ...string) *httptest.ResponseRecorder {
	w := r.ask(method, target, append(lines, bearer)...)
	synctest.Wait()
	return w
}

// form is the lines of a form that was sent.
func form(text string) []string {
	return []string{"Content-Type: application/x-www-form-urlencoded", "Accept: text/html", "body " + text}
}

// logsIn is a session: its cookie, and its CSRF secret, as lines.
func (r *room) logsIn(t *testing.T) (cookie, csrf string) {
	t.Helper()
	w := r.ask(http.MethodPost, "/login", form("token="+token)...)
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		t.Fatalf("log-in: %d %s", w.Code, w.Body)
	}
	c := w.Result().Cookies()[0]
	cookie = "Cookie: " + c.Name + "=" + c.Value
	var s sessionDocument
	decode(t, r.ask(http.MethodGet, "/api/v1/session", cookie), &s)
	return cookie, csrfHeader + ": " + s.CSRF
}

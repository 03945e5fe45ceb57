package pages

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dashboardFiles is where the page lies that the tests open.
const dashboardFiles = "../../server/admin/dashboard"

// dashboardCSP is the policy that the page must live under.
const dashboardCSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'"

// What the admin API answers, as server/admin/openapi.yaml has it.
type (
	adminApp struct {
		Name            string        `json:"name"`
		Provider        string        `json:"provider"`
		OwnName         string        `json:"own_name"`
		Stack           string        `json:"stack"`
		Managed         bool          `json:"managed"`
		State           string        `json:"state"`
		Since           time.Time     `json:"since,omitzero"`
		Reason          string        `json:"reason"`
		ReasonCode      string        `json:"reason_code"`
		ReasonApps      []string      `json:"reason_apps"`
		ReasonUntil     *time.Time    `json:"reason_until"`
		LastActivity    *time.Time    `json:"last_activity"`
		NextStop        *time.Time    `json:"next_stop"`
		PinnedUntil     *time.Time    `json:"pinned_until"`
		StoppedManually *time.Time    `json:"stopped_manually"`
		MaxIdle         *float64      `json:"max_idle_seconds"`
		Mode            string        `json:"mode"`
		URLs            []string      `json:"urls"`
		Needs           []adminNeed   `json:"needs"`
		NeededBy        []string      `json:"needed_by"`
		Group           []string      `json:"group"`
		UsualWake       *float64      `json:"usual_wake_seconds"`
		Open            int           `json:"open_requests"`
		Memory          *uint64       `json:"memory_bytes"`
		Saved           adminSavings  `json:"saved"`
		Avoided         adminAvoided  `json:"avoided"`
		Failure         *adminFailure `json:"failure"`
		Now             time.Time     `json:"now,omitzero"`
		Wakes           []adminWake   `json:"wakes,omitzero"`
	}
	adminNeed struct {
		Name      string `json:"name"`
		Condition string `json:"condition"`
		Optional  bool   `json:"optional"`
		Missing   bool   `json:"missing"`
	}
	adminSavings struct {
		Day   adminSaving `json:"day"`
		Month adminSaving `json:"month"`
	}
	adminSaving struct {
		Asleep float64  `json:"asleep_seconds"`
		Memory *float64 `json:"memory_byte_seconds"`
	}
	adminAvoided struct {
		Since *time.Time         `json:"since"`
		Hours float64            `json:"container_hours"`
		Cost  []adminAmount      `json:"cost"`
		Sizes []adminAvoidedSize `json:"sizes"`
	}
	adminAmount struct {
		Currency string `json:"currency"`
		Amount   string `json:"amount"`
	}
	adminAvoidedSize struct {
		Provider string  `json:"provider"`
		Size     string  `json:"size"`
		Hours    float64 `json:"container_hours"`
		Price    *string `json:"hourly_price"`
	}
	adminFailure struct {
		Kind       string     `json:"kind"`
		Reason     string     `json:"reason"`
		ReasonCode string     `json:"reason_code"`
		ExitCode   *int       `json:"exit_code"`
		At         time.Time  `json:"at"`
		RetryAt    *time.Time `json:"retry_at"`
		Logs       []string   `json:"logs"`
	}
	adminWake struct {
		At         time.Time `json:"at"`
		Took       float64   `json:"took_seconds"`
		Outcome    string    `json:"outcome"`
		Reason     string    `json:"reason"`
		ReasonCode string    `json:"reason_code"`
	}
	adminSpan struct {
		From  time.Time `json:"from"`
		To    time.Time `json:"to"`
		State string    `json:"state"`
	}
	adminEvent struct {
		ID          uint64     `json:"id"`
		At          time.Time  `json:"at"`
		Kind        string     `json:"kind"`
		App         string     `json:"app"`
		State       string     `json:"state"`
		Was         string     `json:"was"`
		Reason      string     `json:"reason"`
		ReasonCode  string     `json:"reason_code"`
		ReasonUntil *time.Time `json:"reason_until"`
		Took        float64    `json:"took_seconds"`
	}
	adminTotals struct {
		Apps    int          `json:"apps"`
		Awake   int          `json:"awake"`
		Failed  int          `json:"failed"`
		Saved   adminSavings `json:"saved"`
		Avoided adminAvoided `json:"avoided"`
	}
	adminRule struct {
		Where      string         `json:"where"`
		Pattern    string         `json:"pattern"`
		Properties map[string]any `json:"properties"`
		Linked     []string       `json:"linked_apps"`
		Matches    []string       `json:"matches"`
	}
)

// fakeAdmin plays the admin API with scripted apps: nothing happens in it but what a
// test or the page asks for.
type fakeAdmin struct {
	url  string
	skew time.Duration // by which its clock is ahead of the browser's

	mu       sync.Mutex // guards all below
	apps     map[string]*adminApp
	events   []adminEvent
	rules    []adminRule
	problems []string
	refusals map[string]string // app → why it must not sleep, unless forced
	streams  map[chan string]bool
	session  bool
	away     bool          // answers nothing, as if it were down
	held     chan struct{} // what is asked of one app is answered once it is closed, as it was; nil: at once
	asked    []string      // what the page did: "POST apps/shop/wake {…}"
}

func newFakeAdmin(t *testing.T, apps []adminApp) *fakeAdmin {
	t.Helper()
	f := &fakeAdmin{session: true, apps: map[string]*adminApp{}, refusals: map[string]string{}, streams: map[chan string]bool{}}
	for _, app := range apps {
		f.apps[app.Name] = &app
	}
	server := httptest.NewServer(f.routes())
	f.url = server.URL + "/"
	t.Cleanup(server.Close)
	t.Cleanup(f.cut)
	return f
}

func (f *fakeAdmin) routes() http.Handler {
	mux := http.NewServeMux()
	files := http.FileServer(http.Dir(dashboardFiles))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", dashboardCSP)
		w.Header().Set("Cache-Control", "no-store")
		if r.URL.Path == "/" && !f.has(&f.session) {
			fmt.Fprint(w, `<!doctype html><title>Log in</title><form method="post" action="login"><input name="token"></form>`)
			return
		}
		files.ServeHTTP(w, r)
	})
	api := func(pattern string, handle func(w http.ResponseWriter, r *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case f.has(&f.away):
				panic(http.ErrAbortHandler)
			case !f.has(&f.session):
				refuse(w, http.StatusUnauthorized, "log in first")
			case method == "POST" && r.Header.Get("X-Paastis-CSRF") != "the-csrf":
				refuse(w, http.StatusForbidden, "the CSRF token is missing")
			default:
				handle(w, r)
			}
		})
	}
	api("GET session", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"csrf": "the-csrf", "expires": f.now().Add(12 * time.Hour)})
	})
	api("GET apps", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"now": f.now(), "apps": f.list(), "totals": f.totals()})
	})
	api("GET apps/{name}", f.app(func(w http.ResponseWriter, r *http.Request, app adminApp) {
		detail := picture(&app)
		detail.Now, detail.Wakes = f.now(), append([]adminWake{}, app.Wakes...)
		f.hold(r.Context(), app.Name)
		answer(w, http.StatusOK, detail)
	}))
	api("GET apps/{name}/history", f.app(f.history))
	for _, verb := range []string{"wake", "retry", "sleep", "pin", "unpin"} {
		api("POST apps/{name}/"+verb, f.app(func(w http.ResponseWriter, r *http.Request, app adminApp) { f.act(w, r, app.Name, verb) }))
	}
	api("GET events", f.listEvents)
	api("GET rules", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"rules": append([]adminRule{}, f.rules...), "warnings": []string{}})
	})
	api("GET health", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		problems := append([]string{}, f.problems...)
		f.mu.Unlock()
		status := "ok"
		if len(problems) > 0 {
			status = "degraded"
		}
		answer(w, http.StatusOK, map[string]any{"status": status, "version": "1.4.0", "started": f.now().Add(-50 * time.Hour), "problems": problems, "problem_codes": slices.Repeat([]string{"provider_unreachable"}, len(problems)), "unknown_requests": 12,
			"apps": map[string]int{}, "providers": []any{map[string]any{"name": "docker", "connected": true, "error": "", "since": nil, "calls": nil}}})
	})
	return mux
}

// hold blocks while what is asked of one app is held, or until ctx ends.
func (f *fakeAdmin) hold(ctx context.Context, name string) {
	f.mu.Lock()
	held := f.held
	if held != nil {
		f.asked = append(f.asked, "ask for "+name)
	}
	f.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}

func (f *fakeAdmin) has(flag *bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *flag
}

func (f *fakeAdmin) set(flag *bool, value bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*flag = value
}

func (f *fakeAdmin) now() time.Time { return time.Now().Add(f.skew).UTC() }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": detail, "force": status == http.StatusConflict && !strings.Contains(detail, "needed by")})
}

// app hands a copy of the app in the path on, or answers 404.
func (f *fakeAdmin) app(handle func(http.ResponseWriter, *http.Request, adminApp)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		app, known := f.apps[r.PathValue("name")]
		var held adminApp
		if known {
			held = *app
		}
		f.mu.Unlock()
		if !known {
			refuse(w, http.StatusNotFound, "there is no such app")
			return
		}
		handle(w, r, held)
	}
}

// list is what GET apps answers.
func (f *fakeAdmin) list() []adminApp {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []adminApp{}
	for _, app := range f.apps {
		list = append(list, picture(app))
	}
	slices.SortFunc(list, func(a, b adminApp) int { return cmp.Or(cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.Name, b.Name)) })
	return list
}

// picture is an app without its wakes; those only its own answer has.
func picture(app *adminApp) adminApp {
	p := *app
	p.Wakes = nil
	if p.Failure != nil {
		failure := *p.Failure
		failure.Logs = append([]string{}, failure.Logs...)
		p.Failure = &failure
	}
	return p
}

func (f *fakeAdmin) totals() adminTotals {
	var t adminTotals
	var day, month float64
	for _, app := range f.list() {
		t.Apps++
		switch app.State {
		case "failed":
			t.Failed++
		case "ready":
			t.Awake++
		}
		t.Saved.Day.Asleep += app.Saved.Day.Asleep
		t.Saved.Month.Asleep += app.Saved.Month.Asleep
		if app.Saved.Day.Memory != nil {
			day += *app.Saved.Day.Memory
			month += *app.Saved.Month.Memory
		}
	}
	t.Saved.Day.Memory, t.Saved.Month.Memory = &day, &month
	t.Avoided = f.avoided()
	return t
}

// avoided is what all apps have avoided, as far as it is of one size.
func (f *fakeAdmin) avoided() adminAvoided {
	all := adminAvoided{Cost: []adminAmount{}, Sizes: []adminAvoidedSize{}}
	var cost float64
	for _, app := range f.list() {
		for _, amount := range app.Avoided.Cost {
			one, _ := strconv.ParseFloat(amount.Amount, 64)
			cost += one
			all.Cost = []adminAmount{{amount.Currency, fmt.Sprintf("%.4f", cost)}}
		}
		if app.Avoided.Since != nil {
			all.Since = app.Avoided.Since
		}
		all.Hours += app.Avoided.Hours
	}
	return all
}

// history is a made-up month: awake at office hours, more or less.
func (f *fakeAdmin) history(w http.ResponseWriter, _ *http.Request, app adminApp) {
	end := f.now()
	start := end.Add(-30 * 24 * time.Hour)
	dice := rand.New(rand.NewPCG(uint64(len(app.Name)), 7))
	spans := []adminSpan{{start, start.Add(50 * time.Hour), "unknown"}}
	add := func(length time.Duration, state string) {
		from := spans[len(spans)-1].To
		to := from.Add(length)
		if to.After(end) {
			to = end
		}
		if to.After(from) {
			spans = append(spans, adminSpan{from, to, state})
		}
	}
	for spans[len(spans)-1].To.Before(end) {
		hour := spans[len(spans)-1].To.Hour()
		if hour < 7 || hour > 19 {
			add(time.Duration(60+dice.IntN(90))*time.Minute, "asleep")
			continue
		}
		if dice.IntN(30) == 0 {
			add(25*time.Minute, "failed")
		}
		add(time.Duration(20+dice.IntN(100))*time.Minute, "awake")
		add(time.Duration(20+dice.IntN(200))*time.Minute, "asleep")
	}
	if app.State == "ready" {
		for len(spans) > 1 && spans[len(spans)-1].From.After(app.Since) {
			spans = spans[:len(spans)-1]
		}
		spans[len(spans)-1].To = app.Since
		add(end.Sub(app.Since), "awake")
	}
	answer(w, http.StatusOK, map[string]any{"now": end, "from": start, "spans": spans, "wakes": append([]adminWake{}, app.Wakes...)})
}

func (f *fakeAdmin) act(w http.ResponseWriter, r *http.Request, name, verb string) {
	text, _ := io.ReadAll(r.Body)
	var body struct {
		Force bool      `json:"force"`
		Until time.Time `json:"until"`
		For   float64   `json:"for"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		refuse(w, http.StatusBadRequest, "the body is no JSON")
		return
	}
	defer func() {
		f.mu.Lock()
		f.asked = append(f.asked, fmt.Sprintf("%s %s %s", verb, name, text))
		f.mu.Unlock()
	}()
	f.mu.Lock()
	refusal := f.refusals[name]
	f.mu.Unlock()
	status := http.StatusAccepted
	switch verb {
	case "wake", "retry":
		f.becomes(name, "starting", "asked for by an admin")
	case "sleep":
		if refusal != "" && !body.Force {
			refuse(w, http.StatusConflict, refusal)
			return
		}
		f.becomes(name, "stopping", "asked for by an admin")
	case "pin":
		if body.For > 0 {
			body.Until = f.now().Add(time.Duration(body.For) * time.Second)
		}
		if body.Until.IsZero() {
			refuse(w, http.StatusBadRequest, "say until when, or for how long")
			return
		}
		f.pin(name, &body.Until)
		status = http.StatusOK
	case "unpin":
		f.pin(name, nil)
		status = http.StatusOK
	}
	f.mu.Lock()
	app := picture(f.apps[name])
	f.mu.Unlock()
	app.Now = f.now()
	answer(w, status, app)
}

// becomes moves an app to another state, as another client or a visitor may cause it.
func (f *fakeAdmin) becomes(name, state, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	app := f.apps[name]
	event := adminEvent{Kind: "state", App: name, State: state, Was: app.State, Reason: reason, ReasonCode: "asked"}
	app.State, app.Reason, app.ReasonCode, app.ReasonUntil, app.Since, app.NextStop = state, reason, "asked", nil, f.now(), nil
	if state == "ready" && app.MaxIdle != nil {
		stop := f.now().Add(time.Duration(*app.MaxIdle) * time.Second)
		app.NextStop = &stop
	}
	if state != "failed" {
		app.Failure = nil
	}
	f.record(event)
	f.stream("app", 0, picture(app))
}

func (f *fakeAdmin) pin(name string, until *time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	app := f.apps[name]
	app.PinnedUntil = until
	reason, code := "unpinned", "unpinned"
	if until != nil {
		reason, code = "pinned until "+until.Format("Mon 2 Jan 15:04 MST"), "pinned"
	}
	f.record(adminEvent{Kind: "pin", App: name, State: app.State, Was: app.State, Reason: reason, ReasonCode: code, ReasonUntil: until})
	f.stream("app", 0, picture(app))
}

func (f *fakeAdmin) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	app := f.apps[name]
	delete(f.apps, name)
	f.record(adminEvent{Kind: "gone", App: name, State: app.State, Was: app.State})
	f.stream("gone", 0, map[string]string{"name": name})
}

// changes sends a new picture of an app.
func (f *fakeAdmin) changes(name string, change func(*adminApp)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.apps[name])
	f.stream("app", 0, picture(f.apps[name]))
}

// record is called with the lock held.
func (f *fakeAdmin) record(event adminEvent) {
	event.ID, event.At = uint64(len(f.events)+1), f.now()
	f.events = append(f.events, event)
	f.stream("event", event.ID, event)
}

// stream is called with the lock held.
func (f *fakeAdmin) stream(kind string, id uint64, body any) {
	for follower := range f.streams {
		follower <- message(kind, id, body)
	}
}

func message(kind string, id uint64, body any) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	head := ""
	if id > 0 {
		head = fmt.Sprintf("id: %d\n", id)
	}
	return fmt.Sprintf("%sevent: %s\ndata: %s\n\n", head, kind, text)
}

func (f *fakeAdmin) listEvents(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	f.mu.Lock()
	missed := []adminEvent{}
	for _, event := range f.events {
		if event.ID > after {
			missed = append(missed, event)
		}
	}
	if r.Header.Get("Accept") != "text/event-stream" {
		f.mu.Unlock()
		answer(w, http.StatusOK, map[string]any{"events": missed})
		return
	}
	follower := make(chan string, 10000)
	f.streams[follower] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.streams, follower)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := http.NewResponseController(w)
	fmt.Fprint(w, ": hello\n\n")
	for _, event := range missed {
		fmt.Fprint(w, message("event", event.ID, event))
	}
	_ = flusher.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case text, open := <-follower:
			if !open {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, text)
			_ = flusher.Flush()
		}
	}
}

// cut ends every stream, as a broken connection does.
func (f *fakeAdmin) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for follower := range f.streams {
		close(follower)
		delete(f.streams, follower)
	}
}

// hasAsked says what the page did so far, one deed a line.
func (f *fakeAdmin) hasAsked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.asked, "\n")
}

// appHash is where the page shows an app.
func (f *fakeAdmin) appHash(name string) string { return f.url + "#/app/" + url.PathEscape(name) }

// anApp is an app that sleeps, in a stack, of which nothing else is remarkable.
func anApp(stack, name string) adminApp {
	idle, usual := 900.0, 12.3
	mem, day, month := uint64(412<<20), 74000.0*(412<<20), 2.1e6*(412<<20)
	return adminApp{Name: name, OwnName: name, Stack: stack, Provider: "docker", Managed: true, State: "asleep", Since: time.Now().Add(-3 * time.Hour).UTC(),
		Reason: "nobody asked for it", ReasonCode: "unused", ReasonApps: []string{}, Mode: "forwardauth", MaxIdle: &idle, UsualWake: &usual, Memory: &mem,
		URLs: []string{}, Needs: []adminNeed{}, NeededBy: []string{}, Group: []string{},
		Saved:   adminSavings{adminSaving{74000, &day}, adminSaving{2.1e6, &month}},
		Avoided: avoiding(583.3, "0.02 EUR", "11.6660")}
}

// avoiding is what an app of size M has avoided; without a price if that is empty.
func avoiding(hours float64, price, cost string) adminAvoided {
	since := time.Now().Add(-40 * 24 * time.Hour).UTC()
	if price == "" {
		return adminAvoided{&since, hours, []adminAmount{}, []adminAvoidedSize{{"docker", "", hours, nil}}}
	}
	return adminAvoided{&since, hours, []adminAmount{{"EUR", cost}}, []adminAvoidedSize{{"docker", "M", hours, &price}}}
}

// ready makes an app awake, to sleep in so long.
func (a adminApp) ready(reason string, left time.Duration) adminApp {
	stop, last := time.Now().Add(left).UTC(), time.Now().Add(-time.Minute).UTC()
	a.State, a.Reason, a.ReasonCode, a.NextStop, a.LastActivity, a.Since = "ready", reason, "traffic", &stop, &last, time.Now().Add(-40*time.Minute).UTC()
	return a
}

// needing links an app to others, "name:condition" each; ? after it makes it optional.
func (a adminApp) needing(links ...string) adminApp {
	for _, link := range links {
		name, condition, _ := strings.Cut(link, ":")
		bare, optional := strings.CutSuffix(condition, "?")
		a.Needs = append(a.Needs, adminNeed{Name: name, Condition: bare, Optional: optional})
	}
	return a
}

// joined fills in the other ends of the links.
func joined(apps ...adminApp) []adminApp {
	for i := range apps {
		for j := range apps[i].Needs {
			k := slices.IndexFunc(apps, func(a adminApp) bool { return a.Name == apps[i].Needs[j].Name })
			if k < 0 {
				apps[i].Needs[j].Missing = true
				continue
			}
			apps[k].NeededBy = append(apps[k].NeededBy, apps[i].Name)
			if slices.ContainsFunc(apps[k].Needs, func(n adminNeed) bool { return n.Name == apps[i].Name }) {
				apps[i].Group = append(apps[i].Group, apps[k].Name)
			}
		}
	}
	return apps
}

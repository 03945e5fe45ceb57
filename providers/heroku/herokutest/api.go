package herokutest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// fault is an answer of the API that is an error.
type fault struct {
	status      int
	id, message string
}

func (f *fault) write(w http.ResponseWriter) {
	write(w, f.status, map[string]any{"id": f.id, "message": f.message, "url": "https://devcenter.heroku.com/articles/platform-api-reference#errors"})
}

func write(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // it is made of maps and texts
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that has gone is none of ours
}

// answer is what a call comes to: a value, or an error.
type answer func(r *http.Request) (any, *fault)

// routes are the calls that are played.
func (h *Heroku) routes() *http.ServeMux {
	mux := http.NewServeMux()
	serve := func(pattern string, how answer) { mux.HandleFunc(pattern, h.serve(how)) }
	mux.HandleFunc("GET /apps", h.listApps)
	mux.HandleFunc("GET /teams/{team}/apps", h.listApps)
	serve("GET /account", func(*http.Request) (any, *fault) {
		return map[string]any{"id": accountID, "email": "somebody@example.com"}, nil
	})
	serve("GET /account/rate-limits", func(*http.Request) (any, *fault) {
		return map[string]any{"remaining": int(h.quota.left)}, nil
	})
	serve("GET /accounts/{account}/actions/get-quota", h.tellQuota)
	serve("GET /apps/{app}", h.of(func(a *app, _ *http.Request) (any, *fault) { return h.appJSON(a), nil }))
	serve("GET /apps/{app}/formation", h.of(func(a *app, _ *http.Request) (any, *fault) { return h.formationJSON(a), nil }))
	serve("PATCH /apps/{app}/formation", h.ordered(h.batch))
	serve("GET /apps/{app}/dynos", h.of(func(a *app, _ *http.Request) (any, *fault) { return h.dynosJSON(a), nil }))
	serve("DELETE /apps/{app}/dynos", h.ordered(func(a *app, _ *http.Request) (any, *fault) { return h.restart(a, a.types...) }))
	serve("DELETE /apps/{app}/formations/{type}", h.ordered(func(a *app, r *http.Request) (any, *fault) {
		return h.restart(a, a.process(r.PathValue("type")))
	}))
	serve("POST /apps/{app}/log-sessions", h.of(func(a *app, _ *http.Request) (any, *fault) {
		return map[string]any{"id": a.id, "logplex_url": "https://logs.heroku.test/sessions/" + a.id + "?srv=" + sessionSecret}, nil
	}))
	serve("/", func(*http.Request) (any, *fault) {
		return nil, &fault{http.StatusNotFound, "not_found", "The requested API endpoint was not found."}
	})
	return mux
}

// sessionSecret is what lets somebody read a log who has no token.
const sessionSecret = "1700000000"

// writeLog is the log that a session leads to.
func (h *Heroku) writeLog(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/sessions/")
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.apps[id]
	if a == nil || r.URL.Query().Get("srv") != sessionSecret || r.Header.Get("Authorization") != "" {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/logplex-1")
	_, _ = io.WriteString(w, strings.Join(a.Log, "\n")+"\n") // a caller that has gone is none of ours
}

// serve answers with the lock held.
func (h *Heroku) serve(how answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, fault := func() (any, *fault) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return how(r)
		}()
		if fault != nil {
			fault.write(w)
			return
		}
		write(w, http.StatusOK, value)
	}
}

// of answers for the app that the path names.
func (h *Heroku) of(how func(*app, *http.Request) (any, *fault)) answer {
	return func(r *http.Request) (any, *fault) {
		a := h.named(r.PathValue("app"))
		switch {
		case a == nil:
			return nil, &fault{http.StatusNotFound, "not_found", "Couldn't find that app."}
		case a.Suspended:
			return nil, &fault{http.StatusForbidden, "suspended", "This app has been suspended."}
		}
		a.settle(h.now())
		return how(a, r)
	}
}

// ordered is of for what changes an app.
func (h *Heroku) ordered(how func(*app, *http.Request) (any, *fault)) answer {
	return h.of(func(a *app, r *http.Request) (any, *fault) {
		switch {
		case a.ReadOnly:
			return nil, &fault{http.StatusForbidden, "forbidden", "You do not have access to the app " + a.Name + "."}
		case a.Delinquent, h.account.delinquent:
			return nil, &fault{http.StatusPaymentRequired, "delinquent", "This action can't be completed because of an unpaid invoice."}
		}
		return how(a, r)
	})
}

// restart starts dynos anew. A type that is nil is none of the app's.
func (h *Heroku) restart(a *app, types ...*process) (any, *fault) {
	for _, p := range types {
		if p == nil {
			return nil, &fault{http.StatusNotFound, "not_found", "Couldn't find that process type."}
		}
		p.restart(h)
	}
	a.asleep = false
	return map[string]any{}, nil
}

// tellQuota is that of eco dynos, which wants a version of its own (commands/ps/index.ts of
// heroku/cli).
func (h *Heroku) tellQuota(r *http.Request) (any, *fault) {
	if !strings.Contains(r.Header.Get("Accept"), "version=3.account-quotas") || r.PathValue("account") != accountID {
		return nil, &fault{http.StatusNotFound, "not_found", "Couldn't find that account."}
	}
	return map[string]any{"account_quota": int(ecoHours.Seconds()), "quota_used": int(h.ecoUsed.Seconds()), "apps": []any{}}, nil
}

// update is what is to become of a type.
type update struct {
	Type     string `json:"type"`
	Quantity *int   `json:"quantity"`
	Size     string `json:"size"`
	DynoSize struct {
		Name string `json:"name"`
	} `json:"dyno_size"`
}

// batch scales several types at once, or none.
func (h *Heroku) batch(a *app, r *http.Request) (any, *fault) {
	var order struct {
		Updates []update `json:"updates"`
	}
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || len(order.Updates) == 0 {
		return nil, &fault{http.StatusBadRequest, "bad_request", "Unable to parse data in the request body."}
	}
	for _, u := range order.Updates {
		if fault := a.refuses(u); fault != nil {
			return nil, fault
		}
	}
	changed := []any{}
	for _, u := range order.Updates {
		p := a.process(u.Type)
		quantity := p.Quantity
		if u.Quantity != nil {
			quantity = *u.Quantity
		}
		a.scale(h, p, quantity, u.size())
		changed = append(changed, p.json(a))
	}
	a.asleep, a.visited = false, h.now()
	return changed, nil
}

func (u update) size() string {
	if u.DynoSize.Name != "" {
		return u.DynoSize.Name
	}
	return u.Size
}

// refuses is why a type cannot be scaled so.
func (a *app) refuses(u update) *fault {
	p := a.process(u.Type)
	if p == nil {
		return &fault{http.StatusNotFound, "not_found", "Couldn't find that process type (" + u.Type + ")."}
	}
	size := u.size()
	if size == "" {
		size = p.Size
	}
	single := is(size, "eco") || is(size, "basic")
	switch {
	case u.Quantity != nil && *u.Quantity > 1 && single: // devcenter.heroku.com/articles/scaling
		return &fault{http.StatusUnprocessableEntity, "invalid_params", "Cannot update to more than 1 " + size + " size dynos per process type."}
	case u.Quantity != nil && *u.Quantity < 0:
		return &fault{http.StatusUnprocessableEntity, "invalid_params", "Quantity is invalid."}
	case !slices.ContainsFunc(sizes, func(s string) bool { return is(s, size) }):
		return &fault{http.StatusUnprocessableEntity, "invalid_params", "No such size as " + size + "."}
	default:
		return nil
	}
}

// sizes are those that there are (devcenter.heroku.com/articles/dyno-tiers).
var sizes = []string{
	"eco", "basic", "standard-1x", "standard-2x", "performance-m", "performance-l", "performance-l-ram",
	"private-s", "private-m", "private-l", "dyno-1c-0.5gb", "dyno-2c-1gb",
}

func (h *Heroku) appJSON(a *app) map[string]any {
	generation := "cedar"
	if a.Fir {
		generation = "fir"
	}
	return map[string]any{
		"id": a.id, "name": a.Name, "maintenance": a.Maintenance, "archived_at": nil,
		"web_url": orNull(a.url()), "team": named(a.Team), "space": named(a.Space),
		"region": named("eu"), "stack": named("heroku-24"), "generation": map[string]any{"name": generation},
		"owner":      map[string]any{"id": accountID, "email": "somebody@example.com"},
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "released_at": stamp(a.released),
	}
}

// orNull is a text, or null if it is empty.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// named is what has a name; null if that is empty.
func named(name string) any {
	if name == "" {
		return nil
	}
	return map[string]any{"id": "0000" + name, "name": name}
}

// stamp is a time as the API writes it; null if it is none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func (h *Heroku) formationJSON(a *app) any {
	all := []any{}
	for _, p := range a.types {
		if p.Quantity > 0 || !h.dropping {
			all = append(all, p.json(a))
		}
	}
	return all
}

func (p *process) json(a *app) any {
	return map[string]any{
		"id": p.id, "type": p.Name, "quantity": p.Quantity, "size": p.Size, "dyno_size": named(p.Size),
		"command": "run " + p.Name, "app": map[string]any{"id": a.id, "name": a.Name},
		"created_at": stamp(a.created), "updated_at": stamp(p.updated),
	}
}

func (h *Heroku) dynosJSON(a *app) any {
	all := []any{}
	ending := slices.DeleteFunc(slices.Clone(a.leaving), func(d *dyno) bool { return h.now().Sub(d.ended) >= a.Linger })
	for _, d := range append(a.dynos(), ending...) {
		if a.Lag > 0 && h.now().Before(d.created.Add(a.Lag)) {
			continue
		}
		all = append(all, map[string]any{
			"id": d.id, "name": d.name(), "type": d.kind, "state": a.state(d, h.now()), "size": d.size,
			"command": "run " + d.kind, "app": map[string]any{"id": a.id, "name": a.Name}, "attach_url": nil,
			"created_at": stamp(d.created), "updated_at": stamp(d.created), "release": map[string]any{"id": a.id, "version": 1},
		})
	}
	return all
}

// dynos are all of an app, one-offs too.
func (a *app) dynos() []*dyno {
	var all []*dyno
	for _, p := range a.types {
		all = append(all, p.dynos...)
	}
	return append(all, a.oneOffs...)
}

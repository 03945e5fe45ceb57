package herokutest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// bootPatience is how long the router holds a visitor for a dyno that starts: H20 comes then
// (devcenter.heroku.com/articles/error-codes).
const bootPatience = 75 * time.Second

// Visit is a request that came to an app's own name.
type Visit struct {
	At                   time.Time
	App, Path, UserAgent string
	// State is that of the app's web dynos when it came: up, starting, crashed, idle. Empty: it
	// had none.
	State string
	// Status is what was answered.
	Status int
}

// Visitors are all that came to an app so far.
func (h *Heroku) Visitors(name string) []Visit {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Visit
	for _, v := range h.visitors {
		if v.App == name {
			all = append(all, v)
		}
	}
	return all
}

// visit answers as the router does, by the name that is asked for.
func (h *Heroku) visit(w http.ResponseWriter, r *http.Request) {
	v := Visit{At: time.Now(), Path: r.URL.Path, UserAgent: r.UserAgent()}
	status, code, app := h.await(r.Context(), hostOf(r), &v)
	v.Status = status
	h.mu.Lock()
	h.visitors = append(h.visitors, v)
	h.mu.Unlock()
	w.Header().Set("Via", "1.1 heroku-router")
	w.Header().Set("Server", "Heroku")
	if status == http.StatusOK {
		greet(w, r, app)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title>", code)
}

func hostOf(r *http.Request) string {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// await holds a visitor until the app answers, or says why it does not.
func (h *Heroku) await(ctx context.Context, host string, v *Visit) (status int, code, app string) {
	for first := true; ; first = false {
		var until time.Time
		status, code, app, until = h.glance(host, v, first)
		if until.IsZero() {
			return status, code, app
		}
		timer := time.NewTimer(max(time.Until(until), time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return http.StatusServiceUnavailable, "H27 Client Request Interrupted", app
		}
	}
}

// glance is how an app answers now, or until when the visitor has to wait.
func (h *Heroku) glance(host string, v *Visit, first bool) (status int, code, name string, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.at(host)
	if a == nil {
		return http.StatusNotFound, "No such app", "", until
	}
	now := h.now()
	a.settle(now)
	if first {
		v.App, v.State = a.Name, a.best(now)
	}
	status, code = h.trouble(a, now)
	if status == 0 {
		since := a.upSince(now)
		if limit := v.At.Add(bootPatience); !time.Now().Before(limit) {
			return http.StatusServiceUnavailable, "H20 App boot timeout", a.Name, until
		}
		return 0, "", a.Name, since.Add(a.Boot).Add(-h.skew)
	}
	return status, code, a.Name, until
}

// trouble is why an app does not answer, or 200 if it does. Zero: it boots. A visit wakes it if it
// is idle, and keeps it from being so.
func (h *Heroku) trouble(a *app, now time.Time) (status int, code string) {
	switch {
	case a.Maintenance:
		return http.StatusServiceUnavailable, "Offline for Maintenance"
	case a.Suspended:
		return http.StatusServiceUnavailable, "H80 App suspended"
	case a.Undeployed:
		return http.StatusBadGateway, "H81 Blank app"
	}
	a.visited = now
	if a.asleep && h.ecoUsed >= ecoHours {
		return http.StatusServiceUnavailable, "H82 You have used up your Eco dyno hours"
	}
	if a.asleep {
		a.asleep = false
		for _, p := range a.types {
			p.restart(h)
		}
	}
	switch a.best(now) {
	case "":
		return http.StatusServiceUnavailable, "H14 No web dynos running"
	case "crashed":
		return http.StatusServiceUnavailable, "H10 App crashed"
	case "starting":
		return 0, ""
	default:
		return http.StatusOK, ""
	}
}

// at is the app of a name. Nil: there is none. Called with the lock held.
func (h *Heroku) at(host string) *app {
	for _, a := range h.apps {
		if a.host() == host {
			return a
		}
	}
	return nil
}

// greet is the app's own answer: who it is, and what it was asked.
func greet(w http.ResponseWriter, r *http.Request, app string) {
	said := map[string]any{
		"app": app, "path": r.URL.RequestURI(), "host": r.Host, "method": r.Method,
		"forwardedHost": r.Header.Get("X-Forwarded-Host"),
	}
	if slices.ContainsFunc(r.Header.Values("Accept"), func(a string) bool { return strings.Contains(a, "text/html") }) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title><p>%s at %s%s, for %s", app, app, r.Host, r.URL.RequestURI(), r.Header.Get("X-Forwarded-Host"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said) // a visitor that has gone is none of ours
}

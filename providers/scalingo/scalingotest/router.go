package scalingotest

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

// visitsKept is for how long visits are counted.
const visitsKept = time.Hour

// route is what the routers do with a request (https://doc.scalingo.com, "Routing"). The texts of
// X-Scalingo-Error are not documented.
func (p *Platform) route(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	p.lock()
	a := p.of(host)
	if a == nil {
		p.mu.Unlock()
		fail(w, http.StatusNotFound, "no such application")
		return
	}
	status, fault := a.door()
	redirect := a.domain != "" && host != a.domain
	name, domain := a.name, a.domain
	if status == 0 && !redirect {
		p.visited(a, 1)
	}
	p.mu.Unlock()
	switch {
	case redirect:
		http.Redirect(w, r, "https://"+domain+r.URL.RequestURI(), http.StatusMovedPermanently)
	case status != 0:
		fail(w, status, fault)
	case p.cfg.Answers != nil:
		p.answerOf(name).ServeHTTP(w, r)
	default:
		serve(w, r, name)
	}
}

// answerOf is what the app of a name answers with.
func (p *Platform) answerOf(name string) http.Handler {
	p.lock()
	defer p.mu.Unlock()
	a := p.find("", name)
	if a == nil { // it was deleted a moment ago
		return http.NotFoundHandler()
	}
	if a.answers == nil {
		a.answers = p.cfg.Answers(name)
	}
	return a.answers
}

// of is the app that has a host. Nil: none has. Called with the lock held.
func (p *Platform) of(host string) *app {
	for _, a := range p.apps {
		if a.host() == host || a.domain == host && host != "" {
			return a
		}
	}
	return nil
}

// door is what the routers answer in the app's place; status 0: it answers itself.
func (a *app) door() (status int, fault string) {
	web := a.at("web")
	switch {
	case a.quarantined:
		return http.StatusBadGateway, "all containers are in quarantine"
	case a.status == "running" && web >= 0 && a.formation[web].Amount > 0:
		return 0, ""
	case a.operation != nil && a.operation.was == "running" && a.wanted():
		return 0, "" // those that were there serve on
	default:
		return http.StatusServiceUnavailable, "no container available"
	}
}

func fail(w http.ResponseWriter, status int, fault string) {
	w.Header().Set("X-Scalingo-Error", fault)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<h1>%d %s</h1><p>%s</p>\n", status, http.StatusText(status), fault)
}

// serve is what the app answers: which one it is, and what it was asked.
func serve(w http.ResponseWriter, r *http.Request, name string) {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<h1>%s</h1><p>%s of %s for %s</p>\n", html.EscapeString(name), html.EscapeString(r.URL.Path),
			html.EscapeString(r.Host), html.EscapeString(r.Header.Get("X-Forwarded-Host")))
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"app": name, "method": r.Method, "path": r.URL.RequestURI(), "host": r.Host,
		"forwarded_host": r.Header.Get("X-Forwarded-Host"),
	})
}

// visited counts requests that the routers have passed to an app. Called with the lock held.
func (p *Platform) visited(a *app, n int) {
	now := p.now()
	for len(a.visits) > 0 && now.Sub(a.visits[0]) > visitsKept {
		a.visits = a.visits[1:]
	}
	for range n {
		a.visits = append(a.visits, now)
	}
}

// showMetric answers with the requests of each minute of the last hour, for the router; of all else
// with nothing.
func (p *Platform) showMetric(w http.ResponseWriter, r *http.Request, a *app) {
	points := []any{}
	if r.PathValue("metric") == "router" {
		last := p.now().Truncate(time.Minute)
		for at := last.Add(-visitsKept); !at.After(last); at = at.Add(time.Minute) {
			n := 0
			for _, visit := range a.visits {
				if !visit.Before(at) && visit.Before(at.Add(time.Minute)) {
					n++
				}
			}
			points = append(points, map[string]any{"time": at.UTC(), "value": float64(n)})
		}
	}
	answer(w, http.StatusOK, points)
}

func (p *Platform) showLogsURL(w http.ResponseWriter, _ *http.Request, a *app) {
	answer(w, http.StatusOK, map[string]any{
		"app": a.json(), "logs_url": "https://logs." + a.region + ".scalingo.com/apps/" + a.name + "/logs?token=lg-" + a.id,
	})
}

// showLogs needs no session: its URL has a token.
func (p *Platform) showLogs(w http.ResponseWriter, r *http.Request) {
	p.lock()
	defer p.mu.Unlock()
	a := p.find("", r.PathValue("app"))
	if a == nil || r.URL.Query().Get("token") != "lg-"+a.id {
		refuse(w, http.StatusUnauthorized, "unauthorized")
		return
	}
	lines := a.lines
	if n := number(r, "n"); n > 0 && n < len(lines) {
		lines = lines[len(lines)-n:]
	}
	w.Header().Set("Content-Type", "text/plain")
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

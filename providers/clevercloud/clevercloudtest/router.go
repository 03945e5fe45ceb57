package clevercloudtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/http"
	"strings"
)

// Router is the load balancer before the apps: it knows them by their domains. While an app runs
// it answers itself, with what it was asked; else with 503, and where there is none with 404.
func (c *Cloud) Router() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		a := c.at(r.Host)
		var name, status = "", 0
		if a != nil {
			name = a.Name
			if a.up() {
				status = cmp.Or(a.Status, http.StatusOK)
			}
		}
		c.mu.Unlock()
		switch {
		case a == nil:
			page(w, http.StatusNotFound, "Clever Cloud", "There is no application at this address.")
		case status == 0:
			page(w, http.StatusServiceUnavailable, "Clever Cloud", "The application is not running, or it is starting.")
		default:
			speak(w, r, status, name)
		}
	})
}

// at is the app of a domain; nil: there is none. Called with c.mu held.
func (c *Cloud) at(host string) *app {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, a := range c.apps {
		for _, h := range a.Hosts {
			if name, _, _ := strings.Cut(h, "/"); strings.EqualFold(name, host) {
				return a
			}
		}
	}
	return nil
}

// speak is what an app answers.
func speak(w http.ResponseWriter, r *http.Request, status int, name string) {
	said := map[string]any{"app": name, "path": r.URL.Path, "host": r.Host, "forwarded_host": r.Header.Get("X-Forwarded-Host")}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		page(w, status, name, fmt.Sprintf("%s at %s, for %s", name, r.URL.Path, r.Host))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said)
}

func page(w http.ResponseWriter, status int, title, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Sozu-Id", "01JCLEVER")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><title>%s</title><p>%s</p>\n", html.EscapeString(title), html.EscapeString(text))
}

package clevercloudtest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// route says what is answered where.
func (c *Cloud) route() {
	const app = "/v2/organisations/{owner}/applications/{app}"
	c.mux.HandleFunc("GET /v2/self", c.self)
	c.mux.HandleFunc("GET /v2/summary", c.summary)
	c.mux.HandleFunc("GET /v2/organisations/{owner}/applications", c.applications)
	c.mux.HandleFunc("GET /v2/organisations/{owner}/deployments", c.allDeployments)
	c.mux.HandleFunc("GET "+app, c.ofApp(c.application))
	c.mux.HandleFunc("GET "+app+"/deployments", c.ofApp(c.deployments))
	c.mux.HandleFunc("GET "+app+"/instances", c.ofApp(c.instances))
	c.mux.HandleFunc("POST "+app+"/instances", c.ofApp(c.start))
	c.mux.HandleFunc("DELETE "+app+"/instances", c.ofApp(c.stop))
	c.mux.HandleFunc("GET /v2/events/event-socket", c.eventSocket)
}

func (c *Cloud) self(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"id": User, "email": "ada@example.com", "name": "Ada"})
}

// summary is everything. The personal space is in it twice, as in life.
func (c *Cloud) summary(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var organisations []map[string]any
	for _, o := range c.owners {
		all := []map[string]any{}
		for _, a := range c.apps {
			if a.Owner == o.id {
				all = append(all, a.summary())
			}
		}
		organisations = append(organisations, map[string]any{"id": o.id, "name": o.name, "avatar": nil, "applications": all, "addons": []any{}})
	}
	personal := organisations[0]
	answer(w, http.StatusOK, map[string]any{
		"user":          map[string]any{"id": User, "name": "Ada", "lang": "EN", "applications": personal["applications"]},
		"organisations": organisations,
	})
}

func (c *Cloud) applications(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []map[string]any{}
	for _, a := range c.ofOwner(w, r) {
		all = append(all, a.whole())
	}
	if c.hasOwner(r) {
		answer(w, http.StatusOK, all)
	}
}

func (c *Cloud) allDeployments(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]any{}
	for _, a := range c.ofOwner(w, r) {
		all[a.id] = c.visible(a, limitOf(r))
	}
	if c.hasOwner(r) {
		answer(w, http.StatusOK, all)
	}
}

// ofOwner are the apps of the owner in the path. Who has no such owner gets his answer.
func (c *Cloud) ofOwner(w http.ResponseWriter, r *http.Request) []*app {
	if !c.hasOwner(r) {
		refuse(w, http.StatusNotFound, 4001, "Organisation not found")
		return nil
	}
	var all []*app
	for _, a := range c.apps {
		if a.Owner == r.PathValue("owner") {
			all = append(all, a)
		}
	}
	return all
}

func (c *Cloud) hasOwner(r *http.Request) bool {
	for _, o := range c.owners {
		if o.id == r.PathValue("owner") {
			return true
		}
	}
	return false
}

// ofApp is a handler of the app in the path, called with c.mu held.
func (c *Cloud) ofApp(handle func(http.ResponseWriter, *http.Request, *app)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		a := c.find(r.PathValue("app"))
		if a == nil || a.Owner != r.PathValue("owner") {
			refuse(w, http.StatusNotFound, 4004, "Application not found")
			return
		}
		handle(w, r, a)
	}
}

func (c *Cloud) application(w http.ResponseWriter, _ *http.Request, a *app) {
	answer(w, http.StatusOK, a.whole())
}

func (c *Cloud) deployments(w http.ResponseWriter, r *http.Request, a *app) {
	answer(w, http.StatusOK, c.visible(a, limitOf(r)))
}

// instances are those of an app; 404 if it has none.
func (c *Cloud) instances(w http.ResponseWriter, _ *http.Request, a *app) {
	if len(a.instances) == 0 {
		refuse(w, http.StatusNotFound, 4005, "No instance found for this application")
		return
	}
	answer(w, http.StatusOK, a.running())
}

// start deploys a commit; without one, the last of the tree. Which statuses refuse an app that is
// moderated or unpaid is a guess.
func (c *Cloud) start(w http.ResponseWriter, r *http.Request, a *app) {
	commit := r.URL.Query().Get("commit")
	switch {
	case a.state == Moderated:
		refuse(w, http.StatusForbidden, 4013, "This application is moderated")
		return
	case a.state == DefaultOfPayment:
		refuse(w, http.StatusPaymentRequired, 4014, "This owner is in default of payment")
		return
	case commit == "" && a.pushed == "":
		refuse(w, http.StatusBadRequest, 4016, "This application has no commit to deploy")
		return
	case commit == "":
		commit = a.pushed
	}
	a.orders++
	d := c.queued(commit, "Console")
	c.after(a.Lag, func() { c.begin(a, d) })
	answer(w, http.StatusOK, map[string]any{"id": 300, "message": "The application has successfully been queued for redeploy.", "type": "success", "deploymentId": d.uuid})
}

func (c *Cloud) stop(w http.ResponseWriter, _ *http.Request, a *app) {
	c.after(a.Lag, func() { c.undeploy(a) })
	answer(w, http.StatusOK, map[string]any{"id": 301, "message": "The application has successfully been stopped.", "type": "success"})
}

// limitOf is how many deployments are asked for.
func limitOf(r *http.Request) int {
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
		return n
	}
	return -1
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Sozu-Id", "01JCLEVER")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who does not read it is gone
}

// refuse is an error as the API has it.
func refuse(w http.ResponseWriter, status, id int, message string) {
	answer(w, status, map[string]any{"id": id, "message": message, "type": "error"})
}

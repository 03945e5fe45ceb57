package scalingotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// routes are those of the auth service, of a region's API, and of the logs that it tells of.
func (p *Platform) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/tokens/exchange", p.exchange)
	mux.HandleFunc("GET /v1/regions", p.signed(p.listRegions))
	mux.HandleFunc("GET /v1/apps", p.counted(p.listApps))
	mux.HandleFunc("GET /v1/events", p.counted(p.ofAccount))
	mux.HandleFunc("GET /v1/apps/{app}", p.ofOne(p.showApp))
	mux.HandleFunc("GET /v1/apps/{app}/containers", p.ofOne(p.showFormation))
	mux.HandleFunc("GET /v1/apps/{app}/ps", p.ofOne(p.showContainers))
	mux.HandleFunc("POST /v1/apps/{app}/scale", p.ofOne(p.scale))
	mux.HandleFunc("POST /v1/apps/{app}/restart", p.ofOne(p.restart))
	mux.HandleFunc("GET /v1/apps/{app}/operations/{id}", p.ofOne(p.showOperation))
	mux.HandleFunc("GET /v1/apps/{app}/autoscalers", p.ofOne(p.listAutoscalers))
	mux.HandleFunc("PATCH /v1/apps/{app}/autoscalers/{id}", p.ofOne(p.changeAutoscaler))
	mux.HandleFunc("GET /v1/apps/{app}/events", p.ofOne(p.ofApp))
	mux.HandleFunc("GET /v1/apps/{app}/stats/{metric}", p.ofOne(p.showMetric))
	mux.HandleFunc("GET /v1/apps/{app}/logs", p.ofOne(p.showLogsURL))
	mux.HandleFunc("GET /apps/{app}/logs", p.showLogs)
	return mux
}

// counted is a handler of a region's API, of who is signed in and has not called too often. It is
// called with the lock held.
func (p *Platform) counted(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return p.signed(func(w http.ResponseWriter, r *http.Request, region string) {
		now := p.now()
		for len(p.calls) > 0 && now.Sub(p.calls[0]) >= time.Minute {
			p.calls = p.calls[1:]
		}
		if len(p.calls) >= p.cfg.PerMinute {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprintln(w, "Retry later")
			return
		}
		p.calls = append(p.calls, now)
		next(w, r, region)
	})
}

// signed is a handler of who is signed in.
func (p *Platform) signed(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.lock()
		defer p.mu.Unlock()
		w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
		ends, known := p.sessions[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		if !known || !p.now().Before(ends) {
			refuse(w, http.StatusUnauthorized, "unauthorized")
			return
		}
		next(w, r, p.regionOf(r.Host))
	}
}

// ofOne is counted for what is done to one app.
func (p *Platform) ofOne(next func(http.ResponseWriter, *http.Request, *app)) http.HandlerFunc {
	return p.counted(func(w http.ResponseWriter, r *http.Request, region string) {
		a := p.find(region, r.PathValue("app"))
		if a == nil {
			answer(w, http.StatusNotFound, map[string]any{"resource": "app", "error": "not found"})
			return
		}
		next(w, r, a)
	})
}

// regionOf is the region whose API has a host; the first one if none has.
func (p *Platform) regionOf(host string) string {
	for _, region := range p.cfg.Regions {
		if host == apiHost(region) {
			return region
		}
	}
	return p.cfg.Regions[0]
}

func apiHost(region string) string { return "api." + region + ".scalingo.com" }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who has gone meanwhile is not waited for
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]any{"error": text})
}

func (p *Platform) listRegions(w http.ResponseWriter, _ *http.Request, _ string) {
	regions := []any{}
	for _, name := range p.cfg.Regions {
		regions = append(regions, map[string]any{
			"name": name, "display_name": "Played - " + name, "api": "https://" + apiHost(name),
			"dashboard": "https://dashboard.scalingo.com", "ssh": "ssh." + name + ".scalingo.com:22",
			"database_api": "https://db-api." + name + ".scalingo.com", "default": name == p.cfg.Regions[0],
		})
	}
	answer(w, http.StatusOK, map[string]any{"regions": regions})
}

func (p *Platform) listApps(w http.ResponseWriter, _ *http.Request, region string) {
	apps := []appInfo{}
	for _, a := range p.apps {
		if a.region == region {
			apps = append(apps, a.json())
		}
	}
	answer(w, http.StatusOK, map[string]any{"apps": apps})
}

// appInfo is an app as the API tells it.
type appInfo struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Status         string         `json:"status"`
	Region         string         `json:"region"`
	Owner          person         `json:"owner"`
	URL            string         `json:"url"`
	BaseURL        string         `json:"base_url"`
	GitURL         string         `json:"git_url"`
	ForceHTTPS     bool           `json:"force_https"`
	StickySession  bool           `json:"sticky_session"`
	RouterLogs     bool           `json:"router_logs"`
	StackID        string         `json:"stack_id"`
	Flags          map[string]any `json:"flags"`
	CreatedAt      time.Time      `json:"created_at"`
	LastDeployedAt time.Time      `json:"last_deployed_at"`
	HDSResource    bool           `json:"hds_resource"`
}

func (a *app) json() appInfo {
	return appInfo{
		ID: a.id, Name: a.name, Status: a.status, Region: a.region, Owner: owner(), URL: a.url(), BaseURL: "https://" + a.host(),
		GitURL: "git@ssh." + a.region + ".scalingo.com:" + a.name + ".git", ForceHTTPS: true, StackID: "scalingo-24",
		Flags: map[string]any{}, CreatedAt: a.created, LastDeployedAt: a.created,
	}
}

func (p *Platform) showApp(w http.ResponseWriter, _ *http.Request, a *app) {
	answer(w, http.StatusOK, map[string]any{"app": a.json()})
}

func (p *Platform) showFormation(w http.ResponseWriter, _ *http.Request, a *app) {
	answer(w, http.StatusOK, map[string]any{"containers": a.types()})
}

// types is the formation as the API tells it.
func (a *app) types() []map[string]any {
	types := []map[string]any{}
	for _, t := range a.formation {
		types = append(types, map[string]any{"app_id": a.id, "name": t.Name, "amount": t.Amount, "size": t.Size, "command": "bin/" + t.Name})
	}
	return types
}

func (p *Platform) showContainers(w http.ResponseWriter, _ *http.Request, a *app) {
	containers := []any{}
	add := func(kind, size string, index int) {
		containers = append(containers, map[string]any{
			"id": fmt.Sprintf("%s-%s-%d", a.id, kind, index), "type": kind, "type_index": index, "state": "running",
			"created_at": a.created, "deleted_at": nil, "container_size": map[string]any{"name": size, "memory": 536870912, "sku": a.region + "-app-" + size},
		})
	}
	for _, t := range a.formation {
		for i := range t.Amount {
			add(t.Name, t.Size, i+1)
		}
	}
	for i := range a.oneOffs {
		add("one-off", "M", 9000+i)
	}
	answer(w, http.StatusOK, map[string]any{"containers": containers})
}

func (p *Platform) scale(w http.ResponseWriter, r *http.Request, a *app) {
	var asked struct{ Containers []Type }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Containers) == 0 {
		refuse(w, http.StatusBadRequest, "There was a problem in the JSON you submitted")
		return
	}
	if status, body := p.against(a, asked.Containers); status != 0 {
		answer(w, status, body)
		return
	}
	if a.status == "new" {
		for _, t := range asked.Containers {
			a.formation[a.at(t.Name)] = t
		}
		answer(w, http.StatusOK, map[string]any{"containers": a.types()})
		return
	}
	o := p.order(a, asked.Containers)
	w.Header().Set("Location", a.locate(o))
	answer(w, http.StatusAccepted, map[string]any{"containers": a.types()})
}

// restart starts the containers of an app again, as it is scaled.
func (p *Platform) restart(w http.ResponseWriter, _ *http.Request, a *app) {
	if status, body := p.against(a, nil); status != 0 && !a.limited {
		answer(w, status, body)
		return
	}
	o := p.begin(a, "restart")
	a.status = "restarting"
	p.note(a, "restart", map[string]any{"scope": nil, "reason": "user_restart"})
	w.Header().Set("Location", a.locate(o))
	answer(w, http.StatusAccepted, map[string]any{})
}

// locate is where an operation of the app is told.
func (a *app) locate(o *operation) string {
	return "https://" + apiHost(a.region) + "/v1/apps/" + a.name + "/operations/" + o.id
}

// against is what speaks against scaling an app; status 0: nothing does.
func (p *Platform) against(a *app, types []Type) (status int, body map[string]any) {
	switch {
	case a.limited:
		return http.StatusForbidden, map[string]any{"error": "you are not allowed to do this", "code": "forbidden"}
	case p.trial:
		return http.StatusPaymentRequired, map[string]any{"error": "Sorry, your free trial is over", "name": "free-trial", "url": "https://dashboard.scalingo.com/billing"}
	case !a.settled():
		return p.cfg.Busy, map[string]any{"error": "the application is " + a.status}
	}
	for _, t := range types {
		switch {
		case a.at(t.Name) < 0 && p.cfg.UnknownType == http.StatusNotFound:
			return http.StatusNotFound, map[string]any{"resource": "container_type", "error": "not found"}
		case a.at(t.Name) < 0:
			return p.cfg.UnknownType, map[string]any{"errors": map[string]any{"containers": []string{t.Name + " is not a valid container type"}}}
		case t.Amount < 0 || t.Amount > 10:
			return http.StatusUnprocessableEntity, map[string]any{"errors": map[string]any{"amount": []string{"must be between 0 and 10"}}}
		}
	}
	return 0, nil
}

func (p *Platform) showOperation(w http.ResponseWriter, r *http.Request, a *app) {
	for _, o := range a.operations {
		if o.id != r.PathValue("id") {
			continue
		}
		told := map[string]any{"id": o.id, "app_id": a.id, "created_at": o.created, "finished_at": nil, "status": o.status, "type": o.kind}
		if o.status == "done" || o.status == "error" {
			told["finished_at"] = o.finishes
		}
		if o.status == "error" {
			told["error"] = o.fault
		}
		answer(w, http.StatusOK, map[string]any{"operation": told})
		return
	}
	answer(w, http.StatusNotFound, map[string]any{"resource": "operation", "error": "not found"})
}

func (p *Platform) listAutoscalers(w http.ResponseWriter, _ *http.Request, a *app) {
	all := a.autoscalers
	if all == nil {
		all = []*autoscaler{}
	}
	answer(w, http.StatusOK, map[string]any{"autoscalers": all})
}

func (p *Platform) changeAutoscaler(w http.ResponseWriter, r *http.Request, a *app) {
	var asked struct{ Autoscaler struct{ Disabled *bool } }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "There was a problem in the JSON you submitted")
		return
	}
	for _, s := range a.autoscalers {
		if s.ID != r.PathValue("id") {
			continue
		}
		if asked.Autoscaler.Disabled != nil {
			s.Disabled, s.UpdatedAt = *asked.Autoscaler.Disabled, p.now()
		}
		answer(w, http.StatusOK, map[string]any{"autoscaler": s})
		return
	}
	answer(w, http.StatusNotFound, map[string]any{"resource": "autoscaler", "error": "not found"})
}

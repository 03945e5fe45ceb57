package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// recordings are containers as a Docker 20.10 showed them, which the provider's tests use.
const recordings = "providers/docker/testdata/"

// engine plays the Docker API on a Unix socket: a container for each app of a fleet, made
// of recordings, so that there is as much to read as from a real one. It is for one Paastis.
type engine struct {
	server *http.Server
	served chan error

	mu         sync.Mutex
	containers []*containerState
	events     chan string // IDs of containers that started or ended; one subscriber
	starts     int
}

// containerState is a container, and whether it runs.
type containerState struct {
	app    int
	id     string
	awake  bool
	listed map[string]any // as in the list
	whole  map[string]any // as when it is inspected
}

// newEngine serves so many containers, all stopped, until close.
func newEngine(ctx context.Context, socket string, size int) (*engine, error) {
	var list []map[string]any
	if err := readJSON(recordings+"list.json", &list); err != nil {
		return nil, err
	}
	var whole map[string]any
	if err := readJSON(recordings+"shop-front-1.json", &whole); err != nil {
		return nil, err
	}
	e := &engine{served: make(chan error, 1), events: make(chan string, size)}
	for app := range size {
		e.containers = append(e.containers, newContainer(app, list[len(list)-1], whole))
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	mux.HandleFunc("GET /v1.41/containers/json", e.list)
	mux.HandleFunc("GET /v1.41/containers/{id}/json", e.inspect)
	mux.HandleFunc("GET /v1.41/events", e.tell)
	mux.HandleFunc("POST /v1.41/containers/{id}/start", func(w http.ResponseWriter, r *http.Request) { e.order(w, r, true) })
	mux.HandleFunc("POST /v1.41/containers/{id}/stop", func(w http.ResponseWriter, r *http.Request) { e.order(w, r, false) })
	e.server = &http.Server{Handler: mux}
	go func() { e.served <- e.server.Serve(ln) }()
	return e, nil
}

func (e *engine) close() {
	_ = e.server.Close()
	<-e.served
}

func newContainer(app int, listed, whole map[string]any) *containerState {
	c := &containerState{app: app, id: fmt.Sprintf("%064x", app+1), listed: maps.Clone(listed), whole: maps.Clone(whole)}
	name, network := appName(app)+"-1", fmt.Sprintf("shop-%d_default", app)
	config := maps.Clone(whole["Config"].(map[string]any))
	config["Labels"], config["Hostname"] = labels(app), c.id[:12]
	c.whole["Id"], c.whole["Name"], c.whole["Config"] = c.id, "/"+name, config
	c.whole["HostConfig"] = map[string]any{"NetworkMode": network}
	c.listed["Id"], c.listed["Names"], c.listed["Labels"] = c.id, []string{"/" + name}, labels(app)
	for _, shown := range []map[string]any{c.whole, c.listed} {
		settings := maps.Clone(shown["NetworkSettings"].(map[string]any))
		settings["Networks"] = map[string]any{network: settings["Networks"].(map[string]any)["shop_default"]}
		shown["NetworkSettings"] = settings
	}
	c.set(false)
	return c
}

// set starts or stops the container.
func (c *containerState) set(awake bool) {
	c.awake = awake
	if awake {
		c.listed["State"], c.listed["Status"] = "running", "Up 5 minutes (healthy)"
		c.whole["State"] = map[string]any{
			"Status": "running", "Running": true, "Pid": 0, "StartedAt": time.Now().UTC().Format(time.RFC3339Nano),
			"Health": map[string]any{"Status": "healthy"},
		}
		return
	}
	c.listed["State"], c.listed["Status"] = "exited", "Exited (143) 5 hours ago"
	c.whole["State"] = map[string]any{"Status": "exited", "ExitCode": 143, "StartedAt": "2026-11-24T02:34:26.051427005Z"}
}

func (e *engine) list(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]map[string]any, 0, len(e.containers))
	for _, c := range e.containers {
		all = append(all, c.listed)
	}
	writeJSON(w, all)
}

func (e *engine) inspect(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(r.PathValue("id")); c != nil {
		writeJSON(w, c.whole)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

func (e *engine) order(w http.ResponseWriter, r *http.Request, awake bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.find(r.PathValue("id"))
	if c == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if awake {
		e.starts++
	}
	c.set(awake)
	e.events <- c.id
	w.WriteHeader(http.StatusNoContent)
}

// tell is the stream of events.
func (e *engine) tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case id := <-e.events:
			fmt.Fprintf(w, `{"Type":"container","Action":"start","Actor":{"ID":%q},"timeNano":%d}`+"\n", id, time.Now().UnixNano())
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func (e *engine) find(id string) *containerState {
	for _, c := range e.containers {
		if c.id == id {
			return c
		}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who has left needs no answer
}

func readJSON(file string, v any) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

package strangers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// container is one that runs, as a played engine tells of it. All are at 127.0.0.1.
type container struct {
	project, service string
	labels           map[string]string
	port             string
}

func (c container) id() string {
	return strings.Repeat(fmt.Sprintf("%08x", len(c.project)*251+len(c.service)*16+int(c.service[0])), 8)
}

func (c container) name() string { return c.project + "-" + c.service + "-1" }

func (c container) allLabels() map[string]string {
	all := map[string]string{
		"com.docker.compose.project": c.project, "com.docker.compose.service": c.service,
		"com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False",
	}
	maps.Copy(all, c.labels)
	return all
}

func (c container) networks() any {
	return map[string]any{"web": map[string]any{"NetworkID": strings.Repeat("e", 64), "IPAddress": "127.0.0.1"}}
}

func (c container) listed() any {
	return map[string]any{
		"Id": c.id(), "Names": []string{"/" + c.name()}, "State": "running", "Status": "Up 5 minutes", "Labels": c.allLabels(),
		"HostConfig": map[string]any{"NetworkMode": "web"}, "NetworkSettings": map[string]any{"Networks": c.networks()},
	}
}

func (c container) inspected() any {
	ports := map[string]any{c.port + "/tcp": struct{}{}}
	return map[string]any{
		"Id": c.id(), "Name": "/" + c.name(), "Created": "2026-01-01T00:00:00Z",
		"State":           map[string]any{"Status": "running", "Running": true, "StartedAt": "2026-01-01T00:00:01Z"},
		"HostConfig":      map[string]any{"NetworkMode": "web"},
		"Config":          map[string]any{"Hostname": c.id()[:12], "Image": "example/" + c.service, "Labels": c.allLabels(), "ExposedPorts": ports},
		"NetworkSettings": map[string]any{"Ports": map[string]any{c.port + "/tcp": nil}, "Networks": c.networks()},
	}
}

// playEngine plays a Docker engine with some containers until the test ends, and returns its
// DOCKER_HOST. That is by name: an app at the engine's own address would be protected.
func playEngine(t *testing.T, containers ...container) string {
	t.Helper()
	version := regexp.MustCompile(`^/v1\.\d+`)
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.45")
		w.Header().Set("Content-Type", "application/json")
		answerAsEngine(w, r, version.ReplaceAllString(r.URL.Path, ""), containers)
	}))
	t.Cleanup(engine.CloseClientConnections)
	_, port, _ := net.SplitHostPort(engine.Listener.Addr().String())
	return "tcp://localhost:" + port
}

func answerAsEngine(w http.ResponseWriter, r *http.Request, path string, containers []container) {
	switch path {
	case "/_ping":
	case "/version":
		_ = json.NewEncoder(w).Encode(map[string]string{"Version": "27.0.0", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})
	case "/containers/json":
		all := []any{}
		for _, c := range containers {
			all = append(all, c.listed())
		}
		_ = json.NewEncoder(w).Encode(all)
	case "/events":
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	default:
		for _, c := range containers {
			if strings.Contains(path, c.id()) {
				_ = json.NewEncoder(w).Encode(c.inspected())
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}
}

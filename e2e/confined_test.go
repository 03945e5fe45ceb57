package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// needed are the calls to the engine that the documentation says Paastis needs, when no
// app is paused.
var needed = regexp.MustCompile(`^((GET|HEAD) /_ping` +
	`|GET (/v[0-9.]+)?/(containers/json|containers/[\w.-]+/(json|logs|stats)|events|exec/\w+/json)` +
	`|POST (/v[0-9.]+)?/(containers/[\w.-]+/(start|stop|exec)|exec/\w+/start))$`)

// socketProxy lets only what is needed through to the engine's socket.
type socketProxy struct {
	url string // for DOCKER_HOST

	mu      sync.Mutex
	refused []string
}

// proxySocket starts a socket proxy on the site's own network. It ends with the test.
func (s *testServer) proxySocket() *socketProxy {
	s.t.Helper()
	gateway := docker(s.t, "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", s.name)
	ln, err := net.Listen("tcp", net.JoinHostPort(strings.TrimSpace(gateway), "0"))
	if err != nil {
		s.t.Fatal(err)
	}
	p := &socketProxy{url: "tcp://" + ln.Addr().String()}
	server := &http.Server{Handler: p.filter(engineSocket())}
	go func() { _ = server.Serve(ln) }()
	s.t.Cleanup(func() { _ = server.Close() })
	return p
}

// engineSocket is where the engine of the tests listens.
func engineSocket() string {
	if socket, isSocket := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); isSocket {
		return socket
	}
	return "/var/run/docker.sock"
}

func (p *socketProxy) filter(socket string) http.Handler {
	engine := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}},
		FlushInterval: -1, // events come one by one
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call := r.Method + " " + r.URL.Path; !needed.MatchString(call) {
			p.mu.Lock()
			p.refused = append(p.refused, call)
			p.mu.Unlock()
			http.Error(w, `{"message":"not let through"}`, http.StatusForbidden)
			return
		}
		engine.ServeHTTP(w, r)
	})
}

// serveConfined is serve with a Paastis that has no right but to talk to the proxy, and
// no place to write but a new volume for its state.
func (s *testServer) serveConfined(user string, proxy *socketProxy, env ...string) {
	s.t.Helper()
	env = append(env, "DOCKER_HOST="+proxy.url, "PAASTIS_STATE_FILE=/var/lib/paastis/state.json")
	s.upWithTraefik(s.name+"-paastis:3000", fmt.Sprintf(`
  paastis:
    image: paastis/paastis
    container_name: %[1]s-paastis
    user: %[2]s
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    environment: [%[3]s]
    volumes: [/var/lib/paastis]
    healthcheck: {interval: 1s}
    labels: {e2e: %[1]s}
`, s.name, user, quoted(s.settings(env))))
}

func TestPaastisNeedsNoRootNoCapabilityAndNoMoreOfTheEngineThanIsSaid(t *testing.T) {
	s := newTestServer(t, "e2e-confined")
	proxy := s.proxySocket()
	s.stack("e2e-confined-shop", true,
		app{name: "web", needs: []string{"db"}, next: "http://db:8080/", host: "confined.test", static: true}, app{name: "db"})
	s.serveConfined("nonroot", proxy)
	s.await("Paastis to be healthy", 15*time.Second, func() bool {
		out, _ := exec.Command("docker", "inspect", "--format", "{{.State.Health.Status}}", s.name+"-paastis").Output()
		return strings.TrimSpace(string(out)) == "healthy"
	})
	for range 2 {
		if got := s.browse("confined.test"); got.status != 503 {
			t.Fatalf("asleep, a visitor got %s", got)
		}
		s.browseUntilAwake("confined.test", 30*time.Second)
		s.awaitAsleep(40*time.Second, "e2e-confined-shop")
	}
	docker(t, "stop", s.name+"-paastis")
	if state := docker(t, "cp", s.name+"-paastis:/var/lib/paastis/state.json", "-"); !strings.Contains(state, "e2e-confined-shop-web") {
		t.Errorf("of the apps it kept %q", state)
	}
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	if len(proxy.refused) > 0 {
		t.Errorf("it asked the engine for more: %q", proxy.refused)
	}
	if log := s.log(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
		t.Errorf("it complains:\n%s", log)
	}
}

// Whoever names another user of the image, or a mere number, gets the same.
func TestTheImageStartsAsAnyUser(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"nobody", "nonroot", "65532:65532", "1000:1000"} {
		got := docker(t, "run", "--rm", "--user", user, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "paastis/paastis", "version")
		if !strings.HasPrefix(got, "paastis ") {
			t.Errorf("as %s it says %q", user, got)
		}
	}
}

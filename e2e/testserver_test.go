// Package e2e shows the main job on the real parts: a real Traefik, a real Docker
// engine, real compose stacks. `make test` sets all of that up; E2E=0 leaves it out.
package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// idle is the max_idle_time of all apps, if a test does not say otherwise.
const idle = 5 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv("E2E") == "0" {
		fmt.Println("e2e tests left out, because E2E=0")
		return
	}
	if out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		fmt.Printf("e2e tests need a Docker engine: %s\nrun `make test`, which sets one up, or leave them out with E2E=0\n", bytes.TrimSpace(out))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// site is a Traefik and a Paastis of one test's own, on a network of their own. Other
// containers of the machine are none of their business.
type testServer struct {
	t       *testing.T
	name    string // of the network, the middleware and the label that Traefik looks for
	dir     string
	traefik string // where visitors come in: 127.0.0.1:PORT
	// hostPID lets Paastis see the host's /proc, where it counts connections.
	hostPID bool
	// direct lets Traefik fetch its routes from Paastis.
	direct bool
	// traefikFlags are more of Traefik's flags.
	traefikFlags []string
	// traefikMore are more lines of Traefik's service, such as "environment: {…}".
	traefikMore string
	// volumes are more folders that Paastis sees: "/here:/there".
	volumes []string
}

// newTestServer prepares a site; serve starts it. The name must be new to the engine.
func newTestServer(t *testing.T, name string) *testServer {
	t.Helper()
	s := &testServer{t: t, name: name, dir: t.TempDir()}
	s.cleanUp() // what an earlier run that was killed may have left
	if exec.Command("docker", "network", "inspect", name).Run() != nil {
		docker(t, "network", "create", name)
	} // else the engine has lost count of who is on it, and it serves as well
	t.Cleanup(s.cleanUp)
	return s
}

// serve starts Traefik and Paastis with a configuration, and waits until Traefik asks
// Paastis. env are settings of Paastis, "PAASTIS_X=y".
func (s *testServer) serve(paastisYML string, env ...string) {
	s.t.Helper()
	s.write("paastis.yml", paastisYML)
	if s.direct {
		s.traefikFlags = append(s.traefikFlags, "--providers.http.endpoint=http://"+s.name+"-paastis:3000/traefik/config",
			"--providers.http.pollInterval=1s")
	}
	s.upWithTraefik(s.name+"-paastis:3000", fmt.Sprintf(`
  paastis:
    image: paastis/paastis
    container_name: %[1]s-paastis
    command: ["--config", "/config/paastis.yml"]
    environment: [%[2]s]
    volumes: [%[3]s]
    labels: {e2e: %[1]s}
%[4]s`, s.name, quoted(s.settings(env)), quoted(append(s.volumes, "/var/run/docker.sock:/var/run/docker.sock", s.dir+":/config")), s.pid()))
}

// pid is the line that shows the host's processes to Paastis, if it shall see them.
func (s *testServer) pid() string {
	if s.hostPID {
		return "    pid: host\n"
	}
	return ""
}

// serveOutside is serve with Paastis as a process of the machine, which outlives the
// engine.
func (s *testServer) serveOutside(env ...string) {
	s.t.Helper()
	port := freePort(s.t)
	var log bytes.Buffer
	cmd := exec.Command("../dist/paastis", "--listen", "0.0.0.0:"+port)
	cmd.Env = append(os.Environ(), s.settings(env)...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("Paastis said:\n%s", log.Bytes())
		}
	})
	s.upWithTraefik("host.docker.internal:"+port, "")
}

// settings are the variables of this site's Paastis.
func (s *testServer) settings(env []string) []string {
	return append([]string{
		"PAASTIS_MAX_IDLE_TIME=" + idle.String(),
		"PAASTIS_TRAEFIK_MIDDLEWARE=" + s.name,
		"PAASTIS_LOG_LEVEL=debug",
	}, env...)
}

// upWithTraefik starts Traefik, with more services beside it, and waits until it knows
// the middleware that asks Paastis.
func (s *testServer) upWithTraefik(paastis, services string) {
	s.t.Helper()
	s.up("infra", fmt.Sprintf(`
services:%[3]s
  traefik:
    labels:
      e2e: %[1]s
      traefik.enable: "true"
      traefik.http.middlewares.%[1]s.forwardauth.address: http://%[2]s/auth
      traefik.http.routers.%[1]s-infra.rule: Host(`+"`paastis.invalid`"+`)
      traefik.http.routers.%[1]s-infra.service: noop@internal
    restart: unless-stopped
    extra_hosts: ["host.docker.internal:host-gateway"]
    image: traefik:v3.6.12
    container_name: %[1]s-traefik
%[6]s    command:
      - --api.insecure=true
      - --api.dashboard=false
      - --global.checknewversion=false
      - --global.sendanonymoususage=false
      - --entrypoints.web.address=:80
      - --providers.docker.exposedbydefault=false
      - --providers.docker.network=%[1]s
      - --providers.docker.constraints=Label(`+"`e2e`,`%[1]s`"+`)%[4]s
    ports: ["127.0.0.1::80", "127.0.0.1::8080"]
    volumes: [/var/run/docker.sock:/var/run/docker.sock, %[5]s:/config]
`, s.name, paastis, services, s.flags(), s.dir, indented(s.traefikMore)))
	s.t.Cleanup(s.dump)
	s.meetTraefik()
}

// indented are lines of a service.
func indented(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

// flags are the lines of Traefik's further flags.
func (s *testServer) flags() string {
	var b strings.Builder
	for _, f := range s.traefikFlags {
		b.WriteString("\n      - " + f)
	}
	return b.String()
}

// meetTraefik finds out where Traefik listens, and waits until it can ask Paastis.
func (s *testServer) meetTraefik() {
	s.t.Helper()
	s.traefik = strings.TrimSpace(docker(s.t, "port", s.name+"-traefik", "80"))
	s.await("Traefik to know the middleware", 30*time.Second, func() bool {
		return strings.Contains(s.api("/api/http/middlewares"), `"`+s.name+"@docker")
	})
	if s.direct {
		s.await("Traefik to have fetched its routes", 30*time.Second, func() bool {
			return strings.Contains(s.api("/api/http/routers"), `@http"`)
		})
	}
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// api asks Traefik's own API; empty if it does not answer.
func (s *testServer) api(path string) string {
	out, err := exec.Command("docker", "port", s.name+"-traefik", "8080").Output()
	if err != nil {
		return ""
	}
	resp, err := http.Get("http://" + strings.TrimSpace(string(out)) + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

func (s *testServer) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// cleanUp takes all away that wears the site's label, and its network.
func (s *testServer) cleanUp() {
	for _, filter := range []string{"label=e2e=" + s.name, "label=com.docker.compose.project=" + s.name} {
		ids, _ := exec.Command("docker", "ps", "-aq", "--filter", filter).Output()
		if fields := strings.Fields(string(ids)); len(fields) > 0 {
			_ = exec.Command("docker", append([]string{"rm", "-f"}, fields...)...).Run()
		}
	}
	_ = exec.Command("docker", "network", "rm", s.name).Run()
}

// dump shows what Paastis said if the test failed.
func (s *testServer) dump() {
	if !s.t.Failed() {
		return
	}
	out, _ := exec.Command("docker", "logs", "--tail", "1000", s.name+"-paastis").CombinedOutput()
	s.t.Logf("Paastis said:\n%s", out)
	out, _ = exec.Command("docker", "logs", s.name+"-traefik").CombinedOutput()
	s.t.Logf("Traefik said:\n%s", out)
}

// await waits for something that the test cannot make happen.
func (s *testServer) await(what string, limit time.Duration, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	s.t.Fatalf("waited %s for %s", limit, what)
}

func quoted(items []string) string {
	all := make([]string, 0, len(items))
	for _, i := range items {
		all = append(all, "'"+i+"'")
	}
	return strings.Join(all, ", ")
}

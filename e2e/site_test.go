// Package e2e shows the main job on the real parts: a real Traefik, a real Docker
// engine, real compose stacks. `make test` sets all of that up; E2E=0 leaves it out.
package e2e

import (
	"bytes"
	"context"
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
type site struct {
	t       *testing.T
	name    string // of the network, the middleware and the label that Traefik looks for
	dir     string
	traefik string // where visitors come in: 127.0.0.1:PORT
	began   time.Time
}

// newSite prepares a site; serve starts it. The name must be new to the engine.
func newSite(t *testing.T, name string) *site {
	t.Helper()
	s := &site{t: t, name: name, dir: t.TempDir(), began: time.Now()}
	s.cleanUp() // what an earlier run that was killed may have left
	docker(t, "network", "create", name)
	t.Cleanup(s.cleanUp)
	return s
}

// serve starts Traefik and Paastis with a configuration, and waits until Traefik asks
// Paastis. env are settings of Paastis, "PAASTIS_X=y".
func (s *site) serve(paastisYML string, env ...string) {
	s.t.Helper()
	s.write("paastis.yml", paastisYML)
	s.upWithTraefik(s.name+"-paastis:3000", fmt.Sprintf(`
  paastis:
    image: paastis/paastis
    container_name: %[1]s-paastis
    command: ["--config", "/config/paastis.yml"]
    environment: [%[2]s]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - %[3]s:/config
    labels: {e2e: %[1]s}
`, s.name, quoted(s.settings(env)), s.dir))
}

// serveOutside is serve with Paastis as a process of the machine, which outlives the
// engine.
func (s *site) serveOutside(env ...string) {
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
func (s *site) settings(env []string) []string {
	return append([]string{
		"PAASTIS_MAX_IDLE_TIME=" + idle.String(),
		"PAASTIS_TRAEFIK_MIDDLEWARE=" + s.name,
		"PAASTIS_LOG_LEVEL=debug",
	}, env...)
}

// upWithTraefik starts Traefik, with more services beside it, and waits until it knows
// the middleware that asks Paastis.
func (s *site) upWithTraefik(paastis, services string) {
	s.t.Helper()
	s.up("infra", fmt.Sprintf(`
services:%[3]s
  traefik:
    labels:
      e2e: %[1]s
      traefik.enable: "true"
      traefik.http.middlewares.%[1]s.forwardauth.address: http://%[2]s/auth
    restart: unless-stopped
    extra_hosts: ["host.docker.internal:host-gateway"]
    image: traefik:v3.6.12
    container_name: %[1]s-traefik
    command:
      - --api.insecure=true
      - --api.dashboard=false
      - --global.checknewversion=false
      - --global.sendanonymoususage=false
      - --entrypoints.web.address=:80
      - --providers.docker.exposedbydefault=false
      - --providers.docker.network=%[1]s
      - --providers.docker.constraints=Label(`+"`e2e`,`%[1]s`"+`)
    ports: ["127.0.0.1::80", "127.0.0.1::8080"]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
`, s.name, paastis, services))
	s.t.Cleanup(s.dump)
	s.meetTraefik()
}

// meetTraefik finds out where Traefik listens, and waits until it can ask Paastis.
func (s *site) meetTraefik() {
	s.t.Helper()
	s.traefik = strings.TrimSpace(docker(s.t, "port", s.name+"-traefik", "80"))
	s.await("Traefik to know the middleware", 30*time.Second, func() bool {
		return strings.Contains(s.api("/api/http/middlewares"), `"`+s.name+"@docker")
	})
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
func (s *site) api(path string) string {
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

// app is a service of a stack: front, back or db of the demo.
type app struct {
	name   string
	next   string   // URL of the app that it asks for each answer
	boot   string   // time until it listens
	needs  []string // depends_on, healthy
	host   string   // it has a router for that host; empty: no router
	static bool     // with a static server URL
	labels []string // "key=value"
}

// stack brings a compose project up; with asleep set its containers are only created.
func (s *site) stack(project string, asleep bool, apps ...app) {
	s.t.Helper()
	var b strings.Builder
	b.WriteString("services:\n")
	for _, a := range apps {
		a.write(&b, project, s.name)
	}
	args := []string{"-d"}
	if asleep {
		args = []string{"--no-start"}
	}
	s.up(project, b.String(), args...)
}

func (a app) write(b *strings.Builder, project, site string) {
	container := project + "-" + a.name + "-1"
	labels := append([]string{"e2e=" + site}, a.labels...)
	if a.host != "" {
		router := project + "-" + a.name
		labels = append(labels, "traefik.enable=true", "traefik.docker.allownonrunning=true",
			"traefik.http.routers."+router+".rule=Host(`"+a.host+"`)",
			"traefik.http.routers."+router+".middlewares="+site+"@docker")
		if a.static {
			labels = append(labels, "traefik.http.services."+router+".loadbalancer.server.url=http://"+container+":8080")
		} else {
			labels = append(labels, "traefik.http.services."+router+".loadbalancer.server.port=8080")
		}
	}
	boot := a.boot
	if boot == "" {
		boot = "500ms"
	}
	fmt.Fprintf(b, "  %s:\n    image: paastis/demo-shop\n    environment: [%s]\n    labels: [%s]\n",
		a.name, quoted([]string{"NAME=" + a.name, "NEXT=" + a.next, "BOOT=" + boot, "PORT=8080"}), quoted(labels))
	b.WriteString("    healthcheck: {interval: 500ms, timeout: 2s, retries: 20}\n")
	if len(a.needs) > 0 {
		b.WriteString("    depends_on:\n")
		for _, n := range a.needs {
			fmt.Fprintf(b, "      %s: {condition: service_healthy}\n", n)
		}
	}
}

// up brings a compose project up on the site's network, and takes it down with the test.
func (s *site) up(project, yml string, args ...string) {
	s.t.Helper()
	yml += fmt.Sprintf("networks:\n  default: {name: %s, external: true}\n", s.name)
	file := s.write(project+".yml", yml)
	if args == nil {
		args = []string{"-d"}
	}
	s.t.Cleanup(func() {
		_ = exec.Command("docker", "compose", "-p", s.project(project), "-f", file, "down", "-t", "0", "-v").Run()
	})
	docker(s.t, append([]string{"compose", "-p", s.project(project), "-f", file, "up"}, args...)...)
}

// project is the compose project of a stack; that of Traefik and Paastis is the site's.
func (s *site) project(stack string) string {
	if stack == "infra" {
		return s.name
	}
	return stack
}

func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// cleanUp takes all away that wears the site's label, and its network.
func (s *site) cleanUp() {
	for _, filter := range []string{"label=e2e=" + s.name, "label=com.docker.compose.project=" + s.name} {
		ids, _ := exec.Command("docker", "ps", "-aq", "--filter", filter).Output()
		if fields := strings.Fields(string(ids)); len(fields) > 0 {
			_ = exec.Command("docker", append([]string{"rm", "-f"}, fields...)...).Run()
		}
	}
	_ = exec.Command("docker", "network", "rm", s.name).Run()
}

// dump shows what Paastis said if the test failed.
func (s *site) dump() {
	if !s.t.Failed() {
		return
	}
	out, _ := exec.Command("docker", "logs", s.name+"-paastis").CombinedOutput()
	s.t.Logf("Paastis said:\n%s", out)
	out, _ = exec.Command("docker", "logs", s.name+"-traefik").CombinedOutput()
	s.t.Logf("Traefik said:\n%s", out)
}

// answer is what a visitor got.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s %q after %s", a.status, a.header.Get("X-Paastis-State"), a.body, a.took.Round(time.Millisecond))
}

// client comes to this site's Traefik whatever host it asks for.
func (s *site) client() *http.Client {
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, s.traefik)
			},
		},
	}
}

// send makes a request to a host through Traefik. header are "Key: value".
func (s *site) send(method, host, path string, body io.Reader, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+host+path, body)
	if err != nil {
		return answer{}, err
	}
	for _, h := range header {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	began := time.Now()
	resp, err := s.client().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(got), time.Since(began)}, err
}

// browse is a person's navigation.
func (s *site) browse(host string) answer {
	s.t.Helper()
	a, err := s.send("GET", host, "/", nil, "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode: navigate")
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// browseUntilAwake navigates until the app itself answers. Any answer that is neither
// the app's nor the waiting page fails the test.
func (s *site) browseUntilAwake(host string, limit time.Duration) answer {
	s.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		switch a := s.browse(host); {
		case a.status == http.StatusOK:
			return a
		case a.status != http.StatusServiceUnavailable || a.header.Get("X-Paastis-State") == "":
			s.t.Fatalf("neither the app nor the waiting page answered: %s", a)
		}
	}
	s.t.Fatalf("%s was not awake within %s", host, limit)
	return answer{}
}

// await waits for something that the test cannot make happen.
func (s *site) await(what string, limit time.Duration, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	s.t.Fatalf("waited %s for %s", limit, what)
}

// awaitAsleep waits until none of a stack's containers runs.
func (s *site) awaitAsleep(limit time.Duration, projects ...string) {
	s.t.Helper()
	for _, project := range projects {
		s.await(project+" to be asleep", limit, func() bool { return len(running(project)) == 0 })
	}
}

// running are the containers of a stack that run.
func running(project string) []string {
	out, err := exec.Command("docker", "ps", "--filter", "label=com.docker.compose.project="+project, "--format", "{{.Names}}").Output()
	if err != nil {
		return []string{"unknown: " + err.Error()}
	}
	return strings.Fields(string(out))
}

// events are the engine's own events of some kinds for a stack's containers since a
// time, as "start shop-db-1", in order.
func (s *site) events(since time.Time, project string, kinds ...string) []string {
	s.t.Helper()
	args := []string{"events", "--since", stamp(since), "--until", stamp(time.Now()),
		"--filter", "label=com.docker.compose.project=" + project, "--format", "{{.Action}} {{.Actor.Attributes.name}}"}
	for _, k := range kinds {
		args = append(args, "--filter", "event="+k)
	}
	return strings.FieldsFunc(docker(s.t, args...), func(r rune) bool { return r == '\n' })
}

func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// docker runs the Docker command line and returns what it prints.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

func quoted(items []string) string {
	all := make([]string, 0, len(items))
	for _, i := range items {
		all = append(all, "'"+i+"'")
	}
	return strings.Join(all, ", ")
}

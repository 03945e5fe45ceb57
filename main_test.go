package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
)

// TestMain is the program itself if it is called so: a test can run it as a platform does.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "paastis" {
		main()
	}
	os.Exit(m.Run())
}

// grace is for how long a platform waits for an end that it has asked for, which is 30 s at
// Scalingo and Heroku. It is what a server allows itself for answers under way, and some more.
const grace = 15 * time.Second

// dyno is a process that a platform has started by the Procfile.
type dyno struct {
	command *exec.Cmd
	address string
	log     strings.Builder
	read    chan struct{} // closed: there is no more to read
}

// startDyno runs a line of a Procfile as a platform does: by a shell, in a folder of its own, with
// a port and what else is in environ. It returns once that serves. The folder has the paastis.yml
// of the document.
func startDyno(t *testing.T, line string, environ ...string) *dyno {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(must(os.Executable())(t), filepath.Join(bin, "paastis")); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(freeAddress(t))
	d := &dyno{command: exec.Command("sh", "-c", line), address: "127.0.0.1:" + port, read: make(chan struct{})}
	d.command.Dir = t.TempDir()
	d.write(t, "paastis.yml", "# paastis.yml\n"+documented(t, "```yaml\n# paastis.yml\n"))
	if strings.Contains(line, "bin/web") {
		d.write(t, "bin/web", strings.ReplaceAll(documented(t, "```bash\n"), "127.0.0.1:3000", freeAddress(t)))
		d.write(t, "bin/traefik", "#!/bin/sh\nexec cat traefik-ends\n") // which reads until somebody has written there
		if err := syscall.Mkfifo(filepath.Join(d.command.Dir, "traefik-ends"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.command.Env = append(environ, "PATH="+bin+":/usr/bin:/bin", "PORT="+port)
	d.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // for kill
	stderr, err := d.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	d.await(t, stderr, "msg=serving ")
	return d
}

// await reads the log up to a line with a text, and the rest of it beside all else.
func (d *dyno) await(t *testing.T, log io.Reader, text string) {
	t.Helper()
	lines := bufio.NewScanner(log)
	found := false
	for !found && lines.Scan() {
		fmt.Fprintln(&d.log, lines.Text())
		found = strings.Contains(lines.Text(), text)
	}
	if !found {
		t.Fatalf("it ended:\n%s", d.log.String())
	}
	go func() {
		defer close(d.read)
		for lines.Scan() {
			fmt.Fprintln(&d.log, lines.Text())
		}
	}()
}

// stop asks it to end, and returns its exit code and how long that took.
func (d *dyno) stop(t *testing.T) (code int, took time.Duration) {
	t.Helper()
	return d.end(t, func(d *dyno) error { return d.command.Process.Signal(syscall.SIGTERM) })
}

// end is stop in another way. It waits for all processes that have its log.
func (d *dyno) end(t *testing.T, by func(*dyno) error) (code int, took time.Duration) {
	t.Helper()
	began := time.Now()
	if err := by(d); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(2*grace, d.kill)
	defer overdue.Stop()
	<-d.read
	_ = d.command.Wait()
	return d.command.ProcessState.ExitCode(), time.Since(began)
}

// kill ends all of its processes, unless they have ended by themselves.
func (d *dyno) kill() {
	if d.command.ProcessState == nil {
		_ = syscall.Kill(-d.command.Process.Pid, syscall.SIGKILL)
	}
}

// write puts a file into its folder, which may be executed.
func (d *dyno) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(d.command.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// procfile are the commands of the Procfile, by the types of their processes.
func procfile(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(string(must(os.ReadFile("Procfile"))(t))) {
		if process, command, is := strings.Cut(strings.TrimSpace(line), ": "); is {
			all[process] = command
		}
	}
	return all
}

// documented is the block of the document that begins so.
func documented(t *testing.T, begins string) string {
	t.Helper()
	_, block, _ := strings.Cut(string(must(os.ReadFile("docs/on-a-platform.md"))(t)), begins)
	block, _, _ = strings.Cut(block, "```")
	return block
}

// get asks as the router of the platform does. Lines are headers.
func (d *dyno) get(t *testing.T, path string, lines ...string) (answer *http.Response, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), grace)
	defer cancel()
	r := must(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.address+path, nil))(t)
	r.Host = "paastis.platform.test"
	for _, line := range append(lines, "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Forwarded-For: 192.0.2.80") {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	answer = must(http.DefaultClient.Do(r))(t)
	defer answer.Body.Close()
	return answer, string(must(io.ReadAll(answer.Body))(t))
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer ln.Close()
	return ln.Addr().String()
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestAPlatformRunsPaastisByItsProcfileOnThePortThatItGives(t *testing.T) {
	d := startDyno(t, procfile(t)["web"], "DOCKER_HOST=unix:///nowhere.sock")
	if answer, _ := d.get(t, "/healthz"); answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %s", answer.Status)
	}
	if code, took := d.stop(t); code != 0 || took > grace {
		t.Errorf("it ends with %d after %s:\n%s", code, took, d.log.String())
	}
}

func TestTraefikAndPaastisInOneAppEndTogether(t *testing.T) {
	for name, end := range map[string]func(*dyno) error{
		"the platform asks for it": func(d *dyno) error { return d.command.Process.Signal(syscall.SIGTERM) },
		"Traefik has ended": func(d *dyno) error {
			return os.WriteFile(filepath.Join(d.command.Dir, "traefik-ends"), nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDyno(t, "exec bin/web", "DOCKER_HOST=unix:///nowhere.sock")
			if code, took := d.end(t, end); code != 0 || took > grace {
				t.Errorf("they end with %d after %s:\n%s", code, took, d.log.String())
			}
		})
	}
}

// account is an account at a platform that is played: with an app pr7-front, which sleeps.
type account struct {
	// environ tells Paastis of it, and secret is what no log has.
	environ []string
	secret  string
	// orders hears of each order to wake an app.
	orders chan string
}

// atScalingo is one at Scalingo, as the original Paastis was told of it.
func atScalingo(t *testing.T) account {
	platform := scalingotest.New(scalingotest.Config{})
	platform.Create("osc-fr1", "pr7-front", scalingotest.Type{Name: "web", Size: "M"})
	a := account{secret: platform.Token(), orders: make(chan string, 9)}
	api := a.serve(t, platform.API(), "api.osc-fr1.scalingo.com", "/scale")
	auth := a.serve(t, platform.API(), "auth.scalingo.com", "/scale")
	a.environ = []string{
		"PROVIDER_NAME=scalingo", "PROVIDER_SCALINGO_API_TOKEN=" + a.secret, "START_AND_STOP_MAX_IDLE_TIME=90",
		"PAASTIS_SCALINGO_API_URL=" + api, "PAASTIS_SCALINGO_AUTH_URL=" + auth,
	}
	return a
}

// atCleverCloud is one at Clever Cloud.
func atCleverCloud(t *testing.T) account {
	cloud := clevercloudtest.New()
	cloud.Put(clevercloudtest.App{Name: "pr7-front", Commit: "c1"})
	a := account{secret: clevercloudtest.Token, orders: make(chan string, 9)}
	a.environ = []string{
		"PAASTIS_PROVIDER=clevercloud", "PAASTIS_CLEVERCLOUD_TOKEN=" + a.secret,
		"PAASTIS_CLEVERCLOUD_API_URL=" + a.serve(t, cloud.Bridge(), clevercloudtest.BridgeHost, "/instances"),
	}
	return a
}

// serve answers as a host of the platform does, and returns its URL here. An order to wake an app
// is a POST to a path with that end.
func (a account) serve(t *testing.T, platform http.Handler, host, order string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		platform.ServeHTTP(w, r)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, order) {
			a.orders <- r.URL.Path
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestNobodyWakesAnAppByAQuestionToAPaastisOnAPlatform(t *testing.T) {
	a := atScalingo(t)
	d := startDyno(t, procfile(t)["web"], append(a.environ, "PAASTIS_TRAEFIK_CONFIG_TOKEN=s3cret")...)
	for _, path := range []string{"/auth", "/auth?app=pr7-front", "/auth?app=nobody"} {
		answer, page := d.get(t, path, "X-Forwarded-Uri: /", "X-Forwarded-Host: pr7-front.apps.example.com", "Accept: text/html", "Sec-Fetch-Mode: navigate")
		if answer.StatusCode != http.StatusForbidden || answer.Header.Get("X-Paastis-State") != "" || strings.Contains(page, "pr7-front") {
			t.Errorf("who asks at %s gets %s:\n%s", path, answer.Status, page)
		}
	}
	if d.stop(t); len(a.orders) > 0 {
		t.Errorf("%d orders", len(a.orders))
	}
}

func TestAPaastisOnAPlatformWakesTheAppThatAVisitorOfTraefikAsksFor(t *testing.T) {
	for name, at := range map[string]func(*testing.T) account{"Scalingo": atScalingo, "Clever Cloud": atCleverCloud} {
		t.Run(name, func(t *testing.T) {
			a := at(t)
			d := startDyno(t, procfile(t)["web"], append(a.environ, "PAASTIS_TRAEFIK_CONFIG_TOKEN=s3cret")...)
			_, routes := d.get(t, "/traefik/config", "Authorization: Bearer s3cret")
			prefix := regexp.MustCompile(`/\.paastis/[^"]+`).FindString(routes)
			if prefix == "" || !strings.Contains(routes, "Host(`pr7-front.apps.example.com`)") || !strings.Contains(routes, `"https://paastis.platform.test`) {
				t.Fatalf("the routes are %s\n%s", routes, d.log.String())
			}
			answer, page := d.get(t, prefix+"/", "X-Forwarded-Host: pr7-front.apps.example.com", "Accept: text/html", "Sec-Fetch-Mode: navigate")
			if state := answer.Header.Get("X-Paastis-State"); answer.StatusCode != http.StatusServiceUnavailable || state != "starting" || !strings.Contains(page, "pr7-front") {
				t.Errorf("the visitor gets %s, %s:\n%s", answer.Status, state, page)
			}
			select {
			case <-a.orders:
			case <-time.After(grace):
				t.Error("the app is not woken")
			}
			if code, took := d.stop(t); code != 0 || took > grace || strings.Contains(d.log.String(), a.secret) || strings.Contains(d.log.String(), "s3cret") {
				t.Errorf("it ends with %d after %s:\n%s", code, took, d.log.String())
			}
		})
	}
}

package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// example is a folder of examples/, used step by step as its README says. Its ports are
// free ones, and its apps fall asleep sooner than the README has it.
type example struct {
	*testServer
	https   string // the port of Traefik's entry point with TLS
	steps   []step // of the README that are still to come
	exports []string
	idle    string // its max_idle_time; empty: 3s
	// open is the last connection that a curl has switched to a WebSocket.
	open io.Closer
}

// step is a line of a README: what to type, and what one sees then. A sight that begins
// with a number says the status of the answer.
type step struct{ command, sight string }

var (
	sightStatus = regexp.MustCompile(`^\d{3}\b`)
	readmeIdle  = regexp.MustCompile(`^MAX_IDLE_TIME=\S+ `)
)

// newExample copies a folder, so that a step may change a file of it.
func newExample(t *testing.T, name string) *example {
	t.Helper()
	e := &example{testServer: &testServer{t: t, name: name, dir: t.TempDir(), traefik: "127.0.0.1:" + freePort(t)}, https: freePort(t)}
	folder := filepath.Join("..", "examples", name)
	if err := os.CopyFS(e.dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	e.steps = readSteps(t, filepath.Join(folder, "README.md"))
	e.takeDown() // what an earlier run that was killed may have left
	t.Cleanup(e.takeDown)
	t.Cleanup(e.dumpLogs)
	return e
}

// readSteps are the lines of a README's shell blocks.
func readSteps(t *testing.T, readme string) []step {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	inside := false
	for line := range strings.Lines(strings.ReplaceAll(string(data), "\\\n", "")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			inside = line == "```sh"
			continue
		}
		if command, sight, _ := strings.Cut(line, " # "); inside && line != "" {
			steps = append(steps, step{strings.TrimSpace(command), strings.TrimSpace(sight)})
		}
	}
	return steps
}

// follow takes the README's next step, which has to have something in it. The answer to
// a curl is checked for the status that the README promises; that of any other command is
// what it prints.
func (e *example) follow(part string) answer {
	e.t.Helper()
	if len(e.steps) == 0 || !strings.Contains(e.steps[0].command, part) {
		e.t.Fatalf("the README's next step should have %q: %+v", part, e.steps)
	}
	next := e.steps[0]
	e.steps = e.steps[1:]
	if !strings.HasPrefix(next.command, "curl ") {
		return answer{body: e.shell(next.command)}
	}
	got := e.curl(next.command)
	if want := sightStatus.FindString(next.sight); want != strconv.Itoa(got.status) {
		e.t.Fatalf("%s\nshows %s\nand should show %s", next.command, got, next.sight)
	}
	return got
}

// shell types a command into the example's folder. An export lasts; the idle time that
// the README proposes is for people.
func (e *example) shell(command string) string {
	e.t.Helper()
	if strings.HasPrefix(command, "export ") {
		e.exports = append(e.exports, command)
		return ""
	}
	command = readmeIdle.ReplaceAllString(command, "")
	var stderr bytes.Buffer
	cmd := exec.Command("sh", "-ec", strings.Join(append(slices.Clone(e.exports), command), "\n"))
	cmd.Dir, cmd.Env, cmd.Stderr = e.dir, append(os.Environ(), e.environ()...), &stderr
	out, err := cmd.Output()
	if err != nil {
		e.t.Fatalf("%s: %v\n%s", command, err, stderr.Bytes())
	}
	return string(out)
}

func (e *example) environ() []string {
	return []string{"HTTP_PORT=" + e.traefik[strings.Index(e.traefik, ":")+1:], "HTTPS_PORT=" + e.https, "MAX_IDLE_TIME=" + cmp.Or(e.idle, "3s")}
}

// finish takes the README's last steps, after which nothing may be left.
func (e *example) finish() {
	e.t.Helper()
	for len(e.steps) > 0 {
		e.follow("down")
	}
	if left := e.containers("-a"); len(left) > 0 {
		e.t.Errorf("the README's last step leaves %q", left)
	}
}

// findNoFault has Paastis itself look at the labels.
func (e *example) findNoFault() {
	e.t.Helper()
	if got := e.shell("docker compose exec -T paastis /paastis check"); strings.Contains(got, "warning: ") {
		e.t.Errorf("paastis check says:\n%s", got)
	}
}

// awaitAwake waits until these apps are awake and no others.
func (e *example) awaitAwake(names ...string) {
	e.t.Helper()
	e.await(fmt.Sprintf("%q to be awake, and no others", names), 40*time.Second, func() bool {
		return slices.Equal(e.awake(), names)
	})
}

// wantAwake fails the test if other apps are awake than these.
func (e *example) wantAwake(names ...string) {
	e.t.Helper()
	if got := e.awake(); !slices.Equal(got, names) {
		e.t.Errorf("awake are %q, should be %q", got, names)
	}
}

// awake are the names of the example's apps that run, sorted.
func (e *example) awake() []string {
	return slices.DeleteFunc(e.containers(), func(name string) bool {
		return strings.HasSuffix(name, "-traefik") || strings.HasSuffix(name, "-paastis")
	})
}

// containers are the containers of all the example's projects, as project-service, sorted.
func (e *example) containers(flags ...string) []string {
	args := append([]string{"ps", "--filter", "label=com.docker.compose.project.working_dir=" + e.dir,
		"--format", `{{.Label "com.docker.compose.project"}}-{{.Label "com.docker.compose.service"}}`}, flags...)
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		return []string{"unknown: " + err.Error()}
	}
	return slices.Sorted(slices.Values(strings.Fields(string(out))))
}

// takeDown takes down all that the example's files bring up, the network that they share
// last.
func (e *example) takeDown() {
	for _, file := range slices.Backward(composeFiles(e.dir)) {
		for _, pr := range []string{"1", "2"} {
			cmd := exec.Command("docker", "compose", "-f", file, "down", "-t", "0", "-v")
			cmd.Dir, cmd.Env = e.dir, append(os.Environ(), "PR="+pr)
			_ = cmd.Run()
			if !strings.HasSuffix(file, "app.yml") {
				break
			}
		}
	}
}

// composeFiles are those of a folder, compose.yml first.
func composeFiles(folder string) []string {
	files, _ := filepath.Glob(filepath.Join(folder, "*.yml"))
	files = slices.DeleteFunc(files, func(f string) bool {
		return filepath.Base(f) == "paastis.yml" || filepath.Base(f) == "compose.yml"
	})
	return append([]string{filepath.Join(folder, "compose.yml")}, files...)
}

// dumpLogs shows what Paastis and Traefik said if the test failed.
func (e *example) dumpLogs() {
	if !e.t.Failed() {
		return
	}
	e.t.Logf("awake are %q", e.awake())
	cmd := exec.Command("docker", "compose", "logs", "--no-color", "paastis", "traefik")
	cmd.Dir, cmd.Env = e.dir, append(os.Environ(), e.environ()...)
	out, _ := cmd.CombinedOutput()
	e.t.Logf("they said:\n%s", out)
}

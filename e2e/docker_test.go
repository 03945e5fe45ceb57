package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// awaitAsleep waits until none of a stack's containers runs.
func (s *testServer) awaitAsleep(limit time.Duration, projects ...string) {
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
func (s *testServer) events(since time.Time, project string, kinds ...string) []string {
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

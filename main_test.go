package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// startDyno runs a line of the Procfile as a platform does: by a shell, in a folder of its own, with
// a port and what else is in environ. It returns once that serves.
func startDyno(t *testing.T, process string, environ ...string) *dyno {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(must(os.Executable())(t), filepath.Join(bin, "paastis")); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(freeAddress(t))
	d := &dyno{command: exec.Command("sh", "-c", procfile(t)[process]), address: "127.0.0.1:" + port, read: make(chan struct{})}
	d.command.Dir = t.TempDir()
	d.command.Env = append(environ, "PATH="+bin+":/usr/bin:/bin", "PORT="+port)
	stderr, err := d.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.command.Process.Kill() })
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
	began := time.Now()
	if err := d.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(2*grace, func() { _ = d.command.Process.Kill() })
	defer overdue.Stop()
	<-d.read
	_ = d.command.Wait()
	return d.command.ProcessState.ExitCode(), time.Since(began)
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
	d := startDyno(t, "web", "DOCKER_HOST=unix:///nowhere.sock")
	ctx, cancel := context.WithTimeout(t.Context(), grace)
	defer cancel()
	answer, err := http.DefaultClient.Do(must(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.address+"/healthz", nil))(t))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %v, %v", answer, err)
	}
	if code, took := d.stop(t); code != 0 || took > grace {
		t.Errorf("it ends with %d after %s:\n%s", code, took, d.log.String())
	}
}

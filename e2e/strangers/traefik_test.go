// Package strangers shows what those reach whom nobody has asked in, and that nobody else is
// turned away with them: by a real Traefik, without an engine.
package strangers

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the folder of the repository.
const root = "../.."

func TestMain(m *testing.M) {
	if os.Getenv("E2E") == "0" {
		fmt.Println("tests of strangers left out, because E2E=0")
		return
	}
	os.Exit(m.Run())
}

// traefikBinary is a real Traefik, which is built once if nobody has yet.
func traefikBinary(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("scripts/cached", "traefik", "github.com/traefik/traefik/v3/cmd/traefik")
	cmd.Dir, cmd.Stderr = root, t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build Traefik: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// runTraefik runs a Traefik with more flags until the test ends, and returns the URL at which
// visitors come in.
func runTraefik(t *testing.T, flags ...string) (web string) {
	t.Helper()
	port := freePort(t)
	start(t, traefikBinary(t), nil, append([]string{
		"--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=ERROR",
		"--entrypoints.web.address=127.0.0.1:" + port,
	}, flags...)...)
	return "http://127.0.0.1:" + port
}

// start runs a program until the test ends. What it says is told if that fails.
func start(t *testing.T, program string, environ []string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, said.Bytes())
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// await fails the test unless something comes true within a minute.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after a minute: %s", what)
		}
	}
}

// visit sends a request as it is written, and returns the answer's status, headers and body.
// Lines are headers; "method POST" is a method.
func visit(t *testing.T, base, host, path string, lines ...string) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque, r.Host = path, host
	for _, line := range lines {
		if method, ok := strings.CutPrefix(line, "method "); ok {
			r.Method = method
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(text)
}

// client follows nothing.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

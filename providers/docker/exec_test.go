package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// commanding is a provider whose commands are played on a real connection: the client
// makes one for each, whatever its transport is.
func commanding(t *testing.T, e *engine, play func(net.Conn)) *Provider {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: played(t, play)}}
	server.Start()
	t.Cleanup(server.Close)
	return e.provider(func(c *Config) { c.Host = "unix://" + socket })
}

// played takes the connection over, as the engine does when a command starts.
func played(t *testing.T, play func(net.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1.41/exec/c0ffee/start" || r.Header.Get("Upgrade") != "tcp" {
			t.Errorf("got %s %s", r.Method, r.URL)
		}
		io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"+
			"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		play(conn)
	})
}

// writes is a command that writes so many bytes and ends.
func writes(n int) func(net.Conn) {
	return func(conn net.Conn) {
		frame := []byte{byte(stdcopy.Stdout), 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		conn.Write(append(frame, bytes.Repeat([]byte("x"), n)...))
	}
}

func TestCommandEndsWithItsExitCode(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 1, 127} {
		e := newEngine(t, "shop-front-1")
		e.command.exitCode = code
		got, err := commanding(t, e, writes(1<<20)).Execute(t.Context(), "shop-front", []string{"/busy", "--now", "a b"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "exit code", got, code)
		equal(t, "calls", e.made()[2:], []string{`exec shop-front-1 ["/busy" "--now" "a b"]`, "ended"})
	}
}

func TestCommandRunsInTheFirstContainerThatRuns(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, number := range []string{"10", "9", "1"} {
		e.add(another(t, "web-"+number, "shop-front-1", labelled(labelNumber, number)))
	}
	e.change("web-1", exits(0))
	if _, err := commanding(t, e, writes(0)).Execute(t.Context(), "shop-front", []string{"/busy"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "call", e.made()[4], `exec web-9 ["/busy"]`)
}

func TestWaitForACommandEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "tty")
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	p := commanding(t, e, func(conn net.Conn) {
		writes(1 << 20)(conn) // more than fits if nobody reads
		cancel()
		io.Copy(io.Discard, conn)
		close(left)
	})
	_, err := p.Execute(ctx, "tty", []string{"/busy"})
	failed(t, err, `docker: execute in "tty": container "tty": context canceled`)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is of the wrong kind", err)
	}
	<-left
}

func TestCommandMayOutliveItsOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.command = command{exitCode: 3, running: 2}
		begin := time.Now()
		code, err := e.provider().engine.exitCode(t.Context(), "c0ffee")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "exit code", code, 3)
		equal(t, "waited", time.Since(begin), 2*execPause)

		e.command.running = 1 << 20
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := e.provider().engine.exitCode(ctx, "c0ffee"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCommandThatIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "tty", "shop-back-1")
	e.refuse(`exec tty []`, 400, "No exec command specified")
	p := e.provider()
	for app, want := range map[string]string{
		"tty":       `docker: execute in "tty": container "tty": No exec command specified`,
		"shop-back": `docker: execute in "shop-back": does not run`,
		"nobody":    `docker: execute in "nobody": no such app`,
	} {
		_, err := p.Execute(t.Context(), app, nil)
		failed(t, err, want)
	}
}

func TestCommandThatTheEngineDoesNotStartIsAnError(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: refuse}}
	server.Start()
	defer server.Close()
	p := newEngine(t, "tty").provider(func(c *Config) { c.Host = "unix://" + socket })
	_, err = p.Execute(t.Context(), "tty", []string{"/busy"})
	failed(t, err, `docker: execute in "tty": container "tty": unable to upgrade to tcp, received 403`)
}

func TestCommandsGoOverTLS(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "tty")
	start := played(t, writes(1))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			start.ServeHTTP(w, r)
			return
		}
		handler(e).ServeHTTP(w, r)
	}))
	defer server.Close()
	p, err := NewConfig(Config{
		Host: "tcp://" + server.Listener.Addr().String(),
		TLS:  server.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Execute(t.Context(), "tty", []string{"/busy"}); err != nil {
		t.Error(err)
	}
}

func TestHTTPSWithoutSettingsOfItsOwnIsStillSecure(t *testing.T) {
	t.Parallel()
	if (endpoint{scheme: "https", secure: true}).transport(nil).TLSClientConfig == nil {
		t.Error("the client takes it for plain TCP when it makes a connection for a command")
	}
	if (endpoint{scheme: "tcp"}).transport(nil).TLSClientConfig != nil {
		t.Error("plain TCP is secured")
	}
}

package docker

import (
	"errors"
	"net"
	"testing"
	"testing/fstest"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// shows is a command that writes a text and ends.
func shows(text string) func(net.Conn) {
	return func(conn net.Conn) {
		n := len(text)
		conn.Write(append([]byte{byte(stdcopy.Stdout), 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, text...))
	}
}

// ears are ports, and whether something listens there for others: at 9C3F it is for the
// loopback alone.
var ears = map[uint16]bool{8080: true, 8081: true, 0x9C3F: false, 9000: false}

func TestProcTellsWhatListensInAContainer(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	web := another(t, "web", "tty", processed(41))
	e.add(web)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(web.ID)}))
	if _, err := p.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	for port, want := range ears {
		got, err := p.Listens(t.Context(), web.ID, port)
		if err != nil || got != want {
			t.Errorf("port %d: %t, %v", port, got, err)
		}
	}
}

func TestACommandTellsWhatListensInAContainer(t *testing.T) {
	t.Parallel()
	for port, want := range ears {
		e := newEngine(t, "tty")
		e.command.exitCode = 1 // one of both files is not there
		p := commanding(t, e, shows(netTCP+netTCP6))
		if _, err := p.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := p.Listens(t.Context(), p.containers.snapshot().members("tty")[0].instance.ID, port)
		if err != nil || got != want {
			t.Errorf("port %d: %t, %v", port, got, err)
		}
	}
}

func TestAContainerWithoutACommandForItCannotBeLookedInto(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "tty")
	e.command.exitCode = 127
	p := commanding(t, e, shows("OCI runtime exec failed: exec: \"cat\": executable file not found in $PATH\n"))
	if _, err := p.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := p.Listens(t.Context(), p.containers.snapshot().members("tty")[0].instance.ID, 80)
	failed(t, err, `docker: look into container "tty": it has no command that shows its sockets`)
	if _, err := p.Listens(t.Context(), "gone", 80); !errors.Is(err, ErrUnknownApp) {
		t.Errorf("of none: %v", err)
	}
}

package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
)

// listCommand writes the container's own sockets. Almost every image that is made of a
// distribution has it.
var listCommand = []string{"cat", "/proc/net/tcp", "/proc/net/tcp6"}

// mostSockets bounds what is read of them, in bytes.
const mostSockets = 1 << 20

// errNoSockets means that a container cannot show its sockets: its image has no cat.
var errNoSockets = errors.New("it has no command that shows its sockets")

// Listens looks into the container of that ID, wherever Paastis has a network in common with
// it or not: into the host's /proc (Config.Proc), or else by a command in the container. What
// listens on the loopback alone is left out. ErrUnknownApp if there is no such container,
// ErrNotRunning if it does not run.
func (p *Provider) Listens(ctx context.Context, id string, port uint16) (bool, error) {
	f := p.containers.snapshot()
	c := f.find(id)
	switch {
	case c == nil:
		return false, fmt.Errorf("docker: look into container %q: %w", id, ErrUnknownApp)
	case c.instance.Status != inventory.Running:
		return false, fmt.Errorf("docker: look into container %q: %w", c.instance.Name, ErrNotRunning)
	}
	table, err := p.sampler.processSockets(f, c)
	if err != nil {
		table, err = p.engine.commandSockets(ctx, id)
	}
	if err != nil {
		return false, fmt.Errorf("docker: look into container %q: %w", c.instance.Name, err)
	}
	return slices.ContainsFunc(table, func(s socket) bool {
		return s.state == listening && s.local.Port() == port && !s.inside()
	}), nil
}

// processSockets are those of a container's main process, as the host's /proc shows it.
func (s *sampler) processSockets(f *snapshot, c *container) ([]socket, error) {
	folder, err := os.OpenRoot(filepath.Join(s.proc, strconv.Itoa(c.pid)))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if !belongs(folder.FS(), c, f.networkOwner(c)) {
		return nil, errOtherProcess
	}
	return sockets(folder.FS())
}

// commandSockets are those that a command shows in the container. Its exit code says nothing:
// IPv6 may be missing as a whole.
func (e *connection) commandSockets(ctx context.Context, id string) ([]socket, error) {
	exec, err := e.prepare(ctx, id, listCommand)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = e.follow(ctx, exec, func(r io.Reader) error { return demultiplex(&text, io.LimitReader(r, mostSockets), false) })
	switch {
	case err != nil:
		return nil, err
	case !strings.Contains(text.String(), "local_address"):
		return nil, errNoSockets
	}
	return parseSockets(text.String())
}

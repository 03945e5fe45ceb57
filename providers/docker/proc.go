package docker

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/registry"
)

// What the kernel calls the states of a socket.
const (
	established = "01"
	listening   = "0A"
)

var errOtherProcess = errors.New("the process is not the container's")

// socket is one row of /proc/<pid>/net/tcp or tcp6.
type socket struct {
	local, peer netip.AddrPort
	state       string
}

// watchProcess measures a container by what /proc shows of its main process. It fails
// if there is no such process, or if it is not the container's: /proc may be that of
// another machine than the engine's, or of a container.
func (p *Provider) watchProcess(f *fleet, c *container, port uint16) (registry.Usage, error) {
	// The folder, once open, stays that of the same process, whoever gets its number.
	folder, err := os.OpenRoot(filepath.Join(p.proc, strconv.Itoa(c.pid)))
	if err != nil {
		return registry.Usage{}, err
	}
	defer folder.Close()
	process, home := folder.FS(), f.home(c)
	if !belongs(process, c, home) {
		return registry.Usage{}, errOtherProcess
	}
	if home.onHost {
		return hostUsage(process, port)
	}
	return networkUsage(process, port)
}

// belongs tells that the process is in that container. The engine mounts the files of
// its home if it uses the network of another.
func belongs(process fs.FS, c, home *container) bool {
	mounts, _ := fs.ReadFile(process, "mountinfo")
	id := mountedID(mounts)
	return id != "" && (id == c.instance.ID || id == home.instance.ID)
}

// networkUsage is that of the network which the process is in. Traffic is read last: that a
// process ends meanwhile must not look like silence.
func networkUsage(process fs.FS, port uint16) (registry.Usage, error) {
	table, err := sockets(process)
	if err != nil {
		return registry.Usage{}, err
	}
	bytes, err := traffic(process)
	if err != nil {
		return registry.Usage{}, err
	}
	table = slices.DeleteFunc(table, socket.inside)
	return registry.Usage{Bytes: bytes, Connections: connections(table, port)}, nil
}

// hostUsage is that of a process on the host's network, where Traefik may well come
// over the loopback, and where others listen, too.
func hostUsage(process fs.FS, port uint16) (registry.Usage, error) {
	if port == 0 {
		return registry.Usage{Connections: registry.UnknownConnections}, nil
	}
	table, err := sockets(process)
	if err != nil {
		return registry.Usage{}, err
	}
	return registry.Usage{Connections: connections(table, port)}, nil
}

// connections counts those established to that port; if it is zero, to any that
// something listens on.
func connections(table []socket, port uint16) int {
	open := map[uint16]bool{port: true}
	for _, s := range table {
		if port == 0 && s.state == listening {
			open[s.local.Port()] = true
		}
	}
	n := 0
	for _, s := range table {
		if s.state == established && open[s.local.Port()] {
			n++
		}
	}
	return n
}

// inside tells that the socket serves nobody outside of its network: health checks and
// processes that talk to each other.
func (s socket) inside() bool {
	if s.state == listening {
		return s.local.Addr().IsLoopback()
	}
	return s.peer.Addr().IsLoopback()
}

// sockets are those of TCP in the network of the process. IPv6 may be missing as a
// whole; as it is read first, it is not because the process ended.
func sockets(process fs.FS) ([]socket, error) {
	six, err := fs.ReadFile(process, "net/tcp6")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	four, err := fs.ReadFile(process, "net/tcp")
	if err != nil {
		return nil, err
	}
	return parseSockets(string(four) + string(six))
}

// parseSockets reads a table of sockets, or several.
func parseSockets(text string) ([]socket, error) {
	var table []socket
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] == "sl" {
			continue
		}
		s, err := parseSocket(fields)
		if err != nil {
			return nil, fmt.Errorf("read sockets: %w", err)
		}
		table = append(table, s)
	}
	return table, nil
}

// parseSocket reads "0: 020011AC:1F90 010011AC:9D54 01 …".
func parseSocket(fields []string) (socket, error) {
	local, err := parseAddress(fields[1])
	if err != nil {
		return socket{}, err
	}
	peer, err := parseAddress(fields[2])
	return socket{local: local, peer: peer, state: fields[3]}, err
}

// parseAddress reads "0100007F:1F90": words of 32 bits in the byte order of the machine,
// and a port. An IPv4 address in IPv6 becomes an IPv4 one.
func parseAddress(text string) (netip.AddrPort, error) {
	words, number, _ := strings.Cut(text, ":")
	port, err := strconv.ParseUint(number, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", text, err)
	}
	bytes, err := hex.DecodeString(words)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", text, err)
	}
	for word := range slices.Chunk(bytes, 4) {
		if len(word) == 4 {
			binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
		}
	}
	address, ok := netip.AddrFromSlice(bytes)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("address %q is neither IPv4 nor IPv6", text)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

// traffic is how many bytes were received and sent in the network of the process, on
// all interfaces but the loopback.
func traffic(process fs.FS) (uint64, error) {
	text, err := fs.ReadFile(process, "net/dev")
	if err != nil {
		return 0, err
	}
	var total uint64
	for line := range strings.Lines(string(text)) {
		name, counters, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) == "lo" {
			continue
		}
		n, err := interfaceTraffic(strings.Fields(counters))
		if err != nil {
			return 0, fmt.Errorf("read traffic: %w", err)
		}
		total += n
	}
	return total, nil
}

// interfaceTraffic adds the first of eight counters for what was received to the first
// of those for what was sent.
func interfaceTraffic(counters []string) (uint64, error) {
	if len(counters) < 9 {
		return 0, fmt.Errorf("%d counters, not 16", len(counters))
	}
	received, err := strconv.ParseUint(counters[0], 10, 64)
	if err != nil {
		return 0, err
	}
	sent, err := strconv.ParseUint(counters[8], 10, 64)
	return received + sent, err
}

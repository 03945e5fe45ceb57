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

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
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
func (s *sampler) watchProcess(f *snapshot, c *container, want provider.Want) (idle.Usage, error) {
	// The folder, once open, stays that of the same process, whoever gets its number.
	folder, err := os.OpenRoot(filepath.Join(s.proc, strconv.Itoa(c.pid)))
	if err != nil {
		return idle.Usage{}, err
	}
	defer folder.Close()
	process, owner := folder.FS(), f.networkOwner(c)
	if !belongs(process, c, owner) {
		return idle.Usage{}, errOtherProcess
	}
	if owner.onHost {
		return hostUsage(process, c.hostPorts(want.Ports), want.Linked)
	}
	ports := c.ownPorts(owner, want.Ports)
	ports.multiplexed = want.Multiplexed
	return networkUsage(process, ports, want.Linked)
}

// belongs reports whether the process is in that container. The engine mounts the files of
// the network's owner if it uses the network of another.
func belongs(process fs.FS, c, owner *container) bool {
	mounts, _ := fs.ReadFile(process, "mountinfo")
	id := mountedID(mounts)
	return id != "" && (id == c.instance.ID || id == owner.instance.ID)
}

// networkUsage is that of the network which the process is in. Traffic is read last: that a
// process ends meanwhile must not look like silence.
func networkUsage(process fs.FS, ports portSet, linked []netip.Addr) (idle.Usage, error) {
	table, err := sockets(process)
	if err != nil {
		return idle.Usage{}, err
	}
	moved, err := traffic(process)
	if err != nil {
		return idle.Usage{}, err
	}
	return idle.Usage{
		Bytes: moved.bytes, Packets: moved.packets, Sent: moved.sent,
		Connections: telling(slices.DeleteFunc(table, socket.inside), ports, linked),
	}, nil
}

// hostUsage is that of a process on the host's network, where Traefik may well come
// over the loopback, and where others listen, too.
func hostUsage(process fs.FS, ports portSet, linked []netip.Addr) (idle.Usage, error) {
	if len(ports.known) == 0 {
		return idle.Usage{Connections: idle.UnknownConnections, Unseen: portUnknown}, nil
	}
	table, err := sockets(process)
	if err != nil {
		return idle.Usage{}, err
	}
	return idle.Usage{Connections: connections(table, ports, linked)}, nil
}

// telling counts the connections that tell of use. If there are others alone, such as a proxy
// keeps open for good, nobody knows.
func telling(table []socket, ports portSet, but []netip.Addr) int {
	others := slices.DeleteFunc(slices.Clone(table), func(s socket) bool {
		return s.state == established && slices.Contains(ports.multiplexed, s.local.Port())
	})
	if n := connections(others, ports, but); n > 0 || connections(table, ports, but) == 0 {
		return n
	}
	return idle.UnknownConnections
}

// connections counts those established to the ports by anybody but those at the addresses
// that are left out.
func connections(table []socket, ports portSet, but []netip.Addr) int {
	open := map[uint16]bool{}
	for _, port := range ports.known {
		open[port] = true
	}
	for _, s := range table {
		if ports.any && s.state == listening {
			open[s.local.Port()] = true
		}
	}
	n := 0
	for _, s := range table {
		if s.state == established && open[s.local.Port()] && !slices.Contains(but, s.peer.Addr().Unmap()) {
			n++
		}
	}
	return n
}

// inside reports whether the socket serves nobody outside of its network: health checks and
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

// counters are the bytes and packets that were received and sent, and the packets that were sent.
type counters struct{ bytes, packets, sent uint64 }

// traffic is what moved in the network of the process, on all interfaces but the loopback.
func traffic(process fs.FS) (counters, error) {
	var total counters
	text, err := fs.ReadFile(process, "net/dev")
	if err != nil {
		return total, err
	}
	for line := range strings.Lines(string(text)) {
		name, numbers, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) == "lo" {
			continue
		}
		if err := total.addLine(strings.Fields(numbers)); err != nil {
			return total, fmt.Errorf("read traffic: %w", err)
		}
	}
	return total, nil
}

// addLine adds what an interface has counted: eight numbers of what was received, of
// which the first two are bytes and packets, and then the same of what was sent.
func (c *counters) addLine(numbers []string) error {
	if len(numbers) < 10 {
		return fmt.Errorf("%d counters, not 16", len(numbers))
	}
	var n [4]uint64
	for i, at := range [...]int{0, 1, 8, 9} {
		var err error
		if n[i], err = strconv.ParseUint(numbers[at], 10, 64); err != nil {
			return err
		}
	}
	c.add(counters{bytes: n[0] + n[2], packets: n[1] + n[3], sent: n[3]})
	return nil
}

func (c *counters) add(o counters) {
	c.bytes, c.packets, c.sent = c.bytes+o.bytes, c.packets+o.packets, c.sent+o.sent
}

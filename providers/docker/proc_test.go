package docker

import (
	"errors"
	"io/fs"
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/paastis/paastis/registry/idle"
)

// What a Linux 6.18 shows of the network of a container at 172.17.0.2.
const (
	netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   29523     390    0    0    0     0          0         0    29523     390    0    0    0     0       0          0
  eth0:    1434      17    0    0    0     0          0         0      116       2    0    0    0     0       0          0
`
	tcpTitle = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n"
	netTCP   = tcpTitle +
		"   0: 0B00007F:9C3F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 90700 1 0000000024bf38f0 100 0 0 10 0\n" +
		"   1: 0100007F:8750 0100007F:1F90 06 00000000:00000000 03:00000BEE 00000000     0        0 0 3 00000000b5c45f72                                      \n" +
		"   2: 020011AC:9C3F 010011AC:1538 01 00000000:00000000 00:00000000 00000000     0        0 131440 1 0000000025a8e840 20 0 0 10 -1                    \n" +
		"   3: 0100007F:D60C 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 131442 1 0000000025a8e844 20 0 0 10 -1                    \n"
	tcp6Title = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	netTCP6   = tcp6Title +
		"   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 130382 2 000000005f9b3e02 100 0 0 10 0\n" +
		"   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 90709 2 0000000024bf38f2 100 0 0 10 0\n" +
		"   2: 0000000000000000FFFF0000020011AC:1F90 0000000000000000FFFF0000010011AC:9D54 01 00000000:00000000 02:0000056E 00000000     0        0 130653 2 00000000ffa55ee3 20 0 0 10 -1\n" +
		"   3: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D60C 01 00000000:00000000 02:0000055C 00000000     0        0 130655 2 000000005ccc57e4 20 0 0 10 -1\n" +
		"   4: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:D610 01 00000000:00000000 02:0000055C 00000000     0        0 130656 2 000000005ccc57e5 20 0 0 10 -1\n" +
		"   5: 000000FD000000000000000002000000:1F91 000000FD000000000000000001000000:B0A2 01 00000000:00000000 02:0000055C 00000000     0        0 130657 2 000000005ccc57e6 20 0 0 10 -1\n"
)

// processIn is the folder of a process in /proc. The engine has mounted the files of
// the container with that ID into it.
func processIn(id string) fstest.MapFS {
	return fstest.MapFS{
		"mountinfo": file("620 606 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"),
		"net/dev":   file(netDev),
		"net/tcp":   file(netTCP),
		"net/tcp6":  file(netTCP6),
	}
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func TestProcessShowsTheUseOfItsNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ports portSet
		want  int
	}{
		{"over IPv4, not over the loopback", portSet{known: []uint16{8080}}, 1},
		{"over IPv6", portSet{known: []uint16{8081}}, 1},
		{"over both", portSet{known: []uint16{8080, 8081}}, 2},
		{"to any port that it listens on, not from one of its own", portSet{any: true}, 2},
		{"to none", portSet{known: []uint16{9000}}, 0},
	} {
		got, err := networkUsage(processIn(ownID), c.ports, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		equal(t, c.name, got, procUsage(c.want))
	}
}

func TestLoopbackCountsOnTheHostsNetwork(t *testing.T) {
	t.Parallel()
	got, err := hostUsage(processIn(ownID), portSet{known: []uint16{8080}}, nil)
	if err != nil {
		t.Error(err)
	}
	equal(t, "usage", got, idle.Usage{Connections: 3})
}

func TestTrafficIsThatOfAllInterfacesButTheLoopback(t *testing.T) {
	t.Parallel()
	process := processIn(ownID)
	process["net/dev"] = file(netDev + "  eth1:18446744073709000000 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n")
	got, err := traffic(process)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "bytes", got, counters{bytes: 1434 + 116 + 18446744073709000000 + 7, packets: 17 + 2, sent: 2})
}

func TestKernelWithoutIPv6HasNoTableOfIt(t *testing.T) {
	t.Parallel()
	process := processIn(ownID)
	delete(process, "net/tcp6")
	got, err := networkUsage(process, portSet{known: []uint16{8080}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "connections", got.Connections, 0)
}

func TestProcessThatEndsWhileItIsReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, gone := range []string{"net/tcp", "net/dev"} {
		process := processIn(ownID)
		delete(process, gone)
		if _, err := networkUsage(process, portSet{known: []uint16{8080}}, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: got %v", gone, err)
		}
	}
}

func TestTablesThatAreNotUnderstoodAreAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"net/tcp", tcpTitle + "   0: 0100007F 0100007F:1F90 01\n", `read sockets: address "0100007F": strconv.ParseUint: parsing "": invalid syntax`},
		{"net/tcp", tcpTitle + "   0: 0100007F:1F90 0100007:1F90 01\n", `read sockets: address "0100007:1F90": encoding/hex: odd length hex string`},
		{"net/tcp6", tcp6Title + "   0: 0100007F00:1F90 0100007F:1F90 01\n", `read sockets: address "0100007F00:1F90" is neither IPv4 nor IPv6`},
		{"net/dev", "  eth0: 1 2 3\n", "read traffic: 3 counters, not 16"},
		{"net/dev", "  eth0: x 0 0 0 0 0 0 0 0 0\n", `read traffic: strconv.ParseUint: parsing "x": invalid syntax`},
	} {
		process := processIn(ownID)
		process[c.name] = file(c.text)
		_, err := networkUsage(process, portSet{known: []uint16{8080}}, nil)
		failed(t, err, c.want)
	}
}

func TestAddressesOfSocketsAreInWordsOfTheMachine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"020011AC:1F90":                         "172.17.0.2:8080",
		"B80D01200000000067452301EFCDAB89:0050": "[2001:db8::123:4567:89ab:cdef]:80",
		"0000000000000000FFFF0000020011AC:FFFF": "172.17.0.2:65535",
	} {
		got, err := parseAddress(text)
		if err != nil {
			t.Error(err)
		}
		equal(t, text, got, netip.MustParseAddrPort(want))
	}
}

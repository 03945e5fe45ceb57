package idle

import (
	"cmp"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// Usage is what a provider has counted for the running instances of one app.
type Usage struct {
	// Bytes received and sent on all networks since the instances started. It falls
	// when one of them was restarted.
	Bytes uint64
	// CPU time used since the instances started; falls likewise. It means something
	// only if it was asked for.
	CPU time.Duration
	// Packets received and sent, likewise, and of these Sent. A keep-alive packet of TCP and
	// its answer have no content: BarePacket bytes each. Zero: they are not counted.
	Packets, Sent uint64
	// Connections are those established to the app's ports, silent ones too. Those of
	// some instances may be unseen. UnknownConnections if none was seen for that reason.
	Connections int
	// Unseen says why neither bytes nor connections tell of the use of one of the instances,
	// and what would. Empty: they do.
	Unseen string
	// Use is a use that the provider itself tells of: one-off containers that run, requests that
	// its own router has counted lately. Zero: there is none.
	Use reason.Reason
	// Memory that they take, in bytes, without what is only there for speed. Zero: not known;
	// it may be told although it was not asked for.
	Memory uint64
}

// BarePacket is how long a packet of TCP is at most that has no content, by IPv4, with the
// header of Ethernet and the time stamps that Linux sends: 14 + 20 + 20 + 12.
const BarePacket = 66

// UnknownConnections is the number of connections where they cannot be counted.
const UnknownConnections = -1

// With returns the usage with the CPU time and the memory that another count told.
func (u Usage) With(cpu time.Duration, memory uint64) Usage {
	u.CPU, u.Memory = cpu, memory
	return u
}

// Sum is the usage of all instances. Connections that are known count, although there may be
// more that are not; memory is known of all, or not.
func Sum(usages []Usage) Usage {
	var total Usage
	unknown, unweighed := false, false
	for _, u := range usages {
		total.Bytes += u.Bytes
		total.Packets += u.Packets
		total.Sent += u.Sent
		total.Unseen = cmp.Or(total.Unseen, u.Unseen)
		if total.Use.IsZero() {
			total.Use = u.Use
		}
		total.CPU += u.CPU
		total.Memory += u.Memory
		unweighed = unweighed || u.Memory == 0
		total.Connections += max(u.Connections, 0)
		unknown = unknown || u.Connections == UnknownConnections
	}
	if unknown && total.Connections == 0 {
		total.Connections = UnknownConnections
	}
	if unweighed {
		total.Memory = 0
	}
	return total
}

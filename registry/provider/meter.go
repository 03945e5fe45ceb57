package provider

import (
	"context"
	"net/netip"
	"time"

	"github.com/paastis/paastis/registry/idle"
)

// Meter is a provider that can tell how much an app is in use beyond its requests.
type Meter interface {
	// Measure looks at the counters of the app's running instances as they are now, and
	// adds them up. It may block for seconds. It is an error if no instance runs, or if
	// one of those that do cannot be measured.
	Measure(ctx context.Context, name string, want Want) (idle.Usage, error)
}

// Want is what a measure is to tell.
type Want struct {
	// Ports are those that requests come to, as far as is known. Connections count to these,
	// and to whatever else the app listens on, as far as that can be told apart from what
	// others do. Nil: none is known.
	Ports []uint16
	// Linked are the addresses of apps that keep it awake by themselves: connections from
	// there do not count. Nil: there are none.
	Linked []netip.Addr
	// Multiplexed are those of the ports to which a proxy keeps one connection open for good,
	// whatever it carries: h2c. It does not tell whether anybody uses the app, so if there are
	// none but such, connections are not known. Nil: there are none.
	Multiplexed []uint16
	// Since is the last use that is known, of the app or of what needs it: what a platform has
	// counted until then tells nothing new.
	Since time.Time
	// Quick reports whether bytes are not wanted, where it takes seconds to find them out.
	Quick bool
	// CPU asks for the CPU time, which a provider may take seconds to find out.
	CPU bool
	// Memory asks for the memory, likewise. That it cannot be found out is no error.
	Memory bool
}

// Retrospective is a Meter whose measure tells of the time before it, so that one is enough: what a
// platform's own router has counted, say, or one-off containers that run. It costs calls of which
// there are few, so it is measured once right before a stop, and no more often than MeasurePause
// while what it tells keeps the app awake. What else is to be known of the app's use is what
// Paastis passes on to it: in direct mode Paastis stays between.
type Retrospective interface {
	Meter
	// MeasurePause is the time between two measures of one app; more than zero. It is asked
	// often and never changes.
	MeasurePause() time.Duration
}

// Limited is a Meter that can tell beforehand what it will not see.
type Limited interface {
	// Unseen says why the use of the app could not be seen beyond its requests, and what would
	// make it visible, whether the app runs or not. Ports are those that requests come to.
	// Empty: it could be seen. It does not block.
	Unseen(name string, ports []uint16) string
}

// Executor is a provider that can run a command inside an app.
type Executor interface {
	// Execute runs a command in the app's first running instance, without a shell, and
	// returns its exit code. It blocks until the command ends or ctx does.
	Execute(ctx context.Context, name string, command []string) (exitCode int, err error)
}

// Logger is a provider that can tell what an app has written.
type Logger interface {
	// Logs returns the last lines that the app's instances wrote, oldest first.
	Logs(ctx context.Context, name string, lines int) ([]string, error)
}

// Listener is a provider that can look into its apps where Paastis has no way to them.
type Listener interface {
	// Listens reports whether something in the instance of that ID takes connections on a
	// TCP port from elsewhere. It may block for seconds, and run a command in the instance.
	// With an error that is not known, and will not be.
	Listens(ctx context.Context, instance string, port uint16) (bool, error)
}

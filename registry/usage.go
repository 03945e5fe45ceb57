package registry

import (
	"context"
	"time"
)

// Meter is a provider that can tell how much an app is in use beyond its requests.
type Meter interface {
	// Measure looks at the counters of the app's running instances as they are now, and
	// adds them up. It may block for seconds. It is an error if no instance runs, or if
	// one of those that do cannot be measured.
	Measure(ctx context.Context, name string, want Want) (Usage, error)
}

// Want is what a measure is to tell.
type Want struct {
	// Port is where the app listens. Zero: unknown, so that connections count to any
	// port that it listens on.
	Port uint16
	// CPU asks for the CPU time, which a provider may take seconds to find out.
	CPU bool
	// Memory asks for the memory, likewise. That it cannot be found out is no error.
	Memory bool
}

// Usage is what a provider has counted for the running instances of one app.
type Usage struct {
	// Bytes received and sent on all networks since the instances started. It falls
	// when one of them was restarted.
	Bytes uint64
	// CPU time used since the instances started; falls likewise. It means something
	// only if it was asked for.
	CPU time.Duration
	// Connections are those established to the app's port, silent ones too. Those of
	// some instances may be unseen. UnknownConnections if none was seen for that reason.
	Connections int
	// Memory that they take, in bytes, without what is only there for speed. Zero: not known;
	// it may be told although it was not asked for.
	Memory uint64
}

// UnknownConnections tells that connections cannot be counted.
const UnknownConnections = -1

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

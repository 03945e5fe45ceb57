package registry

import (
	"context"
	"time"
)

// Meter is a provider that can tell how much an app is in use beyond its requests.
type Meter interface {
	// Measure looks at the app's counters as they are now. port is where the app
	// listens; 0: unknown, so connections cannot be counted. It may block for seconds.
	// An app of which no instance runs is an error.
	Measure(ctx context.Context, name string, port uint16) (Usage, error)
}

// Usage is what a provider has counted for the running instances of one app.
type Usage struct {
	// Bytes received and sent on all networks since the instances started. It falls
	// when one of them was restarted.
	Bytes uint64
	// CPU time used since the instances started; falls likewise.
	CPU time.Duration
	// Connections are those established to the app's port, silent ones too.
	// UnknownConnections if they cannot be seen.
	Connections int
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

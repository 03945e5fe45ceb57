// Package command is what a shell asks Paastis for: a file for each command, with its flags,
// its help and what it does; serve.go puts the parts together. A new command is a file, and a
// word in shell.root (shell.go), where all are registered. run takes the world as arguments, so
// that tests are a shell.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // it could not do its work
	exitUsage   = 2 // it was asked for something that it does not know
)

// Main is the program. It ends when its work is done, or when it is interrupted, and returns
// an exit code. version is what it says of itself.
func Main(version string, args, environ []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, version, args, environ, stdout, stderr)
}

// run is the program: it takes the world as arguments and returns an exit code. It ends
// when its work is done or ctx is.
func run(ctx context.Context, version string, args, environ []string, stdout, stderr io.Writer) int {
	s := shell{version: version, environ: environ, stdout: stdout, stderr: stderr, settings: map[string]string{}}
	err := s.execute(ctx, args)
	if err == nil {
		return exitOK
	}
	complain(stderr, err)
	if !s.begun || errors.As(err, new(wrongUse)) {
		fmt.Fprintln(stderr, "paastis --help says what can be asked for")
		return exitUsage
	}
	return exitFailure
}

// complain prints an error, a line for each of those that it joins.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "paastis:", strings.TrimRight(line, "\n"))
	}
}

// rootCause is the innermost error: what the system said, without the operation and the
// path.
func rootCause(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

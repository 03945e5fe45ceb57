package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"github.com/moby/moby/client"

	"github.com/paastis/paastis/registry"
)

var (
	// ErrUnknownApp tells that the engine has no container of that app.
	ErrUnknownApp = errors.New("no such app")

	// ErrNotRunning tells that what was to be used does not run: the app, or one of its
	// containers any more.
	ErrNotRunning = errors.New("does not run")

	// ErrUnreachable tells that the engine could not be asked: no connection, or no
	// answer in time. What became of an order is not known.
	ErrUnreachable = errors.New("cannot reach the engine")
)

// errSlow is why the context of a call ended that ran into its own limit.
var errSlow = errors.New("no answer in time")

// refusal is the engine's answer to a call that it did not follow, in one line and
// without the words that introduce each of them.
type refusal struct{ error }

func (r refusal) Error() string {
	text := strings.TrimPrefix(r.error.Error(), "Error response from daemon: ")
	return strings.Join(strings.Fields(text), " ")
}

func (r refusal) Unwrap() error { return r.error }

// Visible is what visitors may read of it: nothing of the engine's own words, which
// name hosts, ports and folders.
func (r refusal) Visible() string {
	text := r.Error()
	for _, reason := range reasons {
		if strings.Contains(text, reason.words) {
			return reason.sentence
		}
	}
	return "the engine refused; the log says why"
}

// Is tells registry.ErrImageMissing from the rest.
func (r refusal) Is(target error) bool {
	return target == registry.ErrImageMissing && strings.Contains(r.Error(), "No such image")
}

// visibleFault is what visitors may read of the fault that the engine has noted of a
// start. Empty if it has noted none.
func visibleFault(noted string) string {
	if noted == "" {
		return ""
	}
	return refusal{errors.New(noted)}.Visible()
}

// reasons are the refusals that a visitor can make something of.
var reasons = []struct{ words, sentence string }{
	{"port is already allocated", "a port that it needs is taken"},
	{"address already in use", "a port that it needs is taken"},
	{"network of a non running container", "the container whose network it uses does not run"},
	{"No such container", "a container that it needs is gone"},
	{"No such image", "its image is missing"},
	{"no space left on device", "the disk is full"},
	{"source path does not exist", "a folder that it needs is missing"},
	{"marked for removal", "it is being removed"},
	{"executable file not found", "its program is missing"},
	{"no such file or directory", "its program is missing"},
	{"not found", "a network or volume that it needs is gone"},
}

// unreachable is an ErrUnreachable with its circumstances.
type unreachable struct{ where, why, hint string }

func (u unreachable) Error() string {
	return fmt.Sprintf("%s at %s: %s; %s", ErrUnreachable, u.where, u.why, u.hint)
}

func (u unreachable) Is(target error) bool {
	return target == ErrUnreachable || target == registry.ErrUnreachable
}

// Visible is what visitors may read of it.
func (u unreachable) Visible() string { return "its provider cannot be reached" }

// failures are errors of several containers, told in one line.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (f failures) Unwrap() []error { return f }

// explain makes the error of a call readable. ctx is the one that the call was made
// with: an end of it says more than what net/http makes of it.
func (e endpoint) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errSlow):
		return e.unreachable(errSlow.Error())
	case ctx.Err() != nil:
		return ctx.Err()
	case client.IsErrConnectionFailed(err):
		return e.unreachable(connectionTrouble(err))
	default:
		return refusal{err}
	}
}

func (e endpoint) unreachable(why string) error {
	hint := "is it running?"
	if e.scheme == "unix" {
		hint = "is it running, and may Paastis read the socket?"
	}
	return unreachable{where: e.String(), why: why, hint: hint}
}

// connectionTrouble is the root of a failed connection. The client hides most of them
// behind advice of its own.
func connectionTrouble(err error) string {
	var dns *net.DNSError
	var request *url.Error
	text := err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or directory"
	case strings.Contains(text, "permission denied"):
		return "permission denied"
	case strings.HasPrefix(text, "Cannot connect to the Docker daemon"):
		return "connection refused"
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &request):
		return refusal{request.Err}.Error()
	default:
		return refusal{err}.Error()
	}
}

// doing says what failed, unless it is the engine as a whole.
func doing(what string, err error) error {
	if err == nil || errors.Is(err, ErrUnreachable) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

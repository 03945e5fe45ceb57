package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

var (
	// ErrUnknownApp means that the engine has no container of that app.
	ErrUnknownApp = errors.New("no such app")

	// ErrNotRunning means that what was to be used does not run: the app, or one of its
	// containers any more.
	ErrNotRunning = errors.New("does not run")

	// ErrUnreachable means that the engine could not be asked: no connection, or no
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

// Reason says nothing of the engine's own words, which name hosts, ports and folders.
func (r refusal) Reason() reason.Reason { return reason.Reason{Kind: r.kind()} }

func (r refusal) kind() reason.Kind {
	if errdefs.IsResourceExhausted(r.error) { // 429, of what is before the engine
		return reason.RateLimited
	}
	text := r.Error()
	for _, reason := range reasons {
		if strings.Contains(text, reason.words) {
			return reason.kind
		}
	}
	return reason.EngineRefused
}

// Is tells provider.ErrImageMissing from the rest.
func (r refusal) Is(target error) bool {
	return target == provider.ErrImageMissing && r.kind() == reason.ImageMissing
}

// faultOf is what the fault is that the engine has noted of a start. Empty if it has noted
// none.
func faultOf(noted string) reason.Kind {
	if noted == "" {
		return ""
	}
	return refusal{errors.New(noted)}.kind()
}

// reasons are the refusals that a visitor can make something of. The engine tells them apart
// by its words alone (moby 29, daemon/ and libnetwork/).
var reasons = []struct {
	words string
	kind  reason.Kind
}{
	{"port is already allocated", reason.PortTaken},
	{"address already in use", reason.PortTaken},
	{"network of a non running container", reason.NetworkOwnerDown},
	{"No such container", reason.ContainerGone},
	{"No such image", reason.ImageMissing},
	{"no space left on device", reason.DiskFull},
	{"source path does not exist", reason.FolderMissing},
	{"marked for removal", reason.BeingRemoved},
	{"executable file not found", reason.ProgramMissing},
	{"no such file or directory", reason.ProgramMissing},
	{"not found", reason.ResourceGone},
}

// unreachable is an ErrUnreachable with its circumstances.
type unreachable struct{ where, why, hint string }

func (u unreachable) Error() string {
	return fmt.Sprintf("%s at %s: %s; %s", ErrUnreachable, u.where, u.why, u.hint)
}

func (u unreachable) Is(target error) bool {
	return target == ErrUnreachable || target == provider.ErrUnreachable
}

// Reason is the same whatever the circumstances are: they name hosts.
func (u unreachable) Reason() reason.Reason {
	return reason.Reason{Kind: reason.ProviderUnreachable}
}

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
	case client.IsErrConnectionFailed(err), isOfNetwork(err):
		return e.unreachable(connectionTrouble(err))
	default:
		return refusal{err}
	}
}

// isOfNetwork reports whether an error is of the way to the engine, which has not answered. The
// client tells so of some alone: not where there is no route to the machine, or the connection
// breaks in the middle of a call.
func isOfNetwork(err error) bool {
	return errors.As(err, new(*url.Error)) || errors.As(err, new(*net.OpError))
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

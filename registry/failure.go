package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// A failed app is started again after these times, doubled each time: at most five
// starts in the first minute, then ever fewer.
const (
	firstRetry = 2 * time.Second
	lastRetry  = time.Minute
)

const (
	// mostStarts is how often an app is started within a minute, those starts included
	// that its provider makes by itself.
	mostStarts = 5
	// logLines is how many of an app's last lines are kept when it fails.
	logLines = 20
	// logLimit bounds the time to get them.
	logLimit = 10 * time.Second
)

// FailureKind tells failures apart.
type FailureKind string

const (
	// Ended: it ended, with an exit code.
	Ended FailureKind = "exited"
	// CrashLoop: its provider started it again and again.
	CrashLoop FailureKind = "crash loop"
	// OutOfMemory: the kernel killed it for its memory.
	OutOfMemory FailureKind = "out of memory"
	// ImageMissing: there is nothing to start.
	ImageMissing FailureKind = "image missing"
	// Refused: its provider would not start it.
	Refused FailureKind = "refused"
	// Unreachable: its provider does not answer.
	Unreachable FailureKind = "provider unreachable"
	// Sick: it was not healthy in time.
	Sick FailureKind = "unhealthy"
	// Late: it did not come up, did not answer, or Traefik did not find it in time.
	Late FailureKind = "too late"
	// NeedFailed: an app that it needs failed.
	NeedFailed FailureKind = "linked app failed"
	// Removed: it no longer exists.
	Removed FailureKind = "removed"
)

var (
	// ErrImageMissing is what a provider's error wraps if an app's image is missing.
	ErrImageMissing = errors.New("image missing")
	// ErrUnreachable is what a provider's error wraps if the provider does not answer.
	ErrUnreachable = errors.New("provider unreachable")
)

// Failure is why an app failed.
type Failure struct {
	Kind FailureKind
	// Reason is a sentence that a visitor may read.
	Reason string
	// ExitCode of the app, if Kind is Ended or CrashLoop, or of the one that it needs, if it
	// is NeedFailed.
	ExitCode int
	// At is when.
	At time.Time
	// Logs are the last lines that the app wrote, oldest first; they are there a moment
	// later. They are for admins, and for visitors only with show_logs. Nil: none.
	Logs []string

	// root is the app whose failure it is, if Kind is NeedFailed. Nil: it is its own.
	root *Keeper
}

// Failure is why an app has failed last; false if it is not failed now.
func (r *Registry) Failure(k *Keeper) (Failure, bool) {
	r.mu.Lock()
	defer r.unlock()
	return k.failures.last, k.state == Failed
}

// fail ends a wake. Called with the lock held.
func (r *Registry) fail(k *Keeper, f Failure, now time.Time) {
	f.At = now
	k.failures.add(f)
	k.usage.begin(now)
	k.failures.see(k.app.unwell(k.Entry()))
	r.setState(k, Failed, f.Reason, now)
	r.readLogs(k, now)
}

// readLogs gets the last lines of an app that failed, if it came far enough to write
// any. Called with the lock held.
func (r *Registry) readLogs(k *Keeper, at time.Time) {
	logger, ok := k.provider.(Logger)
	if !ok || !k.attempt.ordered && k.app.First().StartedAt.IsZero() {
		return
	}
	switch k.failures.last.Kind {
	case Ended, CrashLoop, OutOfMemory, Sick, Late:
	default:
		return
	}
	name := k.app.Name
	same := func() bool { return k.failures.last.At.Equal(at) }
	r.do(k, job{current: same, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, logLimit)
		defer cancel()
		lines, err := logger.Logs(ctx, name, logLines)
		return func() { r.keepLogs(k, lines, err) }
	}})
	r.stir()
}

// keepLogs takes in what an app that failed wrote. It is called with r.mu held.
func (r *Registry) keepLogs(k *Keeper, lines []string, err error) {
	if err != nil {
		r.journal.say(slog.LevelDebug, "no log lines of an app that failed", "app", k.Name(), "error", err)
		return
	}
	if len(lines) == 0 {
		return
	}
	k.failures.keepLogs(lines)
	r.journal.say(slog.LevelWarn, "the app that failed wrote", "app", k.Name(), "last_line", lines[len(lines)-1])
	k.notify()
	r.news.markChanged(k)
	for _, d := range r.keepers {
		if d.failures.last.root == k && d.state == Failed {
			r.news.markChanged(d)
		}
	}
}

// failFor fails an app because one that it needs failed. It is tried again with it, or by its
// own back-off where that one is not tried again: such as a job that runs for too long.
func (p *pass) failFor(k, needed *Keeper) {
	f := Failure{
		Kind: NeedFailed, ExitCode: needed.failures.last.ExitCode, root: cmp.Or(needed.failures.last.root, needed),
		Reason: fmt.Sprintf("%s, which it needs, failed: %s", needed.Name(), needed.reason),
	}
	if needed.isHeldDown() {
		f.ExitCode, f.root = 0, needed
		f.Reason = fmt.Sprintf("%s, which it needs, was stopped by hand.", needed.Name())
	}
	p.reg.fail(k, f, p.now)
	if needed.state == Failed && needed.failures.retryAt.After(p.now) {
		k.failures.retry(needed.failures.retryAt)
	}
	p.move(k)
}

// refusedBy is the failure of a start that its provider did not carry out.
func refusedBy(err error) Failure {
	f := Failure{Kind: Refused, Reason: "It could not be started: " + visible(err) + "."}
	switch {
	case errors.Is(err, ErrImageMissing):
		f.Kind = ImageMissing
	case errors.Is(err, ErrUnreachable):
		f.Kind = Unreachable
	}
	return f
}

// end takes in that an app ended on its way up: a job may, and anything else failed.
func (p *pass) end(k *Keeper) {
	last := k.app.lastInstance()
	if !last.OOMKilled && last.Error == "" && last.ExitCode == 0 && k.Entry().mayEnd() {
		k.endings.complete(p.now)
		p.enter(k, Asleep, "ran its course")
		return
	}
	p.reg.fail(k, last.epitaph(), p.now)
	p.move(k)
}

// breakLoop stops an app that its provider starts again and again. It fails once it is
// stopped.
func (p *pass) breakLoop(k *Keeper) {
	k.attempt.doom(k.failures.crashLoop(&k.app))
	p.stop(k, "it keeps crashing")
}

// timeOut fails an app whose wake took too long.
func (p *pass) timeOut(k *Keeper) {
	limit := k.Entry().StartTimeout
	f := Failure{Kind: Late}
	var what string
	switch {
	case k.app.restarting():
		f.Kind, f.ExitCode = CrashLoop, k.app.lastInstance().ExitCode
		what = fmt.Sprintf("kept restarting for %s (exit code %d)", limit, f.ExitCode)
	case !k.app.up() && !k.attempt.ordered:
		what = fmt.Sprintf("waited %s for %s", limit, strings.Join(p.reg.supply.unmetNeeds(k), ", "))
	case !k.app.up():
		what = fmt.Sprintf("did not start within %s", limit)
	case k.attempt.healthyAt.IsZero() && p.reg.sick(k):
		f.Kind = Sick
		what = fmt.Sprintf("was not healthy within %s", limit)
	case k.attempt.healthyAt.IsZero() && k.attempt.ready.fault.Status != 0:
		what = fmt.Sprintf("answered its probe with %d for %s", k.attempt.ready.fault.Status, limit)
	case k.attempt.healthyAt.IsZero():
		what = fmt.Sprintf("did not answer on port %d within %s", k.Entry().probePorts()[0], limit)
	case p.reg.supply.supplied(k) && p.unsure(k):
		what = fmt.Sprintf("runs, but Traefik did not list its server within %s", limit)
	default:
		what = fmt.Sprintf("waited %s for %s", limit, strings.Join(p.reg.supply.unmetNeeds(k), ", "))
	}
	f.Reason = "It " + what + "."
	p.reg.fail(k, f, p.now)
	p.move(k)
}

// sick reports whether nothing but its health check keeps the app from being ready.
func (r *Registry) sick(k *Keeper) bool {
	return slices.ContainsFunc(k.app.Instances, func(i Instance) bool {
		return i.Status == Running && i.Health != Healthy && (k.trusted(i) || r.blocked(k, i))
	})
}

// Visible is an error that carries a sentence for visitors beside the chain for logs.
type Visible interface {
	error
	// Visible is the sentence, without names of hosts and without secrets.
	Visible() string
}

// visible is what a visitor may read of an error: the log has it whole.
func visible(err error) string {
	var v Visible
	if errors.As(err, &v) {
		return v.Visible()
	}
	return "its provider refused; the log says why"
}

// restarts is how often the app's provider says that it started instances again.
func (a App) restarts() int {
	n := 0
	for _, i := range a.Instances {
		n += i.Restarts
	}
	return n
}

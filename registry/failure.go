package registry

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
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
	// Unhealthy: it was not healthy in time.
	Unhealthy FailureKind = "unhealthy"
	// TimedOut: it did not come up, did not answer, or Traefik did not find it in time.
	TimedOut FailureKind = "too late"
	// NeedFailed: an app that it needs failed.
	NeedFailed FailureKind = "linked app failed"
	// Removed: it no longer exists.
	Removed FailureKind = "removed"
)

// failureKinds are what failures are called in the API, by their reasons. It is never changed.
var failureKinds = map[reason.Kind]FailureKind{
	reason.Exited:              Ended,
	reason.CrashLoop:           CrashLoop,
	reason.RestartLoop:         CrashLoop,
	reason.OutOfMemory:         OutOfMemory,
	reason.NoTurn:              TimedOut,
	reason.NeedsLate:           TimedOut,
	reason.NotStarted:          TimedOut,
	reason.Unhealthy:           Unhealthy,
	reason.ProbeAnswered:       TimedOut,
	reason.NoAnswer:            TimedOut,
	reason.NotListed:           TimedOut,
	reason.NotEnded:            TimedOut,
	reason.NeedFailed:          NeedFailed,
	reason.NeedHeldDown:        NeedFailed,
	reason.Removed:             Removed,
	reason.ProviderUnreachable: Unreachable,
	reason.BreakerOpen:         Unreachable,
	reason.ImageMissing:        ImageMissing,
}

// failureKindOf is what a failure for a reason is called in the API: one that a provider tells
// and that has no name of its own, Refused. Empty: it is the reason of none.
func failureKindOf(kind reason.Kind) FailureKind {
	if known := failureKinds[kind]; known != "" || !kind.OfProvider() {
		return known
	}
	return Refused
}

// Failure is why an app failed.
type Failure struct {
	Kind FailureKind
	// Reason is one that a visitor may read.
	Reason reason.Reason
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

// IsZero reports whether there is no failure.
func (f Failure) IsZero() bool { return f.Kind == "" && f.Reason.IsZero() }

// failureOf is a failure for a reason, which is what says of what kind it is.
func failureOf(reason reason.Reason) Failure {
	f := Failure{Kind: failureKindOf(reason.Kind), Reason: reason}
	if f.Kind == Ended || f.Kind == CrashLoop {
		f.ExitCode = reason.Code
	}
	return f
}

// Failure is why an app has failed last; false if it is not failed now.
func (r *Registry) Failure(k *Keeper) (Failure, bool) {
	r.mu.Lock()
	defer r.unlock()
	return k.failures.last.get(), k.state == Failed
}

// fail ends a wake. Called with the lock held.
func (t *transitions) fail(k *Keeper, f Failure, now time.Time) {
	f.At = now
	k.failures.add(f)
	k.usage.begin(now)
	k.failures.see(k.app.Unwell(k.Definition().Probe.Kind == rules.AutoProbe))
	t.setState(k, Failed, f.Reason, now)
	t.readLogs(k, now)
}

// readLogs gets the last lines of an app that failed, if it came far enough to write
// any. Called with the lock held.
func (t *transitions) readLogs(k *Keeper, at time.Time) {
	logger, ok := k.provider.(provider.Logger)
	if !ok || !k.attempt.startSent && k.app.First().StartedAt.IsZero() {
		return
	}
	switch last := k.failures.last.get(); last.Kind {
	case Ended, CrashLoop, OutOfMemory, Unhealthy, TimedOut:
	default:
		if last.Reason.Kind != reason.OperationFailed { // its platform has tried
			return
		}
	}
	name := k.app.Name
	same := func() bool { return k.failures.last.get().At.Equal(at) }
	t.tasks.doLocked(k, task{current: same, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, logLimit)
		defer cancel()
		lines, err := logger.Logs(ctx, name, logLines)
		return func() { t.keepLogs(k, lines, err) }
	}})
	t.nudge()
}

// keepLogs takes in what an app that failed wrote. It is called with r.mu held.
func (t *transitions) keepLogs(k *Keeper, lines []string, err error) {
	if err != nil {
		t.journal.say(slog.LevelDebug, "no log lines of an app that failed", "app", k.Name(), "error", err)
		return
	}
	if len(lines) == 0 {
		return
	}
	lines = readable(lines)
	k.failures.keepLogs(lines)
	t.journal.say(slog.LevelWarn, "the app that failed wrote", "app", k.Name(), "last_line", lines[len(lines)-1])
	k.notify()
	t.news.markChanged(k)
	for _, d := range t.keepers.byID {
		if d.failures.last.get().root == k && d.state == Failed {
			t.news.markChanged(d)
		}
	}
}

// failFor fails an app because one that it needs failed. It is tried again with it, or by its
// own back-off where that one is not tried again: such as a job that runs for too long.
func (d *needWaker) failFor(k, needed *Keeper) {
	because, names := needed.reason.get(), []string{needed.Name()}
	f := failureOf(reason.Reason{Kind: reason.NeedFailed, Apps: names, Because: &because})
	f.ExitCode, f.root = needed.failures.last.get().ExitCode, cmp.Or(needed.failures.last.get().root, needed)
	if needed.isHeldDown() {
		f = failureOf(reason.Reason{Kind: reason.NeedHeldDown, Apps: names})
		f.root = needed
	}
	d.transitions.fail(k, f, d.now)
	if needed.state == Failed && needed.failures.retryAt.After(d.now) {
		k.failures.retry(needed.failures.retryAt)
	}
	d.noteChange(k)
}

// end takes in that an app ended on its way up: a job may, and anything else failed.
func (p *pass) end(k *Keeper) {
	last := k.app.LastInstance()
	if !last.OOMKilled && last.Fault == "" && last.ExitCode == 0 && k.Definition().MayEnd() {
		k.endings.complete(p.now)
		p.changeState(k, Asleep, reason.Reason{Kind: reason.Completed})
		return
	}
	p.transitions.fail(k, failureOfInstance(last), p.now)
	p.noteChange(k)
}

// breakLoop stops an app that its provider starts again and again. It fails once it is
// stopped.
func (o *descent) breakLoop(k *Keeper) {
	k.attempt.setPendingFailure(k.failures.crashLoop(k.app))
	o.stop(k, reason.Reason{Kind: reason.KeepsCrashing})
}

// timeOut fails an app whose wake took too long.
func (p *pass) timeOut(k *Keeper) {
	why := p.missed(k)
	why.Limit = k.Definition().StartTimeout
	if lost := p.orders.contacts.lost(k.provider); lost != nil {
		why = reason.Of(lost) // what it did is not known
	} else if held := p.orders.contacts.held(k); !held.IsZero() {
		held.Pending = false
		why = held
	}
	p.transitions.fail(k, failureOf(why), p.now)
	p.noteChange(k)
}

// missed is what an app did not do in time.
func (p *pass) missed(k *Keeper) reason.Reason {
	unproven := !k.attempt.healthyAt.IsZero() && p.supply.supplied(k) && p.handover.unsure(k)
	switch {
	case k.app.Restarting():
		return reason.Reason{Kind: reason.RestartLoop, Code: k.app.LastInstance().ExitCode}
	case k.app.Up() && k.attempt.healthyAt.IsZero():
		return p.prober.unanswered(k)
	case k.app.Up() && unproven:
		return reason.Reason{Kind: reason.NotListed}
	case !k.app.Up() && k.attempt.startSent:
		return reason.Reason{Kind: reason.NotStarted}
	}
	if names := p.supply.unmetNeeds(k); names != nil {
		return reason.Reason{Kind: reason.NeedsLate, Apps: names}
	}
	return reason.Reason{Kind: reason.NoTurn}
}

package registry

import (
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// failures are how an app has failed, and when it may be tried again.
type failures struct {
	last      sparse[Failure]             // the last one
	unhealthy bool                        // as last seen, it did not run or was not healthy
	restarts  int                         // as its provider last counted them
	starts    []time.Time                 // the last ones, ours and its provider's, within a minute
	retryAt   time.Time                   // when a failed app may be started again
	retries   *backoff.ExponentialBackOff // nil: no failure so far
	stopAfter time.Time                   // no stop before this, after one that failed
	stopTries *backoff.ExponentialBackOff // nil: no stop failed since the last that did not
}

// add takes in a failure: the app is tried again later after each one.
func (f *failures) add(last Failure) {
	if f.retries == nil {
		f.retries = newBackOff(firstRetry, lastRetry)
	}
	f.last.set(last)
	f.retryAt = last.At.Add(f.retries.NextBackOff())
}

// end takes in the last failure of an app that was removed.
func (f *failures) end(last Failure, now time.Time) {
	last.At = now
	f.last.set(last)
}

// keepLogs adds what the app wrote to its last failure.
func (f *failures) keepLogs(lines []string) {
	last := f.last.get()
	last.Logs = lines
	f.last.set(last)
}

// retry lets a failed app be started again at another time.
func (f *failures) retry(at time.Time) { f.retryAt = at }

// forgive forgets the failures so far: the app is not what it was.
func (f *failures) forgive() { f.retries, f.retryAt, f.starts = nil, time.Time{}, nil }

// see notes whether the app is unhealthy.
func (f *failures) see(unhealthy bool) { f.unhealthy = unhealthy }

// started counts a start of ours.
func (f *failures) started(now time.Time) { f.starts = append(f.starts, now) }

// expect takes restarts for those of before: they are not of this minute.
func (f *failures) expect(restarts int) { f.restarts = restarts }

// count takes in how often the app's provider has started it again by itself, and forgets
// what is longer ago than a minute.
func (f *failures) count(restarts int, now time.Time) {
	for range min(restarts-f.restarts, mostStarts) {
		f.starts = append(f.starts, now)
	}
	f.restarts = restarts
	for len(f.starts) > 0 && now.Sub(f.starts[0]) >= time.Minute {
		f.starts = f.starts[1:]
	}
}

// loop reports whether the app's provider starts it again and again. One whose other
// instances go on is in order.
func (f *failures) loop(app *inventory.App, now time.Time) bool {
	f.count(app.Restarts(), now)
	return len(f.starts) >= mostStarts && app.Restarts() > 0 &&
		!slices.ContainsFunc(app.Instances, func(i inventory.Instance) bool { return i.Up() && i.StartedAt.Before(f.starts[0]) })
}

// startedOften reports whether the app must not be started now. One start is left to a
// provider that starts apps by itself.
func (f *failures) startedOften(app *inventory.App) bool {
	if app.Restarts() > 0 {
		return len(f.starts) >= mostStarts-1
	}
	return len(f.starts) >= mostStarts
}

// crashLoop is the failure of an app that ended as often as it may be started.
func (f *failures) crashLoop(app *inventory.App) Failure {
	return failureOf(reason.Reason{Kind: reason.CrashLoop, Count: len(f.starts), Code: app.LastInstance().ExitCode})
}

// startsAgain is when one more start is within what an app may have in a minute, if it was
// started too often.
func (f *failures) startsAgain() time.Time { return f.starts[0].Add(time.Minute) }

// refuseStop takes in that a stop has failed: the next is tried later after each one.
func (f *failures) refuseStop(now time.Time) {
	if f.stopTries == nil {
		f.stopTries = newBackOff(firstRetry, lastRetry)
	}
	f.stopAfter = now.Add(f.stopTries.NextBackOff())
}

// holdStop lets no stop be tried before a time; zero: at any time.
func (f *failures) holdStop(until time.Time) { f.stopAfter = until }

// forgetStops takes in that a stop has not failed.
func (f *failures) forgetStops() { f.stopAfter, f.stopTries = time.Time{}, nil }

// logs are the last lines of the app that failed: of another one, if that is why. They are
// for visitors only if both apps show theirs.
func (f *failures) logs(e *inventory.Definition, forVisitors bool) []string {
	if forVisitors && !e.ShowLogs {
		return nil
	}
	switch root := f.last.get().root; {
	case root == nil:
		return slices.Clone(f.last.get().Logs)
	case root.state != Failed || forVisitors && !root.Definition().ShowLogs:
		return nil
	default:
		return slices.Clone(root.failures.last.get().Logs)
	}
}

package registry

import (
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// manual is what people have said of an app, by Paastis or beside it.
type manual struct {
	pinnedUntil time.Time // no sleep before this

	sleepAsked  time.Time // when somebody said that it may sleep whatever its idle time; zero: nobody
	sleepForced bool      // the same, whatever its use

	stoppedAt time.Time // when somebody else was found to have stopped it; zero: nobody has, since it was last started or woken
	stopSeen  time.Time // the last manual stop that was followed, by its provider's clock
}

// pin keeps the app awake until a time.
func (m *manual) pin(until time.Time) { m.pinnedUntil = until }

// askSleep notes that the app may sleep. Force once said holds for as long.
func (m *manual) askSleep(now time.Time, force bool) {
	m.sleepForced = force || m.sleepForced && !m.sleepAsked.IsZero()
	m.sleepAsked = now
}

// cancelSleep takes that back.
func (m *manual) cancelSleep() { m.sleepAsked, m.sleepForced = time.Time{}, false }

// asksSleep reports whether somebody said that the app may sleep.
func (m *manual) asksSleep() bool { return !m.sleepAsked.IsZero() }

// seeStop notes a stop by the provider's clock that needs no more to be followed.
func (m *manual) seeStop(at time.Time) { m.stopSeen = latest(m.stopSeen, at) }

// stop notes that somebody else has stopped the app.
func (m *manual) stop(at time.Time) { m.stoppedAt = at }

// endStop takes a stop by somebody else for over.
func (m *manual) endStop() { m.stoppedAt = time.Time{} }

// stopped reports whether somebody else has stopped the app.
func (m *manual) stopped() bool { return !m.stoppedAt.IsZero() }

// passStops takes what somebody has stopped so far for settled: of an app of which a part ran
// on until Paastis itself put it to sleep, nobody has said that it is to stay down.
func (m *manual) passStops(app *inventory.App) {
	for _, i := range app.Instances {
		m.seeStop(i.StoppedManually)
	}
}

// kept says what keeps an app awake at a time, whatever its use, and until when at
// least. Zero: nothing does.
func (m *manual) kept(e *inventory.Definition, now time.Time) (why reason.Reason, until time.Time) {
	for _, w := range e.KeepAwake {
		if _, end, inside := w.At(now); inside && end.After(until) {
			why, until = reason.Reason{Kind: reason.KeepAwake, Text: w.String(), Until: end}, end
		}
	}
	for _, pin := range []time.Time{e.AwakeUntil, m.pinnedUntil} {
		if pin.After(now) && pin.After(until) {
			why, until = reason.Reason{Kind: reason.Pinned, Until: pin}, pin
		}
	}
	return why, until
}

package registry

import (
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// gate is all that a request reads of an app: it neither locks nor allocates. Its fields are
// written by its methods alone.
type gate struct {
	// open reports whether requests may pass: the app is ready and so are its needs.
	open atomic.Bool
	// activity is when a request last came, in Unix nanoseconds; 0: never.
	activity atomic.Int64
	// lasting tells what was let through in this wake that may go on for long, and be alive
	// while it is silent: lastingMaybe, lastingStream, or 0: nothing.
	lasting atomic.Uint32

	// presence says why Traefik has the app's routers.
	presence atomic.Uint32

	// heard is when a question about the app was last looked at while nobody manages it.
	heard atomic.Int64
	// inFlight is how many requests Paastis itself has open to the app.
	inFlight atomic.Int64

	// definition is what the app is, by labels and rules; swapped whole. Nil until the first
	// inventory that has the app.
	definition atomic.Pointer[inventory.Definition]
}

// Definition is what the app is, by its labels and the rules.
func (g *gate) Definition() *inventory.Definition { return g.definition.Load() }

// Pass counts a request as activity and reports whether it may go to the app. It
// neither locks nor allocates. The order matters: who turns the app towards sleep
// closes first and then looks at the activity, so one of both always sees the other.
func (g *gate) Pass(now time.Time) bool {
	g.activity.Store(now.UnixNano())
	return g.open.Load()
}

// Enter counts a request that Paastis itself is to carry to the app, and reports whether it
// may; if so, Leave is to be called at its end. A request that counts is activity. The
// order matters, as for Pass: who stops the app closes first and counts then.
func (g *gate) Enter(now time.Time, counts bool) bool {
	g.inFlight.Add(1)
	if counts {
		g.activity.Store(now.UnixNano())
	}
	if g.open.Load() {
		return true
	}
	g.inFlight.Add(-1)
	return false
}

// Leave ends what Enter began.
func (g *gate) Leave(now time.Time, counts bool) {
	if counts {
		g.activity.Store(now.UnixNano())
	}
	g.inFlight.Add(-1)
}

// Open reports whether requests pass, without counting as activity.
func (g *gate) Open() bool { return g.open.Load() }

// Stream notes that a request that passed may go on for long, and be alive while it is
// silent: a WebSocket, an event stream.
func (g *gate) Stream() {
	if g.lasting.Load() != lastingStream {
		g.lasting.Store(lastingStream)
	}
}

// MayLast notes that a request that passed may go on for long, though most of its kind do not:
// an upload, a call of gRPC.
func (g *gate) MayLast() {
	if g.lasting.Load() == 0 {
		g.lasting.CompareAndSwap(0, lastingMaybe)
	}
}

// lastRequest is when a request last came; zero if never.
func (g *gate) lastRequest() time.Time {
	if n := g.activity.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// believe takes a request that is still to come for one of now: the clock was put back, and
// the app would stay awake until it comes by that time again.
func (g *gate) believe(now time.Time) {
	if n := g.activity.Load(); n > now.Add(time.Minute).UnixNano() {
		g.activity.CompareAndSwap(n, now.UnixNano())
	}
}

// setOpen opens the gate or shuts it, and reports whether that is a change.
func (g *gate) setOpen(open bool) bool { return g.open.Swap(open) != open }

// forgetStreams takes what was let through for ended.
func (g *gate) forgetStreams() { g.lasting.Store(0) }

// define makes the app another one, and returns what it was. Nil: nothing so far.
func (g *gate) define(e *inventory.Definition) *inventory.Definition { return g.definition.Swap(e) }

// hear notes a question about the app, and reports whether enough time has passed since the
// last one to look at it.
func (g *gate) hear(now time.Time) bool {
	return now.UnixNano()-g.heard.Swap(now.UnixNano()) >= int64(hearEvery)
}

// setPresence notes why Traefik has the app's routers.
func (g *gate) setPresence(why uint32) { g.presence.Store(why) }

// Present is why Traefik has the app's routers now.
func (g *gate) Present() uint32 { return g.presence.Load() }

package registry

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// Pin keeps an app awake until a time; the zero time lets it go. It does not wake the
// app. Without a Store, a pin is forgotten when Paastis ends; the property awake_until is not.
func (r *Registry) Pin(k *Keeper, until time.Time) {
	r.mu.Lock()
	defer r.unlock()
	r.control.pin(k, until, time.Now())
	r.nudge()
}

// awaitWindow wakes a sleeping app as a window begins that asks for it, or as Paastis
// begins within one. One that was stopped by hand within the window stays asleep.
func (d *needWaker) awaitWindow(k *Keeper) {
	if k.isHeldDown() {
		return
	}
	for _, w := range k.Definition().KeepAwake {
		from, until, inside := w.At(d.now)
		switch {
		case !w.Wake:
		case !inside:
			d.at(from)
		case k.state == Asleep && from.After(k.endings.downFrom), k.state == Failed && !d.now.Before(k.failures.retryAt):
			d.wake(k, reason.Reason{Kind: reason.WindowBegan, Text: w.String()}, d.now)
			return
		case k.state == Failed:
			d.at(k.failures.retryAt)
		default:
			d.at(until)
		}
	}
}

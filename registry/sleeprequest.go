package registry

import (
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

var (
	// ErrInUse is what Sleep's errors wrap: something speaks against the app's sleep.
	ErrInUse = errors.New("it must not sleep now")
	// ErrUnlessForced is what those wrap as well against which force helps.
	ErrUnlessForced = fmt.Errorf("%w", ErrInUse)
)

// Sleep lets an app sleep before its idle time is over, together with those that it is in a
// circle with: the way down is the usual one, and so are its last looks. It does not block,
// and is nil if the app is on its way down or sleeps. Unless forced, it is refused if
// something speaks for the app's use, and given up if the last looks find something; forced,
// only if an awake app needs it. An error wraps ErrInUse, and ErrUnlessForced if it would not
// have been refused by force; it is a SleepRefusal.
func (r *Registry) Sleep(k *Keeper, force bool) error {
	now := time.Now()
	r.mu.Lock()
	defer r.unlock()
	switch {
	case k.removal.gone:
		return SleepRefusal{reason.Reason{Kind: reason.Gone}, ErrInUse}
	case !k.Definition().Managed:
		return SleepRefusal{reason.Reason{Kind: reason.NotManaged, Because: new(k.Definition().Why)}, ErrInUse}
	case k.state == Starting:
		return SleepRefusal{reason.Reason{Kind: reason.ComingUp}, ErrInUse}
	case k.state == Asleep, k.state == Stopping, k.state == Failed && !k.app.Alive():
		return nil
	}
	return r.control.requestSleep(k, force, now)
}

// SleepRefusal is the error of Sleep, with what speaks against the app's sleep.
type SleepRefusal struct {
	Reason reason.Reason
	err    error // ErrInUse, or ErrUnlessForced
}

func (s SleepRefusal) Error() string { return s.err.Error() + ": " + s.Reason.String() }
func (s SleepRefusal) Unwrap() error { return s.err }

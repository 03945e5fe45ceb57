package registry

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/idle"
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
	case !k.Entry().Managed:
		return SleepRefusal{reason.Reason{Kind: reason.NotManaged, Text: k.Entry().Why}, ErrInUse}
	case k.state == Starting:
		return SleepRefusal{reason.Reason{Kind: reason.ComingUp}, ErrInUse}
	case k.state == Asleep, k.state == Stopping, k.state == Failed && !k.app.Alive():
		return nil
	}
	return r.requestSleep(k, force, now)
}

// SleepRefusal is the error of Sleep, with what speaks against the app's sleep.
type SleepRefusal struct {
	Reason reason.Reason
	err    error // ErrInUse, or ErrUnlessForced
}

func (s SleepRefusal) Error() string { return s.err.Error() + ": " + s.Reason.String() }
func (s SleepRefusal) Unwrap() error { return s.err }

// requestSleep is Sleep of an app that runs. Called with the lock held.
func (r *Registry) requestSleep(k *Keeper, force bool, now time.Time) error {
	circle, s := r.circle(k), r.newSummaries(now).snapshot(k)
	s.SleepAsked, s.Forced = now, force
	stale := now.Sub(s.SampledAt) > s.Quiet // what was seen then says nothing of now
	if stale {
		s.Use = idle.Use{}
	}
	if force {
		s.NotBefore = time.Time{}
	}
	if d := idle.Decide(s, now); !d.Sleep && d.Reason.Kind != reason.CheckingUse {
		err := ErrInUse
		if s.Forced, s.NotBefore = true, (time.Time{}); idle.Decide(s, now).Sleep {
			err = ErrUnlessForced
		}
		return SleepRefusal{d.Reason, err}
	}
	for _, m := range circle {
		if force {
			m.failures.holdStop(time.Time{})
			r.pin(m, time.Time{}, now)
		}
		if stale {
			m.usage.forget()
		}
		m.manual.askSleep(now, force)
		r.news.markChanged(m)
	}
	r.journal.say(slog.LevelInfo, "app is to sleep", "app", k.Name(), "forced", force)
	r.wakeLoop()
	return nil
}

// circle are the managed apps that share the app's sleep, itself among them.
func (r *Registry) circle(k *Keeper) []*Keeper {
	return slices.Collect(k.Entry().component.managed)
}

// cancelSleep takes back that an app is to sleep. Called with the lock held.
func (r *Registry) cancelSleep(k *Keeper) {
	if !k.manual.asksSleep() {
		return
	}
	for _, m := range r.circle(k) {
		m.manual.cancelSleep()
	}
}

// cancelsSleep tells that an app that was to sleep does not: it was used since, or the looks
// found something that speaks for its use.
func (p *pass) cancelsSleep(k *Keeper, s idle.Snapshot, d idle.Decision) bool {
	if !k.manual.asksSleep() || s.SleepIsAsked() && (d.Sleep || d.Reason.Kind == reason.CheckingUse || p.now.Before(s.NotBefore)) {
		return false
	}
	p.reg.cancelSleep(k)
	if s.SleepIsAsked() {
		p.reg.journal.say(slog.LevelInfo, "app was to sleep, and stays awake", "app", k.Name(), "reason", d.Reason.String())
	}
	return true
}

package registry

import (
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/reason"
)

// control is what people have to say of an app by Paastis: that it may sleep, that it stays
// awake. Its methods are called with the registry's lock held.
type control struct {
	*core
	supply    *supply
	publisher *Publisher
	contacts  *contacts
	archive   *history.Archive
	news      *news
}

// requestSleep is Sleep of an app that runs. Called with the lock held.
func (h *control) requestSleep(k *Keeper, force bool, now time.Time) error {
	circle, s := h.circle(k), newSummaries(now, h.supply, h.publisher, h.contacts).snapshot(k)
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
			h.pin(m, time.Time{}, now)
		}
		if stale {
			m.usage.forget()
		}
		m.manual.askSleep(now, force)
		h.news.markChanged(m)
	}
	h.journal.say(slog.LevelInfo, "app is to sleep", "app", k.Name(), "forced", force)
	h.nudge()
	return nil
}

// circle are the managed apps that share the app's sleep, itself among them.
func (h *control) circle(k *Keeper) []*Keeper {
	return slices.Collect(managed(k.Definition().Component))
}

// cancelSleep takes back that an app is to sleep. Called with the lock held.
func (h *control) cancelSleep(k *Keeper) {
	if !k.manual.asksSleep() {
		return
	}
	for _, m := range h.circle(k) {
		m.manual.cancelSleep()
	}
}

// pin is Pin with the lock held.
func (h *control) pin(k *Keeper, until, now time.Time) {
	was := k.manual.pinnedUntil.After(now)
	if k.removal.gone || !was && !until.After(now) || was && until.Equal(k.manual.pinnedUntil) {
		return
	}
	k.manual.pin(until)
	h.archive.MarkUnsaved()
	why := reason.Reason{Kind: reason.Unpinned}
	if until.After(now) {
		why = reason.Reason{Kind: reason.Pinned, Until: until}
	}
	h.journal.say(slog.LevelInfo, "app pin", "app", k.Name(), "reason", why.String())
	h.news.emit(Event{At: now, Kind: PinEvent, App: k.Name(), State: k.state, Was: k.state, Reason: why})
	h.news.markChanged(k)
}

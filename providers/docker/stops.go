package docker

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/paastis/paastis/registry/inventory"
)

const (
	// killMoment is how soon after a signal the end of a container is that signal's doing. A
	// stop that takes longer is told by an event of its own.
	killMoment = 30 * time.Second
	// shutdownMoment is how long the engine may take from its first stop to its own end.
	shutdownMoment = 30 * time.Second
)

// stop is what is known of the orders to stop, kill or pause a container that came from
// somebody else: by its events. An engine that shuts down gives the same orders before it
// ends its stream of events; they are taken back then, see doubtStops.
//
//	docker stop      kill (a signal), die, stop     what ends by itself, or runs out of
//	docker kill      kill (a signal), die           memory, tells of a die alone
//	docker pause     pause
type stop struct {
	killed time.Time // when a signal came that ends a program; zero: none did since its start
	at     time.Time // when it was stopped, or paused; zero: it was not
	paused bool
	read   time.Time // when that was read, by Paastis's clock
	// ours is how many orders of Paastis's own were given of which the event was not read yet,
	// and giving how many of those the engine did not answer yet.
	ours, giving int
}

// take follows an event of the container.
func (s *stop) take(event events.Message, now time.Time) {
	at := time.Unix(0, event.TimeNano)
	switch event.Action {
	case events.ActionKill:
		if s.ours == 0 && isFatal(event.Actor.Attributes["signal"]) {
			s.killed = at
		}
	case events.ActionDie, "died":
		if !s.killed.IsZero() && at.Sub(s.killed) < killMoment {
			s.mark(at, false, now)
		}
		s.killed = time.Time{}
	case events.ActionStop, events.ActionPause:
		if s.ours > 0 {
			s.ours--
			return
		}
		s.mark(at, event.Action == events.ActionPause, now)
	case events.ActionUnPause:
		if s.paused {
			s.at, s.paused = time.Time{}, false
		}
	case events.ActionStart:
		s.killed, s.at, s.paused = time.Time{}, time.Time{}, false
		if s.giving == 0 {
			s.ours = 0 // what was not read by now was lost
		}
	}
}

// mark notes that it was stopped. The end and the stop that tell of it are one.
func (s *stop) mark(at time.Time, paused bool, now time.Time) {
	if s.paused || at.Sub(s.at) > killMoment {
		s.at, s.paused, s.read = at, paused, now
	}
}

// of is when somebody else has stopped the instance, if that is why it does not run. Zero:
// nobody has.
func (s stop) of(i inventory.Instance) time.Time {
	stopped := i.Status == inventory.Exited && !s.paused || i.Status == inventory.Paused && s.paused
	if !stopped || s.at.Before(i.StartedAt) {
		return time.Time{}
	}
	return s.at
}

// ends reports whether somebody else has sent the instance a signal that ends it a moment ago,
// and it runs so far: who stops several containers sends it to all of them first.
func (s stop) ends(i inventory.Instance, now time.Time) bool {
	return i.Status == inventory.Running && s.killed.After(i.StartedAt) && now.Sub(s.killed) < killMoment
}

// isFatal reports whether a signal is one with which people end programs: others make them
// read their files anew, or do whatever they are made for.
func isFatal(signal string) bool {
	if n, err := strconv.Atoi(signal); err == nil {
		const hangUp, user1, user2, window = 1, 10, 12, 28
		return n != hangUp && n != user1 && n != user2 && n != window
	}
	switch strings.TrimPrefix(strings.ToUpper(signal), "SIG") {
	case "HUP", "USR1", "USR2", "WINCH":
		return false
	}
	return true
}

// happened takes in an event of a container.
func (i *inv) happened(event events.Message, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.stops[event.Actor.ID]
	s.take(event, now)
	i.keepStopLocked(event.Actor.ID, s)
}

// ordering notes that Paastis itself orders a container to stop or to pause. ordered must
// follow.
func (i *inv) ordering(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.stops[id]
	s.ours, s.giving = s.ours+1, s.giving+1
	i.keepStopLocked(id, s)
}

// ordered notes how the order went: one that the engine refused has no event. Of one that it
// did not answer, one may come.
func (i *inv) ordered(id string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.stops[id]
	s.giving--
	if errors.As(err, new(refusal)) {
		s.ours = max(s.ours-1, 0)
	}
	i.keepStopLocked(id, s)
}

func (i *inv) keepStopLocked(id string, s stop) {
	if i.stops == nil {
		i.stops = map[string]stop{}
	}
	if i.stops[id] = s; s == (stop{}) {
		delete(i.stops, id)
	}
}

// doubtStops forgets who has stopped what in the last moments before the stream of events
// ended: that may have been the engine itself. It returns when the first of those stops was
// ordered, in Unix nanoseconds of the engine's clock, so that it is told of them once more if
// it was only the connection that has ended; zero: there were none.
func (i *inv) doubtStops(now time.Time) int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	var first int64
	for id, s := range i.stops {
		if !s.at.IsZero() && now.Sub(s.read) < shutdownMoment {
			if at := s.at.Add(-killMoment).UnixNano(); first == 0 || at < first {
				first = at
			}
			s.at, s.paused = time.Time{}, false
		}
		s.killed, s.ours = time.Time{}, s.giving
		i.keepStopLocked(id, s)
	}
	return first
}

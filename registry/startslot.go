package registry

import "github.com/paastis/paastis/registry/reason"

// startSlots are those that apps need to start in, where only so many may do so at once.
type startSlots struct {
	*schedule
	needs    *needWaker
	supply   *supply
	keepers  *keeperSet
	starting starting
}

// acquire reports whether an app may start now. If too many apps are on their way up
// already, it waits for its turn, and its time does not run; but apps that need each
// other start together, and nobody waits for those that are only optional.
func (s *startSlots) acquire(k *Keeper) bool {
	limit, starting := k.Definition().MaxConcurrentStarts, 0
	if limit > 0 && !s.circleStarts(k) {
		starting = s.startingNow(k.attempt.optional)
	}
	queued := limit > 0 && starting >= limit
	why := k.reason.get()
	if queued {
		why = reason.Reason{Kind: reason.Queued, Count: starting}
	}
	if queued != k.attempt.queued || !why.Equal(k.reason.get()) {
		k.attempt.queue(queued)
		k.setReason(why)
		k.notify()
	}
	return !queued
}

// starting is how many apps have been started and are not healthy yet, in one epoch: all, and
// those that are not only optional. The zero value is of none.
type starting struct {
	epoch         uint64
	all, required int
	counted       bool
}

// startingNow is how many apps have been started and are not healthy yet, with or without
// those that are only optional. One that waits for another app is none of them: else that one
// might wait for its turn until this one is healthy, and neither's time would run. It is
// counted anew when an app has changed.
func (s *startSlots) startingNow(optional bool) int {
	if !s.starting.counted || s.starting.epoch != s.supply.epoch {
		s.count()
	}
	if optional {
		return s.starting.all
	}
	return s.starting.required
}

func (s *startSlots) count() {
	s.starting = starting{epoch: s.supply.epoch, counted: true}
	for _, k := range s.keepers.stepped {
		if !s.comesUp(k) || s.needs.awaits(k) {
			continue
		}
		if s.starting.all++; !k.attempt.optional {
			s.starting.required++
		}
	}
}

// comesUp reports whether an app was started and is not healthy yet.
func (s *startSlots) comesUp(k *Keeper) bool {
	return k.state == Starting && k.attempt.startSent && k.attempt.healthyAt.IsZero()
}

// circleStarts reports whether an app of the same component is on its way up: it may not get
// healthy without this one.
func (s *startSlots) circleStarts(k *Keeper) bool {
	for m := range managed(k.Definition().Component) {
		if m != k && m.state == Starting && m.attempt.startSent {
			return true
		}
	}
	return false
}

package registry

import (
	"cmp"
	"slices"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// startSlots are those that apps need to start in, where only so many may do so at once: as many
// as an app's max_concurrent_starts allows beside it, and as its provider can start.
type startSlots struct {
	*schedule
	needs    *needWaker
	supply   *supply
	keepers  *keeperSet
	starting starting
	queue    startQueue
}

// turn is what an app waits for that could start: nothing, that fewer apps are on their way up, or
// fewer of its provider.
type turn uint8

const (
	noTurn turn = iota
	turnOfAll
	turnOfProvider
)

// acquire reports whether an app may start now. If too many apps are on their way up
// already, it waits for its turn, and its time does not run; but apps that need each
// other start together, and nobody waits for those that are only optional.
func (s *startSlots) acquire(k *Keeper) bool {
	waits, why := noTurn, k.reason.get()
	if !s.circleStarts(k) {
		waits, why = s.waits(k)
	}
	if waits != k.attempt.turn || !why.Equal(k.reason.get()) {
		k.attempt.queue(waits)
		k.setReason(why)
		k.notify()
	}
	return waits == noTurn
}

// waits says for what turn an app waits, and why; else its reason is what it was.
func (s *startSlots) waits(k *Keeper) (turn, reason.Reason) {
	all, own := s.startingNow(k)
	limit := 0
	if bounded, is := k.provider.(provider.Bounded); is {
		limit = bounded.MaxStarts()
	}
	if place := s.placeIfFull(k, turnOfProvider, own, limit); place > 0 {
		return turnOfProvider, reason.Reason{Kind: reason.Queued, Count: own, Place: place}
	}
	if place := s.placeIfFull(k, turnOfAll, all, k.Definition().MaxConcurrentStarts); place > 0 {
		return turnOfAll, reason.Reason{Kind: reason.Queued, Count: all, Place: place}
	}
	return noTurn, k.reason.get()
}

// placeIfFull is the app's place if those that start, and those whose turn comes before, are as many
// as may start at once. Zero: there is room, or the limit is zero, which is none.
func (s *startSlots) placeIfFull(k *Keeper, of turn, starting, limit int) int {
	if limit <= 0 {
		return 0
	}
	if place := s.place(k, of); starting+place-1 >= limit {
		return place
	}
	return 0
}

// starting is how many apps have been started and are not healthy yet, in one epoch: all, and
// those that are not only optional; of all providers, and of each. The zero value is of none.
type starting struct {
	epoch      uint64
	counted    bool
	all        started
	byProvider map[provider.Provider]started
}

type started struct{ all, required int }

// startingNow is how many apps have been started and are not healthy yet, of all providers and of
// the app's, with or without those that are only optional. One that waits for another app is none
// of them: else that one might wait for its turn until this one is healthy, and neither's time
// would run. It is counted anew when an app has changed.
func (s *startSlots) startingNow(k *Keeper) (all, own int) {
	if !s.starting.counted || s.starting.epoch != s.supply.epoch {
		s.count()
	}
	of := s.starting.byProvider[k.provider]
	if k.attempt.optional {
		return s.starting.all.all, of.all
	}
	return s.starting.all.required, of.required
}

func (s *startSlots) count() {
	s.starting = starting{epoch: s.supply.epoch, counted: true, byProvider: map[provider.Provider]started{}}
	for _, k := range s.keepers.stepped {
		if !s.comesUp(k) || s.needs.awaits(k) {
			continue
		}
		s.starting.all = s.starting.all.with(k)
		s.starting.byProvider[k.provider] = s.starting.byProvider[k.provider].with(k)
	}
}

// with is one more.
func (n started) with(k *Keeper) started {
	n.all++
	if !k.attempt.optional {
		n.required++
	}
	return n
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

// startQueue is who waits for a turn, in one epoch: whose wake began first comes first.
type startQueue struct {
	epoch   uint64
	counted bool
	places  map[*Keeper]int // from 1 on
	waiting []*Keeper
}

// place is the app's place among those that wait for the same turn, from 1 on, also if it has only
// just come.
func (s *startSlots) place(k *Keeper, of turn) int {
	if !s.queue.counted || s.queue.epoch != s.supply.epoch {
		s.line()
	}
	if place := s.queue.places[k]; place > 0 && k.attempt.turn == of {
		return place
	}
	place := 1
	for _, o := range s.queue.waiting {
		if s.sameTurn(o, k, of) && comesBefore(o, k) < 0 {
			place++
		}
	}
	return place
}

// line finds who waits, and who of them comes before whom.
func (s *startSlots) line() {
	s.queue = startQueue{epoch: s.supply.epoch, counted: true, places: map[*Keeper]int{}}
	for _, k := range s.keepers.stepped {
		if k.state == Starting && k.attempt.turn != noTurn && !k.attempt.startSent && !k.app.Alive() && s.needs.mayStart(k) {
			s.queue.waiting = append(s.queue.waiting, k)
		}
	}
	slices.SortFunc(s.queue.waiting, comesBefore)
	ofAll, ofProvider := 0, map[provider.Provider]int{}
	for _, k := range s.queue.waiting {
		if k.attempt.turn == turnOfAll {
			ofAll++
			s.queue.places[k] = ofAll
			continue
		}
		ofProvider[k.provider]++
		s.queue.places[k] = ofProvider[k.provider]
	}
}

// sameTurn reports whether an app waits for the turn that another one would wait for.
func (s *startSlots) sameTurn(o, k *Keeper, of turn) bool {
	return o != k && o.attempt.turn == of && (of == turnOfAll || o.provider == k.provider)
}

// comesBefore orders apps by when their wake began.
func comesBefore(a, b *Keeper) int {
	return cmp.Or(a.attempt.wakeBegan.Compare(b.attempt.wakeBegan), cmp.Compare(a.Name(), b.Name()))
}

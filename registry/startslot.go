package registry

import "github.com/paastis/paastis/registry/reason"

// acquireStartSlot reports whether an app may start now. If too many apps are on their way up
// already, it waits for its turn, and its time does not run; but apps that need each
// other start together, and nobody waits for those that are only optional.
func (p *pass) acquireStartSlot(k *Keeper) bool {
	limit, starting := k.Entry().MaxConcurrentStarts, 0
	if limit > 0 && !p.circleStarts(k) {
		starting = p.startingNow(k.attempt.optional)
	}
	queued := limit > 0 && starting >= limit
	why := k.reason.get()
	if queued {
		why = reason.Reason{Kind: reason.Queued, Count: starting}
	}
	if queued != k.attempt.queued || !why.Equal(k.reason.get()) {
		k.attempt.queue(queued)
		k.explain(why)
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
func (p *pass) startingNow(optional bool) int {
	if !p.starting.counted || p.starting.epoch != p.reg.supply.epoch {
		p.countStarting()
	}
	if optional {
		return p.starting.all
	}
	return p.starting.required
}

func (p *pass) countStarting() {
	p.starting = starting{epoch: p.reg.supply.epoch, counted: true}
	for _, k := range p.reg.keepers.moving {
		if !k.comesUp() || p.awaits(k) {
			continue
		}
		if p.starting.all++; !k.attempt.optional {
			p.starting.required++
		}
	}
}

func (k *Keeper) comesUp() bool {
	return k.state == Starting && k.attempt.ordered && k.attempt.healthyAt.IsZero()
}

// circleStarts tells that an app of the same component is on its way up: it may not get
// healthy without this one.
func (p *pass) circleStarts(k *Keeper) bool {
	for m := range managed(k.Entry().Component) {
		if m != k && m.state == Starting && m.attempt.ordered {
			return true
		}
	}
	return false
}

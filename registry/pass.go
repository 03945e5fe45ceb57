package registry

import "time"

// mostChanges is how often an app may change in one pass: more is a fault of ours, which must
// not take the process. Its way from asleep to ready takes four.
const mostChanges = 16

// stuckPause is when an app is stepped again that has changed too often in one pass.
const stuckPause = time.Second

// pass is one go over all apps, under the lock: it takes each as far as it can go now.
type pass struct {
	*schedule
	needs    *needWaker
	slots    *startSlots
	handover *handOvers
	descent  *descent
	prober   *prober
	orders   *orders
}

// newPass makes a pass in which nothing has changed so far. It is called with r.mu held.
func newPass(r *Registry, now time.Time) *pass {
	s := &schedule{core: r.core, supply: &r.supply, transitions: r.transitions, now: now, next: now.Add(time.Hour), changed: true, changes: map[*Keeper]int{}}
	p := &pass{schedule: s, prober: r.prober, orders: r.orders}
	p.needs = &needWaker{schedule: s, supply: &r.supply, transitions: r.transitions}
	p.slots = &startSlots{schedule: s, needs: p.needs, supply: &r.supply, keepers: &r.keepers}
	p.handover = &handOvers{
		schedule: s, inForce: &r.inForce, traefik: r.traefik, publisher: r.publisher, prober: r.prober,
		transitions: r.transitions, tasks: &r.tasks,
	}
	p.descent = &descent{
		schedule: s, summaries: newSummaries(now, &r.supply, r.publisher, &r.contacts), handover: p.handover, publisher: r.publisher,
		transitions: r.transitions, orders: r.orders, sampler: r.sampler, prober: r.prober, control: r.control,
	}
	return p
}

// begin begins another go over the apps, some of which have changed.
func (p *pass) begin() {
	p.settle()
	p.descent.summaries.forgetUse()
}

// step takes an app one step.
func (p *pass) step(k *Keeper) {
	if !k.Definition().Managed {
		return
	}
	switch k.state {
	case Asleep:
		p.needs.awaitWindow(k)
	case Starting:
		p.stepStarting(k)
	case Ready:
		if !p.descent.failOverdue(k) {
			p.descent.stepReady(k)
		}
	case Failed:
		p.needs.awaitWindow(k)
		p.descent.stepReady(k)
	case Draining:
		p.descent.stepDraining(k)
	}
}

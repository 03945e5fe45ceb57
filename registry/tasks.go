package registry

import (
	"context"
	"sync"
)

// tasks is what runs beside the passes: decided with the lock held, begun and done without it.
type tasks struct {
	*core
	todo    []routine      // decided so far; guarded by the lock
	probes  []routine      // the same, of probes
	running sync.WaitGroup // what was begun
}

// routine is work that takes time. It obeys its context and comes back by itself.
type routine func(ctx context.Context)

// task is something of one app that takes time: an order to its provider, a probe, a proof.
type task struct {
	// alone reports whether the app is busy with it: no other such task begins meanwhile.
	alone bool
	// probe reports whether it begins as soon as apps are known, before they are followed.
	probe bool
	// current reports, with r.mu held, whether what the task finds still says something. Nil:
	// as long as the app is there.
	current func() bool
	// work does it, without the lock, and obeys its context. What it returns is called with
	// r.mu held, if the task is current then. Nil: nothing is to be taken in.
	work func(ctx context.Context) (done func())
}

// doLocked has a task done beside the passes, which go on once it is over. It is called with r.mu
// held, and does not block.
func (q *tasks) doLocked(k *Keeper, t task) {
	k.setBusy(k.busy || t.alone)
	begin := func(ctx context.Context) {
		done := t.work(ctx)
		q.mu.Lock()
		defer q.unlock()
		if t.alone {
			k.setBusy(false)
		}
		if done != nil && !k.removal.gone && (t.current == nil || t.current()) {
			done()
		}
		q.nudge()
	}
	if t.probe {
		q.probes = append(q.probes, begin)
	} else {
		q.todo = append(q.todo, begin)
	}
}

// addLocked has a routine done that is of no app. It is called with r.mu held.
func (q *tasks) addLocked(t routine) {
	q.todo = append(q.todo, t)
	q.nudge()
}

// begin begins what is to be done. It is called without the lock.
func (q *tasks) begin(ctx context.Context) {
	q.mu.Lock()
	todo := q.todo
	q.todo = nil
	q.mu.Unlock()
	for _, t := range todo {
		q.running.Go(func() { t(ctx) })
	}
	q.beginProbes(ctx)
}

// beginProbes begins probes, and nothing else.
func (q *tasks) beginProbes(ctx context.Context) {
	q.mu.Lock()
	probes := q.probes
	q.probes = nil
	q.mu.Unlock()
	for _, t := range probes {
		q.running.Go(func() { t(ctx) })
	}
}

// still reports whether a task that goes on is current. It is called without the lock.
func (q *tasks) still(current func() bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return current()
}

// during is what reports, with r.mu held, whether an app is in the attempt in which it is now:
// that no other wake has begun, and that nothing has started it again on its way up.
func (k *Keeper) during() func() bool {
	number := k.attempt.number
	return func() bool { return k.attempt.number == number }
}

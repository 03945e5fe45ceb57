package registry

import (
	"context"
	"sync"
)

// jobs is what runs beside the passes: decided with the lock held, begun and done without it.
type jobs struct {
	*core
	todo    []task         // decided so far; guarded by the lock
	probes  []task         // the same, of probes
	running sync.WaitGroup // what was begun
}

// task is work that takes time. It obeys its context and comes back by itself.
type task func(ctx context.Context)

// job is something of one app that takes time: an order to its provider, a probe, a proof.
type job struct {
	// alone tells that the app is busy with it: no other such job begins meanwhile.
	alone bool
	// probe tells that it begins as soon as apps are known, before they are followed.
	probe bool
	// current reports, with r.mu held, whether what the job finds still says something. Nil:
	// as long as the app is there.
	current func() bool
	// work does it, without the lock, and obeys its context. What it returns is called with
	// r.mu held, if the job is current then. Nil: nothing is to be taken in.
	work func(ctx context.Context) (done func())
}

// doLocked has a job done beside the passes, which go on once it is over. It is called with r.mu
// held, and does not block.
func (q *jobs) doLocked(k *Keeper, j job) {
	k.setBusy(k.busy || j.alone)
	begin := func(ctx context.Context) {
		done := j.work(ctx)
		q.mu.Lock()
		defer q.unlock()
		if j.alone {
			k.setBusy(false)
		}
		if done != nil && !k.removal.gone && (j.current == nil || j.current()) {
			done()
		}
		q.nudge()
	}
	if j.probe {
		q.probes = append(q.probes, begin)
	} else {
		q.todo = append(q.todo, begin)
	}
}

// addLocked has a task done that is of no app. It is called with r.mu held.
func (q *jobs) addLocked(t task) {
	q.todo = append(q.todo, t)
	q.nudge()
}

// begin begins what is to be done. It is called without the lock.
func (q *jobs) begin(ctx context.Context) {
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
func (q *jobs) beginProbes(ctx context.Context) {
	q.mu.Lock()
	probes := q.probes
	q.probes = nil
	q.mu.Unlock()
	for _, t := range probes {
		q.running.Go(func() { t(ctx) })
	}
}

// still reports whether a job that goes on is current. It is called without the lock.
func (q *jobs) still(current func() bool) bool {
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

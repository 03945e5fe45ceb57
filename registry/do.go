package registry

import "context"

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

// do has a job done beside the passes, which go on once it is over. It is called with r.mu
// held, and does not block.
func (r *Registry) do(k *Keeper, j job) {
	k.busy = k.busy || j.alone
	begin := func(ctx context.Context) {
		done := j.work(ctx)
		r.mu.Lock()
		defer r.unlock()
		if j.alone {
			k.busy = false
		}
		if done != nil && !k.removal.gone && (j.current == nil || j.current()) {
			done()
		}
		r.wakeLoop()
	}
	if j.probe {
		r.probes = append(r.probes, begin)
	} else {
		r.todo = append(r.todo, begin)
	}
}

// still reports whether a job that goes on is current. It is called without the lock.
func (r *Registry) still(current func() bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return current()
}

// during is what reports, with r.mu held, whether an app is in the attempt in which it is now:
// that no other wake has begun, and that nothing has started it again on its way up.
func (k *Keeper) during() func() bool {
	number := k.attempt.number
	return func() bool { return k.attempt.number == number }
}

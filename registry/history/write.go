package history

import (
	"context"
	"time"
)

// write is one write to the store, which all share who ask for it before it begins: what is
// saved is taken after that, and so is what they want to be kept.
//
//	Save ─┐                                   ┌─▶ nil, or the error of the write
//	Save ─┼─▶ next, until the one before ends ┼─▶ the same
//	Save ─┘   then take, then the store       └─▶ the same
type write struct {
	done chan struct{} // closed once it is over
	// err is why it failed; nil: it did not. cut tells that the one who did it was to stop
	// meanwhile, which is no fault of the store's. Not to be read before it is over.
	err error
	cut bool
}

// Save saves what take returns, or has it saved by somebody who asks for the same at the same
// time: it returns once what there was when it was called is in the store, or is not, and why.
// That it fails is logged once. It blocks for the store, for a write before, and until ctx ends.
// All callers must give the same take, which is not called with a lock of the archive held.
func (a *Archive) Save(ctx context.Context, take func(now time.Time) State) error {
	for {
		w, first := a.join()
		if first {
			a.perform(ctx, w, take)
			return w.err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.done:
		}
		if !w.cut {
			return w.err
		}
	}
}

// join is the next write, and whether the caller is the first who waits for it: he does it.
func (a *Archive) join() (w *write, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next != nil {
		return a.next, false
	}
	a.next = &write{done: make(chan struct{})}
	return a.next, true
}

// perform does the next write once the one before it is over.
func (a *Archive) perform(ctx context.Context, w *write, take func(now time.Time) State) {
	defer close(w.done)
	select {
	case a.writing <- struct{}{}:
		defer func() { <-a.writing }()
		a.beginWrite()
		w.err = a.store.Save(ctx, take(time.Now()))
		a.noteWrite(w.err)
	case <-ctx.Done():
		a.beginWrite()
		w.err = ctx.Err()
	}
	w.cut = w.err != nil && ctx.Err() != nil
}

// beginWrite lets whoever asks from now on wait for the write after this one.
func (a *Archive) beginWrite() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = nil
}

// noteWrite takes in how a write went; a.writing is held.
func (a *Archive) noteWrite(err error) {
	if err != nil {
		a.MarkUnsaved()
		if !a.failing {
			a.log.Warn("what is known of the apps is not saved", "error", err)
		}
	}
	a.failing = err != nil
}

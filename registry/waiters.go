package registry

// waiters are those who wait for a change of an app that people could see.
type waiters struct {
	changed chan struct{} // closed at the next change; nil: nobody waits
}

// notify wakes all who wait for a change.
func (w *waiters) notify() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// next is closed at the next change.
func (w *waiters) next() <-chan struct{} {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

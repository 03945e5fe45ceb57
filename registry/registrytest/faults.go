package registrytest

import (
	"sync"
	"time"
)

// Faults are what a Provider suffers from; a test switches them on, and those that it may
// suffer from for a while off again.
type Faults struct {
	dropped chan error // why a Watch ends

	mu     sync.Mutex
	silent bool          // nothing that happens is told
	ahead  time.Duration // by which its clock is
	down   error         // that it answers with; nil: it is there
	lost   chan struct{} // closed when it does not answer any more
}

func newFaults() Faults { return Faults{dropped: make(chan error), lost: make(chan struct{})} }

// LoseEvents lets nobody hear what happens from now on, unless he asks.
func (f *Faults) LoseEvents() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = true
}

// Skew puts the clock forward, or back, by which it tells when something started.
func (f *Faults) Skew(by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead += by
}

// Lose lets the provider answer no more.
func (f *Faults) Lose() { f.fail(errLost) }

// Answer ends what Lose or Fail began.
func (f *Faults) Answer() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down, f.lost = nil, make(chan struct{})
}

// Drop ends the Watch with an error, and reports whether there is one.
func (f *Faults) Drop(err error) bool {
	select {
	case f.dropped <- err:
		return true
	default:
		return false
	}
}

// fail lets it answer with an error.
func (f *Faults) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
	close(f.lost)
}

// failure is what it answers with; nil: it is there.
func (f *Faults) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

// loss is closed when it does not answer any more.
func (f *Faults) loss() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// isSilent reports whether nothing that happens is told.
func (f *Faults) isSilent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.silent
}

// now is what its clock says.
func (f *Faults) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

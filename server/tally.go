package server

import "sync"

// tally counts what is under way. Other than a sync.WaitGroup it lets who waits do
// something else meanwhile, and things begin while somebody waits.
type tally struct {
	mu    sync.Mutex
	n     int
	ended chan struct{} // closed when n is 0
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n++; t.n == 1 {
		t.ended = make(chan struct{})
	}
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 {
		close(t.ended)
	}
}

// none is closed when nothing is under way.
func (t *tally) none() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return t.ended
}

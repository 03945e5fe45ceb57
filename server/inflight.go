package server

import "sync"

// inFlight counts what is under way. Other than a sync.WaitGroup it lets who waits do
// something else meanwhile, and things begin while somebody waits.
type inFlight struct {
	mu    sync.Mutex
	n     int
	ended chan struct{} // closed when n is 0
}

func (t *inFlight) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n++; t.n == 1 {
		t.ended = make(chan struct{})
	}
}

func (t *inFlight) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 {
		close(t.ended)
	}
}

// none is closed when nothing is under way.
func (t *inFlight) none() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return t.ended
}

package heroku

import (
	"sync"
	"time"
)

const (
	// captureFor is for how long what Capture has seen need not be asked for again: the order to stop
	// comes right after it.
	captureFor = 30 * time.Second
	// stopWithin is for how long an order to stop may be given anew after what Capture has seen.
	stopWithin = 15 * time.Minute
)

// captures are what Capture has seen of apps that were not started since. Its methods may be called
// concurrently.
type captures struct {
	mu sync.Mutex
	of map[string]capture // by the id of the app
}

// capture is what Capture has seen of an app.
type capture struct {
	formation formation
	at        time.Time
	taken     bool // by an order to stop
}

func newCaptures() *captures { return &captures{of: map[string]capture{}} }

// note notes what Capture has seen.
func (c *captures) note(id string, f formation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[id] = capture{formation: f, at: time.Now()}
}

// take is what Capture has seen a moment ago, once. False: nothing.
func (c *captures) take(id string) (formation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, ok := c.of[id]
	if !ok || seen.taken {
		return nil, false
	}
	seen.taken = true
	c.of[id] = seen
	return seen.formation, time.Since(seen.at) < captureFor
}

// wasScaled reports whether somebody has scaled an app since Capture has seen it, which is to be
// stopped: it would not come back so.
func (c *captures) wasScaled(id string, now formation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.of[id]
	return seen.taken && time.Since(seen.at) < stopWithin && len(now.running()) > 0 && !now.isSameAs(seen.formation)
}

// drop forgets what was seen of an app.
func (c *captures) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}

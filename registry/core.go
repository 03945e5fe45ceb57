package registry

import (
	"log/slog"
	"sync"
)

// core is what all parts of a registry share: the lock that guards the apps, what is said
// while it is held, and the word by which Run moves them.
type core struct {
	mu      sync.Mutex
	journal journal
	nudged  chan struct{} // something happened: move the apps
}

func newCore(log *slog.Logger) *core {
	return &core{journal: journal{log: log}, nudged: make(chan struct{}, 1)}
}

// unlock releases the lock, and then writes what was said with it held.
func (c *core) unlock() {
	c.mu.Unlock()
	c.journal.write()
}

// nudge lets Run move the apps. It never blocks.
func (c *core) nudge() { signal(c.nudged) }

package heroku

import (
	"sync"
	"time"
)

const (
	// thirdOfAll and thirdPerMinute are a third of the calls that an account has, and of what it
	// gets back each minute.
	thirdOfAll     = 1500
	thirdPerMinute = 25
)

// budget is what looks may cost that nobody waits for: a third of the account's quota.
type budget struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

func newBudget(now time.Time) *budget { return &budget{left: thirdOfAll, at: now} }

// most is how many looks it bears now.
func (b *budget) most(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+thirdPerMinute*now.Sub(b.at).Minutes(), thirdOfAll)
	b.at = now
	return int(max(b.left, 0))
}

// take takes so many.
func (b *budget) take(looks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left -= float64(looks)
}

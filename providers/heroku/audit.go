package heroku

import (
	"context"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
)

const (
	// auditPause is the time between two looks of an audit: 20 a minute, of the 25 that are a third
	// of what an account gets back.
	auditPause = 3 * time.Second
	// freshFor is how old a look is at least when an audit makes another.
	freshFor = 30 * time.Second
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

// audit looks at one app after another, that which was looked at the longest ago first, until ctx
// ends.
func (p *Provider) audit(ctx context.Context) error {
	ctx = paas.With(ctx, paas.Audit)
	for {
		if err := wait(ctx, auditPause); err != nil {
			return err
		}
		now := time.Now()
		id := p.records.due(now.Add(-freshFor))
		if id == "" || p.budget.most(now) == 0 {
			continue
		}
		p.budget.take(1)
		_, _ = p.look(ctx, id) // what is wrong with it is told by its record, or by the listing
	}
}

package heroku

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// bootPause is the time between two looks at an app that is on its way up.
	bootPause = 5 * time.Second
	// usualBoot is for how long it is looked at so often; then it is each slowPause.
	usualBoot = 2 * time.Minute
	slowPause = 20 * time.Second
	// firstLooks bounds the looks at all apps at once, and abreast is how many are made at a time.
	firstLooks = 20 * time.Second
	abreast    = 8
	// auditPause is the time between two looks of an audit: 20 a minute, of the 25 that are a third
	// of what an account gets back.
	auditPause = 3 * time.Second
	// freshFor is how old a look is at least when an audit makes another.
	freshFor = 30 * time.Second
)

// lookout looks at the dynos of apps, and has their records take in what it sees. Its methods may
// be called concurrently.
type lookout struct {
	api     *api
	records *records
	budget  *budget
}

// followStarts looks at the apps that are on their way up, until ctx ends. That one cannot be
// looked at is no matter: it is the next time.
func (l *lookout) followStarts(ctx context.Context) error {
	for {
		if err := wait(ctx, bootPause); err != nil {
			return err
		}
		l.records.each((*record).giveUp)
		_, _ = l.at(paas.With(ctx, paas.Starting), l.records.which((*record).isAwaited))
	}
}

// atAll looks at some apps at once, as far as a third of the quota bears it, and for no longer
// than firstLooks. It is an error only if the platform cannot be reached at all.
func (l *lookout) atAll(ctx context.Context, ids []string) error {
	within, cancel := context.WithTimeout(paas.With(ctx, paas.Listing), firstLooks)
	defer cancel()
	ids = ids[:min(len(ids), l.budget.most(time.Now()))]
	l.budget.take(len(ids))
	seen, err := l.at(within, ids)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case seen == 0 && within.Err() == nil && isUnreachable(err):
		return err
	default:
		return nil
	}
}

// at looks at some apps, and returns of how many it has seen the dynos, and the last error.
func (l *lookout) at(ctx context.Context, ids []string) (seen int, last error) {
	var mu sync.Mutex
	looks := errgroup.Group{}
	looks.SetLimit(abreast)
	for _, id := range ids {
		looks.Go(func() error {
			_, err := l.look(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				last = err
			} else {
				seen++
			}
			return nil
		})
	}
	_ = looks.Wait() // none returns an error
	return seen, last
}

// look looks at the dynos of an app, and at its formation if they contradict what is known.
func (l *lookout) look(ctx context.Context, id string) ([]dyno, error) {
	begun := l.records.tick()
	dynos, err := l.api.dynos(ctx, id)
	if err == nil && l.records.saw(id, dynos, begun) {
		var f formation
		if f, err = l.api.formation(ctx, id); err == nil {
			l.records.sawFormation(id, dynos, f, begun)
		}
	}
	switch {
	case err == nil:
		return dynos, nil
	case isGone(err):
		l.records.forget(id)
	case isBarred(err):
		l.records.bar(id, err)
	case errors.Is(err, paas.ErrForm):
		l.records.fault(id, err)
	}
	return nil, fmt.Errorf("heroku: look at the dynos of an app: %w", err)
}

// isBarred reports whether Heroku lets the account not see the dynos of this app.
func isBarred(err error) bool {
	kind := reason.Of(err).Kind
	return paas.HasStatus(err, 402, 403) && kind != reason.TokenExpired && kind != reason.TokenRefused
}

// audit looks at one app after another, that which was looked at the longest ago first, until ctx
// ends.
func (l *lookout) audit(ctx context.Context) error {
	ctx = paas.With(ctx, paas.Audit)
	for {
		if err := wait(ctx, auditPause); err != nil {
			return err
		}
		now := time.Now()
		id := l.records.due(now.Add(-freshFor))
		if id == "" || l.budget.most(now) == 0 {
			continue
		}
		l.budget.take(1)
		_, _ = l.look(ctx, id) // what is wrong with it is told by its record, or by the listing
	}
}

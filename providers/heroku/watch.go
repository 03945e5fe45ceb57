package heroku

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// listPause is the time between two listings of a watch.
	listPause = time.Minute
	// bootPause is the time between two looks at an app that is on its way up.
	bootPause = 5 * time.Second
	// usualBoot is for how long it is looked at so often; then it is each slowPause.
	usualBoot = 2 * time.Minute
	slowPause = 20 * time.Second
	// firstLooks bounds the looks at all apps at once, and abreast is how many are made at a time.
	firstLooks = 20 * time.Second
	abreast    = 8
)

// Watch lists all apps, looks at those of which nothing is known, and reports everything. Then it
// lists each minute, looks at what is on its way up each 5 s, and at one app after another within
// a third of the quota. It ends when a listing fails.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	p.watched.Store(true)
	defer func() {
		p.watched.Store(false)
		p.records.doubt()
	}()
	if err := p.list(ctx); err != nil {
		return over(ctx, err)
	}
	if err := p.lookAtAll(ctx, p.records.unknown()); err != nil {
		return over(ctx, err)
	}
	report(p.records.all())
	all, within := errgroup.WithContext(ctx)
	all.Go(func() error { return p.listOn(within) })
	all.Go(func() error { return p.followStarts(within) })
	all.Go(func() error { return p.audit(within) })
	all.Go(func() error { return p.tell(within, report) })
	return over(ctx, all.Wait())
}

// over is what a watch ends with: nothing, if nobody wants it any more.
func over(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("heroku: list apps: %w", err)
}

// tell reports what changes, until ctx ends.
func (p *Provider) tell(ctx context.Context, report func(provider.Report)) error {
	for {
		select {
		case <-p.records.changed:
			if news, any := p.records.news(); any {
				report(news)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listOn lists again and again. It returns with the error of a listing.
func (p *Provider) listOn(ctx context.Context) error {
	for {
		if err := wait(ctx, listPause); err != nil {
			return err
		}
		if err := p.list(paas.With(ctx, paas.Listing)); err != nil {
			return err
		}
	}
}

// followStarts looks at the apps that are on their way up, until ctx ends. That one cannot be
// looked at is no matter: it is the next time.
func (p *Provider) followStarts(ctx context.Context) error {
	for {
		if err := wait(ctx, bootPause); err != nil {
			return err
		}
		p.records.giveUp()
		_, _ = p.lookAt(paas.With(ctx, paas.Starting), p.records.starting())
	}
}

// lookAtAll looks at some apps at once, as far as a third of the quota bears it, and for no longer
// than firstLooks. It is an error only if the platform cannot be reached at all.
func (p *Provider) lookAtAll(ctx context.Context, ids []string) error {
	within, cancel := context.WithTimeout(paas.With(ctx, paas.Listing), firstLooks)
	defer cancel()
	ids = ids[:min(len(ids), p.budget.most(time.Now()))]
	p.budget.take(len(ids))
	seen, err := p.lookAt(within, ids)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case seen == 0 && within.Err() == nil && isUnreachable(err):
		return err
	default:
		return nil
	}
}

// lookAt looks at some apps, and returns of how many it has seen the dynos, and the last error.
func (p *Provider) lookAt(ctx context.Context, ids []string) (seen int, last error) {
	var mu sync.Mutex
	looks := errgroup.Group{}
	looks.SetLimit(abreast)
	for _, id := range ids {
		looks.Go(func() error {
			_, err := p.look(ctx, id)
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
func (p *Provider) look(ctx context.Context, id string) ([]dyno, error) {
	begun := p.records.tick()
	dynos, err := p.api.dynos(ctx, id)
	if err == nil && p.records.saw(id, dynos, begun) {
		var f formation
		if f, err = p.api.formation(ctx, id); err == nil {
			p.records.sawFormation(id, dynos, f, begun)
		}
	}
	switch {
	case err == nil:
		return dynos, nil
	case isGone(err):
		p.records.forget(id)
	case isBarred(err):
		p.records.bar(id, err)
	case errors.Is(err, paas.ErrForm):
		p.records.fault(id, err)
	}
	return nil, fmt.Errorf("heroku: look at the dynos of an app: %w", err)
}

// isBarred reports whether Heroku lets the account not see the dynos of this app.
func isBarred(err error) bool {
	kind := reason.Of(err).Kind
	return paas.HasStatus(err, 402, 403) && kind != reason.TokenExpired && kind != reason.TokenRefused
}

// wait returns after the time, or with the error of ctx if it ends before.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

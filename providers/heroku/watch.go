package heroku

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

// listPause is the time between two listings of a watch.
const listPause = time.Minute

// Watch lists all apps, looks at those of which nothing is known, and reports everything. Then it
// lists each minute, looks at what is on its way up each 5 s, and at one app after another within
// a third of the quota. It ends when a listing fails.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	p.watched.Store(true)
	defer func() {
		p.watched.Store(false)
		p.records.each((*record).doubt)
	}()
	if err := p.list(ctx); err != nil {
		return over(ctx, err)
	}
	if err := p.lookout.atAll(ctx, p.records.which((*record).isUnknown)); err != nil {
		return over(ctx, err)
	}
	report(p.records.all())
	all, within := errgroup.WithContext(ctx)
	all.Go(func() error { return p.listOn(within) })
	all.Go(func() error { return p.lookout.followStarts(within) })
	all.Go(func() error { return p.lookout.audit(within) })
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

package scalingo

import (
	"context"
	"fmt"
	"time"
)

// lister lists the apps, which the fleet takes in: a look. It may be used by several at once.
type lister struct {
	account *account
	fleet   *fleet
}

// look looks at all apps of all regions.
func (l *lister) look(ctx context.Context) error {
	regions, err := l.account.allRegions(ctx)
	if err != nil {
		return err
	}
	for _, r := range regions {
		if err := l.lookAt(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// lookAt looks at all apps of a region.
func (l *lister) lookAt(ctx context.Context, r *region) error {
	version := l.fleet.next()
	found, err := r.apps(ctx)
	if err != nil {
		return fmt.Errorf("list the apps of %s: %w", r.name, err)
	}
	l.fleet.take(r, version, found)
	return nil
}

// lookSince looks at a region unless that was done no longer ago than that.
func (l *lister) lookSince(ctx context.Context, r *region, age time.Duration) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if time.Since(l.fleet.lookedAt(r)) < age {
		return nil
	}
	return l.lookAt(ctx, r)
}

// fresh is an app as a look has found it that began no longer ago than that. Of several that need
// one, one looks.
func (l *lister) fresh(ctx context.Context, name string, age time.Duration) (*known, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	regions, err := l.account.allRegions(ctx)
	if err != nil {
		return nil, err
	}
	k := l.fleet.named(name)
	for _, r := range regions {
		if k == nil || k.region == r {
			if err := l.lookSince(ctx, r, age); err != nil {
				return nil, err
			}
		}
	}
	if k = l.fleet.named(name); k == nil {
		return nil, errUnknownApp
	}
	return k, nil
}

// known is an app as it was last seen, whenever that was.
func (l *lister) known(ctx context.Context, name string) (*known, error) {
	if k := l.fleet.named(name); k != nil && ctx.Err() == nil {
		return k, nil
	}
	return l.fresh(ctx, name, freshFor)
}

package registry

import (
	"context"
	"errors"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// stopLimit bounds a stop that its provider never ends.
const stopLimit = 10 * time.Minute

// stopOrder is the order to stop an app. It is not given up while its provider cannot be reached:
// whether it is carried out is not known, and who would be let in might find nothing. Once the
// provider answers again
//
//	it has stopped                     that was it
//	it runs as it did                  it is told once more
//	it has been started again since    somebody wants it to run
type stopOrder struct {
	*orders
	k        *Keeper
	name     string
	method   rules.StopMethod
	captures provider.Resumer // that keeps before how the app is to come back; nil: none does
	before   *inventory.App   // as it was when this was ordered
}

// stop has the app's provider stop it, once it is kept how it is to come back. One that is stopped
// only to be started again is not merely paused.
func (o *orders) stop(k *Keeper) {
	s := &stopOrder{orders: o, k: k, name: k.app.Name, method: k.Definition().StopMethod, captures: k.captures(), before: k.app}
	if !k.attempt.restartReason.isZero() {
		s.method = rules.StopContainer
	}
	o.tasks.doLocked(k, task{alone: true, work: func(ctx context.Context) func() {
		app, err := s.carryOut(ctx)
		return func() { s.done(app, err, time.Now()) }
	}})
}

// carryOut gives the order, again if need be, and blocks until its outcome is known or ctx ends.
func (s *stopOrder) carryOut(ctx context.Context) (inventory.App, error) {
	if err := s.prepare(ctx); err != nil {
		return inventory.App{}, err
	}
	for again := false; ; again = true {
		app, err := s.give(ctx)
		if !errors.Is(err, provider.ErrUnreachable) || ctx.Err() != nil {
			return app, err
		}
		back := errors.Is(err, errBroken) || s.contacts.awaitBack(ctx, s.k.provider)
		if again && !back || ctx.Err() != nil || s.isOver() {
			return app, err
		}
	}
}

// prepare keeps how the app is to come back. Until that is kept nothing is to be stopped, so it is
// given up while the provider cannot be reached.
func (s *stopOrder) prepare(ctx context.Context) error {
	if s.captures == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	_, err := s.contacts.order(ctx, s.k.provider, func(ctx context.Context) (inventory.App, error) {
		return inventory.App{}, s.capture(ctx, s.k, s.captures, s.name)
	})
	return err
}

// give gives the order once.
func (s *stopOrder) give(ctx context.Context) (inventory.App, error) {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	return s.contacts.insist(ctx, s.k.provider, func(ctx context.Context) (inventory.App, error) {
		return s.k.provider.Stop(ctx, s.name, s.method)
	})
}

// isOver reports whether there is nothing left to stop, by what the app's provider has said since.
func (s *stopOrder) isOver() bool {
	s.mu.Lock()
	defer s.unlock()
	return s.k.removal.gone || !s.k.app.Alive() || s.startedSince()
}

// startedSince reports whether somebody has started the app after this was ordered. It is called
// with r.mu held.
func (s *stopOrder) startedSince() bool {
	return s.before.Up() && s.k.app.Alive() && !inventory.RanThrough(s.before, s.k.app)
}

// done takes in how the stop went. It is called with r.mu held.
func (s *stopOrder) done(app inventory.App, err error, now time.Time) {
	if !errors.Is(err, provider.ErrUnreachable) || !s.startedSince() {
		s.stopped(s.k, app, err, now)
		return
	}
	s.stopped(s.k, *s.k.app, nil, now)
	if s.k.state == Asleep {
		s.intake.adoptLocked(s.k, now)
	}
}

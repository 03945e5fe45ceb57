package scalingo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// freshFor is how old a look may be that a wake goes by. If somebody has ordered another scale
	// since, that is still under way, and Scalingo takes no second order. A sleep, which its own
	// looks precede, goes by a listing.
	freshFor  = startPause
	listedFor = auditInterval + 10*time.Second
	// busyLimit is how long an order waits for another operation of the app to end.
	busyLimit = 5 * time.Minute
	// mostTries is how often an order is tried that was not taken, or not answered.
	mostTries = 5
)

// errAgain lets an order look at its app anew: what it went by does not hold any more.
var errAgain = errors.New("the app is not what it was")

// order is what is to become of an app. Up and down have in common that nothing is ordered while
// another operation is under way, and that the account's places are few.
type order struct {
	*Provider
	name string
	up   bool
	// give orders it, of an app that takes orders and is not as it should be yet. It has a place
	// until end is called, which a flight does at its end. ErrAgain: look anew.
	give func(ctx context.Context, k *known, end func()) error
}

// carryOut blocks until the order is given, or needs not be.
func (o order) carryOut(ctx context.Context) (inventory.App, error) {
	began, tries := time.Now(), 0
	for {
		k, err := o.lister.fresh(ctx, o.name, o.age())
		if err != nil {
			return inventory.App{}, err
		}
		met, wait, err := o.meets(k)
		switch {
		case err != nil, met:
			return o.report(k), err
		case wait && time.Since(began) > busyLimit:
			return o.report(k), errBusy
		case wait:
			err = o.await(ctx)
		default:
			tries++
			err = o.tryOnce(ctx, k)
		}
		switch {
		case err == nil && o.isGiven(k):
			return o.report(k), nil
		case err != nil && (tries > mostTries || !errors.Is(err, errAgain)):
			return o.report(k), o.learn(k, err)
		case err != nil:
			_ = sleep(ctx, time.Second) // fresh tells if ctx has ended
		}
	}
}

// await gives another operation of the app time to end.
func (o order) await(ctx context.Context) error {
	if err := sleep(ctx, startPause); err != nil {
		return err
	}
	o.flights.settle(ctx)
	return nil
}

// age is how old a look may be that the order goes by.
func (o order) age() time.Duration {
	if o.up {
		return freshFor
	}
	return listedFor
}

// tryOnce gives the order once there is a place, if the app is still as it was then.
func (o order) tryOnce(ctx context.Context, k *known) error {
	end, err := o.flights.enter(ctx, o.up)
	if err != nil {
		return err
	}
	if _, err := o.lister.fresh(ctx, o.name, o.age()); err != nil {
		end()
		return err
	}
	if met, wait, err := o.meets(k); met || wait || err != nil {
		end()
		return err
	}
	if err := o.give(ctx, k, end); err != nil {
		end()
		return err
	}
	return nil
}

// isGiven reports whether the app is on its way, or there.
func (o order) isGiven(k *known) bool {
	met, _, _ := o.meets(k)
	return met
}

// meets reports whether the app is as ordered, and whether it takes no order now.
func (o order) meets(k *known) (met, wait bool, err error) {
	o.fleet.mu.Lock()
	defer o.fleet.mu.Unlock()
	switch {
	case k.isUnknown():
		return false, false, unknownStatus{k.status}
	case k.flight != nil:
		return k.flight.up && o.up, !k.flight.up || !o.up, nil
	case !isSettled(k.status):
		return false, true, nil
	case !o.up:
		return k.status == isStopped || k.status == isNew, false, k.mayNot()
	case k.status == isNew:
		return false, false, errNotDeployed
	case k.status == isRunning:
		return true, false, nil
	default:
		return false, false, k.mayNot()
	}
}

// learn takes in why an order was refused, and returns that.
func (o order) learn(k *known, err error) error {
	switch {
	case isOfApp(err):
		return fmt.Errorf("%w: %w", errUnknownApp, err)
	case reason.Of(err).Kind == reason.NotAllowed:
		o.fleet.change(k, (*known).refuse)
	}
	return err
}

func (o order) report(k *known) inventory.App { return read(o.fleet, k, (*known).app) }

// sleep returns after the time, or with an error if ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package scalingo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
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
	// refusedFor is how long it is believed that the account may not scale an app.
	refusedFor = 24 * time.Hour
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
		k, err := o.fresh(ctx, o.name, o.age())
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
	if _, err := o.fresh(ctx, o.name, o.age()); err != nil {
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

// mayNot is an error if the account may not scale the app: it is not tried again and again. Called
// with the fleet's lock held.
func (k *known) mayNot() error {
	if k.refused.IsZero() || time.Since(k.refused) > refusedFor {
		return nil
	}
	return errMayNot
}

// learn takes in why an order was refused, and returns that.
func (o order) learn(k *known, err error) error {
	switch {
	case isOfApp(err):
		return fmt.Errorf("%w: %w", errUnknownApp, err)
	case reason.Of(err).Kind == reason.NotAllowed:
		o.fleet.change(k, func(k *known) { k.refused = time.Now() })
	}
	return err
}

func (o order) report(k *known) inventory.App { return read(o.fleet, k, (*known).app) }

// fresh is an app as a look has found it that began no longer ago than that. Of several that need
// one, one looks.
func (p *Provider) fresh(ctx context.Context, name string, age time.Duration) (*known, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	regions, err := p.account.allRegions(ctx)
	if err != nil {
		return nil, err
	}
	k := p.fleet.named(name)
	for _, r := range regions {
		if k == nil || k.region == r {
			if err := p.lookSince(ctx, r, age); err != nil {
				return nil, err
			}
		}
	}
	if k = p.fleet.named(name); k == nil {
		return nil, errUnknownApp
	}
	return k, nil
}

// known is an app as it was last seen, whenever that was.
func (p *Provider) known(ctx context.Context, name string) (*known, error) {
	if k := p.fleet.named(name); k != nil && ctx.Err() == nil {
		return k, nil
	}
	return p.fresh(ctx, name, freshFor)
}

// lookSince looks at a region unless that was done no longer ago than that.
func (p *Provider) lookSince(ctx context.Context, r *region, age time.Duration) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if time.Since(p.fleet.lookedAt(r)) < age {
		return nil
	}
	return p.lookAt(ctx, r)
}

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

// scaleTo orders an app to be scaled, which the flight then is, and returns the whole formation that
// is to be; nil: that is not known. What is not in the Procfile any more is left out.
func (p *Provider) scaleTo(ctx context.Context, k *known, to []part, fl *flight) ([]part, error) {
	p.tracks.order(k.id, to)
	operation, parts, err := k.region.scale(ctx, k.name(), to)
	if isOfType(err) {
		left, why := p.withoutVanished(ctx, k, to)
		if why != nil {
			return nil, fmt.Errorf("%w; and %w", err, why)
		}
		if len(left) < len(to) {
			p.tracks.refuse(k.id)
			return p.scaleTo(ctx, k, left, fl)
		}
	}
	switch {
	case err == nil:
		fl.operation = operation
		p.takeOff(k, fl, parts)
		return parts, nil
	case errors.Is(err, provider.ErrUnreachable):
		return nil, p.findOut(ctx, k, fl, err)
	default:
		p.tracks.refuse(k.id)
		return nil, p.orBusy(ctx, k, err)
	}
}

// takeOff notes that an app is being scaled.
func (p *Provider) takeOff(k *known, fl *flight, parts []part) {
	fl.began = time.Now()
	p.fleet.change(k, func(k *known) {
		k.flight, k.fault = fl, ""
		fl.since = p.fleet.version + 1
		if fl.up && runs(parts) {
			k.parts, k.partsAt = parts, time.Now()
		}
	})
}

// findOut looks what became of an order that was not answered: if it is carried out, the flight is
// that. If nothing came of it, it is tried again.
func (p *Provider) findOut(ctx context.Context, k *known, fl *flight, lost error) error {
	if p.lookAt(ctx, k.region) != nil {
		return lost
	}
	if read(p.fleet, k, func(k *known) string { return k.status }) != isScaling {
		return fmt.Errorf("%w: %w", errAgain, lost)
	}
	p.takeOff(k, fl, nil)
	return nil
}

// withoutVanished are the parts of which the app still has types.
func (p *Provider) withoutVanished(ctx context.Context, k *known, to []part) ([]part, error) {
	now, err := k.region.formation(ctx, k.name())
	if err != nil {
		return nil, err
	}
	var left, gone []part
	for _, one := range to {
		if hasType(now, one.Name) {
			left = append(left, one)
		} else {
			gone = append(gone, one)
		}
	}
	if len(gone) > 0 {
		p.log.Warn("types of containers are not in the Procfile any more; the others are scaled", "app", k.name(), "gone", told(gone), "left", told(left))
	}
	if len(left) == 0 {
		return to, nil // the refusal stands
	}
	return left, nil
}

// orBusy is the error of a refused order, or errAgain if that was because another operation of the
// app is under way.
func (p *Provider) orBusy(ctx context.Context, k *known, refused error) error {
	if !mayBeBusy(refused) || p.lookAt(paas.With(ctx, paas.Starting), k.region) != nil {
		return refused
	}
	if status := read(p.fleet, k, func(k *known) string { return k.status }); isSettled(status) {
		return refused
	}
	return errAgain
}

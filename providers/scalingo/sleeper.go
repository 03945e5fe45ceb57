package scalingo

import (
	"context"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// sleeper puts apps to sleep, and follows that to its end. It may be used by several at once.
type sleeper struct {
	lister  *lister
	scaler  *scaler
	fleet   *fleet
	flights *flights
	tracks  *tracks
}

// putToSleep scales an app to none, and follows that to its end. Types that came with a deployment
// meanwhile are scaled as well.
func (s *sleeper) putToSleep(ctx context.Context, k *known, end func()) error {
	defer end()
	parts, err := s.types(ctx, k)
	if err != nil {
		return err
	}
	s.tracks.leave(k.id, read(s.fleet, k, func(k *known) []part { return k.parts }))
	fl := &flight{end: end}
	after, err := s.scaler.scaleTo(ctx, k, toNone(parts), fl)
	if err != nil {
		return err
	}
	read(s.fleet, k, func(k *known) bool { k.descend(); return true })
	err = s.followDown(ctx, k, fl)
	s.fleet.change(k, func(k *known) { k.touchDown(err == nil) })
	if err != nil {
		return s.stayUp(ctx, k, err)
	}
	if runs(after) {
		s.fleet.change(k, (*known).stayUp)
		return errAgain
	}
	s.tracks.sleep(k.id)
	return nil
}

// stayUp turns on again what an order to stop has turned off that has failed.
func (s *sleeper) stayUp(ctx context.Context, k *known, why error) error {
	if reason.Of(why).Kind == reason.OperationFailed {
		left := s.flights.turnOn(ctx, k, read(s.fleet, k, func(k *known) []string { return k.on }))
		s.fleet.change(k, func(k *known) { k.owe(left) })
	}
	return why
}

// typesKnownFor is how long the types of an app count as known that were read before its sleep.
const typesKnownFor = time.Minute

// types are the app's types of containers.
func (s *sleeper) types(ctx context.Context, k *known) ([]part, error) {
	parts := read(s.fleet, k, func(k *known) []part {
		if time.Since(k.partsAt) > typesKnownFor {
			return nil
		}
		return k.parts
	})
	if parts != nil {
		return parts, nil
	}
	return k.region.formation(ctx, k.name())
}

// downPause is the time until it is first looked whether an app is down. It has 30 s for its end.
const downPause = 5 * time.Second

// followDown returns once an app is scaled to none, or with an error if it will not be.
func (s *sleeper) followDown(ctx context.Context, k *known, fl *flight) error {
	pause := downPause
	for {
		if time.Since(fl.began) > longestFlight {
			return errBusy
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = operationPause
		if fl.operation == "" {
			if err := s.lister.lookAt(ctx, k.region); err != nil {
				return err
			}
			if isSettled(read(s.fleet, k, func(k *known) string { return k.status })) {
				return errAgain
			}
			continue
		}
		o, err := k.region.operation(ctx, k.name(), fl.operation)
		if err != nil {
			return err
		}
		if ended, fault := o.ended(); ended && fault != "" {
			return failed{fault}
		} else if ended {
			return nil
		}
	}
}

package scalingo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

// scaler gives the orders to scale, up and down. It may be used by several at once.
type scaler struct {
	lister *lister
	fleet  *fleet
	tracks *tracks
	log    *slog.Logger
}

// scaleTo orders an app to be scaled, which the flight then is, and returns the whole formation that
// is to be; nil: that is not known. What is not in the Procfile any more is left out.
func (s *scaler) scaleTo(ctx context.Context, k *known, to []part, fl *flight) ([]part, error) {
	s.tracks.order(k.id, to)
	operation, parts, err := k.region.scale(ctx, k.name(), to)
	if isOfType(err) {
		left, why := s.withoutVanished(ctx, k, to)
		if why != nil {
			return nil, fmt.Errorf("%w; and %w", err, why)
		}
		if len(left) < len(to) {
			s.tracks.refuse(k.id)
			return s.scaleTo(ctx, k, left, fl)
		}
	}
	switch {
	case err == nil:
		fl.operation = operation
		s.takeOff(k, fl, parts)
		return parts, nil
	case errors.Is(err, provider.ErrUnreachable):
		return nil, s.findOut(ctx, k, fl, err)
	default:
		s.tracks.refuse(k.id)
		return nil, s.orBusy(ctx, k, err)
	}
}

// takeOff notes that an app is being scaled.
func (s *scaler) takeOff(k *known, fl *flight, parts []part) {
	fl.began = time.Now()
	s.fleet.change(k, func(k *known) {
		fl.since = s.fleet.version + 1
		k.takeOff(fl, parts)
	})
}

// findOut looks what became of an order that was not answered: if it is carried out, the flight is
// that. If nothing came of it, it is tried again.
func (s *scaler) findOut(ctx context.Context, k *known, fl *flight, lost error) error {
	if s.lister.lookAt(ctx, k.region) != nil {
		return lost
	}
	if read(s.fleet, k, func(k *known) string { return k.status }) != isScaling {
		return fmt.Errorf("%w: %w", errAgain, lost)
	}
	s.takeOff(k, fl, nil)
	return nil
}

// withoutVanished are the parts of which the app still has types.
func (s *scaler) withoutVanished(ctx context.Context, k *known, to []part) ([]part, error) {
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
		s.log.Warn("types of containers are not in the Procfile any more; the others are scaled", "app", k.name(), "gone", told(gone), "left", told(left))
	}
	if len(left) == 0 {
		return to, nil // the refusal stands
	}
	return left, nil
}

// orBusy is the error of a refused order, or errAgain if that was because another operation of the
// app is under way.
func (s *scaler) orBusy(ctx context.Context, k *known, refused error) error {
	if !mayBeBusy(refused) || s.lister.lookAt(paas.With(ctx, paas.Starting), k.region) != nil {
		return refused
	}
	if status := read(s.fleet, k, func(k *known) string { return k.status }); isSettled(status) {
		return refused
	}
	return errAgain
}

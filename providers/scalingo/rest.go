package scalingo

import (
	"context"
	"slices"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// Capture reads to what an app is scaled, and which of its autoscalers are on: two calls.
func (p *Provider) Capture(ctx context.Context, name string) ([]byte, error) {
	text, err := p.capture(paas.With(ctx, paas.Sleep), name)
	return text, doing("read the scale of", name, err)
}

func (p *Provider) capture(ctx context.Context, name string) ([]byte, error) {
	k, err := p.lister.known(ctx, name)
	if err != nil {
		return nil, err
	}
	parts, err := k.region.formation(ctx, k.name())
	if err != nil {
		return nil, err
	}
	if !runs(parts) {
		return nil, errNothingRuns
	}
	autoscalers, err := k.region.autoscalers(ctx, k.name())
	if err != nil {
		return nil, err
	}
	on := p.enabled(k, autoscalers)
	p.fleet.change(k, func(k *known) { k.capture(parts, on) })
	return kept{Containers: some(parts), Autoscalers: slices.Clone(on)}.write()
}

// errNothingRuns is of a capture of an app that sleeps, or is on its way there: perhaps by an order
// of Paastis's own whose answer was lost. What is kept of it stands.
var errNothingRuns error = reason.NewError(reason.PlatformBusy, "it is scaled to none already")

// enabled are the autoscalers that are on, or are to be: as soon as the app is up, or again after a
// stop that failed.
func (p *Provider) enabled(k *known, all []autoscaler) []string {
	waiting := read(p.fleet, k, func(k *known) []string {
		if k.flight == nil {
			return k.on
		}
		return k.flight.autoscalers
	})
	var ids []string
	for _, a := range all {
		if !a.Disabled || slices.Contains(waiting, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Stop scales all types of an app to 0, and blocks until that has come about. There is but one way
// to stop, whatever the method is.
func (p *Provider) Stop(ctx context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Sleep)
	o := order{Provider: p, name: name}
	o.give = p.putToSleep
	app, err := o.carryOut(ctx)
	return app, doing("stop", name, err)
}

// putToSleep scales an app to none, and follows that to its end. Types that came with a deployment
// meanwhile are scaled as well.
func (p *Provider) putToSleep(ctx context.Context, k *known, end func()) error {
	defer end()
	parts, err := p.types(ctx, k)
	if err != nil {
		return err
	}
	p.tracks.leave(k.id, read(p.fleet, k, func(k *known) []part { return k.parts }))
	fl := &flight{end: end}
	after, err := p.scaler.scaleTo(ctx, k, toNone(parts), fl)
	if err != nil {
		return err
	}
	read(p.fleet, k, func(k *known) bool { k.descend(); return true })
	err = p.followDown(ctx, k, fl)
	p.fleet.change(k, func(k *known) { k.touchDown(err == nil) })
	if err != nil {
		return p.stayUp(ctx, k, err)
	}
	if runs(after) {
		p.fleet.change(k, (*known).stayUp)
		return errAgain
	}
	p.tracks.sleep(k.id)
	return nil
}

// stayUp turns on again what an order to stop has turned off that has failed.
func (p *Provider) stayUp(ctx context.Context, k *known, why error) error {
	if reason.Of(why).Kind == reason.OperationFailed {
		left := p.flights.turnOn(ctx, k, read(p.fleet, k, func(k *known) []string { return k.on }))
		p.fleet.change(k, func(k *known) { k.owe(left) })
	}
	return why
}

// typesKnownFor is how long the types of an app count as known that were read before its sleep.
const typesKnownFor = time.Minute

// types are the app's types of containers.
func (p *Provider) types(ctx context.Context, k *known) ([]part, error) {
	parts := read(p.fleet, k, func(k *known) []part {
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
func (p *Provider) followDown(ctx context.Context, k *known, fl *flight) error {
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
			if err := p.lister.lookAt(ctx, k.region); err != nil {
				return err
			}
			if isSettled(read(p.fleet, k, func(k *known) string { return k.status })) {
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

// Formation is what the app is scaled to while it is awake: as kept, or as last seen.
func (p *Provider) Formation(name string, text []byte) []provider.Part {
	parts := p.seenParts(name)
	if was, err := readKept(text); err == nil {
		parts = was.Containers
	}
	var all []provider.Part
	for _, one := range parts {
		all = append(all, provider.Part{Type: one.Name, Size: one.Size, Amount: one.Amount})
	}
	return all
}

func (p *Provider) seenParts(name string) []part {
	k := p.fleet.named(name)
	if k == nil {
		return nil
	}
	return read(p.fleet, k, func(k *known) []part { return k.parts })
}

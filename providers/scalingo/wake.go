package scalingo

import (
	"context"
	"net/http"
	"slices"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
)

// Start scales an app that sleeps to what it was scaled to before, as its last event of that kind
// tells; one without such to one "web". An app that runs stays as it is. It blocks until Scalingo
// has taken the order, which waits if there are too many, or another operation of the app is under
// way.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	app, err := p.wake(ctx, name, nil)
	return app, doing("start", name, err)
}

// Resume is Start with what Capture returned. What somebody else has scaled the app to meanwhile
// stays: that is how it is to be.
func (p *Provider) Resume(ctx context.Context, name string, text []byte) (inventory.App, error) {
	known, err := readKept(text)
	if err != nil {
		return inventory.App{}, doing("start", name, err)
	}
	app, err := p.wake(ctx, name, &known)
	return app, doing("start", name, err)
}

// wake brings an app up. Was is what is kept of it; nil: nothing.
func (p *Provider) wake(ctx context.Context, name string, was *kept) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Wake)
	o := order{Provider: p, name: name, up: true}
	o.give = func(ctx context.Context, k *known, end func()) error {
		if read(p.fleet, k, func(k *known) string { return k.status }) == isCrashed {
			return p.restart(ctx, k, was, end)
		}
		return p.restore(ctx, k, was, end)
	}
	app, err := o.carryOut(ctx)
	if err == nil && was != nil && len(was.Autoscalers) > 0 {
		err = p.completeAutoscalers(ctx, name, was)
	}
	return app, err
}

// restore scales an app that sleeps.
func (p *Provider) restore(ctx context.Context, k *known, was *kept, end func()) error {
	to, autoscalers, err := p.lastScales.of(ctx, k, was)
	if err != nil {
		return err
	}
	_, err = p.scaler.scaleTo(ctx, k, to, &flight{up: true, autoscalers: autoscalers, end: end})
	return err
}

// restart starts an app again that has crashed so often that Scalingo gave up: it is scaled already.
func (p *Provider) restart(ctx context.Context, k *known, was *kept, end func()) error {
	operation, err := k.region.restart(ctx, k.name())
	if err != nil {
		return p.scaler.orBusy(ctx, k, err)
	}
	fl := &flight{up: true, operation: operation, end: end}
	if was != nil {
		fl.autoscalers = slices.Clone(was.Autoscalers)
	}
	p.scaler.takeOff(k, fl, nil)
	return nil
}

// completeAutoscalers turns the autoscalers on of an app that was brought back before, if it is
// scaled to what is kept: by this Paastis, or by one that ended before it had done so.
func (p *Provider) completeAutoscalers(ctx context.Context, name string, was *kept) error {
	k := p.fleet.named(name)
	if k == nil || read(p.fleet, k, func(k *known) bool { return k.flight != nil }) {
		return nil // the flight does that
	}
	now, err := k.region.formation(ctx, k.name())
	if err != nil {
		return err
	}
	if !alike(now, was.Containers) {
		p.log.Info("somebody has scaled an app meanwhile; it stays so, and its autoscalers as well", "app", k.name(), "kept", told(was.Containers), "now", told(now))
		return nil
	}
	for _, id := range was.Autoscalers {
		if err := k.region.enable(ctx, k.name(), id); err != nil && statusOf(err) != http.StatusNotFound {
			return err
		}
	}
	return nil
}

package scalingo

import (
	"context"
	"slices"

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
	on := read(p.fleet, k, func(k *known) []string { return k.enabled(autoscalers) })
	p.fleet.change(k, func(k *known) { k.capture(parts, on) })
	return kept{Containers: some(parts), Autoscalers: slices.Clone(on)}.write()
}

// errNothingRuns is of a capture of an app that sleeps, or is on its way there: perhaps by an order
// of Paastis's own whose answer was lost. What is kept of it stands.
var errNothingRuns error = reason.NewError(reason.PlatformBusy, "it is scaled to none already")

// Stop scales all types of an app to 0, and blocks until that has come about. There is but one way
// to stop, whatever the method is.
func (p *Provider) Stop(ctx context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Sleep)
	o := order{Provider: p, name: name}
	o.give = p.sleeper.putToSleep
	app, err := o.carryOut(ctx)
	return app, doing("stop", name, err)
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

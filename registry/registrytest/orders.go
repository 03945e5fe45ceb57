package registrytest

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// Start starts an app, which is healthy after its Boot. One that runs is left as it is.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	if err := p.admit(ctx, "start", name); err != nil {
		return inventory.App{}, err
	}
	return p.start(name, 0)
}

// Capture keeps how many Replicas an app has that Forgets it. Of others nothing is kept.
func (p *Provider) Capture(ctx context.Context, name string) ([]byte, error) {
	if a, err := p.played(name); err == nil && !a.Forgets {
		return nil, nil
	}
	now, err := p.order(ctx, "capture", name)
	if err = cmp.Or(err, now.CaptureErr); err != nil {
		return nil, fmt.Errorf("played: capture %q: %w", name, err)
	}
	return strconv.AppendInt(nil, int64(max(now.Replicas, 1)), 10), nil
}

// Resume starts an app with so many Replicas as Capture has kept.
func (p *Provider) Resume(ctx context.Context, name string, kept []byte) (inventory.App, error) {
	replicas, err := strconv.Atoi(string(kept))
	if err != nil {
		return inventory.App{}, fmt.Errorf("played: resume %q: read what is kept: %w", name, err)
	}
	if err := p.admit(ctx, "resume", name); err != nil {
		return inventory.App{}, err
	}
	return p.start(name, replicas)
}

// admit notes an order to start an app, and refuses it if it is to be.
func (p *Provider) admit(ctx context.Context, call, name string) error {
	began := time.Now()
	a, err := p.order(ctx, call, name)
	time.Sleep(a.Ordering)
	p.noteStart(name, began)
	if now, gone := p.played(name); err == nil && gone == nil {
		err = now.Err
	}
	if err != nil {
		time.Sleep(a.Refusal)
		return fmt.Errorf("played: %s %q: %w", call, name, err)
	}
	return nil
}

// Stop stops an app, which takes its Stopping.
func (p *Provider) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	a, err := p.order(ctx, "stop", name)
	if err != nil {
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, err)
	}
	time.Sleep(a.Stopping)
	return p.stop(name, method)
}

package clevercloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// Start deploys the commit of an app that is deployed now, unless it runs or is on its way up.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	return p.start(ctx, name, kept{})
}

// start is Start with the commit that is kept, if one is.
func (p *Provider) start(ctx context.Context, name string, k kept) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Wake)
	a, err := p.fetchApp(ctx, name)
	if err == nil {
		err = a.mayStart()
	}
	if err != nil {
		return inventory.App{}, fmt.Errorf("clevercloud: start %q: %w", name, err)
	}
	up, err := p.isUp(ctx, &a)
	if err == nil && !up {
		err = p.deploy(ctx, &a, k.commitOf(a))
	}
	if err != nil {
		return inventory.App{}, fmt.Errorf("clevercloud: start %q: %w", name, err)
	}
	p.followNow()
	return p.changed("start", name, &a, func(*app) {})
}

// changed changes an app that something was done to, and returns it as it is then.
func (p *Provider) changed(order, name string, a *app, how func(*app)) (inventory.App, error) {
	now := p.apps.change(a.id, how)
	if now.Name == "" {
		return now, fmt.Errorf("clevercloud: %s %q: %w", order, name, ErrUnknownApp) // it was deleted meanwhile
	}
	return now, nil
}

// fetchApp asks for an app as it is now.
func (p *Provider) fetchApp(ctx context.Context, name string) (app, error) {
	a, known := p.apps.find(name)
	if !known {
		if _, err := p.survey.refresh(ctx, false); err != nil {
			return app{}, err
		}
		if a, known = p.apps.find(name); !known {
			return app{}, ErrUnknownApp
		}
	}
	version := p.apps.nextVersion()
	raw, err := p.api.app(ctx, &a)
	if isMissing(err) {
		p.apps.forget(a.id)
		return app{}, ErrUnknownApp
	}
	if err != nil {
		return app{}, err
	}
	p.apps.applyApp(version, a.id, raw)
	a, known = p.apps.find(a.id)
	if !known {
		return app{}, ErrUnknownApp
	}
	return a, nil
}

// isUp reports whether an app runs, or is on its way up: then it is not to be deployed, for that
// would start it again.
func (p *Provider) isUp(ctx context.Context, a *app) (bool, error) {
	if a.unknown != "" {
		_, running, err := p.api.running(ctx, a)
		if running {
			p.apps.change(a.id, func(a *app) { a.setOutcome(true, time.Now()) })
		}
		return running, err
	}
	if a.state != wantsToBeUp {
		return a.state == shouldBeUp, nil
	}
	version := p.apps.nextVersion()
	all, err := p.api.deployments(ctx, a)
	if err != nil {
		return false, err
	}
	p.apps.applyDeployments(version, map[string]json.RawMessage{a.id: all})
	now, known := p.apps.find(a.id)
	return known && now.isRunning(), nil
}

// deploy orders a deployment. That its answer is lost does not say that it was not taken.
func (p *Provider) deploy(ctx context.Context, a *app, commit string) error {
	order, err := p.api.deploy(ctx, a, commit)
	switch {
	case err == nil, errors.Is(err, paas.ErrForm), errors.Is(err, provider.ErrUnreachable) && p.wasTaken(ctx, a):
		p.apps.change(a.id, func(a *app) { a.setOrdered(order, time.Now()) })
		return nil
	case isMissing(err):
		p.apps.forget(a.id)
		return ErrUnknownApp
	case a.neverDeployed() && !errors.Is(err, provider.ErrUnreachable):
		return refused{err, reason.NotDeployed}
	default:
		return err
	}
}

// wasTaken reports whether an order was taken whose answer is lost.
func (p *Provider) wasTaken(ctx context.Context, a *app) bool {
	raw, err := p.api.app(ctx, a)
	return err == nil && (raw.State == wantsToBeUp || raw.State == shouldBeUp)
}

const (
	// stopPause is the time between two looks whether an app is down, stopLimit how long is looked.
	stopPause = 2 * time.Second
	stopLimit = time.Minute
)

// Stop ends all instances of an app, and waits until they are gone.
func (p *Provider) Stop(ctx context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Sleep)
	a, known := p.apps.find(name)
	var err error
	if !known || !a.detailed {
		a, err = p.fetchApp(ctx, name)
	}
	if err == nil {
		err = a.mayStop()
	}
	if err == nil {
		err = p.undeploy(ctx, &a)
	}
	if err == nil {
		err = p.untilDown(ctx, &a)
	}
	if err != nil {
		return inventory.App{}, fmt.Errorf("clevercloud: stop %q: %w", name, err)
	}
	return p.changed("stop", name, &a, func(a *app) {
		a.setStopped(time.Now())
		a.stoppedAt = time.Now()
	})
}

// undeploy orders that an app ends. Of one that is down already a refusal is none.
func (p *Provider) undeploy(ctx context.Context, a *app) error {
	err := p.api.undeploy(ctx, a)
	switch {
	case err == nil, isOver(ctx, err):
		return err
	case isMissing(err):
		if _, gone := p.fetchApp(ctx, a.id); gone != nil {
			return gone
		}
		return nil
	}
	if raw, lost := p.api.app(ctx, a); lost == nil && raw.State == shouldBeDown {
		return nil
	}
	return err
}

// untilDown blocks until nothing of an app runs any more. What ends after a while all the same, as
// its state says, is not waited for.
func (p *Provider) untilDown(ctx context.Context, a *app) error {
	for until := time.Now().Add(stopLimit); time.Now().Before(until); {
		some, _, err := p.api.running(ctx, a)
		if err != nil || !some {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(stopPause):
		}
	}
	if raw, err := p.api.app(ctx, a); err != nil || raw.State == shouldBeDown {
		return err
	}
	return refused{fmt.Errorf("it still runs %s after the order", stopLimit), reason.PlatformBusy}
}

// mayStart is nil, or why an app is not to be started.
func (a *app) mayStart() error {
	switch {
	case a.lifetime == task:
		return refused{errJob, reason.PlatformJob}
	case isBlocked(a.state) != "":
		return refused{fmt.Errorf("its state is %s", a.state), isBlocked(a.state)}
	default:
		return nil
	}
}

// mayStop is nil, or why an app is not to be stopped.
func (a *app) mayStop() error {
	switch {
	case a.lifetime == task:
		return refused{errJob, reason.PlatformJob}
	case a.unknown != "":
		return refused{fmt.Errorf("its state is %s, which Paastis does not know", a.unknown), reason.UnknownState}
	default:
		return nil
	}
}

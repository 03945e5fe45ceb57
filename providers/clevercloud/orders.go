package clevercloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
		if _, err := p.refresh(ctx, false); err != nil {
			return app{}, err
		}
		if a, known = p.apps.find(name); !known {
			return app{}, ErrUnknownApp
		}
	}
	version := p.apps.nextVersion()
	var raw rawApp
	err := p.get(ctx, a.path(""), &raw)
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
		_, running, err := p.running(ctx, a)
		if running {
			p.apps.change(a.id, func(a *app) { a.setOutcome(true, time.Now()) })
		}
		return running, err
	}
	if a.state != wantsToBeUp {
		return a.state == shouldBeUp, nil
	}
	version := p.apps.nextVersion()
	var all json.RawMessage
	_, err := p.account.Call(ctx, paas.Request{Path: a.path("/deployments"), Query: lately(), Out: &all})
	if err != nil {
		return false, err
	}
	p.apps.applyDeployments(version, map[string]json.RawMessage{a.id: all})
	now, known := p.apps.find(a.id)
	return known && now.isRunning(), nil
}

// deploy orders a deployment. That its answer is lost does not say that it was not taken.
func (p *Provider) deploy(ctx context.Context, a *app, commit string) error {
	query := url.Values{}
	if commit != "" {
		query.Set("commit", commit)
	}
	var taken struct {
		ID text `json:"deploymentId"`
	}
	_, err := p.account.Call(ctx, paas.Request{Method: http.MethodPost, Path: a.path("/instances"), Query: query, Out: &taken})
	switch {
	case err == nil, errors.Is(err, paas.ErrForm), errors.Is(err, provider.ErrUnreachable) && p.wasTaken(ctx, a):
		p.apps.change(a.id, func(a *app) { a.setOrdered(string(taken.ID), time.Now()) })
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
	var raw rawApp
	return p.get(ctx, a.path(""), &raw) == nil && (raw.State == wantsToBeUp || raw.State == shouldBeUp)
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
	_, err := p.account.Call(ctx, paas.Request{Method: http.MethodDelete, Path: a.path("/instances"), Idempotent: true})
	switch {
	case err == nil, isOver(ctx, err):
		return err
	case isMissing(err):
		if _, gone := p.fetchApp(ctx, a.id); gone != nil {
			return gone
		}
		return nil
	}
	var raw rawApp
	if p.get(ctx, a.path(""), &raw) == nil && raw.State == shouldBeDown {
		return nil
	}
	return err
}

// untilDown blocks until nothing of an app runs any more. What ends after a while all the same, as
// its state says, is not waited for.
func (p *Provider) untilDown(ctx context.Context, a *app) error {
	for until := time.Now().Add(stopLimit); time.Now().Before(until); {
		some, _, err := p.running(ctx, a)
		if err != nil || !some {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(stopPause):
		}
	}
	var raw rawApp
	if err := p.get(ctx, a.path(""), &raw); err != nil || raw.State == shouldBeDown {
		return err
	}
	return refused{fmt.Errorf("it still runs %s after the order", stopLimit), reason.PlatformBusy}
}

// running reports whether an app has instances, and whether one of them serves.
func (p *Provider) running(ctx context.Context, a *app) (some, up bool, err error) {
	all, err := p.instances(ctx, a)
	for _, i := range all {
		up = up || i.State == "UP"
		some = some || i.State != "DELETED" && i.State != "GHOST"
	}
	return some, up, err
}

// instances are those of an app. Nil: it has none.
func (p *Provider) instances(ctx context.Context, a *app) ([]rawInstance, error) {
	var all []rawInstance
	err := p.get(ctx, a.path("/instances"), &all)
	if isMissing(err) {
		return nil, nil
	}
	return all, err
}

// path is where an app is in the API, and what is there.
func (a *app) path(rest string) string {
	return "/v2/organisations/" + url.PathEscape(a.owner) + "/applications/" + url.PathEscape(a.id) + rest
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

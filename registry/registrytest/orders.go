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
	p.mu.Lock()
	a := p.apps[name]
	asked := a != nil && a.Forgets
	p.mu.Unlock()
	if a != nil && !asked {
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
	p.mu.Lock()
	p.starts[name] = append(p.starts[name], began)
	if now := p.apps[name]; err == nil && now != nil {
		err = now.Err
	}
	p.mu.Unlock()
	if err != nil {
		time.Sleep(a.Refusal)
		return fmt.Errorf("played: %s %q: %w", call, name, err)
	}
	return nil
}

// start starts an app with so many replicas; 0: as many as it has.
func (p *Provider) start(name string, replicas int) (inventory.App, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.apps[name]
	switch {
	case app == nil:
		return inventory.App{}, fmt.Errorf("played: start %q: %w", name, errUnknown)
	case app.booting || app.Scaled && app.First().Status == inventory.Running:
		return p.snapshot(app), nil
	}
	app.Replicas = cmp.Or(replicas, app.Replicas)
	if app.Scaled {
		app.booting = true
		time.AfterFunc(app.Boot, func() { p.appear(app) })
		return p.snapshot(app), nil
	}
	app.resize()
	for n := range app.Instances {
		switch i := &app.Instances[n]; i.Status {
		case inventory.Running:
			continue
		case inventory.Paused:
			i.Status = inventory.Running
		default:
			*i = app.begun(n, p.now())
		}
		p.boot(app, n)
	}
	return p.snapshot(app), nil
}

// appear gives a Scaled app that was started its instances, and reports it.
func (p *Provider) appear(a *App) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.booting || p.apps[a.Name] != a {
		return // it was stopped or removed meanwhile
	}
	a.set(inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, StartedAt: p.now(), Address: a.Address})
	p.tell(a)
}

// boot lets an instance of an app come up, or end, after its Boot. Called with the lock held.
func (p *Provider) boot(a *App, n int) {
	started := a.Instances[n].StartedAt
	time.AfterFunc(a.Boot, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.apps[a.Name] != a || n >= len(a.Instances) {
			return // it was removed meanwhile
		}
		if i := &a.Instances[n]; i.Status == inventory.Running && i.StartedAt.Equal(started) {
			if a.booted(i) {
				time.AfterFunc(restartDelay, func() { p.restart(a, n) })
			}
			p.tell(a)
		}
	})
}

// restart starts an instance again that has crashed, unless somebody has stopped it meanwhile.
func (p *Provider) restart(a *App, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.apps[a.Name] != a || n >= len(a.Instances) || a.Instances[n].Status != inventory.Restarting {
		return
	}
	i := &a.Instances[n]
	i.Status, i.Health, i.StartedAt = inventory.Running, inventory.HealthStarting, p.now()
	i.Restarts++
	p.starts[a.Name] = append(p.starts[a.Name], time.Now())
	p.boot(a, n)
	p.tell(a)
}

// Stop stops an app, which takes its Stopping.
func (p *Provider) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	a, err := p.order(ctx, "stop", name)
	if err != nil {
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, err)
	}
	time.Sleep(a.Stopping)
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.apps[name]
	if app == nil { // it was removed meanwhile
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, errUnknown)
	}
	if app.StopErr != nil {
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, app.StopErr)
	}
	if app.Forgets {
		app.Replicas = 0
	}
	if method == rules.PauseContainer {
		for n := range app.Instances {
			app.Instances[n].Status = inventory.Paused
		}
	} else {
		app.set(inventory.Instance{ExitCode: 143})
	}
	p.tell(app)
	return p.snapshot(app), nil
}

package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// order is what each container of an app is told.
type order struct {
	// give tells it to one container that does not meet it yet.
	give func(ctx context.Context, instance inventory.Instance) error
	// met reports whether a container is as ordered. One that is removed is as good as
	// exited.
	met func(inventory.Status) bool
}

// Start starts all of the app's containers that do not run, and unfreezes those that
// are paused, in parallel. The app that it returns is the result of a look after that.
// If some were refused, it returns the app as well as an error that names them with
// the engine's reason. ErrUnknownApp if the app does not exist.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	app, err := p.carryOut(ctx, name, order{
		give: p.control.start,
		met:  func(s inventory.Status) bool { return s == inventory.Running || s == inventory.Restarting },
	})
	return app, naming("start", name, err)
}

// Stop stops the app's containers in parallel, each with its own signal and grace
// period, or pauses them. Like Start it returns the app as a look after that found it,
// beside an error if some did not stop. A container that is removed meanwhile counts
// as stopped; so does an app that is gone then (`docker run --rm`), which is returned
// as it was, but exited. The engine stops them even if ctx ends before. ErrUnknownApp
// if the app does not exist.
func (p *Provider) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	o := order{give: p.control.stop, met: func(s inventory.Status) bool { return s == inventory.Exited }}
	if method == rules.PauseContainer {
		o = order{give: p.control.pause, met: func(s inventory.Status) bool { return s == inventory.Paused || s == inventory.Exited }}
	}
	app, err := p.carryOut(ctx, name, o)
	return app, naming("stop", name, err)
}

// carryOut gives the order where it is not met, and looks at the app before and after.
func (p *Provider) carryOut(ctx context.Context, name string, o order) (inventory.App, error) {
	before, err := p.containers.fresh(ctx, name)
	if err != nil {
		return inventory.App{}, err
	}
	refusals := o.giveAll(ctx, before.Instances)
	after, err := p.containers.fresh(ctx, name)
	if errors.Is(err, ErrUnknownApp) && o.met(inventory.Exited) {
		return p.exited(before), nil
	}
	if err != nil {
		return inventory.App{}, err
	}
	return after, o.shortfall(after.Instances, refusals)
}

// exited is an app that was removed, as if it were only stopped.
func (p *Provider) exited(app inventory.App) inventory.App {
	app.Version = p.containers.snapshot().version
	for i := range app.Instances {
		instance := &app.Instances[i]
		*instance = inventory.Instance{Name: instance.Name, ID: instance.ID, StartedAt: instance.StartedAt}
	}
	return app
}

// giveAll gives the order to all containers at once. It returns what went wrong, by
// the container's ID.
func (o order) giveAll(ctx context.Context, instances []inventory.Instance) map[string]error {
	errs := make([]error, len(instances))
	each(len(instances), len(instances), func(i int) {
		if !o.met(instances[i].Status) {
			errs[i] = o.give(ctx, instances[i])
		}
	})
	refusals := map[string]error{}
	for i, err := range errs {
		if err != nil {
			refusals[instances[i].ID] = err
		}
	}
	return refusals
}

// shortfall is the refusals that matter: of containers that still exist and that
// nobody else has brought to where they should be.
func (o order) shortfall(after []inventory.Instance, refusals map[string]error) error {
	var left failures
	for _, instance := range after {
		if err := refusals[instance.ID]; err != nil && !o.met(instance.Status) {
			left = append(left, fmt.Errorf("container %q: %w", instance.Name, err))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return left
}

// control gives containers their orders, and tells the inventory of those that it gives, whose
// events are Paastis's own then.
type control struct {
	engine    *connection
	inventory *inv
}

func (c *control) start(ctx context.Context, instance inventory.Instance) error {
	if instance.Status == inventory.Paused {
		return c.unpause(ctx, instance)
	}
	return c.engine.ask(ctx, startTimeout, func(ctx context.Context) error {
		_, err := c.engine.client.ContainerStart(ctx, instance.ID, client.ContainerStartOptions{})
		return err
	})
}

// stop leaves it to Docker to wake a paused container for its signal. Podman refuses
// to stop one.
func (c *control) stop(ctx context.Context, instance inventory.Instance) error {
	stop := func(ctx context.Context) error {
		_, err := c.engine.client.ContainerStop(ctx, instance.ID, client.ContainerStopOptions{})
		return err
	}
	err := c.askToStop(ctx, instance, unlimited, stop)
	if err == nil || instance.Status != inventory.Paused {
		return err
	}
	if c.unpause(ctx, instance) != nil {
		return err
	}
	return c.askToStop(ctx, instance, unlimited, stop)
}

// askToStop is ask for a stop or a pause, whose events are Paastis's own then.
func (c *control) askToStop(ctx context.Context, instance inventory.Instance, limit time.Duration, call func(context.Context) error) error {
	c.inventory.ordering(instance.ID)
	err := c.engine.ask(ctx, limit, call)
	c.inventory.ordered(instance.ID, err)
	return err
}

// pause freezes what runs. A container between two restarts cannot be frozen and would
// run on, so it is stopped.
func (c *control) pause(ctx context.Context, instance inventory.Instance) error {
	if instance.Status == inventory.Restarting {
		return c.stop(ctx, instance)
	}
	return c.askToStop(ctx, instance, callTimeout, func(ctx context.Context) error {
		_, err := c.engine.client.ContainerPause(ctx, instance.ID, client.ContainerPauseOptions{})
		return err
	})
}

func (c *control) unpause(ctx context.Context, instance inventory.Instance) error {
	return c.engine.ask(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.engine.client.ContainerUnpause(ctx, instance.ID, client.ContainerUnpauseOptions{})
		return err
	})
}

// naming says at the provider's edge what was done to which app.
func naming(verb, app string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("docker: %s %q: %w", verb, app, err)
}

package docker

import (
	"context"
	"errors"
	"log/slog"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/registry/inventory"
)

// parallelLooks is how many inspections are under way at once.
const parallelLooks = 8

// inspector looks at containers and keeps what it finds in the inventory.
type inspector struct {
	engine    *connection
	inventory inv
	self      Self
	reachedAt string // Config.Address
	read      bool   // a Traefik reads the labels

	// log hears of containers that cannot be inspected.
	log *slog.Logger
}

// refresh brings the inventory up to date with the list of all containers.
func (i *inspector) refresh(ctx context.Context) error {
	seq := i.inventory.begin()
	var list client.ContainerListResult
	err := i.engine.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		list, err = i.engine.client.ContainerList(ctx, client.ContainerListOptions{All: true})
		return err
	})
	if err != nil {
		i.inventory.drop(seq)
		return doing("list containers", err)
	}
	return i.inspectAll(ctx, i.inventory.compare(seq, list.Items))
}

// inspectAll looks at several containers. One that the engine cannot inspect stays as it
// was last seen; only an end of ctx or of the connection is an error.
func (i *inspector) inspectAll(ctx context.Context, ids []string) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	each(parallelLooks, len(ids), func(n int) {
		err := i.inspect(ctx, ids[n])
		switch {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, ErrUnreachable):
			abort(err)
		default:
			i.log.Warn("container left as it was last seen", "container", ids[n], "error", err)
		}
	})
	return context.Cause(ctx)
}

// inspect inspects one container and stores what it finds. That there is no such
// container any more is a finding too.
func (i *inspector) inspect(ctx context.Context, id string) error {
	seq := i.inventory.begin()
	var found client.ContainerInspectResult
	err := i.engine.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		found, err = i.engine.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return err
	})
	switch {
	case err == nil:
		i.inventory.end(seq, id, newContainer(found.Container, i.engine.client.ClientVersion()))
	case errdefs.IsNotFound(err):
		i.inventory.end(seq, id, nil)
	default:
		i.inventory.drop(seq)
		return doing("inspect container", err)
	}
	return nil
}

// fresh looks at the app's containers, and for others if it knows of none.
func (i *inspector) fresh(ctx context.Context, name string) (inventory.App, error) {
	var ids []string
	for _, c := range i.snapshot().members(name) {
		ids = append(ids, c.instance.ID)
	}
	if err := i.inspectAll(ctx, ids); err != nil {
		return inventory.App{}, err
	}
	if app, found := i.snapshot().app(name); found {
		return app, nil
	}
	if err := i.refresh(ctx); err != nil {
		return inventory.App{}, err
	}
	if app, found := i.snapshot().app(name); found {
		return app, nil
	}
	return inventory.App{}, ErrUnknownApp
}

// running takes a look at the app, and returns the snapshot and those of the app's
// containers that run in it, the one that speaks for it first. There is one, or an error.
func (i *inspector) running(ctx context.Context, name string) (*snapshot, []*container, error) {
	if _, err := i.fresh(ctx, name); err != nil {
		return nil, nil, err
	}
	var running []*container
	f := i.snapshot()
	for _, c := range f.members(name) {
		if c.instance.Status == inventory.Running {
			running = append(running, c)
		}
	}
	if len(running) == 0 {
		return nil, nil, ErrNotRunning
	}
	return f, running, nil
}

// each calls do with 0 to n-1, so many at once, and waits for all.
func each(atOnce, n int, do func(int)) {
	var calls errgroup.Group
	calls.SetLimit(atOnce)
	for i := range n {
		calls.Go(func() error { do(i); return nil })
	}
	_ = calls.Wait() // do keeps what went wrong
}

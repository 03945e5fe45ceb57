package docker

import (
	"context"
	"errors"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// parallelLooks is how many inspections are under way at once.
const parallelLooks = 8

// refresh brings the inventory up to date with the list of all containers.
func (p *Provider) refresh(ctx context.Context) error {
	seq := p.inventory.begin()
	var list client.ContainerListResult
	err := p.engine.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		list, err = p.engine.client.ContainerList(ctx, client.ContainerListOptions{All: true})
		return err
	})
	if err != nil {
		p.inventory.drop(seq)
		return doing("list containers", err)
	}
	return p.survey(ctx, p.inventory.compare(seq, list.Items))
}

// survey looks at several containers. One that the engine cannot inspect stays as it
// was last seen; only an end of ctx or of the connection is an error.
func (p *Provider) survey(ctx context.Context, ids []string) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	each(parallelLooks, len(ids), func(i int) {
		err := p.look(ctx, ids[i])
		switch {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, ErrUnreachable):
			abort(err)
		default:
			p.log.Warn("container left as it was last seen", "container", ids[i], "error", err)
		}
	})
	return context.Cause(ctx)
}

// look inspects one container and stores what it finds. That there is no such
// container any more is a finding too.
func (p *Provider) look(ctx context.Context, id string) error {
	seq := p.inventory.begin()
	var found client.ContainerInspectResult
	err := p.engine.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		found, err = p.engine.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return err
	})
	switch {
	case err == nil:
		p.inventory.end(seq, id, newContainer(found.Container, p.engine.client.ClientVersion()))
	case errdefs.IsNotFound(err):
		p.inventory.end(seq, id, nil)
	default:
		p.inventory.drop(seq)
		return doing("inspect container", err)
	}
	return nil
}

// each calls do with 0 to n-1, so many at once, and waits for all.
func each(atOnce, n int, do func(int)) {
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}

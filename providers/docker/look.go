package docker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	// callTimeout limits every call but those to start and to stop.
	callTimeout = 30 * time.Second
	// startTimeout limits a call to start: the engine sets up networks and volumes.
	startTimeout = 2 * time.Minute
	// unlimited is for a stop, which takes as long as the container's own grace period.
	unlimited time.Duration = 0

	// parallelLooks is how many inspections are under way at once.
	parallelLooks = 8
)

// refresh brings the inventory up to date with the list of all containers.
func (p *Provider) refresh(ctx context.Context) error {
	seq := p.inventory.begin()
	var list client.ContainerListResult
	err := p.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		list, err = p.client.ContainerList(ctx, client.ContainerListOptions{All: true})
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
	err := p.ask(ctx, callTimeout, func(ctx context.Context) (err error) {
		found, err = p.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return err
	})
	switch {
	case err == nil:
		p.inventory.end(seq, id, newContainer(found.Container, p.client.ClientVersion()))
	case errdefs.IsNotFound(err):
		p.inventory.end(seq, id, nil)
	default:
		p.inventory.drop(seq)
		return doing("inspect container", err)
	}
	return nil
}

// ask makes one call, limited to that time, and explains its error.
func (p *Provider) ask(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	if limit != unlimited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errSlow)
		defer cancel()
	}
	return p.endpoint.explain(ctx, call(ctx))
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

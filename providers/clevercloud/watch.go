package clevercloud

import (
	"context"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

const (
	// listEvery is how often the states of all apps are asked for, followEvery how often what
	// becomes of deployments, while there are some.
	listEvery   = 30 * time.Second
	followEvery = 5 * time.Second
	// heardEvery is followEvery while the event socket tells when a deployment ends.
	heardEvery = 15 * time.Second
	// eventPause is how long is waited for more events before something is asked for.
	eventPause = time.Second
)

// Watch asks for the states of all apps from time to time, more seldom for the rest, and for what
// becomes of deployments while there are some. An event lets it ask at once.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	ctx, end := context.WithCancel(ctx)
	var listening sync.WaitGroup
	defer listening.Wait()
	defer end()
	heard := make(chan struct{}, 1)
	if p.socket != nil {
		listening.Go(func() { p.socket.listen(ctx, heard) })
	}
	for detailed := time.Now(); ; {
		whole := time.Since(detailed) >= detailEvery
		if whole {
			detailed = time.Now()
		}
		if err := p.list(ctx, whole, report); err != nil || ctx.Err() != nil {
			return unlessEnded(ctx, err)
		}
		if err := p.untilListed(ctx, heard, report); err != nil {
			return unlessEnded(ctx, err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// unlessEnded is the error of a watch that nobody has ended.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// list reports everything.
func (p *Provider) list(ctx context.Context, whole bool, report func(provider.Report)) error {
	version, err := p.survey.refresh(ctx, whole)
	if err != nil {
		return err
	}
	report(p.apps.everything(version))
	return nil
}

// untilListed follows what is on its way up until everything is to be listed anew.
func (p *Provider) untilListed(ctx context.Context, heard <-chan struct{}, report func(provider.Report)) error {
	due := time.NewTimer(listEvery)
	defer due.Stop()
	for followed := time.Now(); ; {
		var follow <-chan time.Time
		if len(p.apps.owners((*app).isStarting)) > 0 {
			follow = time.After(time.Until(followed.Add(p.pause())))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
			return nil
		case <-heard:
			sleep(ctx, eventPause)
			return nil
		case <-p.wakeWatch:
			continue
		case <-follow:
		}
		followed = time.Now()
		if err := p.survey.follow(ctx, (*app).isStarting); err != nil {
			return err
		}
		if r := p.apps.changes(); len(r.Apps) > 0 {
			report(r)
		}
	}
}

// pause is the time between two looks at deployments.
func (p *Provider) pause() time.Duration {
	if p.socket != nil && p.socket.isConnected() {
		return heardEvery
	}
	return followEvery
}

// followNow lets the watch follow what has just been ordered.
func (p *Provider) followNow() {
	select {
	case p.wakeWatch <- struct{}{}:
	default:
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

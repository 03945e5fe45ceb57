package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/paastis/paastis/registry/provider"
)

// watched are the events that change what is reported of an app. A health check runs
// as exec events, which are many and say nothing. "stop" is the only one that tells of
// a container stopped between two restarts, and "kill" changes nothing yet: it tells why it
// ends. Podman says "died" and "remove".
var watched = []string{
	"create", "start", "kill", "die", "died", "stop", "pause", "unpause", "destroy", "remove",
	"rename", "health_status", "oom", "update",
}

// watcher is one run of Watch.
type watcher struct {
	*inspector
	cursor *cursor
	report func(provider.Report)
	// told :: container ID → the app that it was last reported with.
	told map[string]string
}

// Watch subscribes to the engine's events, reports the whole inventory as List finds
// it, and then, for each container that something happened to, its app after a new
// look: or that the app is gone. Several changes while one report is made end up in
// one. Called again, it resumes with the last event that was read, and takes a new look
// at every container. It blocks.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	w := &watcher{inspector: p.containers, cursor: &p.cursor, report: report, told: map[string]string{}}
	err := w.run(ctx)
	p.containers.inventory.doubt()
	if first := p.containers.inventory.doubtStops(time.Now()); first != 0 {
		p.cursor.rewind(first)
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("docker: %w", err)
}

// run subscribes before it lists, so that nothing happens unseen between the two. It
// returns when the stream or ctx ends, or the engine does not answer any more; never nil.
func (w *watcher) run(parent context.Context) error {
	ctx, end := context.WithCancelCause(parent)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end(nil)

	stream, err := w.subscribe(ctx)
	if err != nil {
		return err
	}
	touched := make(chan []string)
	beside.Go(func() { end(w.read(ctx, stream, touched)) })
	beside.Go(func() { end(w.engine.pulse(ctx)) })

	err = w.tellAll(ctx)
	for err == nil {
		select {
		case ids := <-touched:
			err = w.tell(ctx, ids)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// subscribe waits for the engine to take the subscription on, which has no time limit
// of its own because the stream has none.
func (w *watcher) subscribe(ctx context.Context) (client.EventsResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	slow := time.AfterFunc(callTimeout, func() { cancel(errSlow) })
	stream := w.engine.client.Events(ctx, client.EventsListOptions{
		Since:   w.cursor.since(),
		Filters: make(client.Filters).Add("type", "container").Add("event", watched...),
	})
	if !slow.Stop() {
		return stream, w.engine.endpoint.explain(ctx, context.Cause(ctx))
	}
	return stream, nil
}

// read takes events in as fast as they come, for the engine throws away what a slow
// reader leaves, and hands over the containers they are about, each once however many
// events it had. It returns when the stream or ctx ends, never nil.
func (w *watcher) read(ctx context.Context, stream client.EventsResult, touched chan<- []string) error {
	var waiting []string
	for {
		var ready chan<- []string // nil, so nobody is served, while nothing waits
		if len(waiting) > 0 {
			ready = touched
		}
		select {
		case event := <-stream.Messages:
			w.cursor.advance(event)
			w.inventory.happened(event, time.Now())
			waiting = with(waiting, event)
		case ready <- waiting:
			waiting = nil
		case err := <-stream.Err:
			return w.ended(ctx, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func with(ids []string, event events.Message) []string {
	id := event.Actor.ID
	if id == "" || event.Action == events.ActionKill || slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

func (w *watcher) ended(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the engine ended the stream of events")
	}
	return doing("read events", w.engine.endpoint.explain(ctx, err))
}

// tellAll reports everything.
func (w *watcher) tellAll(ctx context.Context) error {
	if err := w.refresh(ctx); err != nil {
		return err
	}
	f := w.snapshot()
	for _, c := range f.shadowed() {
		w.log.Warn("container left out: another app has its name", "container", c.instance.Name, "app", c.app)
	}
	for _, c := range f.all {
		w.told[c.instance.ID] = c.app
	}
	w.report(f.everything())
	return nil
}

// tell reports the apps of these containers: those that they are in, and those that
// they were in when they were last reported.
func (w *watcher) tell(ctx context.Context, ids []string) error {
	if err := w.inspectAll(ctx, ids); err != nil {
		return err
	}
	f := w.snapshot()
	var names []string
	for _, id := range ids {
		names = append(names, w.told[id])
		delete(w.told, id)
		for _, c := range f.borrowers(id) { // it lives at the addresses of this one
			names = append(names, c.app)
		}
		if c := f.find(id); c != nil {
			names = append(names, c.app)
			w.told[id] = c.app
		}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
	if len(names) > 0 {
		w.report(f.report(names))
	}
	return nil
}

// cursor is when the newest event happened that was read, in Unix nanoseconds of the engine's
// clock. The zero value: none was.
type cursor struct{ at atomic.Int64 }

// advance goes on to an event, which may be an older one.
func (c *cursor) advance(event events.Message) { c.at.Store(max(event.TimeNano, c.at.Load())) }

// rewind goes back to that time, if it is earlier.
func (c *cursor) rewind(to int64) { c.at.Store(min(to, c.at.Load())) }

// since is that time as the engine wants it. Empty before the first event: only what happens
// from now on.
func (c *cursor) since() string {
	at := c.at.Load()
	if at == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%09d", at/1e9, at%1e9)
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

var (
	cycleApps = flag.Int("cycle.apps", 16, "cycle: how many apps side by side")
	cycleTime = flag.Duration("cycle.time", 2*time.Minute, "cycle: for how long")
)

// cycle wakes apps as soon as they sleep, and counts how often they have.
func cycle(ctx context.Context, r *Results) error {
	return onSite(ctx, "bench-cycle", func(s *site) error {
		s.addTraefik(s.byLabels()...)
		s.addPaastis(engineSocket, "PAASTIS_MAX_IDLE_TIME=1s")
		var names []string
		for i := range *cycleApps {
			name := fmt.Sprintf("app%d", i)
			names = append(names, name)
			s.addApp(name, "100ms", s.routed(name, true)...)
		}
		if err := s.up(ctx, "paastis", "traefik"); err != nil {
			return err
		}
		if err := s.asleep(ctx, names[0], time.Minute); err != nil {
			return err
		}
		done, took, err := cycling{s}.cycles(ctx, names)
		if err != nil {
			return err
		}
		r.Set("cycle.apps", float64(len(names)))
		r.Set("cycle.per_minute", float64(done)/took.Minutes())
		return nil
	})
}

// cycling is a site whose apps wake and sleep.
type cycling struct{ *site }

// cycles keeps all apps waking and sleeping for a time, and returns how many times they
// did both.
func (s cycling) cycles(ctx context.Context, names []string) (done int64, took time.Duration, err error) {
	visitor, err := s.visitor(ctx)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *cycleTime, errOver)
	defer cancel()
	var count atomic.Int64
	var all sync.WaitGroup
	var running atomic.Pointer[listing]
	all.Go(func() { s.watch(ctx, &running) })
	failed := make(chan error, len(names))
	began := time.Now()
	for _, name := range names {
		all.Go(func() {
			if err := s.cycleOf(ctx, visitor, name, &running, &count); context.Cause(ctx) == nil {
				failed <- err
				cancel()
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	select {
	case err := <-failed:
		return 0, 0, err
	default:
	}
	if context.Cause(ctx) != errOver {
		return 0, 0, ctx.Err()
	}
	return count.Load(), took, nil
}

// listing is what ran at a moment.
type listing struct {
	at    time.Time
	names map[string]bool
}

// watch lists what runs over and over, once for all who want to know.
func (s cycling) watch(ctx context.Context, latest *atomic.Pointer[listing]) {
	for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		at := time.Now()
		if names, err := s.running(ctx); err == nil {
			latest.Store(&listing{at, names})
		}
	}
}

// errOver means that the time to measure is over.
var errOver = errors.New("the time is over")

// cycleOf wakes one app again and again, until ctx ends or somebody gets a wrong answer.
func (s cycling) cycleOf(ctx context.Context, visitor *http.Client, name string, running *atomic.Pointer[listing], done *atomic.Int64) error {
	for {
		a, err := get(ctx, visitor, "http://"+s.host(name)+"/")
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("%s answered %d %s", name, a.status, a.body)
		}
		answered := time.Now()
		if err := await(ctx, name+" to sleep", time.Minute, func() bool {
			list := running.Load()
			return list != nil && list.at.After(answered) && !list.names[s.container(name)]
		}); err != nil {
			return err
		}
		done.Add(1)
	}
}

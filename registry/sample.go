package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// busyLimit bounds an app's own word on whether it is busy, measureLimit a sample of its
// counters, and turnLimit one that waits for its turn, for its provider can only be asked so often.
const (
	busyLimit    = 10 * time.Second
	measureLimit = 30 * time.Second
	turnLimit    = time.Hour
)

// sampler reads the counters of apps. Its methods are called with the registry's lock held.
type sampler struct {
	*core
	tasks  *tasks
	bypass bypass
}

// begin samples an app's use, beside the passes; since is its last one that is known. Nothing is asked of the app itself if
// only its counters are wanted. In the first whole sample of a wake its memory is asked for: it
// is about to sleep, and that may take a second.
func (o *sampler) begin(k *Keeper, whole bool, since time.Time) {
	if k.usage.sampling {
		return
	}
	k.usage.reading(true)
	e, name, app := k.Definition(), k.app.Name, k.app
	want := provider.Want{Ports: e.VisitedPorts(), Multiplexed: e.MultiplexedPorts(), Linked: linkedAddresses(e), Since: since, CPU: e.CPUFloor > 0, Memory: k.attempt.weigh(whole), Quick: e.TrafficFloor == rules.Off}
	o.tasks.doLocked(k, task{work: func(ctx context.Context) func() {
		began := time.Now()
		s := measure(ctx, k.provider, name, e, want)
		if whole && (s.Blind == "" || e.Unseen == rules.UnseenSleep) {
			s.Busy = askBusy(ctx, k.provider, e, app)
		}
		s.At, s.Ended = began, time.Now()
		if s.Past {
			s.At = s.Ended // until then it may have waited for its turn
		}
		if ctx.Err() != nil {
			return nil // Paastis ends: what was not seen says nothing
		}
		return func() {
			if s.Past && usedAfter(k.Definition().Component, since) {
				k.usage.reading(false) // it may be that use that was counted
				return
			}
			o.sampled(k, s)
		}
	}})
}

// sampled takes in a sample of an app that still runs. It is called with r.mu held.
func (o *sampler) sampled(k *Keeper, s idle.Sample) {
	k.usage.reading(false)
	if k.Definition().Follows() {
		s.Usage.Unseen = ""
	}
	if !k.app.Alive() {
		return // that it could not be seen says nothing
	}
	if last, _ := k.usage.last(); s.Blind != "" && last.Blind == "" {
		o.journal.say(slog.LevelWarn, blindText(k.Definition().Unseen), "app", k.Name(), "error", s.Blind)
	}
	k.usage.add(s)
	k.usage.hide(o.bypass.hides(k) || k.app.Published)
	uncounted := s.Usage.Bytes == 0 && s.Usage.Connections > 0
	if k.usage.unseen && (k.usage.samples.Moved(k.Definition().TrafficFloor) || uncounted) {
		k.routing.see(s.Ended)
	}
}

// blindText tells of an app that cannot be looked at.
func blindText(unseen rules.Unseen) string {
	if unseen == rules.UnseenSleep {
		return "app's use cannot be seen, which does not keep it awake; allow the call"
	}
	return "app stays awake, for its use cannot be seen; allow the call, or set unseen: sleep"
}

// measure reads an app's counters.
func measure(ctx context.Context, p provider.Provider, name string, e *inventory.Definition, want provider.Want) idle.Sample {
	meter, ok := p.(provider.Meter)
	if !ok {
		return idle.Sample{Usage: idle.Usage{Connections: idle.UnknownConnections}}
	}
	limit := measureLimit
	_, past := p.(provider.Retrospective)
	if past {
		limit = turnLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	usage, err := meter.Measure(ctx, name, want)
	switch {
	case err != nil && e.TrafficFloor == rules.Off && e.CPUFloor == 0:
		return idle.Sample{Usage: idle.Usage{Connections: idle.UnknownConnections}} // it does not count
	case err != nil:
		return idle.Sample{Blind: err.Error()}
	}
	return idle.Sample{Usage: usage, Past: past}
}

// askBusy asks the app itself, and returns that it says that it is busy. A check that
// does not work keeps the app awake.
func askBusy(ctx context.Context, p provider.Provider, e *inventory.Definition, app *inventory.App) reason.Reason {
	if !e.Busy.Asked() {
		return reason.Reason{}
	}
	ctx, cancel := context.WithTimeout(ctx, busyLimit)
	defer cancel()
	busy, err := false, error(nil)
	if e.Busy.Command != nil {
		busy, err = busyByCommand(ctx, p, app.Name, e.Busy.Command)
	} else {
		busy, err = busyByURL(ctx, e, app)
	}
	switch {
	case err != nil:
		return reason.Reason{Kind: reason.BusyCheckFails, Text: err.Error()}
	case busy:
		return reason.Reason{Kind: reason.Busy, Text: e.Busy.String()}
	default:
		return reason.Reason{}
	}
}

func busyByCommand(ctx context.Context, p provider.Provider, name string, command []string) (bool, error) {
	executor, ok := p.(provider.Executor)
	if !ok {
		return false, fmt.Errorf("%s cannot run commands in apps", p.ID())
	}
	code, err := executor.Execute(ctx, name, command)
	if err == nil && code > 1 {
		err = fmt.Errorf("%q ended with %d, neither 0 (busy) nor 1 (not busy)", command[0], code)
	}
	return code == 0, err
}

func busyByURL(ctx context.Context, e *inventory.Definition, app *inventory.App) (bool, error) {
	port := e.Busy.Port
	if port == 0 {
		port = e.Port()
	}
	address := e.Targets().Reach(app, port)
	if address == "" || port == 0 {
		return false, errors.New("no way to it: no shared network, or no port known")
	}
	status, err := statusOf(ctx, e.Targets().Request(address, port, e.Busy.Path))
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("%s answered %s, neither 200 (busy) nor 204 (not busy)", e.Busy.Path, strconv.Itoa(status))
	}
	return status == http.StatusOK, err
}

package scalingo

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// mostFlights is how many apps are scaled at once. Scalingo takes what is more, and fails:
	// https://github.com/1024pix/pix-bot/issues/4.
	mostFlights = 5
	// mostDescents is how many of these are on their way down: the rest is for who wakes.
	mostDescents = 3
	// mostMeasures is how many apps are measured at once that are about to sleep: of those that
	// would have to wait for a place then, nobody should be kept waiting who visits them.
	mostMeasures = 2
	// longestFlight is after what time one does not count any more. Scalingo tries 20 times to
	// bring a container up.
	longestFlight = 10 * time.Minute

	// startPause is the time between two looks while Paastis waits for apps that it starts, fewPause
	// while these are no more than fewFlights, and busyPause while one is on its way at all.
	startPause = 3 * time.Second
	fewPause   = 2 * time.Second
	fewFlights = 2
	busyPause  = 15 * time.Second
	// operationPause is the time between two looks at one operation.
	operationPause = 10 * time.Second
)

// flight is an app that Paastis scales. The fleet's lock guards what changes.
type flight struct {
	up    bool
	began time.Time
	// since is the version of the fleet as the order was taken: older looks do not know of it.
	since uint64
	// operation is where its end is told. Empty: nobody has said.
	operation string
	asked     time.Time // when that was last looked at
	// autoscalers are to be turned on once the app is up.
	autoscalers []string
	end         func() // gives its place back; may be called more than once
}

// flights are how the orders to scale are followed.
type flights struct {
	account  *account
	fleet    *fleet
	log      *slog.Logger
	places   chan struct{}
	descend  chan struct{}
	measured chan struct{}
	settles  sync.Mutex      // one settles at a time
	later    chan laterAudit // operations that went well, as far as the status tells
}

// laterAudit is an operation that is read once nothing else is to be done.
type laterAudit struct {
	k         *known
	operation string
}

func newFlights(account *account, fleet *fleet, log *slog.Logger) *flights {
	return &flights{
		account: account, fleet: fleet, log: log,
		places: make(chan struct{}, mostFlights), descend: make(chan struct{}, mostDescents), measured: make(chan struct{}, mostMeasures),
		later: make(chan laterAudit, 1000),
	}
}

// enter waits for a place to scale an app in. It is given back by end.
func (f *flights) enter(ctx context.Context, up bool) (end func(), err error) {
	if !up {
		if err := take(ctx, f.descend); err != nil {
			return nil, err
		}
	}
	if err := take(ctx, f.places); err != nil {
		if !up {
			<-f.descend
		}
		return nil, err
	}
	return sync.OnceFunc(func() {
		<-f.places
		if !up {
			<-f.descend
		}
	}), nil
}

// answerSlack is how long before its limit a measure is given up that has not begun.
const answerSlack = 10 * time.Second

// measure waits for a place to measure an app in, and for one in which it could be put to sleep. It
// reports false if there is none in time; what it takes is given back by end.
func (f *flights) measure(ctx context.Context) (end func(), ok bool) {
	if limit, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, limit.Add(-answerSlack))
		defer cancel()
	}
	if take(ctx, f.measured) != nil {
		return nil, false
	}
	if take(ctx, f.descend) != nil {
		<-f.measured
		return nil, false
	}
	<-f.descend
	return func() { <-f.measured }, true
}

// errNoPlace is of an order that was not given.
var errNoPlace error = reason.NewError(reason.PlatformBusy, "too many apps are scaled at once")

func take(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoPlace, ctx.Err())
	}
}

// settle takes in what became of the apps that are being started, as far as looks have told.
func (f *flights) settle(ctx context.Context) {
	f.settles.Lock()
	defer f.settles.Unlock()
	for _, k := range f.fleet.flying() {
		if ctx.Err() == nil {
			f.settleOne(paas.With(ctx, paas.Starting), k)
		}
	}
}

// settleOne is settle for one app.
func (f *flights) settleOne(ctx context.Context, k *known) {
	fl, status := f.of(k)
	switch {
	case fl == nil:
	case time.Since(fl.began) > longestFlight:
		f.log.Warn("Scalingo has scaled an app for very long; it is not waited for any more", "app", k.name(), "status", status)
		f.land(k, fl, "")
	case !isSettled(status):
	case status == isRunning:
		f.arrive(ctx, k, fl)
	case fl.operation == "":
		f.land(k, fl, "")
	case time.Since(fl.asked) >= operationPause:
		f.ask(ctx, k, fl)
	}
}

// of is an app's flight, nil if it has none, and its status.
func (f *flights) of(k *known) (*flight, string) {
	f.fleet.mu.Lock()
	defer f.fleet.mu.Unlock()
	return k.flight, k.status
}

// arrive is the end of a start that went well, as far as the app's status tells: its autoscalers
// are turned on again, and the operation is read later.
func (f *flights) arrive(ctx context.Context, k *known, fl *flight) {
	left := f.turnOn(ctx, k, fl.autoscalers)
	if len(left) > 0 && time.Since(fl.began) < longestFlight {
		read(f.fleet, k, func(*known) bool { fl.autoscalers = left; return true })
		return // with the next look
	}
	f.land(k, fl, "")
	select {
	case f.later <- laterAudit{k, fl.operation}:
	default: // so many that nobody would read of them
	}
}

// turnOn turns autoscalers on, and returns those that are not yet. One that is gone is done with.
func (f *flights) turnOn(ctx context.Context, k *known, ids []string) (left []string) {
	for _, id := range ids {
		if err := k.region.enable(ctx, k.name(), id); err != nil && statusOf(err) != http.StatusNotFound {
			f.log.Warn("an autoscaler could not be turned on again yet", "app", k.name(), "autoscaler", id, "error", err)
			left = append(left, id)
		}
	}
	return left
}

// ask reads the operation of an app that is not up: whether it has failed, or has not begun.
func (f *flights) ask(ctx context.Context, k *known, fl *flight) {
	read(f.fleet, k, func(*known) bool { fl.asked = time.Now(); return true })
	o, err := k.region.operation(ctx, k.name(), fl.operation)
	if err != nil && statusOf(err) != http.StatusNotFound {
		return // with a later look
	}
	ended, fault := o.ended()
	switch {
	case err != nil:
		f.land(k, fl, "")
	case ended && fault != "":
		f.log.Error("Scalingo could not start an app", "app", k.name(), "operation", fl.operation, "told", fault)
		f.land(k, fl, reason.OperationFailed)
	case ended:
		f.land(k, fl, "") // somebody has stopped it since
	}
}

// land ends an app's flight; it has failed for a reason, if there is one.
func (f *flights) land(k *known, fl *flight, fault reason.Kind) {
	fl.end()
	f.fleet.change(k, func(k *known) { k.land(fl, fault) })
}

// audit reads operations to their end until ctx ends, while nothing is being started.
func (f *flights) audit(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-f.later:
			for f.fleet.anyStarts() && sleep(ctx, operationPause) == nil {
			}
			f.readLater(paas.With(ctx, paas.Audit), a)
		}
	}
}

func (f *flights) readLater(ctx context.Context, a laterAudit) {
	if a.operation == "" {
		return
	}
	o, err := a.k.region.operation(ctx, a.k.name(), a.operation)
	if _, fault := o.ended(); err == nil && fault != "" {
		f.log.Warn("Scalingo has started an app, but not all of it", "app", a.k.name(), "operation", a.operation, "told", fault)
	}
}

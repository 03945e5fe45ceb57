package registry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

const (
	// knockPause is the time between two probes of what comes up.
	knockPause = 25 * time.Millisecond
	// laggardPause is the time between two probes of what is late.
	laggardPause = time.Second
	// noProbeGrace is how long an app that is ready as soon as it runs may take to listen.
	noProbeGrace = 3 * time.Second
	// unprobedDelay is how long an app has to have run of which nobody can tell whether it
	// serves.
	unprobedDelay = 15 * time.Second
	// listenPause is the time between two questions to a provider, which may run a command
	// for each.
	listenPause = time.Second
)

// Listener is a provider that can look into its apps where Paastis has no way to them.
type Listener interface {
	// Listens reports whether something in the instance of that ID takes connections on a
	// TCP port from elsewhere. It may block for seconds, and run a command in the instance.
	// With an error that is not known, and will not be.
	Listens(ctx context.Context, instance string, port uint16) (bool, error)
}

// knock is a probe of one instance.
type knock struct {
	r       *Registry
	k       *Keeper
	i       Instance
	run     int
	targets []Target
	// guessed tells that nobody has said that the app listens there.
	guessed bool
	// brief tells that running is enough: it is tried for noProbeGrace, and ready then.
	brief bool
}

// untilAnswered returns when the instance has answered, and reports whether it has: else ctx
// has ended, or it no longer runs as what was probed. The first target decides; the others
// have their grace.
func (o knock) untilAnswered(ctx context.Context) bool {
	if o.brief {
		limited, cancel := context.WithTimeout(ctx, noProbeGrace)
		defer cancel()
		return o.until(limited, o.targets[0]) || ctx.Err() == nil && o.goesOn()
	}
	if !o.until(ctx, o.targets[0]) {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, laggardGrace/2)
	defer cancel()
	for _, t := range o.targets[1:] {
		o.until(limited, t)
	}
	return true
}

// until probes one target.
func (o knock) until(ctx context.Context, t Target) bool {
	began := time.Now()
	for t.Patience = httpLimit; ctx.Err() == nil && o.goesOn(); {
		err := o.r.probe(ctx, t)
		if err == nil {
			return true
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Patience = min(2*t.Patience, slowestAnswer)
		}
		sleep(ctx, o.failed(err, time.Since(began)))
	}
	return false
}

// failed takes in how a probe failed, and returns how long to wait for the next one. An app
// that is open without the instance is not to take what asks for that for use.
func (o knock) failed(err error, tried time.Duration) time.Duration {
	var fault StatusError
	errors.As(err, &fault)
	o.r.mu.Lock()
	defer o.r.unlock()
	if o.k.run == o.run {
		o.k.ready.fault = fault
	}
	switch {
	case o.k.state == Ready:
		return min(max(laggardPause, tried/10), longestLook)
	case tried > laggardGrace, fault.Status != 0:
		return laggardPause / 4
	default:
		return knockPause
	}
}

// untilListening is untilAnswered for an instance that Paastis has no way to. Its provider is
// asked whether it listens. If that cannot be known, it is taken to do so at the time settled.
func (o knock) untilListening(ctx context.Context, settled time.Time) bool {
	err := errNoListener
	if listener, ok := o.k.provider.(Listener); ok {
		for err = nil; err == nil && ctx.Err() == nil && o.goesOn(); sleep(ctx, listenPause) {
			var listens bool
			listens, err = listener.Listens(ctx, o.i.ID, o.targets[0].Address.Port())
			if err == nil && (listens || o.guessed && !time.Now().Before(settled)) {
				return true
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil && time.Now().Before(settled) {
		o.tellBlind(err)
	}
	for time.Now().Before(settled) && ctx.Err() == nil && o.goesOn() {
		sleep(ctx, min(listenPause, time.Until(settled)))
	}
	return err != nil && ctx.Err() == nil && o.goesOn()
}

// errNoListener tells that a provider cannot look into its apps.
var errNoListener = errors.New("its provider cannot tell")

// tellBlind logs once of an app that nobody can tell when it answers.
func (o knock) tellBlind(err error) {
	o.r.mu.Lock()
	defer o.r.unlock()
	if !o.k.blind {
		o.k.blind = true
		o.r.say(slog.LevelWarn, "nobody can tell when the app answers, so each wake waits until it has run for a while; let Paastis share a network with it, or give it a health check",
			"app", o.k.Name(), "container", o.i.Name, "wait", short(unprobedDelay), "error", err)
	}
}

// goesOn reports whether the instance still runs as what is probed, in the same wake.
func (o knock) goesOn() bool {
	o.r.mu.Lock()
	defer o.r.unlock()
	k := o.k
	return !k.gone && k.run == o.run && (k.state == Starting || k.state == Ready) &&
		slices.ContainsFunc(k.app.Instances, func(now Instance) bool { return now.lifetime() == o.i.lifetime() && now.Status == Running })
}

// answered takes in that an instance was probed to the end, and whether it has answered.
func (r *Registry) answered(k *Keeper, run int, i Instance, ok bool) {
	r.mu.Lock()
	defer r.unlock()
	if k.run != run {
		return // its probes are those of another wake
	}
	delete(k.ready.probing, i.lifetime())
	if ok {
		k.ready.answered[i.lifetime()] = true
		r.touch()
		if len(k.Entry().Routes) > 0 {
			r.changed() // requests may go there, too
		}
	}
	r.stir()
}

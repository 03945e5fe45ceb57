package registry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// knockPause is the time between two probes of what comes up.
	knockPause = 25 * time.Millisecond
	// urlPause is the time between two probes of a URL: each is a request to somebody else's
	// platform.
	urlPause = 500 * time.Millisecond
	// ownPatience is how long a platform says that an app is up, and answers as for one that is
	// not, until that is taken for the app's own answer.
	ownPatience = 15 * time.Second
	// laggardPause is the time between two probes of what is late.
	laggardPause        = time.Second
	longestLaggardPause = time.Minute
	// noProbeGrace is how long an app that is ready as soon as it runs may take to listen.
	noProbeGrace = 3 * time.Second
	// unprobedDelay is how long an app has to have run of which nobody can tell whether it
	// serves.
	unprobedDelay = 15 * time.Second
	// listenPause is the time between two questions to a provider, which may run a command
	// for each.
	listenPause = time.Second
	// guessPatience is how long an app may take to listen where its image alone says that it
	// does, until it is taken for one that does not listen at all, as a worker does not.
	guessPatience = 30 * time.Second
	// deafPause is the time between two looks whether it does so after all.
	deafPause = 10 * time.Second
)

// hearing is whether an app listens where its image alone says that it does.
type hearing uint8

const (
	// unheard: nothing is known.
	unheard hearing = iota
	// listens: it did so in some wake.
	listens
	// deaf: it did not, for as long as it was waited for.
	deaf
)

// outcome is what a probe of an instance has found.
type outcome uint8

const (
	// noAnswer: the instance no longer runs as what was probed, or Paastis ends.
	noAnswer outcome = iota
	// answered: it serves.
	answered
	// supposed: it is taken to serve, for it runs and was given its time to listen.
	supposed
	// untold: the same, for nobody can look whether it listens.
	untold
)

// knock is a probe of one instance.
type knock struct {
	*prober
	k       *Keeper
	i       inventory.Instance
	during  func() bool // see Keeper.during
	targets []inventory.Target
	url     string // of the app, as it is probed; empty: it has none
	// port is the instance's own that the first target is.
	port uint16
	// patience is how long an app is probed of which nobody has said that it listens there.
	// Zero: until it answers.
	patience time.Duration
	// settled is when one that nobody can look into is taken to serve.
	settled time.Time
	// learns reports whether what is found says whether the app listens where its image has it.
	learns bool
}

// untilKnown returns when it is known whether the instance serves.
func (o knock) untilKnown(ctx context.Context) outcome {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if o.patience > 0 {
		limited, cancel = context.WithTimeout(ctx, o.patience)
	}
	defer cancel()
	found := noAnswer
	if o.isProbable() {
		found = o.untilAnswered(limited)
	} else {
		found = o.untilListening(limited)
	}
	if found == noAnswer && limited.Err() != nil && ctx.Err() == nil && o.goesOn() {
		return supposed
	}
	return found
}

// untilHeard returns once an app that was taken not to listen does so, and reports that it
// does: what boots for that long is to be waited for the next time.
func (o knock) untilHeard(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, o.k.Definition().StartTimeout)
	defer cancel()
	for ctx.Err() == nil && o.goesOn() {
		sleep(ctx, deafPause)
		if heard, err := o.hears(ctx); heard || err != nil {
			return heard
		}
	}
	return false
}

// isProbable reports whether Paastis has a way to what is probed.
func (o knock) isProbable() bool { return o.targets[0].Address != "" }

// hears looks once whether the instance listens.
func (o knock) hears(ctx context.Context) (bool, error) {
	if o.isProbable() {
		return o.probe(ctx, o.targets[0]) == nil, nil
	}
	listener, ok := o.k.provider.(provider.Listener)
	if !ok {
		return false, errNoListener
	}
	return listener.Listens(ctx, o.i.ID, o.port)
}

// untilAnswered returns when the instance has answered, or ctx has ended, or it no longer runs
// as what was probed. The first target decides; the others have their grace.
func (o knock) untilAnswered(ctx context.Context) outcome {
	if !o.until(ctx, o.targets[0]) {
		return noAnswer
	}
	limited, cancel := context.WithTimeout(ctx, laggardGrace/2)
	defer cancel()
	for _, t := range o.targets[1:] {
		if t.Address != "" {
			o.until(limited, t)
		}
	}
	return answered
}

// until probes one target.
func (o knock) until(ctx context.Context, t inventory.Target) bool {
	began := time.Now()
	for t.Patience = httpLimit; ctx.Err() == nil && o.goesOn(); {
		err := o.probe(ctx, t)
		if err == nil || o.isOwn(err, time.Since(began)) {
			return true
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Patience = min(2*t.Patience, slowestAnswer)
		}
		sleep(ctx, o.failed(err, time.Since(began)))
	}
	return false
}

// isOwn reports whether an answer that a platform gives for apps that do not run is the app's own:
// it says all the time that the app is well. Nobody has said then by what the app is to be known.
func (o knock) isOwn(err error, tried time.Duration) bool {
	_, answered := errors.AsType[StatusError](err)
	return answered && o.targets[0].ByURL && o.targets[0].Accepts == nil && o.i.Health == inventory.Healthy && tried >= ownPatience
}

// failed takes in how a probe failed, and returns how long to wait for the next one. An app
// that is open without the instance is not to take what asks for that for use.
func (o knock) failed(err error, tried time.Duration) time.Duration {
	_, answered := errors.AsType[StatusError](err)
	o.mu.Lock()
	defer o.unlock()
	if o.during() && o.k.attempt.ready.fail(err) {
		o.journal.say(slog.LevelWarn, "the certificate of the app's URL is not trusted, so the app is not opened; have its platform mend it, or name its authority by SSL_CERT_FILE",
			"app", o.k.Name(), "url", o.targets[0].Scheme+"://"+o.targets[0].Address, "error", err)
	}
	switch {
	case o.k.state == Ready:
		return min(max(laggardPause, tried/10), longestLaggardPause)
	case o.targets[0].ByURL:
		return urlPause
	case tried > laggardGrace, answered:
		return laggardPause / 4
	default:
		return knockPause
	}
}

// untilListening is untilAnswered for an instance that Paastis has no way to. Its provider is
// asked whether it listens. If that cannot be known, it is taken to do so at the time settled.
func (o knock) untilListening(ctx context.Context) outcome {
	err := errNoListener
	if listener, ok := o.k.provider.(provider.Listener); ok {
		for err = nil; err == nil && ctx.Err() == nil && o.goesOn(); sleep(ctx, listenPause) {
			var listens bool
			if listens, err = listener.Listens(ctx, o.i.ID, o.port); listens {
				return answered
			}
		}
	}
	if ctx.Err() != nil || err == nil {
		return noAnswer
	}
	if time.Now().Before(o.settled) {
		o.tellBlind(err)
	}
	for time.Now().Before(o.settled) && ctx.Err() == nil && o.goesOn() {
		sleep(ctx, min(listenPause, time.Until(o.settled)))
	}
	if ctx.Err() != nil || !o.goesOn() {
		return noAnswer
	}
	return untold
}

// errNoListener reports that a provider cannot look into its apps.
var errNoListener = errors.New("its provider cannot tell")

// tellBlind logs once of an app that nobody can tell when it answers.
func (o knock) tellBlind(err error) {
	o.mu.Lock()
	defer o.unlock()
	if o.k.learned.tellBlind() {
		o.journal.say(slog.LevelWarn, "nobody can tell when the app answers, so each wake waits until it has run for a while; let Paastis share a network with it, or give it a health check",
			"app", o.k.Name(), "container", o.i.Name, "wait", reason.Short(unprobedDelay), "error", err)
	}
}

// goesOn reports whether the instance still runs as what is probed, in the same wake, and is to be
// found where it was.
func (o knock) goesOn() bool {
	o.mu.Lock()
	defer o.unlock()
	k := o.k
	return !k.removal.gone && o.during() && (k.state == Starting || k.state == Ready) && k.app.URL == o.url &&
		slices.ContainsFunc(k.app.Instances, func(now inventory.Instance) bool {
			return lifetimeOf(now) == lifetimeOf(o.i) && now.Status == inventory.Running && (o.url == "" || now.Well())
		})
}

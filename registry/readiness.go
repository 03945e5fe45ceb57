package registry

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

const (
	// laggardGrace is how long an app of which a part serves waits for the rest.
	laggardGrace = 10 * time.Second
	// verdictSlack is how much later than it is due the first verdict of a health check may
	// come: the check itself takes time.
	verdictSlack = 30 * time.Second
)

// readiness is what Paastis itself has found of an app in one wake. It is replaced as a whole
// when the app begins anew.
type readiness struct {
	answered map[lifetime]bool // those that have answered their probe
	probing  map[lifetime]bool // those that are being probed
	since    time.Time         // when the first one served; zero: none does
	fault    StatusError       // with what a probe was last answered that failed; zero: with nothing
	// untrusted tells that it came to no answer, for the certificate of the app's URL.
	untrusted bool
}

// lifetime is one run of an instance, from its start to its end.
type lifetime struct {
	instance string
	started  int64 // Unix nanoseconds
	address  netip.Addr
}

func lifetimeOf(i inventory.Instance) lifetime {
	return lifetime{i.ID, i.StartedAt.UnixNano(), i.Address}
}

// trusted reports whether the instance's own health check alone says when it is ready.
func (p *prober) trusted(k *Keeper, i inventory.Instance) bool {
	e := k.Definition()
	if e.URL != nil {
		return !i.Well() // before that what answers at its URL is its platform
	}
	if e.Probe.Kind != rules.AutoProbe || i.Health == inventory.NoHealth {
		return false
	}
	// A verdict that comes too late, or that is against what serves as far as anybody knows, is
	// no better than a probe, if there can be one.
	late := i.Health == inventory.HealthStarting && e.Outlasted() || i.Health == inventory.Unhealthy && k.attempt.found && k.state == Starting
	return !late || len(e.Targets().Ports()) == 0 || !e.Targets().Reaches(i)
}

// answers reports whether a running app serves: one instance is enough, once the others have
// had their grace. One that a static server of Traefik's names has to be among them.
func (p *pass) answers(k *Keeper) bool {
	p.prober.probeAll(k)
	serving, late := p.prober.tally(k)
	if !serving {
		k.attempt.ready.lapse()
		p.unheal(k)
		return false
	}
	k.attempt.ready.serve(p.now)
	if !k.attempt.healthyAt.IsZero() {
		return true
	}
	if grace := k.attempt.ready.since.Add(laggardGrace); late && p.now.Before(grace) {
		p.at(grace)
		return false
	}
	if late {
		p.journal.say(slog.LevelWarn, "app is opened though a part of it does not serve", "app", k.Name(), "serving", len(p.prober.serving(k)), "of", len(k.app.Instances))
	}
	k.attempt.heal(p.now)
	p.noteChange(k)
	k.notify()
	return true
}

// isProbed reports whether a probe of an instance would tell when it is ready. Where running is
// enough, one spares visitors the moment in which it does not listen yet.
func (p *prober) isProbed(k *Keeper, i inventory.Instance) bool {
	e := k.Definition()
	return !p.trusted(k, i) && (e.Probe.Kind != rules.NoProbe || e.Targets().Reaches(i) && !k.attempt.found)
}

// probeLate probes those of several instances that came up, or were late, once the app was
// open.
func (o *descent) probeLate(k *Keeper) {
	if len(k.app.Instances) > 1 {
		o.prober.probeAll(k)
	}
}

// patience is how long an instance is probed until running is enough, and whether it shows
// then that nothing of it listens. Zero: until it answers.
func (p *prober) patience(k *Keeper, i inventory.Instance) (patience time.Duration, learns bool) {
	e := k.Definition()
	switch {
	case e.Probe.Kind == rules.NoProbe:
		return noProbeGrace, false
	case e.Probe.Kind != rules.AutoProbe, i.Health != inventory.NoHealth, !e.Targets().GuessesPort():
		return 0, false
	case k.learned.hearing == listens:
		return 0, true
	case k.learned.hearing == deaf:
		return noProbeGrace, true
	default:
		return min(guessPatience, e.StartTimeout/2), true
	}
}

// begin notes that an instance is being probed, and leaves out what is no more.
func (o *readiness) begin(l lifetime, app *inventory.App) {
	if o.probing == nil {
		o.probing, o.answered = map[lifetime]bool{}, map[lifetime]bool{}
	}
	o.probing[l] = true
	o.forget(app)
}

// end takes in what a probe of an instance has found.
func (o *readiness) end(l lifetime, found outcome) {
	delete(o.probing, l)
	if found != noAnswer {
		o.answered[l] = true
	}
}

// fail takes in how a probe failed, and reports whether it is for a certificate that is not
// trusted, for the first time.
func (o *readiness) fail(err error) (distrusted bool) {
	o.fault, _ = errors.AsType[StatusError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	distrusted = untrusted && !o.untrusted
	o.untrusted = untrusted
	return distrusted
}

// serve notes that an instance serves; lapse, that none does.
func (o *readiness) serve(now time.Time) {
	if o.since.IsZero() {
		o.since = now
	}
}

func (o *readiness) lapse() { o.since = time.Time{} }

// forget leaves out what was found of instances that are no more.
func (o *readiness) forget(app *inventory.App) {
	gone := func(l lifetime, _ bool) bool {
		return !slices.ContainsFunc(app.Instances, func(i inventory.Instance) bool { return lifetimeOf(i) == l })
	}
	maps.DeleteFunc(o.answered, gone)
	maps.DeleteFunc(o.probing, gone)
}

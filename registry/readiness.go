package registry

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"time"

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
}

// lifetime is one run of an instance, from its start to its end.
type lifetime struct {
	instance string
	started  int64 // Unix nanoseconds
	address  netip.Addr
}

func (i Instance) lifetime() lifetime { return lifetime{i.ID, i.StartedAt.UnixNano(), i.Address} }

// trusted reports whether the instance's own health check alone says when it is ready.
func (k *Keeper) trusted(i Instance) bool {
	e := k.Entry()
	if e.Probe.Kind != rules.AutoProbe || i.Health == NoHealth {
		return false
	}
	// A verdict that comes too late, or that is against what serves as far as anybody knows, is
	// no better than a probe, if there can be one.
	late := i.Health == HealthStarting && e.outlasted() || i.Health == Unhealthy && k.attempt.found && k.state == Starting
	return !late || len(e.probePorts()) == 0 || !i.Address.IsValid()
}

// blocked reports whether Traefik has no server for an instance, whatever a probe finds:
// where it finds servers by itself, their health checks have to pass.
func (r *Registry) blocked(k *Keeper, i Instance) bool {
	return i.Health != NoHealth && i.Health != Healthy && !k.Entry().Static() && !r.publisher.direct(k)
}

// outlasted reports whether the first verdict of the app's health check cannot come within
// its start timeout.
func (e *Entry) outlasted() bool {
	return e.App.HealthCheck != nil && e.App.HealthCheck.First() >= e.StartTimeout
}

// First is how long after an instance's start its health is checked for the first time.
func (h *HealthCheck) First() time.Duration { return cmp.Or(h.StartInterval, h.Interval) }

// serves reports whether an instance is known to be ready in this wake. Called with the lock
// held.
func (r *Registry) serves(k *Keeper, i Instance) bool {
	switch e := k.Entry(); {
	case i.Status != Running, r.blocked(k, i):
		return false
	case e.Probe.Kind == rules.NoProbe && (k.attempt.found || !i.Address.IsValid()):
		return true
	case e.Probe.Kind <= rules.NoProbe && i.Health == Healthy:
		return true
	case k.trusted(i):
		return false
	default:
		return len(e.probePorts()) == 0 || k.attempt.ready.answered[i.lifetime()]
	}
}

// verdictDue is when the health check of an instance has given its first verdict, if that is
// waited for and cannot come within the start timeout. Zero: there is no such instance.
func (r *Registry) verdictDue(k *Keeper) time.Time {
	if !k.Entry().outlasted() {
		return time.Time{}
	}
	var due time.Time
	for _, i := range k.app.Instances {
		if i.Status == Running && i.Health == HealthStarting && (k.trusted(i) || r.blocked(k, i)) {
			due = latest(due, later(i.StartedAt, k.attempt.startedAt).Add(k.app.HealthCheck.First()+verdictSlack))
		}
	}
	return due
}

// serving are the instances that requests may go to: those that serve. If none is known to,
// as Traefik has it: those that run and are not known to be unwell, or all that run.
func (r *Registry) serving(k *Keeper) []Instance {
	var running, well, ready []Instance
	for _, i := range k.app.Instances {
		if i.Status != Running {
			continue
		}
		running = append(running, i)
		if i.Health == NoHealth || i.Health == Healthy {
			well = append(well, i)
		}
		if r.serves(k, i) {
			ready = append(ready, i)
		}
	}
	switch {
	case ready != nil:
		return ready
	case well != nil:
		return well
	default:
		return running
	}
}

// answers reports whether a running app serves: one instance is enough, once the others have
// had their grace. One that a static server of Traefik's names has to be among them.
func (p *pass) answers(k *Keeper) bool {
	p.reg.probeAll(k)
	serving, late := p.reg.tally(k)
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
		p.reg.journal.say(slog.LevelWarn, "app is opened though a part of it does not serve", "app", k.Name(), "serving", len(p.reg.serving(k)), "of", len(k.app.Instances))
	}
	k.attempt.heal(p.now)
	p.move(k)
	k.notify()
	return true
}

// tally reports whether enough of an app serves, and whether something of it that runs, or
// is to run again, does not yet.
func (r *Registry) tally(k *Keeper) (serving, late bool) {
	named := k.Entry().namedServers()
	missing := len(named) > 0
	for _, i := range k.app.Instances {
		switch {
		case r.serves(k, i):
			serving = true
			missing = missing && !named[i.Name]
		case i.Status == Running || i.Status == Restarting:
			late = true
		}
	}
	return serving && !missing, late
}

// namedServers are the names of the app's instances to which static servers of its routers
// lead, if all do so. Nil: others will do as well.
func (e *Entry) namedServers() map[string]bool {
	named := map[string]bool{}
	for _, r := range e.Routers {
		u, err := url.Parse(r.StaticURL)
		if err != nil || !slices.ContainsFunc(e.App.Instances, func(i Instance) bool { return i.Name == u.Hostname() }) {
			return nil
		}
		named[u.Hostname()] = true
	}
	return named
}

// probeAll begins to probe each instance that runs and whose readiness nothing else tells.
// Called with the lock held.
func (r *Registry) probeAll(k *Keeper) {
	if len(k.Entry().probePorts()) == 0 {
		return
	}
	for _, i := range k.app.Instances {
		if i.Status == Running && k.isProbed(i) && !k.attempt.ready.answered[i.lifetime()] && !k.attempt.ready.probing[i.lifetime()] {
			r.probeOne(k, i)
		}
	}
}

// isProbed reports whether a probe of an instance would tell when it is ready. Where running is
// enough, one spares visitors the moment in which it does not listen yet.
func (k *Keeper) isProbed(i Instance) bool {
	return !k.trusted(i) && (k.Entry().Probe.Kind != rules.NoProbe || i.Address.IsValid() && !k.attempt.found)
}

// probeLate probes those of several instances that came up, or were late, once the app was
// open.
func (p *pass) probeLate(k *Keeper) {
	if len(k.app.Instances) > 1 {
		p.reg.probeAll(k)
	}
}

// probeOne probes an instance until it has answered, or this wake or its life has ended.
func (r *Registry) probeOne(k *Keeper, i Instance) {
	k.attempt.ready.begin(i.lifetime(), k.app)
	e := k.Entry()
	knock := knock{r: r, k: k, i: i, during: k.during(), settled: later(i.StartedAt, k.attempt.startedAt).Add(unprobedDelay)}
	knock.patience, knock.learns = k.probePatience(i)
	for _, port := range e.probePorts() {
		knock.targets = append(knock.targets, e.target(i, port))
	}
	r.jobs.do(k, job{probe: true, current: knock.during, work: func(ctx context.Context) func() {
		found := knock.untilKnown(ctx)
		return func() { r.probed(knock, found) }
	}})
	r.wakeLoop()
}

// probePatience is how long an instance is probed until running is enough, and whether it shows
// then that nothing of it listens. Zero: until it answers.
func (k *Keeper) probePatience(i Instance) (patience time.Duration, learns bool) {
	e := k.Entry()
	switch {
	case e.Probe.Kind == rules.NoProbe:
		return noProbeGrace, false
	case e.Probe.Kind != rules.AutoProbe, i.Health != NoHealth, !e.guessesPort():
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
func (o *readiness) begin(l lifetime, app App) {
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

// fail takes in with what a probe was answered that failed; zero: with nothing.
func (o *readiness) fail(fault StatusError) { o.fault = fault }

// serve notes that an instance serves; lapse, that none does.
func (o *readiness) serve(now time.Time) {
	if o.since.IsZero() {
		o.since = now
	}
}

func (o *readiness) lapse() { o.since = time.Time{} }

// forget leaves out what was found of instances that are no more.
func (o *readiness) forget(app App) {
	gone := func(l lifetime, _ bool) bool {
		return !slices.ContainsFunc(app.Instances, func(i Instance) bool { return i.lifetime() == l })
	}
	maps.DeleteFunc(o.answered, gone)
	maps.DeleteFunc(o.probing, gone)
}

// guessesPort reports whether nothing but the image says where the app listens.
func (e *Entry) guessesPort() bool {
	return e.Probe.Port == 0 && e.Properties.Port == 0 && !slices.ContainsFunc(e.Routers, func(r Router) bool { return r.Port != 0 })
}

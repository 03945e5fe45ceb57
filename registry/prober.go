package registry

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// prober finds out whether apps serve: by their health checks, and by probes where those do not
// tell. Its methods are called with the registry's lock held.
type prober struct {
	*core
	probe     func(ctx context.Context, target inventory.Target) error
	tasks     *tasks
	supply    *supply
	publisher *Publisher
}

// serves reports whether an instance is known to be ready in this wake. Called with the lock
// held.
func (p *prober) serves(k *Keeper, i inventory.Instance) bool {
	switch e := k.Definition(); {
	case i.Status != inventory.Running, p.blocked(k, i):
		return false
	case e.Probe.Kind == rules.NoProbe && (k.attempt.found || !e.Targets().Reaches(i)):
		return true
	case e.Probe.Kind <= rules.NoProbe && i.Health == inventory.Healthy && (e.URL == nil || e.Probe.Kind == rules.NoProbe):
		return true
	case p.trusted(k, i):
		return false
	default:
		return len(e.Targets().Ports()) == 0 || isOne(k, i, k.attempt.ready.answered)
	}
}

// isOne reports whether an instance is one of those. Where the app has a URL that leads to any of
// them, one that runs stands for all.
func isOne(k *Keeper, i inventory.Instance, of map[lifetime]bool) bool {
	if k.Definition().URL == nil {
		return of[lifetimeOf(i)]
	}
	return slices.ContainsFunc(k.app.Instances, func(o inventory.Instance) bool {
		return o.Status == inventory.Running && of[lifetimeOf(o)]
	})
}

// serving are the instances that requests may go to: those that serve. If none is known to,
// as Traefik has it: those that run and are not known to be unwell, or all that run.
func (p *prober) serving(k *Keeper) []inventory.Instance {
	var running, well, ready []inventory.Instance
	for _, i := range k.app.Instances {
		if i.Status != inventory.Running {
			continue
		}
		running = append(running, i)
		if i.Health == inventory.NoHealth || i.Health == inventory.Healthy {
			well = append(well, i)
		}
		if p.serves(k, i) {
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

// tally reports whether enough of an app serves, and whether something of it that runs, or
// is to run again, does not yet.
func (p *prober) tally(k *Keeper) (serving, late bool) {
	named := k.Definition().NamedServers()
	missing := len(named) > 0
	for _, i := range k.app.Instances {
		switch {
		case p.serves(k, i):
			serving = true
			missing = missing && !named[i.Name]
		case i.Status == inventory.Running || i.Status == inventory.Restarting:
			late = true
		}
	}
	return serving && !missing, late
}

// blocked reports whether Traefik has no server for an instance, whatever a probe finds:
// where it finds servers by itself, their health checks have to pass.
func (p *prober) blocked(k *Keeper, i inventory.Instance) bool {
	return i.Health != inventory.NoHealth && i.Health != inventory.Healthy && !k.Definition().HasStaticServers() && !p.publisher.pollers.direct(k)
}

// verdictDue is when the health check of an instance has given its first verdict, if that is
// waited for and cannot come within the start timeout. Zero: there is no such instance.
func (p *prober) verdictDue(k *Keeper) time.Time {
	if !k.Definition().Outlasted() {
		return time.Time{}
	}
	var due time.Time
	for _, i := range k.app.Instances {
		if i.Status == inventory.Running && i.Health == inventory.HealthStarting && (p.trusted(k, i) || p.blocked(k, i)) {
			due = latest(due, later(i.StartedAt, k.attempt.startedAt).Add(k.app.HealthCheck.First()+verdictSlack))
		}
	}
	return due
}

// probeAll begins to probe each instance that runs and whose readiness nothing else tells.
// Called with the lock held.
func (p *prober) probeAll(k *Keeper) {
	if len(k.Definition().Targets().Ports()) == 0 {
		return
	}
	for _, i := range k.app.Instances {
		if i.Status == inventory.Running && p.isProbed(k, i) && !isOne(k, i, k.attempt.ready.answered) && !isOne(k, i, k.attempt.ready.probing) {
			p.probeOne(k, i)
		}
	}
}

// probeOne probes an instance until it has answered, or this wake or its life has ended.
func (p *prober) probeOne(k *Keeper, i inventory.Instance) {
	k.attempt.ready.begin(lifetimeOf(i), k.app)
	e := k.Definition()
	knock := knock{prober: p, k: k, i: i, url: e.App.URL, during: k.during(), settled: later(i.StartedAt, k.attempt.startedAt).Add(unprobedDelay)}
	knock.patience, knock.learns = p.patience(k, i)
	ports := e.Targets().Ports()
	knock.port = ports[0]
	for _, port := range ports {
		knock.targets = append(knock.targets, e.Targets().At(i, port))
	}
	p.tasks.doLocked(k, task{probe: true, current: knock.during, work: func(ctx context.Context) func() {
		found := knock.untilKnown(ctx)
		return func() { p.probed(knock, found) }
	}})
	p.nudge()
}

// probed takes in what a probe of an instance has found. It is called with r.mu held.
func (p *prober) probed(o knock, found outcome) {
	k := o.k
	k.attempt.ready.end(lifetimeOf(o.i), found)
	if found != noAnswer {
		p.supply.touch()
		if len(k.Definition().Routes) > 0 {
			p.publisher.changedLocked() // requests may go there, too
		}
	}
	switch {
	case !o.learns:
	case found == answered:
		k.learned.hear(listens)
	case found == supposed && k.learned.hearing == unheard:
		k.learned.hear(deaf)
		p.journal.say(slog.LevelInfo, "app does not listen where its image says, so it is ready when it runs; if it does later, give it a health check, or paastis.probe",
			"app", k.Name(), "port", o.port, "waited", reason.Short(o.patience))
	}
	if found == supposed && o.learns {
		p.listenOn(o)
	}
}

// listenOn goes on to look whether an app listens that was taken not to.
func (p *prober) listenOn(o knock) {
	p.tasks.doLocked(o.k, task{work: func(ctx context.Context) func() {
		if !o.untilHeard(ctx) {
			return nil
		}
		return func() { o.k.learned.hear(listens) }
	}})
}

// isUnhealthy reports whether nothing but its health check keeps the app from being ready.
func (p *prober) isUnhealthy(k *Keeper) bool {
	return slices.ContainsFunc(k.app.Instances, func(i inventory.Instance) bool {
		return i.Status == inventory.Running && i.Health != inventory.Healthy && (p.trusted(k, i) || p.blocked(k, i))
	})
}

// unanswered is why an app that runs does not count as healthy. One that is asked at no port was
// still waited for, such as for a part of it that does not run.
func (p *prober) unanswered(k *Keeper) reason.Reason {
	ports := k.Definition().Targets().Ports()
	switch status := k.attempt.ready.fault.Status; {
	case p.isUnhealthy(k):
		return reason.Reason{Kind: reason.Unhealthy}
	case k.attempt.ready.untrusted:
		return reason.Reason{Kind: reason.Untrusted}
	case status != 0:
		return reason.Reason{Kind: reason.ProbeAnswered, Code: status}
	case len(ports) == 0:
		return reason.Reason{Kind: reason.NotStarted}
	default:
		return reason.Reason{Kind: reason.NoAnswer, Code: int(ports[0])}
	}
}

package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paastis/paastis/rules"
)

// A failed app is started again after these times, doubled each time: at most five
// starts in the first minute, then ever fewer.
const (
	firstRetry = 2 * time.Second
	lastRetry  = time.Minute
)

// fail ends a wake. The reason is a sentence that a visitor may read. Called with the
// lock held.
func (r *Registry) fail(k *Keeper, reason string, now time.Time) {
	k.retryAt = now.Add(k.backOff())
	k.idleFrom = now
	k.sick = !k.running() || k.health() == Unhealthy || k.health() == HealthStarting
	r.set(k, Failed, reason, now)
}

// backOff is the time to the next attempt, longer after each one that fails.
func (k *Keeper) backOff() time.Duration {
	if k.retries == nil {
		k.retries = newBackOff(firstRetry, lastRetry)
	}
	return k.retries.NextBackOff()
}

// failFor fails an app because one that it needs failed. It is tried again with it.
func (p *pass) failFor(k, needed *Keeper) {
	p.fail(k, fmt.Sprintf("%s, which it needs, failed: %s", needed.Name(), needed.reason), p.now)
	k.retryAt = needed.retryAt
	p.moved = true
}

// end takes in that an app ended on its way up: a job may, and anything else failed.
func (p *pass) end(k *Keeper) {
	last := k.lastInstance()
	if !last.OOMKilled && last.Error == "" && last.ExitCode == 0 && p.isJob(k) {
		k.completed = true
		p.set(k, Asleep, "ran its course")
		return
	}
	p.fail(k, last.epitaph(), p.now)
	p.moved = true
}

// isJob tells that no app that needs this one asks for more than its start or its end.
func (p *pass) isJob(k *Keeper) bool {
	inv := p.inventory.Load()
	dependents := inv.Graph.Dependents(k.Name())
	for _, name := range dependents {
		for _, n := range inv.needs(inv.names[name]) {
			if n.to.keeper == k && n.Condition == rules.Healthy {
				return false
			}
		}
	}
	return len(dependents) > 0
}

// miss fails an app whose wake took too long.
func (p *pass) miss(k *Keeper) {
	limit := k.Entry().StartTimeout
	var what string
	switch h := k.health(); {
	case k.restarting():
		what = fmt.Sprintf("kept restarting for %s (exit code %d)", limit, k.lastInstance().ExitCode)
	case !k.up() && !k.ordered:
		what = fmt.Sprintf("waited %s for %s", limit, strings.Join(p.lacking(k), ", "))
	case !k.up():
		what = fmt.Sprintf("did not start within %s", limit)
	case h == Unhealthy || h == HealthStarting:
		what = fmt.Sprintf("was not healthy within %s", limit)
	case k.healthyAt.IsZero():
		what = fmt.Sprintf("did not answer on port %d within %s", k.Entry().Port(), limit)
	default:
		what = fmt.Sprintf("waited %s for %s", limit, strings.Join(p.lacking(k), ", "))
	}
	p.fail(k, "It "+what+".", p.now)
	p.moved = true
}

// lacking are the apps that this one still waits for.
func (p *pass) lacking(k *Keeper) []string {
	var names []string
	for _, n := range p.inventory.Load().needs(k.Entry()) {
		if !p.meets(n, k) && !n.Optional {
			names = append(names, n.to.Name)
		}
	}
	if names == nil {
		return []string{"its turn"}
	}
	return names
}

// Visible is an error that carries a sentence for visitors beside the chain for logs.
type Visible interface {
	error
	// Visible is the sentence, without names of hosts and without secrets.
	Visible() string
}

// visible is what a visitor may read of an error: the log has it whole.
func visible(err error) string {
	var v Visible
	if errors.As(err, &v) {
		return v.Visible()
	}
	return "its provider refused; the log says why"
}

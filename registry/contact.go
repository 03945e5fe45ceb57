package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// unreachedLimit is for how long an order is tried whose provider could not be reached a moment
// ago: it may be back, and nobody should wait long to hear that it is not.
const unreachedLimit = 5 * time.Second

// contacts are whether the providers answer. It may be used by several at once.
type contacts struct {
	*core
	byProvider map[provider.Provider]*contact // guarded by the registry's lock, but for which there are: that never changes
}

// contact is whether one provider answers. Guarded by the registry's lock.
type contact struct {
	health ProviderHealth
	// reached ends once the provider cannot be reached, with its error as the cause.
	reached context.Context
	lose    context.CancelCauseFunc
	// unbroken ends once the provider answers again after it could not be reached: what it was
	// asked before may never be answered.
	unbroken context.Context
	regain   context.CancelFunc
}

func newContacts(core *core, providers []provider.Provider) contacts {
	c := contacts{core: core, byProvider: map[provider.Provider]*contact{}}
	for _, p := range providers {
		one := &contact{health: ProviderHealth{Name: p.ID()}}
		one.renew()
		c.byProvider[p] = one
	}
	return c
}

// renew begins a time in which the provider can be reached.
func (c *contact) renew() {
	if c.regain != nil {
		c.regain()
	}
	c.unbroken, c.regain = context.WithCancel(context.Background())
	c.reached, c.lose = context.WithCancelCause(context.Background())
}

// lost is why the provider cannot be reached; nil: it can, as far as is known.
func (c *contact) lost() error {
	if c.reached.Err() == nil {
		return nil
	}
	return context.Cause(c.reached)
}

// lastError is what a provider last failed with; empty if it answers.
func (c *contacts) lastError(p provider.Provider) string {
	c.mu.Lock()
	defer c.unlock()
	return c.byProvider[p].health.Error
}

// note takes in whether a provider answers, err is nil if it does, and reports whether it could be
// reached before and cannot now, or the other way round; likewise whether it accepts the token.
func (c *contacts) note(p provider.Provider, err error) (changed bool) {
	c.mu.Lock()
	defer c.unlock()
	is := c.byProvider[p]
	before := is.turnedAway()
	is.health.tell(err, time.Now())
	was, lost := is.lost() != nil, errors.Is(err, provider.ErrUnreachable)
	switch {
	case lost:
		is.lose(err)
	case was:
		is.renew()
	}
	return was != lost || before != is.turnedAway()
}

// turnedAway is why the provider lets Paastis not even look, though it answers. Empty: it lets it, as
// far as is known.
func (c *contact) turnedAway() reason.Kind {
	if why := c.health.Why; why == reason.TokenRefused || why == reason.TokenExpired {
		return why
	}
	return ""
}

// lost is why a provider cannot be reached; nil: it can, as far as is known. Called with the
// lock held.
func (c *contacts) lost(p provider.Provider) error { return c.byProvider[p].lost() }

// conditions are how it stands with the calls of the providers that say. It does not need the lock:
// which providers there are never changes.
func (c *contacts) conditions() map[provider.Provider]*provider.Condition {
	all := map[provider.Provider]*provider.Condition{}
	for p := range c.byProvider {
		if guarded, ok := p.(provider.Guarded); ok {
			is := guarded.Condition()
			all[p] = &is
		}
	}
	return all
}

// unreached is what is to be said of an app that is on its way, or could sleep, while its provider
// cannot be reached. Zero: it can, as far as is known. Called with the lock held.
func (c *contacts) unreached(k *Keeper) reason.Reason {
	lost := c.lost(k.provider)
	if lost == nil {
		return c.held(k)
	}
	why := reason.Of(lost)
	if why.Kind != reason.BreakerOpen {
		why = reason.Reason{Kind: reason.ProviderUnreachable}
	}
	why.Pending = true
	return why
}

// held is why an order for an app waits, or nobody sees what becomes of it, whose provider can be
// reached: it was asked too often, and takes none for a while, or it does not accept the token. Zero:
// neither, as far as is known. Called with the lock held.
func (c *contacts) held(k *Keeper) reason.Reason {
	if why := c.byProvider[k.provider].turnedAway(); why != "" && (k.busy || k.inTransition()) {
		return reason.Reason{Kind: why, Pending: true}
	}
	guarded, ok := k.provider.(provider.Guarded)
	if !ok || !k.busy {
		return reason.Reason{}
	}
	why := guarded.Condition().Why
	if why.Kind != reason.RateLimited {
		return reason.Reason{}
	}
	why.Pending = true
	return why
}

// endIfLost ends what waits for a provider that still cannot be reached.
func (c *contacts) endIfLost(p provider.Provider, end context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lost := c.lost(p); lost != nil {
		end(lost)
	}
}

// order gives an order to a provider and blocks for its answer, no longer than the provider can
// be reached: one that hangs does not even refuse. What became of an order that was given up is
// not known; its app is followed as it is once the provider is back.
func (c *contacts) order(ctx context.Context, p provider.Provider, give func(context.Context) (inventory.App, error)) (inventory.App, error) {
	within, end := context.WithCancelCause(ctx)
	defer end(nil)
	c.mu.Lock()
	reached, lost := c.byProvider[p].reached, c.lost(p)
	c.mu.Unlock()
	if lost == nil {
		defer context.AfterFunc(reached, func() { end(context.Cause(reached)) })()
	} else {
		defer time.AfterFunc(unreachedLimit, func() { c.endIfLost(p, end) }).Stop()
	}
	app, err := give(within)
	if cause := context.Cause(within); err != nil && errors.Is(cause, provider.ErrUnreachable) {
		err = cause
	}
	return app, err
}

// errBroken is of an order whose provider could not be reached meanwhile, and answers again.
var errBroken = fmt.Errorf("%w while it took the order", provider.ErrUnreachable)

// insist is order for what must not be given up while its provider cannot be reached, for it may be
// carried out all the same. The error wraps provider.ErrUnreachable if that is not known. Once the
// provider answers again nothing is waited for that it was told before: it may have never heard it.
func (c *contacts) insist(ctx context.Context, p provider.Provider, give func(context.Context) (inventory.App, error)) (inventory.App, error) {
	within, end := context.WithCancelCause(ctx)
	defer end(nil)
	c.mu.Lock()
	unbroken := c.byProvider[p].unbroken
	c.mu.Unlock()
	defer context.AfterFunc(unbroken, func() { end(errBroken) })()
	app, err := give(within)
	if err == nil || within.Err() == nil {
		return app, err
	}
	c.mu.Lock()
	defer c.unlock()
	return app, cmp.Or(c.lost(p), context.Cause(within))
}

// awaitBack blocks until a provider that could not be reached answers again, or ctx ends, and
// reports whether it does. If it is not known that it cannot be reached, that has a moment to turn
// out.
func (c *contacts) awaitBack(ctx context.Context, p provider.Provider) bool {
	c.mu.Lock()
	is := *c.byProvider[p]
	c.unlock()
	known, cancel := context.WithTimeout(ctx, unreachedLimit)
	defer cancel()
	select {
	case <-is.reached.Done():
	case <-known.Done():
		return false
	}
	select {
	case <-is.unbroken.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// noteContact takes in whether a provider answers, and lets all follow who wait for its apps. What
// it has reported since is to be taken in before.
func (i *intake) noteContact(p provider.Provider, err error) {
	if !i.contacts.note(p, err) {
		return
	}
	i.transitions.tellContact(p)
	if err == nil {
		i.transitions.forgiveUnreached(p)
	}
	i.nudge()
}

// tellContact tells who looks at apps of a provider that what is said of them may be another.
func (t *transitions) tellContact(p provider.Provider) {
	t.mu.Lock()
	defer t.unlock()
	for _, k := range t.keepers.byID {
		if k.provider == p && k.state != Asleep {
			k.notify()
			t.news.markChanged(k)
		}
	}
}

// forgiveUnreached lets apps be tried again at once that have failed because their provider, or
// that of an app that they need, could not be reached: it can be.
func (t *transitions) forgiveUnreached(p provider.Provider) {
	t.mu.Lock()
	defer t.unlock()
	unreached := func(k *Keeper) bool {
		return k != nil && k.provider == p && k.state == Failed && k.failures.last.get().Kind == Unreachable
	}
	for _, k := range t.keepers.byID {
		if unreached(k) || k.state == Failed && unreached(k.failures.last.get().root) {
			k.failures.forgive()
			k.notify()
			t.news.markChanged(k)
		}
	}
}

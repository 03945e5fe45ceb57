package registry

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// viewPause is how often a picture is looked at without a sign of a change, in case one
// was not told: many wait for one app.
const viewPause = 10 * time.Second

// View is a picture of one app for control: the waiting page, the API, explain.
// It shares nothing with the registry.
type View struct {
	// Name by which the app is known.
	Name  string
	State State
	// Gone reports whether it no longer exists; another one may come by its name.
	Gone bool
	// HeldDown reports whether somebody has stopped it who wants it to stay so: no request wakes it.
	HeldDown bool
	// Reason is one that a visitor may read: why it failed, what it waits for, that it is held
	// down, or that nothing is known of it for now. Zero if there is nothing to say.
	Reason reason.Reason
	// Began is when the way up began that the app is on. Zero: it is on none.
	Began time.Time
	// Usual is how long its way up usually takes, by its last wakes. Zero: not known.
	Usual time.Duration
	// RetryAt is when who comes has it started again, if it failed. Zero otherwise.
	RetryAt time.Time
	// Logs are the last lines of an app that failed, oldest first, where visitors may
	// read them. Nil otherwise.
	Logs []string
	// Theme draws its page, which looks like Brand.
	Theme string
	Brand rules.Brand
	// Steps are the linked apps that a wake takes, in start order, without the app
	// itself. Empty if it needs no other.
	Steps []Step
}

// Step is a linked app on another one's way up.
type Step struct {
	Name     string
	Progress Progress
	// Reason why it failed or is skipped, or that nothing is known of it for now. Zero otherwise.
	Reason reason.Reason
}

// Progress is how far a step is.
type Progress string

const (
	// Queued: it waits for an app that it needs, or for its turn.
	Queued Progress = "queued"
	// Waking: it starts.
	Waking Progress = "starting"
	// Up: it runs and is healthy.
	Up Progress = "healthy"
	// Broken: it failed.
	Broken Progress = "failed"
	// Skipped: it does not exist, nobody enabled it, or it is optional and failed.
	Skipped Progress = "skipped"
)

// viewer sees what there is to see of the apps, and when that may have changed. It may be used by
// several at once, but for what says that the lock is held.
type viewer struct {
	*core
	inForce     *inForce
	keepers     *keeperSet
	supply      *supply
	publisher   *Publisher
	contacts    *contacts
	transitions *transitions
}

// View is the picture of an app as it is now.
func (r *Registry) View(k *Keeper) View {
	r.mu.Lock()
	defer r.unlock()
	state, why := k.state, k.reason.get()
	if state == Ready && !k.open.Load() {
		state, why = Starting, reason.Reason{}
	}
	if state != Failed && !(state == Starting && k.attempt.queued()) {
		why = reason.Reason{}
	}
	if unknown := r.viewer.unknown(k); !unknown.IsZero() && (k.state == Starting || k.state == Stopping) {
		why = unknown
	}
	v := View{Name: k.Name(), State: state, Reason: why, Usual: k.past.UsualWake()}
	if v.HeldDown = state == Asleep && k.isHeldDown(); v.HeldDown {
		v.Reason = reason.Reason{Kind: reason.StaysStopped, Apps: []string{k.Name()}}
	}
	v.Theme, v.Brand = k.Definition().Theme, k.Definition().Brand
	if k.state == Starting {
		v.Began = k.since
	}
	if state == Failed {
		v.RetryAt = k.failures.retryAt
		v.Logs = k.failures.logs(k.Definition(), true)
	}
	if v.Gone = k.removal.gone; k.removal.gone {
		return v
	}
	v.Steps = r.viewer.steps(k)
	if v.State == Starting && v.Reason.IsZero() {
		v.Reason = r.viewer.queue(k)
	}
	return v
}

// steps are the linked apps in the order in which they start, and then those that are
// skipped because they do not exist.
func (v *viewer) steps(k *Keeper) []Step {
	inv := v.inForce.inventory.Load()
	var steps []Step
	for _, wave := range inv.Graph.StartOrder(k.Name()) {
		for _, name := range wave {
			if name != k.Name() {
				steps = append(steps, v.stepOf(inv.ByName[name], k))
			}
		}
	}
	for _, l := range inv.Graph.Missing(k.Name()) {
		steps = append(steps, Step{Name: l.Name, Progress: Skipped, Reason: reason.Reason{Kind: reason.Missing}})
	}
	return steps
}

// stepOf is how far a linked app is on another one's way up.
func (v *viewer) stepOf(e *inventory.Definition, by *Keeper) Step {
	k := KeeperOf(e)
	s := Step{Name: e.Name}
	switch {
	case !e.Managed && k.app.Alive(), k.healthy(), e.MayEnd() && (by.app.Alive() || k.endings.wellSince(by.attempt.wakeBegan)):
		s.Progress = Up
	case !e.Managed:
		s.Progress, s.Reason = Skipped, reason.Reason{Kind: reason.Unmanaged}
	case k.state == Failed:
		s.Progress, s.Reason = Broken, k.reason.get()
	case k.isHeldDown() && k.state == Asleep:
		s.Progress, s.Reason = Broken, reason.Reason{Kind: reason.NeedStopped}
	case k.state == Starting && k.attempt.startSent:
		s.Progress = Waking
	default:
		s.Progress = Queued
	}
	if s.Reason.IsZero() {
		s.Reason = v.unknown(k)
	}
	return s
}

// queue is what an app waits for in a queue that itself waits for another app alone. Zero: nothing.
func (v *viewer) queue(k *Keeper) reason.Reason {
	for _, n := range k.Definition().Needs {
		if t := KeeperOf(n.To); t.state == Starting && t.attempt.queued() && !n.Optional {
			return t.reason.get()
		}
	}
	return reason.Reason{}
}

// unknown is why it is not known how far an app is on its way, or a job to its end: its provider
// cannot be reached. Zero: that is known. Called with the lock held.
func (v *viewer) unknown(k *Keeper) reason.Reason {
	if !k.inTransition() {
		return reason.Reason{}
	}
	return v.contacts.unreached(k)
}

// ViewAfter blocks until the picture of an app is another than one that was seen, or
// until ctx ends. It returns the picture as it is then, and whether it is another.
func (r *Registry) ViewAfter(ctx context.Context, k *Keeper, seen View) (View, bool) {
	for {
		changes := r.viewer.changesAround(k)
		switch v := r.View(k); {
		case !v.equal(seen):
			return v, true
		case ctx.Err() != nil:
			return v, false
		}
		waitAny(ctx, changes, viewPause)
	}
}

// changesAround are closed at the next change of an app or of one that it needs.
func (v *viewer) changesAround(k *Keeper) []<-chan struct{} {
	v.mu.Lock()
	defer v.unlock()
	changes := []<-chan struct{}{k.next()}
	inv := v.inForce.inventory.Load()
	for _, name := range inv.Graph.Closure(k.Name()) {
		if e := inv.ByName[name]; e != nil && KeeperOf(e) != k {
			changes = append(changes, KeeperOf(e).next())
		}
	}
	return changes
}

func (v View) equal(o View) bool {
	return v.Name == o.Name && v.State == o.State && v.HeldDown == o.HeldDown && v.Reason.Equal(o.Reason) &&
		slices.Equal(v.Logs, o.Logs) && slices.EqualFunc(v.Steps, o.Steps, Step.equal)
}

func (s Step) equal(o Step) bool {
	return s.Name == o.Name && s.Progress == o.Progress && s.Reason.Equal(o.Reason)
}

// waitAny blocks until one of the channels is closed, ctx ends, or the time is up.
func waitAny(ctx context.Context, channels []<-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	cases := []reflect.SelectCase{receiveFrom(ctx.Done()), receiveFrom(timer.C)}
	for _, c := range channels {
		cases = append(cases, receiveFrom(c))
	}
	reflect.Select(cases)
}

func receiveFrom(channel any) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(channel)}
}

package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// Detail is all that is known of an app, for its owner. It shares nothing with the registry.
type Detail struct {
	// Name by which the app is known. OwnName is its provider's.
	Name, Provider, OwnName string
	// Stack that it was deployed with. Empty: none.
	Stack string
	// Managed reports whether Paastis may start and stop it. Of one that it may not only the
	// links are told, and whether it runs.
	Managed bool

	// State since when. A ready app is starting again while one that it needs is down.
	State State
	Since time.Time
	// Reason why it is in that state; of one that is awake, why it stays so, as the idle
	// decision has it. Zero: there is none.
	Reason reason.Reason
	// LastActivity is when it was last of use. Zero: never, as far as is known.
	LastActivity time.Time
	// NextStop is when it sleeps if nobody comes. Zero: it cannot be foreseen, or it does
	// not run.
	NextStop time.Time
	// PinnedUntil is until when somebody has pinned it. Zero: nobody has.
	PinnedUntil time.Time
	// StoppedManually is when somebody else has stopped it, if it is to stay so until a person
	// wakes it. Zero: nobody has.
	StoppedManually time.Time
	// MaxIdle is how long it stays awake unused; rules.Never: always.
	MaxIdle time.Duration
	// Mode is how requests reach it, as its property says: auto, forwardauth, direct.
	Mode string
	// URLs by which people reach it, as far as its routers tell for sure.
	URLs []string

	// Needs are its links; those to apps that do not exist last.
	Needs []Need
	// NeededBy are the apps that link to it, awake or not, sorted.
	NeededBy []string
	// Group are the apps that it needs and that need it, without itself, sorted.
	Group []string

	// UsualWake is how long its way up usually takes. Zero: not known.
	UsualWake time.Duration
	// Open is how many requests Paastis itself carries to it now.
	Open int
	// Memory that it took when it was last measured, in bytes. Zero: not known.
	Memory uint64
	Saved  history.Savings
	// Avoided is what was not billed because it slept.
	Avoided Avoided
	// Failure is why it has failed. Nil: it has not.
	Failure *FailureDetail
	// Wakes are the last ones, newest first.
	Wakes []history.Wake
}

// Need is a link to an app that another one needs.
type Need struct {
	Name string
	// Condition is what is needed of it: started, healthy, completed.
	Condition string
	Optional  bool
	// Missing reports whether there is no such app.
	Missing bool
}

// FailureDetail is a failure with when it is tried again.
type FailureDetail struct {
	Failure
	// RetryAt is when a request wakes the app again. In the past: the next one does.
	RetryAt time.Time
}

// Listing is all apps at one moment.
type Listing struct {
	// Details are those of all managed apps and of those that they link to, by stack and name.
	Details []Detail
	// Avoided is what all apps have avoided, also those that are not managed or not there any more.
	Avoided Avoided
}

// Details are those of a Listing.
func (r *Registry) Details() []Detail { return r.Listing().Details }

// Listing is all apps as they are now.
func (r *Registry) Listing() Listing {
	r.mu.Lock()
	now := time.Now()
	inv, p := r.inForce.inventory.Load(), r.viewer.readPassLocked(now)
	drafts := make([]detailDraft, 0, len(inv.Definitions))
	for _, e := range inv.Definitions {
		if inv.Lists(e) {
			drafts = append(drafts, p.detail(KeeperOf(e)))
		}
	}
	avoided := r.inForce.priced(r.keepers.avoided(r.archive.Avoided(), now), now)
	r.mu.Unlock()
	return Listing{complete(drafts), avoided}
}

// Detail is that of an app as it is now.
func (r *Registry) Detail(k *Keeper) Detail {
	r.mu.Lock()
	d := r.viewer.readPassLocked(time.Now()).detail(k)
	r.mu.Unlock()
	return complete([]detailDraft{d})[0]
}

// detailDraft is a detail of which that is still missing what never changes of its definition: it is
// filled in without the lock.
type detailDraft struct {
	Detail
	definition *inventory.Definition
	inv        *inventory.Inventory
}

// complete completes drafts, and sorts them by stack and name.
func complete(drafts []detailDraft) []Detail {
	var details []Detail
	for _, d := range drafts {
		d.describe()
		details = append(details, d.Detail)
	}
	slices.SortFunc(details, func(a, b Detail) int {
		return cmp.Or(cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.Name, b.Name))
	})
	return details
}

// describe fills in what the definition says.
func (d *detailDraft) describe() {
	e := d.definition
	d.Provider, _, _ = strings.Cut(e.ID, "/")
	d.OwnName, d.Stack, d.Managed = e.App.Name, e.App.Stack, e.Managed
	d.MaxIdle, d.Mode, d.URLs = e.MaxIdleTime, e.Mode.String(), e.URLs()
	graph := d.inv.Graph
	for _, l := range graph.Links(e.Name) {
		d.Needs = append(d.Needs, needOf(l))
	}
	for _, l := range graph.Missing(e.Name) {
		n := needOf(l)
		n.Missing = true
		d.Needs = append(d.Needs, n)
	}
	d.NeededBy = slices.Clone(graph.Dependents(e.Name))
	for _, name := range graph.Component(e.Name) {
		if name != e.Name {
			d.Group = append(d.Group, name)
		}
	}
}

func needOf(l rules.Link) Need {
	return Need{Name: l.Name, Condition: l.Condition.String(), Optional: l.Optional}
}

// readPass is a go over apps that moves nothing: it only looks. It is made and used with the
// registry's lock held.
type readPass struct {
	*summaries
	inForce     *inForce
	transitions *transitions
	stops       map[*inventory.Component]time.Time // when each stops; zero: not foreseeable
}

// readPassLocked begins one.
func (v *viewer) readPassLocked(now time.Time) *readPass {
	return &readPass{
		summaries: newSummaries(now, v.supply, v.publisher, v.contacts), inForce: v.inForce, transitions: v.transitions,
		stops: map[*inventory.Component]time.Time{},
	}
}

// detail is what changes of an app.
func (p *readPass) detail(k *Keeper) detailDraft {
	e := k.Definition()
	d := detailDraft{definition: e, inv: p.inForce.inventory.Load()}
	d.Name, d.State, d.Since, d.Reason = e.Name, k.state, k.since, k.transitionReason.get()
	if k.since.IsZero() {
		d.Since = k.past.Current()
	}
	if k.removal.gone {
		d.Reason, d.inv = k.reason.get(), &inventory.Inventory{Graph: rules.NewGraph(nil)}
		return d
	}
	if !e.Managed {
		d.State, d.Since, d.Reason = Asleep, time.Time{}, e.Why
		if k.app.Alive() {
			d.State = Ready
		}
		return d
	}
	switch k.state {
	case Starting:
		if k.attempt.queued() {
			d.Reason = k.reason.get()
		}
		d.Reason = p.orUnreached(k, d.Reason)
	case Stopping:
		d.Reason = p.orUnreached(k, d.Reason)
	case Ready:
		d.Reason = idle.Decide(p.snapshot(k), p.now).Reason
		if !k.open.Load() && !p.transitions.mayOpen(k) {
			d.State, d.Reason = Starting, reason.Reason{Kind: reason.NeedDown}
		}
	case Failed:
		d.Failure = &FailureDetail{Failure: k.failures.last.get(), RetryAt: k.failures.retryAt}
		d.Failure.Logs = k.failures.logs(k.Definition(), false)
	}
	d.LastActivity, d.NextStop = k.lastActivity(), p.nextStop(k)
	if k.isHeldDown() {
		d.StoppedManually = k.manual.stoppedAt
	}
	if k.manual.pinnedUntil.After(p.now) {
		d.PinnedUntil = k.manual.pinnedUntil
	}
	d.UsualWake, d.Open, d.Memory, d.Saved = k.past.UsualWake(), int(k.inFlight.Load()), k.usage.ram, k.past.Saved(k.usage.ram, p.now)
	d.Avoided, d.Wakes = p.inForce.avoidedOf(k, p.now), k.past.Wakes()
	slices.Reverse(d.Wakes)
	return d
}

// orUnreached is a reason, unless the app's provider cannot be reached: then it is that.
func (p *readPass) orUnreached(k *Keeper, why reason.Reason) reason.Reason {
	if unreached := p.contacts.unreached(k); !unreached.IsZero() {
		return unreached
	}
	return why
}

// lastActivity is when the app was last of use to somebody. Zero: never, as far as is known.
func (k *Keeper) lastActivity() time.Time {
	return latest(k.past.LastUse(), k.lastRequest(), k.routing.trafficSeenAt)
}

// nextStop is when an app sleeps if nothing happens. Zero: that cannot be foreseen.
func (p *readPass) nextStop(k *Keeper) time.Time {
	if k.state != Ready && (k.state != Failed || !k.app.Alive()) || !k.Definition().Managed {
		return time.Time{}
	}
	c := k.Definition().Component
	stop, known := p.stops[c]
	if !known {
		p.stops[c] = time.Time{} // whoever asks meanwhile is needed by it
		stop = p.foresee(k, c)
		p.stops[c] = stop
	}
	return stop
}

// foresee is when a component sleeps, after all that need it.
func (p *readPass) foresee(k *Keeper, c *inventory.Component) time.Time {
	s := p.snapshot(k)
	if s.SleepIsAsked() {
		return p.now
	}
	stay := max(s.MaxIdle, idle.ShortestStay)
	used := p.now.Sub(s.LastUse) < stay
	if s.Waking != "" || s.Open > 0 || !s.Unreached.IsZero() || s.MaxIdle == rules.Never || !used && s.Sampled && !s.Use.Reason.IsZero() {
		return time.Time{}
	}
	stop := p.now
	if used {
		stop = s.LastUse.Add(stay)
	}
	stop = latest(stop, s.NotBefore)
	for _, m := range c.Members {
		if why, _ := p.publisher.pollers.unturnable(KeeperOf(m), p.now); !why.IsZero() {
			return time.Time{}
		}
	}
	for _, needing := range needing(c) {
		other := p.nextStop(KeeperOf(needing))
		if other.IsZero() {
			return time.Time{}
		}
		stop = latest(stop, other)
	}
	return p.afterWindows(c, stop)
}

// mostWindows is how many windows that follow each other are looked at: of more, the end
// is not foreseen.
const mostWindows = 8

// afterWindows is when no window and no pin keeps an app of a component awake any more, from
// a time on. Zero: not soon.
func (p *readPass) afterWindows(c *inventory.Component, t time.Time) time.Time {
	for range mostWindows {
		end := t
		for m := range managed(c) {
			if _, until := m.manual.kept(m.Definition(), t); until.After(end) && m.awake() {
				end = until
			}
		}
		if end.Equal(t) {
			return t
		}
		t = end
	}
	return time.Time{}
}

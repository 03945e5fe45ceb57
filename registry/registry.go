// Package registry owns the apps: it knows their state and last use, and nothing
// outside it decides to start or stop one.
//
//	         wake                healthy, handed over
//	asleep ───────▶ starting ─────────────────────────▶ ready
//	  ▲                │  ▲                              │  ▲
//	  │        fails   ▼  │ retry, or fixed by hand  idle▼  │ a request came
//	  │              failed                            draining
//	  │                                                  │
//	  └────────────────────── stopping ◀─────────────────┘
//
// Providers report what runs. Rules and labels turn that into an inventory:
// names, properties, links and routes, which never change. A Keeper holds what does
// change of one app. One goroutine, that of Run, moves every app as far as it can go
// whenever something happened; what takes time (a provider's call, a probe) runs beside
// it and comes back with what it learned.
//
// The Registry is the door of its parts, and wires them. They share a core, which has the one
// lock, and each alone writes what it owns. The intake takes in reports, of which a resolver makes
// the inventory; the keeperSet has the keepers. The mover makes passes, each of which steps each
// app: by transitions from one state to the next, by orders to its provider. The prober and the
// traefikView find out what is so, tasks run beside, and the Publisher tells the Traefiks. People
// come by control, and see by a viewer.
//
// What there is to see of an app is a View for its visitors and a Detail for its owner.
// What happens is an Event, and is told to each Follower. What is known of the apps' past
// outlives Paastis: package history.
package registry

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// DefaultAudit is the usual time between two looks at everything.
const DefaultAudit = 2 * time.Minute

// Options are what a registry is made of.
type Options struct {
	// Providers run the apps. At least one.
	Providers []provider.Provider
	// Settings that names, rules and labels are read with.
	Settings inventory.Settings
	// Log gets one line per change of a state. Required.
	Log *slog.Logger
	// Probe tells whether an app answers. Nil: by TCP or HTTP, as its target says.
	Probe func(ctx context.Context, target inventory.Target) error
	// Gateway is Traefik's own word on what it can reach. Nil: it cannot be asked.
	Gateway handover.Gateway
	// Gateways are those of the Traefiks that fetch their routes at an endpoint of
	// Settings.Endpoints, by its name. One that is not there cannot be asked.
	Gateways map[string]handover.Gateway
	// Audit is the time between two looks at everything, in case an event was lost, of
	// providers that are not Paced. Zero: DefaultAudit.
	Audit time.Duration
	// MarkLife is how long a secret of the published routes is published before there is
	// another. Zero: handover.DefaultMarkLife.
	MarkLife time.Duration
	// Store keeps what is remembered of the apps while Paastis does not run. Nil: nothing
	// outlives it.
	Store history.Store
}

// Registry is the apps that Paastis knows.
type Registry struct {
	*core
	providers []provider.Provider
	log       *slog.Logger
	archive   *history.Archive // of what outlives Paastis

	callers callers // by their addresses

	tasks       tasks
	prober      *prober
	transitions *transitions
	mover       *mover
	problems    *problems
	resolver    *resolver
	traefik     *traefikView
	intake      *intake
	orders      *orders
	control     *control
	saver       *saver
	viewer      *viewer
	sampler     *sampler
	contacts    contacts

	// The lock of the core guards the rest.
	inForce inForce
	keepers keeperSet
	supply  supply // whether all is up that an app needs
	news    news

	publisher *Publisher // of the routes
}

// New makes a registry that knows no app yet. Load, then Run.
func New(o Options) *Registry {
	audit := cmp.Or(o.Audit, DefaultAudit)
	r := &Registry{
		providers: o.Providers,
		core:      newCore(o.Log),
		log:       o.Log,
		archive:   history.NewArchive(o.Store, o.Log),
		keepers:   keeperSet{byID: map[string]*Keeper{}},
		news:      news{last: uint64(time.Now().UnixMilli())},
	}
	r.tasks.core = r.core
	r.publisher = newPublisher(r, cmp.Or(o.MarkLife, handover.DefaultMarkLife), time.Now())
	r.prober = &prober{core: r.core, probe: o.Probe, tasks: &r.tasks, supply: &r.supply, publisher: r.publisher}
	r.transitions = &transitions{
		core: r.core, inForce: &r.inForce, keepers: &r.keepers, supply: &r.supply,
		publisher: r.publisher, archive: r.archive, news: &r.news, tasks: &r.tasks, unpriced: map[string]bool{},
	}
	r.problems = &problems{core: r.core, inForce: &r.inForce, keepers: &r.keepers, publisher: r.publisher, byProblem: map[inventory.Problem]*problem{}}
	r.contacts = newContacts(r.core, o.Providers)
	r.resolver = &resolver{
		inForce: &r.inForce, keepers: &r.keepers, supply: &r.supply, publisher: r.publisher, archive: r.archive,
		callers: &r.callers, transitions: r.transitions, news: &r.news, problems: r.problems,
	}
	r.traefik = &traefikView{
		core: r.core, log: o.Log, gateway: o.Gateway, gateways: o.Gateways, audit: audit, redefined: make(chan struct{}, 1),
		inForce: &r.inForce, keepers: &r.keepers, publisher: r.publisher, archive: r.archive, problems: r.problems, resolver: r.resolver,
	}
	r.intake = &intake{
		core: r.core, log: o.Log, providers: o.Providers, audit: audit, loaded: map[provider.Provider]bool{}, recalled: map[provider.Provider]bool{}, settled: make(chan struct{}),
		keepers: &r.keepers, callers: &r.callers, contacts: &r.contacts, archive: r.archive, resolver: r.resolver, transitions: r.transitions,
		prober: r.prober, supply: &r.supply, publisher: r.publisher, news: &r.news, tasks: &r.tasks, redefined: r.traefik.redefined,
	}
	r.control = &control{core: r.core, supply: &r.supply, publisher: r.publisher, contacts: &r.contacts, archive: r.archive, news: &r.news}
	r.saver = &saver{core: r.core, archive: r.archive, keepers: &r.keepers, publisher: r.publisher, several: len(o.Providers) > 1}
	r.orders = &orders{core: r.core, tasks: &r.tasks, contacts: &r.contacts, intake: r.intake, transitions: r.transitions, saver: r.saver}
	r.viewer = &viewer{core: r.core, inForce: &r.inForce, keepers: &r.keepers, supply: &r.supply, publisher: r.publisher, contacts: &r.contacts, transitions: r.transitions}
	r.sampler = &sampler{core: r.core, tasks: &r.tasks, bypass: r.publisher.bypass}
	r.mover = &mover{core: r.core, keepers: &r.keepers, tasks: &r.tasks, problems: r.problems, newPass: func(now time.Time) *pass { return newPass(r, now) }}
	r.publisher.problems, r.publisher.prober, r.publisher.intake, r.publisher.saver = r.problems, r.prober, r.intake, r.saver
	if o.Probe == nil {
		r.prober.probe = Answers
	}
	r.inForce.begin(o.Settings)
	return r
}

// Load takes in every app of every provider that answers, and of one of several that does not the
// apps as the Paastis before has known them. It blocks until all have, but no
// longer than a moment once one has, and no longer than a second if none does: whose apps are
// not there by then follow. What such a provider was asked goes on until it answers, until ctx or
// that of Run ends, or for half a minute, and Run waits for that. It fails if ctx ends.
func (r *Registry) Load(ctx context.Context) error {
	marks := r.archive.Load(ctx)
	r.mu.Lock()
	r.publisher.beginLocked(marks, time.Now())
	r.mu.Unlock()
	r.intake.loadProviders(ctx)
	r.intake.recall(time.Now())
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mover.tryFound(ctx)
	r.publisher.saveFirstMark(ctx)
	return nil
}

// Run follows the providers and moves the apps until ctx ends; then it waits for what
// it has begun, and saves what is to be remembered. Apps are left as they are.
func (r *Registry) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, r.intake.first.endAll)()
	for _, p := range r.providers {
		r.tasks.running.Go(func() { r.intake.follow(ctx, p) })
		r.tasks.running.Go(func() { r.intake.auditAll(ctx, p) })
	}
	r.tasks.running.Go(func() {
		each(ctx, min(markCheck, r.publisher.marks.Life()/8), func() { r.publisher.renewMarks(ctx, time.Now()) })
	})
	if list, ok := r.traefik.gateway.(Lister); ok {
		r.tasks.running.Go(func() { r.traefik.ask(ctx, list) })
	}
	for endpoint, gateway := range r.traefik.gateways {
		r.tasks.running.Go(func() { r.traefik.askEndpoint(ctx, endpoint, gateway) })
	}
	if r.archive.Outlives() {
		r.tasks.running.Go(func() { r.saver.saveAll(ctx) })
		defer r.saver.last(ctx)
	}
	r.mover.run(ctx)
	r.mu.Lock()
	r.transitions.doubtManualStops(nil, shutdownMoment, time.Now())
	r.unlock()
	r.tasks.running.Wait()
}

// FindFor is the keeper of the app that a request belongs to. Nil if that is no app of ours: the
// request is to be passed. It makes the request what the visitor made it, before the middlewares
// of the app's router. By is who asks about it: if that is a Traefik whose flags are known, its
// own routers alone count.
func (r *Registry) FindFor(req *traefik.Request, by netip.Addr) *Keeper {
	return r.inForce.managed(r.inForce.inventory.Load().FindFor(req, r.callers.traefikAt(by)))
}

// Named is the keeper of the app of that name; nil if that is no app of ours.
func (r *Registry) Named(name string) *Keeper {
	return r.inForce.managed(r.inForce.inventory.Load().Named(name))
}

// Inventory is the picture of all apps as it is now.
func (r *Registry) Inventory() *inventory.Inventory { return r.inForce.inventory.Load() }

// Sleeps reports whether a wake of the app would start something: it does not run, is not on
// its way up, and does not wait for its back-off, unless the caller insists.
func (r *Registry) Sleeps(k *Keeper, insist bool) bool {
	r.mu.Lock()
	defer r.unlock()
	return k.state == Asleep && !k.isHeldDown() || k.state == Failed && (insist || !time.Now().Before(k.failures.retryAt))
}

// KnowsApps reports whether some provider has told its apps. Before that none is known, and
// that a request is no app's says nothing.
func (r *Registry) KnowsApps() bool { return r.intake.knowsApps() }

// AwaitApps waits for the first word of each provider, but no longer than a few seconds after
// Load began: a request that comes right after the start of Paastis may be that of an app which
// is not known yet. It blocks until then or until ctx ends, and reports whether it has waited.
func (r *Registry) AwaitApps(ctx context.Context) bool { return r.intake.awaitApps(ctx) }

// Publisher is what the Traefiks are told of the routes.
func (r *Registry) Publisher() *Publisher { return r.publisher }

// Rules are those in force. Nil: there are none.
func (r *Registry) Rules() *rules.Set {
	r.mu.Lock()
	defer r.unlock()
	return r.inForce.settings.Rules
}

// Reload reads names, rules and labels anew with other settings.
func (r *Registry) Reload(s inventory.Settings) {
	r.mu.Lock()
	defer r.unlock()
	r.inForce.reload(s)
	r.resolver.resolve()
	r.nudge()
}

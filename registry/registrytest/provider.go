// Package registrytest plays the apps of a registry, for tests of who uses one. Nothing
// runs; the time is the test's, which may be that of a synctest bubble.
//
//	p := registrytest.NewProvider(registrytest.NewApp("shop", "db"), registrytest.NewApp("db"))
//	reg := registrytest.Run(t, registry.New(registry.Options{Providers: []provider.Provider{p}, …}))
//	reg.Wake(reg.Named("shop"), false)
//	synctest.Wait()
//	p.Took() // "start db"
package registrytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// mostChanges is how many reports wait for who watches.
const mostChanges = 100

// restartDelay is after what time an app that has crashed starts again.
const restartDelay = 100 * time.Millisecond

var (
	errLost    = fmt.Errorf("played: %w", provider.ErrUnreachable)
	errUnknown = errors.New("no such app")
)

// change is something to report, or a question whether all before it is: then done is closed.
type change struct {
	report provider.Report
	done   chan struct{}
}

// Provider is a provider.Provider of apps that are played.
type Provider struct {
	changes     chan change // for Watch
	id, traefik string

	mu      sync.Mutex
	apps    map[string]*App
	version uint64
	calls   []string               // "start shop", "stop shop", in order
	lists   int                    // calls of List
	silent  bool                   // nothing that happens is told
	ahead   time.Duration          // by which its clock is
	down    error                  // that it answers with; nil: it is there
	starts  map[string][]time.Time // by name, whoever started it, refused ones included
	watched bool                   // somebody watches
	dropped chan error             // why a Watch ends
	lost    chan struct{}          // closed when it does not answer any more
}

// NewProvider makes a provider of some apps.
func NewProvider(apps ...*App) *Provider {
	p := &Provider{id: "played", traefik: "played", apps: map[string]*App{}, changes: make(chan change, mostChanges), lost: make(chan struct{}), dropped: make(chan error), starts: map[string][]time.Time{}}
	for _, a := range apps {
		p.apps[a.Name] = a
	}
	return p
}

// Registry is what Run runs: a *registry.Registry. This package does not import registry, so that
// the tests inside that one can use it.
type Registry interface {
	Load(context.Context) error
	Run(context.Context)
}

// Run loads and runs a registry until the test ends.
func Run[R Registry](t *testing.T, r R) R {
	t.Helper()
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); r.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	return r
}

// Passes is a probe of apps of which every one answers.
func Passes(context.Context, inventory.Target) error { return nil }

// Took are the orders since the last time somebody asked, as "start shop, stop shop"; "-"
// for none.
func (p *Provider) Took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := strings.Join(p.calls, ", ")
	p.calls = nil
	if calls == "" {
		return "-"
	}
	return calls
}

// Lists is how many times all apps were asked for.
func (p *Provider) Lists() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lists
}

// Change changes what is to happen to an app, or only looks at it; nil is none of that name.
func (p *Provider) Change(name string, how func(*App)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how(p.apps[name])
}

// Become makes an app's instance something else, and reports it.
func (p *Provider) Become(name string, i inventory.Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apps[name].set(i)
	p.tell(p.apps[name])
}

// Remove removes an app, and reports it.
func (p *Provider) Remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(name)
}

// remove is Remove with the lock held.
func (p *Provider) remove(name string) {
	delete(p.apps, name)
	p.version++
	p.send(provider.Report{Gone: []string{name}, Version: p.version})
}

// Rename gives an app another name, and reports it.
func (p *Provider) Rename(name, another string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.apps[name]
	p.remove(name)
	was := a.First()
	a.Name, a.Instances = another, nil
	a.set(was)
	p.apps[another] = a
	p.tell(a)
}

// Scale gives an app so many instances, which do not run, and reports it.
func (p *Provider) Scale(name string, replicas int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apps[name].Replicas = replicas
	p.apps[name].set(inventory.Instance{})
	p.tell(p.apps[name])
}

// LoseEvents lets nobody hear what happens from now on, unless he asks.
func (p *Provider) LoseEvents() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

// Skew puts the clock forward, or back, by which it tells when something started.
func (p *Provider) Skew(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead += by
}

// Add brings an app in.
func (p *Provider) Add(a *App) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apps[a.Name] = a
	p.tell(a)
}

// Lose lets the provider answer no more.
func (p *Provider) Lose() { p.Fail(errLost) }

// Fail lets the provider answer everything with an error from now on, and ends its Watch.
func (p *Provider) Fail(err error) *Provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = err
	close(p.lost)
	return p
}

// Drop ends the Watch with an error, and reports whether there is one.
func (p *Provider) Drop(err error) bool {
	select {
	case p.dropped <- err:
		return true
	default:
		return false
	}
}

// Told blocks until what was reported has been taken in, if somebody watches.
func (p *Provider) Told() {
	p.mu.Lock()
	if !p.watched {
		p.mu.Unlock()
		return
	}
	done := make(chan struct{})
	p.changes <- change{done: done}
	p.mu.Unlock()
	<-done
}

// Watched reports whether somebody watches.
func (p *Provider) Watched() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watched
}

// Started is when an app was started, by whomever, or was to be.
func (p *Provider) Started(name string) []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.starts[name])
}

// Lock lets nothing happen until Unlock is called: for who looks at apps, or changes them.
func (p *Provider) Lock() { p.mu.Lock() }

// Unlock ends what Lock began.
func (p *Provider) Unlock() { p.mu.Unlock() }

// Put brings an app in that is not reported. Called with the lock held.
func (p *Provider) Put(a *App) { p.apps[a.Name] = a }

// Alter changes an instance of an app, and reports it, if there is such an app.
func (p *Provider) Alter(name string, n int, how func(*inventory.Instance)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.apps[name]; a != nil {
		how(&a.Instances[n])
		p.tell(a)
	}
}

// Tell reports what is not so.
func (p *Provider) Tell(r provider.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(r)
}

// Snapshot is an app as it is now.
func (p *Provider) Snapshot(name string) inventory.App {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshot(p.apps[name])
}

// Answer ends what Fail began.
func (p *Provider) Answer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.lost = nil, make(chan struct{})
}

// Call names the provider: that is its ID, and what Traefik calls its own provider of the same
// apps, or empty if that has none. It is to be called before a registry has the provider.
func (p *Provider) Call(id, traefik string) *Provider {
	p.id, p.traefik = id, traefik
	return p
}

// ID is "played", unless it is called otherwise.
func (p *Provider) ID() string { return p.id }

// TraefikProvider is "played", unless it is called otherwise.
func (p *Provider) TraefikProvider() string { return p.traefik }

// List reports all apps.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmp.Or(ctx.Err(), p.down); err != nil {
		return provider.Report{}, err
	}
	p.lists++
	r := provider.Report{Complete: true}
	for _, name := range slices.Sorted(maps.Keys(p.apps)) {
		r.Apps = append(r.Apps, p.snapshot(p.apps[name]))
	}
	r.Version = p.version
	return r, nil
}

// Watch reports all apps, and then what becomes of them.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	p.mu.Lock()
	lost := p.lost
	p.watched = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.watched = false
		for len(p.changes) > 0 { // they are in what is listed the next time
			if c := <-p.changes; c.done != nil {
				close(c.done)
			}
		}
	}()
	all, err := p.List(ctx)
	if err != nil {
		return err
	}
	report(all)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-lost:
			p.mu.Lock()
			defer p.mu.Unlock()
			return cmp.Or(p.down, errLost)
		case err := <-p.dropped:
			return err
		case c := <-p.changes:
			if c.done != nil {
				close(c.done)
				continue
			}
			report(c.report)
		}
	}
}

// now is what the clock says. Called with the lock held.
func (p *Provider) now() time.Time { return time.Now().Add(p.ahead) }

// order notes an order, and returns the app that it is for as it is now.
func (p *Provider) order(ctx context.Context, call, name string) (App, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call+" "+name)
	switch {
	case ctx.Err() != nil:
		return App{}, ctx.Err()
	case p.down != nil:
		return App{}, p.down
	case p.apps[name] == nil:
		return App{}, errUnknown
	}
	return *p.apps[name], nil
}

// tell reports an app as it is now. Called with the lock held.
func (p *Provider) tell(a *App) {
	p.send(provider.Report{Apps: []inventory.App{p.snapshot(a)}, Version: p.version})
}

// send tells whoever watches, unless that is lost. Called with the lock held.
func (p *Provider) send(r provider.Report) {
	if !p.silent && p.watched {
		p.changes <- change{r, nil}
	}
}

// snapshot is an app as it is now. Called with the lock held.
func (p *Provider) snapshot(a *App) inventory.App {
	p.version++
	a.mirror()
	app := a.App
	app.Instances, app.Labels, app.Version = slices.Clone(app.Instances), maps.Clone(app.Labels), p.version
	app.Routers = slices.Clone(app.Routers)
	return app
}

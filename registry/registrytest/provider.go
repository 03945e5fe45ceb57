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
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// mostChanges is how many reports wait for who watches.
const mostChanges = 100

var (
	errLost    = fmt.Errorf("played: %w", provider.ErrUnreachable)
	errUnknown = errors.New("no such app")
)

// Provider is a provider.Provider of apps that are played.
type Provider struct {
	changes     chan provider.Report // for Watch
	id, traefik string

	mu      sync.Mutex
	apps    map[string]*App
	version uint64
	calls   []string      // "start shop", "stop shop", in order
	lists   int           // calls of List
	silent  bool          // nothing that happens is told
	ahead   time.Duration // by which its clock is
	down    error         // that it answers with; nil: it is there
	lost    chan struct{} // closed when it does not answer any more
}

// NewProvider makes a provider of some apps.
func NewProvider(apps ...*App) *Provider {
	p := &Provider{id: "played", traefik: "played", apps: map[string]*App{}, changes: make(chan provider.Report, mostChanges), lost: make(chan struct{})}
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
	a.Name = another
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
	for len(p.changes) > 0 {
		<-p.changes // they are in what is listed now
	}
	p.mu.Unlock()
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
		case change := <-p.changes:
			report(change)
		}
	}
}

// Start starts an app, which is healthy after its Boot. One that runs is left as it is.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	if err := p.admit(ctx, "start", name); err != nil {
		return inventory.App{}, err
	}
	return p.start(name, 0)
}

// Capture keeps how many Replicas an app has that Forgets it. Of others nothing is kept.
func (p *Provider) Capture(ctx context.Context, name string) ([]byte, error) {
	p.mu.Lock()
	a := p.apps[name]
	asked := a != nil && a.Forgets
	p.mu.Unlock()
	if a != nil && !asked {
		return nil, nil
	}
	now, err := p.order(ctx, "capture", name)
	if err = cmp.Or(err, now.CaptureErr); err != nil {
		return nil, fmt.Errorf("played: capture %q: %w", name, err)
	}
	return strconv.AppendInt(nil, int64(max(now.Replicas, 1)), 10), nil
}

// Resume starts an app with so many Replicas as Capture has kept.
func (p *Provider) Resume(ctx context.Context, name string, kept []byte) (inventory.App, error) {
	replicas, err := strconv.Atoi(string(kept))
	if err != nil {
		return inventory.App{}, fmt.Errorf("played: resume %q: read what is kept: %w", name, err)
	}
	if err := p.admit(ctx, "resume", name); err != nil {
		return inventory.App{}, err
	}
	return p.start(name, replicas)
}

// admit notes an order to start an app, and refuses it if it is to be.
func (p *Provider) admit(ctx context.Context, call, name string) error {
	a, err := p.order(ctx, call, name)
	if err == nil && a.Err != nil {
		time.Sleep(a.Refusal)
		err = a.Err
	}
	if err != nil {
		return fmt.Errorf("played: %s %q: %w", call, name, err)
	}
	return nil
}

// start starts an app with so many replicas; 0: as many as it has.
func (p *Provider) start(name string, replicas int) (inventory.App, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.apps[name]
	switch {
	case app == nil:
		return inventory.App{}, fmt.Errorf("played: start %q: %w", name, errUnknown)
	case app.booting || app.First().Status == inventory.Running:
		return p.snapshot(app), nil
	}
	app.Replicas = cmp.Or(replicas, app.Replicas)
	if !app.Scaled {
		app.set(inventory.Instance{Status: inventory.Running, Health: inventory.HealthStarting, StartedAt: p.now(), Address: app.Address})
	}
	app.booting = true
	time.AfterFunc(app.Boot, func() { p.boot(app) })
	return p.snapshot(app), nil
}

// boot makes a started app healthy, and reports it.
func (p *Provider) boot(a *App) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.booting || p.apps[a.Name] != a {
		return // it was stopped or removed meanwhile
	}
	if a.Scaled {
		a.set(inventory.Instance{Status: inventory.Running, StartedAt: p.now(), Address: a.Address})
	}
	a.booting = false
	for i := range a.Instances {
		a.Instances[i].Health = inventory.Healthy
	}
	p.tell(a)
}

// Stop stops an app, which takes its Stopping.
func (p *Provider) Stop(ctx context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	a, err := p.order(ctx, "stop", name)
	if err != nil {
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, err)
	}
	time.Sleep(a.Stopping)
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.apps[name]
	if app == nil { // it was removed meanwhile
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, errUnknown)
	}
	if app.Forgets {
		app.Replicas = 0
	}
	app.set(inventory.Instance{ExitCode: 143})
	p.tell(app)
	return p.snapshot(app), nil
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
	if !p.silent {
		p.changes <- r
	}
}

// snapshot is an app as it is now. Called with the lock held.
func (p *Provider) snapshot(a *App) inventory.App {
	p.version++
	app := a.App
	app.Instances, app.Version = slices.Clone(app.Instances), p.version
	return app
}

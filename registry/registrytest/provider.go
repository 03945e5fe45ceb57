// Package registrytest plays the apps of a registry, for tests of who uses one. Nothing
// runs; the time is the test's, which may be that of a synctest bubble.
//
//	p := registrytest.NewProvider(registrytest.NewApp("shop", "db"), registrytest.NewApp("db"))
//	reg := registrytest.Run(t, registry.New(registry.Options{Providers: []provider.Provider{p}, …}))
//	reg.Wake(reg.Named("shop"), false)
//	synctest.Wait()
//	p.Took() // "start db"
//
// A Provider is what a registry asks. The apps are on its Machine, where a test lets happen what
// people do outside; its Faults are what it suffers from, and its Record tells what was asked.
package registrytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

var (
	errLost    = fmt.Errorf("played: %w", provider.ErrUnreachable)
	errUnknown = errors.New("no such app")
)

// Provider is a provider.Provider of apps that are played. Make it by NewProvider.
type Provider struct {
	Machine
	Faults
	Record
	bill
	id, traefik string
}

// NewProvider makes a provider of some apps.
func NewProvider(apps ...*App) *Provider {
	p := &Provider{id: "played", traefik: "played", Faults: newFaults(), Record: Record{starts: map[string][]time.Time{}}}
	p.Machine = newMachine(&p.Faults, &p.Record)
	for _, a := range apps {
		p.Put(a)
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

// Fail lets the provider answer everything with an error from now on, and ends its Watch.
func (p *Provider) Fail(err error) *Provider {
	p.Faults.fail(err)
	return p
}

// List reports all apps.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	if err := cmp.Or(ctx.Err(), p.failure()); err != nil {
		return provider.Report{}, err
	}
	p.noteList()
	return p.all(), nil
}

// Watch reports all apps, and then what becomes of them.
func (p *Provider) Watch(ctx context.Context, report func(provider.Report)) error {
	lost := p.loss()
	p.beginWatch()
	defer p.endWatch()
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
			return cmp.Or(p.failure(), errLost)
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

// order notes an order, and returns the app that it is for as it is now.
func (p *Provider) order(ctx context.Context, call, name string) (App, error) {
	p.noteOrder(call, name)
	if err := cmp.Or(ctx.Err(), p.failure()); err != nil {
		return App{}, err
	}
	return p.played(name)
}

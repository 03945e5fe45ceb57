package registrytest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/providertest"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
)

// played is the platform of a provider that is played.
type played struct {
	*registrytest.Provider
	made int
}

func TestPlayedProviderConforms(t *testing.T) {
	providertest.RunIn(t, synctest.Test, func(*testing.T) providertest.Platform {
		return &played{Provider: registrytest.NewProvider()}
	})
}

func (p *played) Connect() provider.Provider { return p.Provider }

func (p *played) Create(kind providertest.Kind) string {
	p.made++
	a := registrytest.NewApp(fmt.Sprintf("shop-%d", 100-p.made))
	switch kind {
	case providertest.Plain:
		a.Boot = 0
	case providertest.Refused:
		a.Err = errors.New("its image is missing")
	case providertest.ToNone:
		a.ToNone()
	}
	p.Bill(a.Name, provider.Part{Type: "web", Size: "M", Amount: 1})
	p.Add(a)
	return a.Name
}

func (p *played) Start(name string) {
	p.Become(name, inventory.Instance{Status: inventory.Running, StartedAt: time.Now()})
}
func (p *played) Stop(name string)        { p.Become(name, inventory.Instance{ExitCode: 143}) }
func (p *played) Delete(name string)      { p.Remove(name) }
func (p *played) Patience() time.Duration { return time.Minute }
func (p *played) ScalesToNone()           {}
func (p *played) GoDown()                 { p.Lose() }
func (p *played) ComeBack()               { p.Answer() }
func (p *played) For() time.Duration      { return time.Minute }

func (p *played) Reshape(name string) {
	p.Change(name, func(a *registrytest.App) { a.Forgets, a.Replicas = true, a.Replicas+2 })
	p.Start(name)
}

func (p *played) Shape(name string) (shape string) {
	p.Change(name, func(a *registrytest.App) { shape = fmt.Sprint(len(a.Instances)) })
	return shape
}

func (p *played) Deny() string {
	p.Fail(errors.New("401 unauthorized"))
	return "hunter2"
}
func (p *played) Allow() { p.Answer() }

func (p *played) Rename(name string) string {
	p.Provider.Rename(name, name+"-renamed")
	return name + "-renamed"
}

package heroku_test

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/providertest"
	"github.com/paastis/paastis/registry/provider"
)

// platform is a Heroku for the conformance suite.
type platform struct {
	*herokutest.Heroku
	t     *testing.T
	apps  int
	names sync.Mutex
	down  func()
}

func (p *platform) Connect() provider.Provider { return connect(p.t, p.Heroku) }

// connect makes a provider of the apps of a Heroku.
func connect(t *testing.T, h *herokutest.Heroku, how ...func(*heroku.Config)) *heroku.Provider {
	t.Helper()
	cfg := heroku.Config{
		Token:     func() (string, error) { return herokutest.Token, nil },
		Transport: h.APITransport(), Door: h.RouterTransport(), Log: slog.New(slog.DiscardHandler),
	}
	for _, change := range how {
		change(&cfg)
	}
	p, err := heroku.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *platform) Create(kind providertest.Kind) string {
	p.names.Lock()
	defer p.names.Unlock()
	p.apps++
	a := herokutest.App{Name: "shop-" + string(rune('a'+p.apps)), Formation: []herokutest.Type{{Name: "web"}, {Name: "worker", Size: "Standard-2X"}}}
	switch kind {
	case providertest.Plain, providertest.ToNone:
		a.Boot = time.Millisecond
	case providertest.Slow:
		a.Boot = 20 * time.Second
	case providertest.Refused:
		a.Delinquent = true
	}
	p.Heroku.Create(a)
	return a.Name
}

func (p *platform) Start(name string)  { p.Scale(name, "web", 1) }
func (p *platform) Stop(name string)   { p.Scale(name, "web", 0); p.Scale(name, "worker", 0) }
func (p *platform) Delete(name string) { p.Heroku.Delete(name) }

// Patience is a round of the audit, and a listing.
func (p *platform) Patience() time.Duration { return 3 * time.Minute }

func (p *platform) ScalesToNone() {}

func (p *platform) Reshape(name string) {
	if p.Heroku.Formation(name) == "web: 2 × Performance-L, worker: 1 × Standard-1X" {
		p.Scale(name, "web", 1, "Standard-2X")
		p.Scale(name, "worker", 3)
		return
	}
	p.Scale(name, "web", 2, "Performance-L")
	p.Scale(name, "worker", 1, "Standard-1X")
}

func (p *platform) Shape(name string) string { return p.Heroku.Formation(name) }

func (p *platform) Rename(name string) string {
	p.Heroku.Rename(name, name+"-new")
	return name + "-new"
}

func (p *platform) GoDown()            { p.down = p.Faults.Add(paastest.Fault{Down: true}) }
func (p *platform) ComeBack()          { p.down() }
func (p *platform) For() time.Duration { return time.Minute }

func (p *platform) Deny() (secret string) {
	p.Revoke(herokutest.Token)
	return herokutest.Token
}

func (p *platform) Allow() { p.Issue(herokutest.Token) }

func newPlatform(t *testing.T) providertest.Platform {
	return &platform{Heroku: herokutest.New(), t: t}
}

func TestItConforms(t *testing.T) {
	t.Parallel()
	providertest.RunIn(t, synctest.Test, newPlatform)
}

func TestItConformsWhereTypesThatAreScaledToNoneAreNotListed(t *testing.T) {
	t.Parallel()
	providertest.RunIn(t, synctest.Test, func(t *testing.T) providertest.Platform {
		p := newPlatform(t)
		p.(*platform).DropEmptyTypes()
		return p
	})
}

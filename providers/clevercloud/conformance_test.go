package clevercloud_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/providertest"
	"github.com/paastis/paastis/registry/provider"
)

// bearer and oauth are the two ways in.
var (
	bearer = clevercloud.Settings{Token: clevercloudtest.Token}
	oauth  = clevercloud.Settings{
		ConsumerKey: clevercloudtest.ConsumerKey, ConsumerSecret: clevercloudtest.ConsumerSecret,
		OAuthToken: clevercloudtest.OAuthToken, OAuthSecret: clevercloudtest.OAuthSecret,
	}
)

// connect makes a provider of a cloud.
func connect(t *testing.T, cloud *clevercloudtest.Cloud, s clevercloud.Settings, log *slog.Logger) *clevercloud.Provider {
	t.Helper()
	p, err := clevercloud.New(clevercloud.Config{Settings: s, Transport: cloud.Transport(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// played is Clever Cloud as the conformance suite has it.
type played struct {
	cloud   *clevercloudtest.Cloud
	t       *testing.T
	by      clevercloud.Settings
	made    int
	commits int
	up      func() // ends an outage
}

func TestAnAccountOfAnAPITokenConforms(t *testing.T) {
	providertest.RunIn(t, synctest.Test, func(t *testing.T) providertest.Platform {
		return skewed{&played{cloud: clevercloudtest.New(), t: t, by: bearer}}
	})
}

func TestAnAccountOfOAuthConforms(t *testing.T) {
	providertest.RunIn(t, synctest.Test, func(t *testing.T) providertest.Platform {
		return &played{cloud: clevercloudtest.New(), t: t, by: oauth}
	})
}

// skewed is one whose clock may be wrong: that matters only to signatures.
type skewed struct{ *played }

func (p skewed) Skew(d time.Duration) { p.cloud.Skew(d) }

func (p *played) Connect() provider.Provider { return connect(p.t, p.cloud, p.by, nil) }

func (p *played) Create(kind providertest.Kind) string {
	p.made++
	a := clevercloudtest.App{Name: fmt.Sprintf("shop-%d", 100-p.made), Commit: "c0", Boot: 4 * time.Second}
	switch kind {
	case providertest.Slow:
		a.Boot = 25 * time.Second
	case providertest.Refused:
		a.Commit = ""
	}
	p.cloud.Put(a)
	return a.Name
}

func (p *played) Start(name string)       { p.cloud.Start(p.cloud.ID(name)) }
func (p *played) Stop(name string)        { p.cloud.Stop(p.cloud.ID(name)) }
func (p *played) Delete(name string)      { p.cloud.Delete(p.cloud.ID(name)) }
func (p *played) Patience() time.Duration { return 6 * time.Minute }

func (p *played) Scale(name string, instances int) { p.cloud.Scale(p.cloud.ID(name), instances, "S") }

// Reshape deploys another commit, and adds one to the tree that is not.
func (p *played) Reshape(name string) {
	p.commits++
	id := p.cloud.ID(name)
	p.cloud.Commit(id, fmt.Sprintf("c%d", p.commits))
	p.cloud.Start(id)
	p.cloud.Commit(id, fmt.Sprintf("c%d-later", p.commits))
}

// Shape waits until the app has come up: before that it runs no commit.
func (p *played) Shape(name string) string {
	for range 60 {
		if commit := p.cloud.Runs(p.cloud.ID(name)); commit != "" {
			return commit
		}
		time.Sleep(time.Second)
	}
	return "nothing"
}

func (p *played) Rename(name string) string {
	p.cloud.Rename(p.cloud.ID(name), name+"-renamed")
	return name + "-renamed"
}

func (p *played) GoDown() {
	p.up = p.cloud.Faults.Add(paastest.Fault{Down: true})
	p.cloud.DropSockets()
}
func (p *played) ComeBack()          { p.up() }
func (p *played) For() time.Duration { return time.Minute }

func (p *played) Deny() string {
	p.cloud.Revoke()
	return strings.TrimSpace(p.by.Token + p.by.OAuthSecret)
}
func (p *played) Allow() { p.cloud.Restore() }

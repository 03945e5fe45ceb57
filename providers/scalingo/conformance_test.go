package scalingo_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/providers/providertest"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry/provider"
)

// connect makes a provider of a played account.
func connect(t *testing.T, p *scalingotest.Platform) *scalingo.Provider {
	t.Helper()
	made, err := scalingo.New(scalingo.Config{
		Token: p.Token(), Transport: p.Transport(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// stage is a played account that conforms, or does not.
type stage struct {
	*scalingotest.Platform
	t    *testing.T
	made int
	all  []*scalingo.Provider
	up   func() // ends what GoDown began
}

func newStage(t *testing.T) providertest.Platform {
	return &stage{t: t, Platform: scalingotest.New(scalingotest.Config{Regions: []string{"osc-fr1"}})}
}

func (s *stage) Connect() provider.Provider {
	s.all = append(s.all, connect(s.t, s.Platform))
	return s.all[len(s.all)-1]
}

// Create makes an app. One that is slow takes a minute; another one 8 s.
func (s *stage) Create(kind providertest.Kind) string {
	s.made++
	name := fmt.Sprintf("app-%d", s.made)
	s.Platform.Create("osc-fr1", name)
	switch kind {
	case providertest.Slow:
		s.Boots(name, time.Minute)
	case providertest.Refused:
		s.Limit(name)
	}
	return name
}

// Patience is that of a provider that may not ask often.
func (s *stage) Patience() time.Duration { return 3 * time.Minute }

func (s *stage) Reshape(name string) {
	s.made++
	s.Scale(name, scalingotest.Type{Name: "web", Amount: 1 + s.made%3, Size: "L"})
	s.AddAutoscaler(name, "web", 1, 3)
}

// Shape is that of an app once all have seen that it is up: autoscalers are turned on then.
func (s *stage) Shape(name string) string {
	for ; s.Status(name) == "scaling"; time.Sleep(time.Second) {
	}
	for _, p := range s.all {
		if _, err := p.List(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}
	return fmt.Sprintf("%s, %d autoscalers", s.Formation(name), s.Autoscaling(name))
}

func (s *stage) Rename(name string) string {
	s.Platform.Rename(name, name+"-renamed")
	return name + "-renamed"
}

func (s *stage) GoDown()            { s.up = s.Faults.Add(paastest.Fault{Down: true}) }
func (s *stage) ComeBack()          { s.up() }
func (s *stage) For() time.Duration { return time.Minute }

func (s *stage) Deny() (secret string) {
	secret = s.Token()
	s.RevokeToken()
	s.EndSessions()
	return secret
}

// Allow waits until nobody holds back who was refused.
func (s *stage) Allow() {
	s.RenewToken("tk-us-played-1")
	time.Sleep(2 * time.Minute)
}

func TestProviderConforms(t *testing.T) {
	providertest.RunIn(t, synctest.Test, newStage)
}

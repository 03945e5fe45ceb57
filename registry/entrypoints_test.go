package registry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/traefik"
)

// teller is a gateway that tells entry points, too.
type teller struct {
	lister
	entryPoints []traefik.EntryPoint
}

func (l teller) EntryPoints(context.Context) ([]traefik.EntryPoint, error) { return l.entryPoints, nil }

func TestTraefiksAPITellsTheTimeoutsThatItsFlagsDoNot(t *testing.T) {
	const flags = "--entrypoints.web.address=:80"
	told := []traefik.EntryPoint{
		{Name: "web", Timeouts: traefik.Timeouts{Read: 20 * time.Second, Write: -1}},
		{Name: "websecure", Timeouts: traefik.Timeouts{Read: -1, Write: -1}},
	}
	for name, c := range map[string]struct {
		edge       *fakeApp // nil: it is not seen
		entryPoint string
		want       time.Duration
	}{
		"unseen":                       {nil, "web", 20 * time.Second},
		"unseen, the other":            {nil, "websecure", 0},
		"unseen, both":                 {nil, "", 20 * time.Second},
		"its flags are in a file":      {traefikAt("edge", "10.0.0.2", "--configfile=/x.yml", flags), "web", 20 * time.Second},
		"its flags say nothing of one": {traefikAt("edge", "10.0.0.2", flags, "--providers.docker"), "web", 20 * time.Second},
		"its flags say it":             {traefikAt("edge", "10.0.0.2", flags, "--providers.docker", "--entrypoints.web.transport.respondingtimeouts.readtimeout=40s"), "web", 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := solo()
				if c.entryPoint != "" {
					app.label("traefik.http.routers.solo-web.entrypoints", c.entryPoint)
				}
				apps := []*fakeApp{app}
				if c.edge != nil {
					apps = append(apps, c.edge)
				}
				f := newFake(apps...)
				w := liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, ""), Gateway: teller{lister{&gateway{}, nil}, told}})
				synctest.Wait()
				if got := w.keeperOf("solo-web").Definition().Timeouts.Read; got != c.want {
					t.Errorf("a readTimeout of %s, want %s", got, c.want)
				}
				w.Reload(settingsFor(t, ""))
				if got := w.keeperOf("solo-web").Definition().Timeouts.Read; got != c.want {
					t.Errorf("after a reload %s, want %s", got, c.want)
				}
			})
		})
	}
}

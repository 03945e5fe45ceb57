package docker

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// serving makes a container one of Paastis, with the engine's socket.
func serving(args ...string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) {
		c.Path, c.Args = "/paastis", args
		c.Mounts = []api.MountPoint{{Destination: "/var/run/docker.sock"}}
	}
}

func TestAnotherPaastisOnTheEngineIsTold(t *testing.T) {
	t.Parallel()
	noSocket := func(c *api.InspectResponse) { c.Mounts = nil }
	byAddress := func(c *api.InspectResponse) { c.Config.Env = []string{"DOCKER_HOST=tcp://proxy:2375"} }
	standsAlone := func(c *api.InspectResponse) {
		delete(c.Config.Labels, labelProject)
		delete(c.Config.Labels, labelService)
		c.HostConfig.NetworkMode, c.NetworkSettings.Networks = "none", nil
	}
	for what, c := range map[string]struct {
		changes []func(*api.InspectResponse)
		want    reason.Kind
	}{
		"another":                       {[]func(*api.InspectResponse){serving(), standsAlone}, inventory.IsOtherPaastis},
		"with flags":                    {[]func(*api.InspectResponse){serving("--config", "/x.yml"), standsAlone}, inventory.IsOtherPaastis},
		"by the engine's address":       {[]func(*api.InspectResponse){serving(), standsAlone, noSocket, byAddress}, inventory.IsOtherPaastis},
		"one without a way to any":      {[]func(*api.InspectResponse){serving(), standsAlone, noSocket}, ""},
		"a command of it":               {[]func(*api.InspectResponse){serving("status"), standsAlone}, ""},
		"one that does not run":         {[]func(*api.InspectResponse){serving(), standsAlone, exits(0)}, ""},
		"another program":               {[]func(*api.InspectResponse){standsAlone}, ""},
		"the one that is being updated": {[]func(*api.InspectResponse){serving()}, inventory.IsPaastis},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			e.add(another(t, "self", "shop-front-1", serving()))
			e.add(another(t, "other", "shop-front-1", append([]func(*api.InspectResponse){runs}, c.changes...)...))
			self := e.id("self")
			p := e.provider(func(cfg *Config) { cfg.Self = Self{ID: self} })
			name := "other"
			if c.want == inventory.IsPaastis {
				name = "shop-front"
			}
			if got := appOf(t, p, name).Protected; got != c.want {
				t.Errorf("it is taken for %q, want %q", got, c.want)
			}
		})
	}
}

func TestBesideAnotherPaastisNobodyKnowsWhoStopsWhat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-back-1")
		e.clock += int64(time.Hour)
		e.add(another(t, "self", "shop-front-1", serving()))
		e.add(another(t, "other", "tty", serving(), runs))
		self := e.id("self")
		w := watchOn(t, e, e.provider(func(cfg *Config) { cfg.Self = Self{ID: self} }))
		defer w.stop(t)
		w.since()
		e.change("shop-back-1", exits(143))
		for action := range strings.SplitSeq("kill 15, die, stop", ", ") {
			e.happens(action, e.id("shop-back-1"))
		}
		reports := w.since()
		equal(t, "stopped by somebody else", stoppedBy(reports[len(reports)-1].Apps[0]), false)
		e.change("other", exits(0))
		e.happens("die", e.id("other"))
		e.happens("update", e.id("shop-back-1"))
		reports = w.since()
		equal(t, "once it is alone", stoppedBy(appIn(t, reports[len(reports)-1], "shop-back")), true)
	})
}

// docker compose run --rm paastis check, while Paastis serves.
func TestACommandBesidePaastisTakesItForNoOther(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	oneOff := func(c *api.InspectResponse) { c.Config.Labels[labelOneOff] = "True" }
	e.add(another(t, "self", "shop-front-1", serving("check"), oneOff))
	e.add(another(t, "serving", "shop-front-1", serving(), runs))
	self := e.id("self")
	p := e.provider(func(cfg *Config) { cfg.Self = Self{ID: self} })
	if got := appOf(t, p, "shop-front").Protected; got == inventory.IsOtherPaastis {
		t.Errorf("the Paastis that serves is taken for another: %q", got)
	}
}

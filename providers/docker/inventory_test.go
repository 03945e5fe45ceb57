package docker

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

func TestListLooksOnlyAtWhatChanged(t *testing.T) {
	t.Parallel()
	e := newEngine(t, recordings...)
	p := e.provider()
	listOf(t, p)
	equal(t, "first", len(e.made()), 1+len(recordings))
	listOf(t, p)
	equal(t, "nothing changed", e.made(), []string{"list"})

	for what, change := range map[string]func(*api.InspectResponse){
		"exited":    exits(0),
		"paused":    pauses,
		"unhealthy": func(c *api.InspectResponse) { c.State.Health.Status = api.Unhealthy },
		"network":   attachedTo("other=10.0.0.1"),
	} {
		e.change("shop-front-1", change)
		listOf(t, p)
		equal(t, what, e.made()[1:], []string{"inspect shop-front-1"})
		e.change("shop-front-1", func(c *api.InspectResponse) { *c = *recording(t, "shop-front-1") })
		listOf(t, p)
		e.made()
	}
	e.change("oom", exits(1))
	listOf(t, p)
	equal(t, "exit code", e.made()[1:], []string{"inspect oom"})
	e.change("tty", renamed("terminal"))
	listOf(t, p)
	equal(t, "renamed", e.made()[1:], []string{"inspect terminal"})
}

func TestContainerThatGoesBetweenListAndLookIsSkipped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1", "shop-back-1")
		release := e.hold("list")
		reports := make(chan provider.Report)
		go func() { reports <- listOf(t, e.provider()) }()
		synctest.Wait()
		e.remove("shop-back-1")
		release()
		equal(t, "apps", appNames(<-reports), []string{"shop-front"})
	})
}

func TestLookThatWasOvertakenIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		p := e.provider()
		id := e.id("shop-front-1")
		release := e.hold("inspect shop-front-1")
		done := make(chan error)
		go func() { done <- p.containers.inspect(t.Context(), id) }()
		synctest.Wait()

		e.change("shop-front-1", exits(0))
		newer := appOf(t, p, "shop-front")
		release()
		<-done
		older, _ := p.containers.snapshot().app("shop-front")
		equal(t, "before", newer.Instances[0].Status, inventory.Exited)
		equal(t, "after", older.Instances[0].Status, inventory.Exited)
	})
}

func TestLookThatWasOvertakenDoesNotRaiseTheDead(t *testing.T) {
	t.Parallel()
	for name, discover := range map[string]func(ctx context.Context, p *Provider, id string) error{
		"by a look": func(ctx context.Context, p *Provider, id string) error { return p.containers.inspect(ctx, id) },
		"by a list": func(ctx context.Context, p *Provider, _ string) error { return p.containers.refresh(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, "shop-front-1")
				p := e.provider()
				listOf(t, p)
				id := e.id("shop-front-1")
				release := e.hold("inspect shop-front-1")
				done := make(chan error)
				go func() { done <- p.containers.inspect(t.Context(), id) }()
				synctest.Wait()

				e.remove("shop-front-1")
				if err := discover(t.Context(), p, id); err != nil {
					t.Fatal(err)
				}
				release()
				<-done
				_, found := p.containers.snapshot().app("shop-front")
				equal(t, "found", found, false)
				equal(t, "kept of the dead", len(p.containers.inventory.removed), 0)
			})
		})
	}
}

func TestListThatWasOvertakenDoesNotRemoveTheNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		p := e.provider()
		release := e.hold("list")
		reports := make(chan provider.Report)
		go func() { reports <- listOf(t, p) }()
		synctest.Wait()
		e.add(recording(t, "shop-front-1"))
		if err := p.containers.inspect(t.Context(), e.id("shop-front-1")); err != nil {
			t.Fatal(err)
		}
		release()
		equal(t, "apps", appNames(<-reports), []string{"shop-front"})
	})
}

// Who asks after somebody else was answered gets a greater version, and, having looked,
// nothing older, whatever goes on at the same time. The start time tells what is older.
func TestReportsNeverGoBackInTime(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1", "shop-back-1")
	p := e.provider()
	id := e.id("shop-front-1")
	list := func() inventory.App { return appOf(t, p, "shop-front") }
	start := func() inventory.App { app, _ := p.Start(t.Context(), "shop-front"); return app }
	look := func() inventory.App {
		_ = p.containers.inspect(t.Context(), id)
		app, _ := p.containers.snapshot().app("shop-front")
		return app
	}
	newest := newestApp{app: list()}
	var wg sync.WaitGroup
	for _, ask := range []func() inventory.App{list, start, look, start, look, list} {
		looks := reflect.ValueOf(ask).Pointer() != reflect.ValueOf(list).Pointer()
		wg.Go(func() {
			for range 80 {
				before := newest.get()
				e.change("shop-front-1", restarted)
				after := ask()
				if after.Version <= before.Version {
					t.Errorf("version %d after %d", after.Version, before.Version)
				}
				if was, is := before.Instances[0].StartedAt, after.Instances[0].StartedAt; looks && is.Before(was) {
					t.Errorf("version %d of %v after version %d of %v", after.Version, is, before.Version, was)
				}
				newest.set(after)
			}
		})
	}
	wg.Wait()
	if len(p.containers.inventory.removed) > 0 || len(p.containers.inventory.open) > 0 {
		t.Errorf("left over: %v, %v", p.containers.inventory.removed, p.containers.inventory.open)
	}
}

func restarted(c *api.InspectResponse) {
	c.State.StartedAt = parseTime(c.State.StartedAt).Add(time.Second).Format(time.RFC3339Nano)
}

// newestApp is the app with the greatest version that anybody was given.
type newestApp struct {
	mu  sync.Mutex
	app inventory.App
}

func (n *newestApp) get() inventory.App {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.app
}

func (n *newestApp) set(app inventory.App) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if app.Version > n.app.Version {
		n.app = app
	}
}

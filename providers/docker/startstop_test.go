package docker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// shop is an engine with an app of four containers: one of each status.
func shop(t *testing.T) *engine {
	e := newEngine(t)
	for i, change := range []func(*api.InspectResponse){runs, exits(0), pauses, restarts} {
		number := string(rune('1' + i))
		e.add(another(t, "web-"+number, "shop-db-1", labelled(labelService, "web"), labelled(labelNumber, number), change))
	}
	return e
}

func restarts(c *api.InspectResponse) {
	c.State.Status, c.State.Running, c.State.Restarting = api.StateRestarting, true, true
}

func statuses(app inventory.App) []inventory.Status {
	var all []inventory.Status
	for _, instance := range app.Instances {
		all = append(all, instance.Status)
	}
	return all
}

// orders are the calls that change something.
func orders(calls []string) []string {
	var all []string
	for _, call := range calls {
		if call != "list" && call[:7] != "inspect" {
			all = append(all, call)
		}
	}
	return sorted(all)
}

func TestStartStartsWhatDoesNotRunAndUnfreezesWhatIsPaused(t *testing.T) {
	t.Parallel()
	e := shop(t)
	app, err := e.provider().Start(t.Context(), "shop-web")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "orders", orders(e.made()), []string{"start web-2", "unpause web-3"})
	equal(t, "app after", statuses(app), []inventory.Status{
		inventory.Running, inventory.Running, inventory.Running, inventory.Restarting,
	})
}

func TestStopStopsAllThatRuns(t *testing.T) {
	t.Parallel()
	e := shop(t)
	app, err := e.provider().Stop(t.Context(), "shop-web", rules.StopContainer)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "orders", orders(e.made()), []string{"stop web-1", "stop web-3", "stop web-4"})
	equal(t, "app after", statuses(app), make([]inventory.Status, 4))
}

func TestPauseFreezesWhatRunsAndStopsWhatCannotBeFrozen(t *testing.T) {
	t.Parallel()
	e := shop(t)
	app, err := e.provider().Stop(t.Context(), "shop-web", rules.PauseContainer)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "orders", orders(e.made()), []string{"pause web-1", "stop web-4"})
	equal(t, "app after", statuses(app), []inventory.Status{
		inventory.Paused, inventory.Exited, inventory.Paused, inventory.Exited,
	})
}

func TestContainersAreStoppedInParallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := shop(t)
		e.change("web-2", runs)
		release := []func(){e.hold("stop web-1"), e.hold("stop web-2"), e.hold("stop web-4")}
		done := make(chan struct{})
		go func() {
			defer close(done)
			e.provider().Stop(t.Context(), "shop-web", rules.StopContainer)
		}()
		synctest.Wait()
		equal(t, "under way", len(orders(e.made())), 4)
		for _, r := range release {
			r()
		}
		<-done
	})
}

func TestAppThatIsAsOrderedIsLeftAlone(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1", "shop-back-1")
	p := e.provider()
	if _, err := p.Start(t.Context(), "shop-front"); err != nil {
		t.Error(err)
	}
	if _, err := p.Stop(t.Context(), "shop-back", rules.StopContainer); err != nil {
		t.Error(err)
	}
	equal(t, "orders", orders(e.made()), []string(nil))
}

func TestOrdersGoByAFreshLook(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	p := e.provider()
	listOf(t, p)
	e.change("shop-front-1", exits(0))
	app, err := p.Start(t.Context(), "shop-front")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "orders", orders(e.made()), []string{"start shop-front-1"})
	equal(t, "app after", statuses(app), []inventory.Status{inventory.Running})
}

func TestRefusedStartNamesTheContainerAndTheEnginesReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status                 int
		message, want, visible string
	}{
		{500, "driver failed programming external connectivity on endpoint shop-back-1: Bind for 0.0.0.0:80 failed:\n port is already allocated",
			"driver failed programming external connectivity on endpoint shop-back-1: Bind for 0.0.0.0:80 failed: port is already allocated",
			"a port that it needs is taken"},
		{404, "network shop_default not found", "network shop_default not found",
			"a network or volume that it needs is gone"},
		{400, "OCI runtime create failed: unknown", "OCI runtime create failed: unknown",
			"the engine refused; the log says why"},
		{404, "No such image: shop:1", "No such image: shop:1", "its image is missing"},
		{409, "cannot join network of a non running container: 17600320cc1d",
			"cannot join network of a non running container: 17600320cc1d",
			"the container whose network it uses does not run"},
		{429, "slow down", "slow down", "its provider was asked too often"},
	} {
		e := newEngine(t, "shop-back-1")
		e.refuse("start shop-back-1", c.status, c.message)
		app, err := e.provider().Start(t.Context(), "shop-back")
		failed(t, err, `docker: start "shop-back": container "shop-back-1": `+c.want)
		equal(t, "app", instanceNames(app), []string{"shop-back-1"})
		equal(t, "visible", visible(err), c.visible)
	}
}

// visible is what a visitor reads of an error.
func visible(err error) string {
	var v reason.Reasoned
	if !errors.As(err, &v) {
		return ""
	}
	sentence := v.Reason().String()
	return strings.TrimSuffix(strings.TrimPrefix(sentence, "It could not be started: "), ".")
}

func TestSeveralRefusalsAreOneLine(t *testing.T) {
	t.Parallel()
	e := shop(t)
	e.refuse("stop web-1", 500, "tried to kill container, but did not receive an exit event")
	e.refuse("stop web-4", 500, "no reason")
	app, err := e.provider().Stop(t.Context(), "shop-web", rules.StopContainer)
	failed(t, err, `docker: stop "shop-web": container "web-1": tried to kill container, but did not receive an exit event; `+
		`container "web-4": no reason`)
	equal(t, "the others", app.Instances[2].Status, inventory.Exited)
}

func TestRefusalOfWhatSomebodyElseDidIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-db-1")
		e.refuse("unpause shop-db-1", 500, "Container shop-db-1 is not paused")
		release := e.hold("unpause shop-db-1")
		done := make(chan error)
		go func() {
			_, err := e.provider().Start(t.Context(), "shop-db")
			done <- err
		}()
		synctest.Wait()
		e.change("shop-db-1", runs)
		release()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestPausedContainerThatMayNotBeStoppedIsUnfrozenFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-db-1")
		e.refuse("stop shop-db-1", 500, "can only stop created or running containers")
		release := e.hold("unpause shop-db-1")
		done := make(chan error)
		go func() {
			_, err := e.provider().Stop(t.Context(), "shop-db", rules.StopContainer)
			done <- err
		}()
		synctest.Wait()
		e.allow("stop shop-db-1")
		release()
		if err := <-done; err != nil {
			t.Error(err)
		}
		equal(t, "orders", orders(e.made()), []string{"stop shop-db-1", "stop shop-db-1", "unpause shop-db-1"})
	})
}

func TestContainerThatVanishesWhileItIsStoppedIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "shop-front-1")
		p := e.provider()
		before := appOf(t, p, "shop-front")
		e.refuse("stop shop-front-1", 404, "No such container: shop-front-1")
		release := e.hold("stop shop-front-1")
		var app inventory.App
		done := make(chan error)
		go func() {
			var err error
			app, err = p.Stop(t.Context(), "shop-front", rules.StopContainer)
			done <- err
		}()
		synctest.Wait()
		e.remove("shop-front-1")
		release()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		equal(t, "app after", statuses(app), []inventory.Status{inventory.Exited})
		equal(t, "address", app.Instances[0].Address.IsValid(), false)
		if app.Version <= before.Version {
			t.Errorf("version %d is not greater than %d", app.Version, before.Version)
		}
	})
}

func TestRecreatedAppIsFoundByItsName(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-back-1")
	p := e.provider()
	listOf(t, p)
	e.remove("shop-back-1")
	e.add(another(t, "shop-back-1", "shop-back-1"))
	app, err := p.Start(t.Context(), "shop-back")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "instance", app.Instances[0].ID, e.id("shop-back-1"))
	equal(t, "app after", statuses(app), []inventory.Status{inventory.Running})
}

func TestUnknownAppIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	p := newEngine(t, "shop-front-run-5d1f").provider()
	for _, name := range []string{"nobody", "", "shop-front", "shop-front-run-5d1f"} {
		_, err := p.Start(t.Context(), name)
		if !errors.Is(err, ErrUnknownApp) {
			t.Errorf("start %q: %v", name, err)
		}
		_, err = p.Stop(t.Context(), name, rules.StopContainer)
		if !errors.Is(err, ErrUnknownApp) {
			t.Errorf("stop %q: %v", name, err)
		}
	}
	_, err := p.Start(t.Context(), "nobody")
	failed(t, err, `docker: start "nobody": no such app`)
}

func TestStopEndsWhenItsCallerLeaves(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	ctx, cancel := context.WithCancel(t.Context())
	release := e.hold("stop shop-front-1")
	defer release()
	done := make(chan error)
	go func() {
		_, err := e.provider().Stop(ctx, "shop-front", rules.StopContainer)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestContainerThatCannotBeInspectedDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1", "shop-back-1")
	p := e.provider()
	e.refuse("inspect shop-front-1", 500, "layer does not exist")
	equal(t, "apps", appNames(listOf(t, p)), []string{"shop-back"})
	e.allow("inspect shop-front-1")
	equal(t, "apps", appNames(listOf(t, p)), []string{"shop-back", "shop-front"})
}

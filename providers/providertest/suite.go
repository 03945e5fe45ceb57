package providertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// cases are what every provider is held to, by what they show. One that needs more of a
// platform than all have is for those that have it.
var cases = []struct {
	name  string
	needs func(Platform) bool // nil: nothing more
	try   func(c *conformance)
}{
	{"an app that sleeps is listed, and each look has a version of its own", nil, (*conformance).lists},
	{"a start and a stop are seen by who ordered them and by who watches", nil, (*conformance).startsAndStops},
	{"a start and a stop may be ordered twice", nil, (*conformance).ordersTwice},
	{"an order for an unknown app is refused, and names it", nil, (*conformance).refusesUnknown},
	{"a start does not wait for health, which is told later", nil, (*conformance).startsSlowly},
	{"a start that is refused is told, and the app is still there", nil, (*conformance).tellsRefusal},
	{"an app without instances is listed, started and stopped", is[NoneScaler], (*conformance).scalesToNone},
	{"what happened while nobody watched is in the first report", nil, (*conformance).catchesUp},
	{"a call whose context has ended returns, and a watch ends without an error", nil, (*conformance).obeysContext},
	{"calls may be concurrent", nil, (*conformance).isConcurrent},
	{"what others start, stop and delete is followed", nil, (*conformance).followsOthers},
	{"what others scale is followed", is[Scaler], (*conformance).followsScale},
	{"an app comes back exactly as it was, also by another Paastis", is[Forgetful], (*conformance).resumes},
	{"what an app runs is told while it sleeps as well", nil, (*conformance).tellsFormation},
	{"what others rename is followed", is[Renamer], (*conformance).followsNames},
	{"an app that is deleted while it starts or stops is gone, and its order has an end", nil, (*conformance).survivesDeletion},
	{"events that are lost are made up for by a listing", is[Lossy], (*conformance).survivesLoss},
	{"an outage is told as one, and over when it is over", is[Outage], (*conformance).survivesOutage},
	{"wrong credentials are told, without them", is[Denier], (*conformance).tellsDenial},
	{"a platform whose clock is wrong is followed all the same", is[Skewed], (*conformance).survivesSkew},
}

// is reports whether a platform can do something more.
func is[More any](p Platform) bool { _, can := p.(More); return can }

// Run tries all cases that the platform can play, each on one of its own, and logs the others:
// of these it is not known how the provider stands to them.
func Run(t *testing.T, platform func(t *testing.T) Platform) {
	RunIn(t, func(t *testing.T, try func(t *testing.T)) { try(t) }, platform)
}

// RunIn is Run with something around each case, such as synctest.Test.
func RunIn(t *testing.T, around func(t *testing.T, try func(t *testing.T)), platform func(t *testing.T) Platform) {
	t.Helper()
	var played Platform
	around(t, func(t *testing.T) { played = platform(t) })
	for _, tried := range cases {
		if tried.needs != nil && !tried.needs(played) {
			t.Logf("not tried, for the platform cannot play it: %s", tried.name)
			continue
		}
		t.Run(tried.name, func(t *testing.T) {
			around(t, func(t *testing.T) {
				p := platform(t)
				tried.try(&conformance{t: t, Platform: p, provider: p.Connect()})
			})
		})
	}
}

// conformance is one case on its platform.
type conformance struct {
	Platform
	t        *testing.T
	provider provider.Provider
}

func (c *conformance) lists() {
	second, first := c.Create(Plain), c.Create(Plain)
	report := c.list()
	if !report.Complete || !slices.IsSortedFunc(report.Apps, func(a, b inventory.App) int { return strings.Compare(a.Name, b.Name) }) {
		c.t.Errorf("not all, or not sorted by name: %v", names(report.Apps))
	}
	for _, name := range []string{first, second} {
		app := c.in(report, name)
		if runs(app) || app.Origin == "" {
			c.t.Errorf("%s is %+v", name, app)
		}
	}
	c.Start(first)
	if again := c.list(); again.Version <= report.Version || c.in(again, first).Version <= c.in(report, first).Version {
		c.t.Errorf("version %d after %d", again.Version, report.Version)
	}
	if id := c.provider.ID(); id == "" || strings.Contains(id, "/") {
		c.t.Errorf("the provider is called %q", id)
	}
}

func (c *conformance) startsAndStops() {
	name := c.Create(Plain)
	w := c.watch()
	started, err := c.provider.Start(c.t.Context(), name)
	if err != nil || started.Name != name {
		c.t.Fatalf("start: %v of %q", err, started.Name)
	}
	w.await("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
	stopped, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer)
	if err != nil || runs(stopped) || stopped.Version <= started.Version {
		c.t.Fatalf("stop: %v, %+v", err, stopped)
	}
	w.await("it does not", func(r provider.Report) bool { return there(r, name) && !runs(app(r, name)) })
}

func (c *conformance) ordersTwice() {
	name := c.Create(Plain)
	var before inventory.App
	for range 2 {
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		c.awaitList("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
		now := c.in(c.list(), name)
		if before.Name != "" && !now.First().StartedAt.Equal(before.First().StartedAt) {
			c.t.Error("the second start has restarted it")
		}
		before = now
		time.Sleep(pause)
	}
	for range 2 {
		if stopped, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil || runs(stopped) {
			c.t.Fatalf("stop: %v, %+v", err, stopped)
		}
	}
}

func (c *conformance) refusesUnknown() {
	const name = "nobody-has-this-name"
	_, started := c.provider.Start(c.t.Context(), name)
	_, stopped := c.provider.Stop(c.t.Context(), name, rules.StopContainer)
	for _, err := range []error{started, stopped} {
		c.wantNamed(err, name)
	}
}

func (c *conformance) startsSlowly() {
	name := c.Create(Slow)
	w := c.watch()
	app1, err := c.provider.Start(c.t.Context(), name)
	if err != nil || app1.First().Health == inventory.Healthy {
		c.t.Fatalf("start: %v, %+v", err, app1)
	}
	w.await("it is healthy", func(r provider.Report) bool { return app(r, name).First().Health == inventory.Healthy })
}

func (c *conformance) tellsRefusal() {
	name := c.Create(Refused)
	_, err := c.provider.Start(c.t.Context(), name)
	c.wantNamed(err, name)
	if now := c.in(c.list(), name); runs(now) {
		c.t.Errorf("it runs: %+v", now)
	}
}

func (c *conformance) scalesToNone() {
	name := c.Create(ToNone)
	if now := c.in(c.list(), name); len(now.Instances) > 0 {
		c.t.Errorf("asleep it has %+v", now.Instances)
	}
	for range 2 {
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		c.awaitList("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
		if stopped, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil || runs(stopped) {
			c.t.Fatalf("stop: %v, %+v", err, stopped)
		}
		c.awaitList("it has no instance", func(r provider.Report) bool { return there(r, name) && len(app(r, name).Instances) == 0 })
	}
}

func (c *conformance) catchesUp() {
	started, deleted := c.Create(Plain), c.Create(Plain)
	w := c.watch()
	w.leave()
	c.Start(started)
	c.Delete(deleted)
	made := c.Create(Plain)
	first := c.watch().first
	if !first.Complete || !runs(app(first, started)) || there(first, deleted) || !there(first, made) {
		c.t.Errorf("the first report has %v", names(first.Apps))
	}
}

func (c *conformance) obeysContext() {
	name := c.Create(Plain)
	ended, cancel := context.WithCancel(c.t.Context())
	cancel()
	if _, err := c.provider.List(ended); err == nil {
		c.t.Error("a listing that nobody wants any more has gone well")
	}
	if _, err := c.provider.Start(ended, name); err == nil {
		c.t.Error("a start that nobody wants any more has gone well")
	}
	if now := c.in(c.list(), name); runs(now) {
		c.t.Error("and it runs")
	}
	if err := c.watch().leave(); err != nil {
		c.t.Errorf("a watch that nobody wants any more ended with %v", err)
	}
}

func (c *conformance) isConcurrent() {
	apps := []string{c.Create(Plain), c.Create(Plain), c.Create(Plain)}
	c.watch()
	var calls sync.WaitGroup
	for _, name := range apps {
		calls.Go(func() {
			if _, err := c.provider.Start(c.t.Context(), name); err != nil {
				c.t.Error(err)
			}
		})
		for range 4 {
			calls.Go(func() {
				if _, err := c.provider.List(c.t.Context()); err != nil {
					c.t.Error(err)
				}
			})
		}
	}
	calls.Wait()
	for _, name := range apps {
		c.awaitList("all run", func(r provider.Report) bool { return runs(app(r, name)) })
	}
}

func (c *conformance) followsOthers() {
	name := c.Create(Plain)
	w := c.watch()
	c.Start(name)
	w.await("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
	c.Stop(name)
	w.await("it does not", func(r provider.Report) bool { return there(r, name) && !runs(app(r, name)) })
	c.Delete(name)
	w.await("it is gone", func(r provider.Report) bool { return slices.Contains(r.Gone, name) || r.Complete && !there(r, name) })
	_, err := c.provider.Start(c.t.Context(), name)
	c.wantNamed(err, name)
}

func (c *conformance) followsScale() {
	name := c.Create(Plain)
	w := c.watch()
	c.Platform.(Scaler).Scale(name, 3)
	w.await("there are three", func(r provider.Report) bool { return len(app(r, name).Instances) == 3 })
	if started, err := c.provider.Start(c.t.Context(), name); err != nil || len(started.Instances) != 3 {
		c.t.Errorf("start of three: %v, %+v", err, started.Instances)
	}
}

// followsNames renames an app that sleeps, and one that runs.
func (c *conformance) followsNames() {
	w := c.watch()
	for _, awake := range []bool{false, true} {
		old := c.Create(Plain)
		if awake {
			c.Start(old)
		}
		w.await("another is there", func(r provider.Report) bool { return there(r, old) && runs(app(r, old)) == awake })
		renamed := c.Platform.(Renamer).Rename(old)
		w.await("the new name", func(r provider.Report) bool { return there(r, renamed) && runs(app(r, renamed)) == awake })
		if report := c.list(); there(report, old) {
			c.t.Errorf("%s is still there", old)
		}
		_, err := c.provider.Start(c.t.Context(), old)
		c.wantNamed(err, old)
		c.Delete(renamed)
	}
}

// survivesDeletion deletes an app while it is on its way up or down. Whether the order goes
// well then is the platform's matter.
func (c *conformance) survivesDeletion() {
	w := c.watch()
	for _, down := range []bool{false, true} {
		name := c.Create(Slow)
		if down {
			c.Start(name)
		}
		w.await("it is there", func(r provider.Report) bool { return there(r, name) })
		ended := make(chan error, 1)
		go func() {
			if down {
				_, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer)
				ended <- err
				return
			}
			_, err := c.provider.Start(c.t.Context(), name)
			ended <- err
		}()
		time.Sleep(pause / 10) // so that it is under way
		c.Delete(name)
		select {
		case err := <-ended:
			if err != nil {
				c.wantNamed(err, name)
			}
		case <-time.After(c.Patience()):
			c.t.Fatal("the order has no end")
		}
		c.awaitList("it is gone", func(r provider.Report) bool { return !there(r, name) })
	}
}

// survivesLoss has happen what nobody is told of.
func (c *conformance) survivesLoss() {
	started, deleted := c.Create(Plain), c.Create(Plain)
	c.watch()
	c.Platform.(Lossy).LoseEvents()
	c.Start(started)
	c.Delete(deleted)
	if now := c.list(); !runs(app(now, started)) || there(now, deleted) {
		c.t.Errorf("the listing has %v", names(now.Apps))
	}
}

func (c *conformance) survivesOutage() {
	outage := c.Platform.(Outage)
	name := c.Create(Plain)
	w := c.watch()
	outage.GoDown()
	if err := <-w.ended; err == nil {
		c.t.Error("the watch ended without an error")
	}
	_, listed := c.provider.List(c.t.Context())
	_, started := c.provider.Start(c.t.Context(), name)
	for _, err := range []error{listed, started} {
		if !errors.Is(err, provider.ErrUnreachable) {
			c.t.Errorf("it is down, and tells %v", err)
		}
	}
	time.Sleep(outage.For())
	outage.ComeBack()
	if first := c.watch().first; runs(c.in(first, name)) {
		c.t.Error("it runs, though its start was refused")
	}
	if _, err := c.provider.Start(c.t.Context(), name); err != nil {
		c.t.Errorf("it is back, and refuses a start: %v", err)
	}
}

func (c *conformance) tellsDenial() {
	denier := c.Platform.(Denier)
	name := c.Create(Plain)
	secret := denier.Deny()
	_, listed := c.provider.List(c.t.Context())
	_, started := c.provider.Start(c.t.Context(), name)
	for _, err := range []error{listed, started} {
		if err == nil || errors.Is(err, provider.ErrUnreachable) || strings.Contains(err.Error(), secret) {
			c.t.Errorf("it denies, and tells %v", err)
		}
	}
	denier.Allow()
	c.in(c.list(), name)
}

func (c *conformance) survivesSkew() {
	skewed := c.Platform.(Skewed)
	name := c.Create(Plain)
	w := c.watch()
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour} {
		skewed.Skew(by)
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		w.await("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
		if _, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil {
			c.t.Fatal(err)
		}
		w.await("it does not", func(r provider.Report) bool { return there(r, name) && !runs(app(r, name)) })
	}
}

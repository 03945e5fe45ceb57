package providertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// cases are what every provider is held to, by what they show.
var cases = []struct {
	name string
	try  func(c *conformance)
}{
	{"an app that sleeps is listed, and each look has a version of its own", (*conformance).lists},
	{"a start and a stop are seen by who ordered them and by who watches", (*conformance).startsAndStops},
	{"a start and a stop may be ordered twice", (*conformance).ordersTwice},
	{"an order for an unknown app is refused, and names it", (*conformance).refusesUnknown},
	{"a start does not wait for health, which is told later", (*conformance).startsSlowly},
	{"a start that is refused is told, and the app is still there", (*conformance).tellsRefusal},
	{"an app without instances is listed, started and stopped", (*conformance).scalesToNone},
	{"what happened while nobody watched is in the first report", (*conformance).catchesUp},
	{"a call whose context has ended returns, and a watch ends without an error", (*conformance).obeysContext},
	{"calls may be concurrent", (*conformance).isConcurrent},
	{"what others start, stop, scale, rename and delete is followed", (*conformance).followsOthers},
	{"an outage is told as one, and over when it is over", (*conformance).survivesOutage},
	{"wrong credentials are told, without them", (*conformance).tellsDenial},
	{"a platform whose clock is wrong is followed all the same", (*conformance).survivesSkew},
}

// Run tries all cases, each on a platform of its own.
func Run(t *testing.T, platform func(t *testing.T) Platform) {
	RunIn(t, func(t *testing.T, try func(t *testing.T)) { try(t) }, platform)
}

// RunIn is Run with something around each case, such as synctest.Test.
func RunIn(t *testing.T, around func(t *testing.T, try func(t *testing.T)), platform func(t *testing.T) Platform) {
	for _, tried := range cases {
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
	provider registry.Provider
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
	w.await("it runs", func(r registry.Report) bool { return runs(app(r, name)) })
	stopped, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer)
	if err != nil || runs(stopped) || stopped.Version <= started.Version {
		c.t.Fatalf("stop: %v, %+v", err, stopped)
	}
	w.await("it does not", func(r registry.Report) bool { return there(r, name) && !runs(app(r, name)) })
}

func (c *conformance) ordersTwice() {
	name := c.Create(Plain)
	var before inventory.App
	for range 2 {
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		c.awaitList("it runs", func(r registry.Report) bool { return runs(app(r, name)) })
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
	w.await("it is healthy", func(r registry.Report) bool { return app(r, name).First().Health == inventory.Healthy })
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
	if _, ok := c.Platform.(NoneScaler); !ok {
		return
	}
	name := c.Create(ToNone)
	if now := c.in(c.list(), name); len(now.Instances) > 0 {
		c.t.Errorf("asleep it has %+v", now.Instances)
	}
	for range 2 {
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		c.awaitList("it runs", func(r registry.Report) bool { return runs(app(r, name)) })
		if stopped, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil || runs(stopped) {
			c.t.Fatalf("stop: %v, %+v", err, stopped)
		}
		c.awaitList("it has no instance", func(r registry.Report) bool { return there(r, name) && len(app(r, name).Instances) == 0 })
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
		c.awaitList("all run", func(r registry.Report) bool { return runs(app(r, name)) })
	}
}

func (c *conformance) followsOthers() {
	name := c.Create(Plain)
	w := c.watch()
	c.Start(name)
	w.await("it runs", func(r registry.Report) bool { return runs(app(r, name)) })
	c.Stop(name)
	w.await("it does not", func(r registry.Report) bool { return there(r, name) && !runs(app(r, name)) })
	if scaler, ok := c.Platform.(Scaler); ok {
		scaler.Scale(name, 3)
		w.await("there are three", func(r registry.Report) bool { return len(app(r, name).Instances) == 3 })
		if started, err := c.provider.Start(c.t.Context(), name); err != nil || len(started.Instances) != 3 {
			c.t.Errorf("start of three: %v, %+v", err, started.Instances)
		}
	}
	if renamer, ok := c.Platform.(Renamer); ok {
		old := c.Create(Plain)
		w.await("another is there", func(r registry.Report) bool { return there(r, old) })
		renamed := renamer.Rename(old)
		w.await("the new name", func(r registry.Report) bool { return there(r, renamed) })
		if report := c.list(); there(report, old) {
			c.t.Errorf("%s is still there", old)
		}
	}
	c.Delete(name)
	w.await("it is gone", func(r registry.Report) bool { return slices.Contains(r.Gone, name) || r.Complete && !there(r, name) })
	_, err := c.provider.Start(c.t.Context(), name)
	c.wantNamed(err, name)
}

func (c *conformance) survivesOutage() {
	outage, ok := c.Platform.(Outage)
	if !ok {
		return
	}
	name := c.Create(Plain)
	w := c.watch()
	outage.GoDown()
	if err := <-w.ended; err == nil {
		c.t.Error("the watch ended without an error")
	}
	_, listed := c.provider.List(c.t.Context())
	_, started := c.provider.Start(c.t.Context(), name)
	for _, err := range []error{listed, started} {
		if !errors.Is(err, registry.ErrUnreachable) {
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
	denier, ok := c.Platform.(Denier)
	if !ok {
		return
	}
	name := c.Create(Plain)
	secret := denier.Deny()
	_, listed := c.provider.List(c.t.Context())
	_, started := c.provider.Start(c.t.Context(), name)
	for _, err := range []error{listed, started} {
		if err == nil || errors.Is(err, registry.ErrUnreachable) || strings.Contains(err.Error(), secret) {
			c.t.Errorf("it denies, and tells %v", err)
		}
	}
	denier.Allow()
	c.in(c.list(), name)
}

func (c *conformance) survivesSkew() {
	skewed, ok := c.Platform.(Skewed)
	if !ok {
		return
	}
	name := c.Create(Plain)
	w := c.watch()
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour} {
		skewed.Skew(by)
		if _, err := c.provider.Start(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
		w.await("it runs", func(r registry.Report) bool { return runs(app(r, name)) })
		if _, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil {
			c.t.Fatal(err)
		}
		w.await("it does not", func(r registry.Report) bool { return there(r, name) && !runs(app(r, name)) })
	}
}

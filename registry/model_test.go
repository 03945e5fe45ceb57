package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// modelIdle is the max_idle_time of all apps of the model.
const modelIdle = 10 * time.Second

// TestNoInterleavingStopsWhatIsInUseOrLosesAWake plays random lives: requests, time,
// hands on containers, faults of the provider, in any order. A small reference model says
// at each call and at each request whether it may be. LIVES says how many are played.
func TestNoInterleavingStopsWhatIsInUseOrLosesAWake(t *testing.T) {
	for seed := range numberFrom(t, "LIVES", 400) {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, seed)
			for range 40 {
				m.step()
				synctest.Wait()
			}
			m.heal()
			m.finish()
		})
		if t.Failed() {
			t.Fatalf("life %d", seed)
		}
	}
}

// model is what is true of the apps, whatever the registry believes.
type model struct {
	metered
	t        *testing.T
	random   *rand.Rand
	registry *Registry
	names    []string
	visitors sync.WaitGroup

	mu      sync.Mutex
	calling map[string]string    // :: app → the call that is under way
	passed  map[string]time.Time // :: app → when a request last passed
	sent    map[string]time.Time // :: app → when it was last put to sleep by hand
	open    map[string]int       // :: app → connections that requests opened
	stopped map[string]time.Time // :: app → when its owner stopped it, who wants it to stay so
	needs   map[string][]string  // :: app → what it needs
}

func newModel(t *testing.T, seed uint64) *model {
	apps := append(shop(),
		service("blog", "web").routed("blog.test").label("paastis.linked_apps", "shop-db"),
		service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test"))
	m := &model{
		metered: metered{newFake(apps...), true}, t: t, random: rand.New(rand.NewPCG(seed, 7)),
		calling: map[string]string{}, passed: map[string]time.Time{}, sent: map[string]time.Time{}, open: map[string]int{}, stopped: map[string]time.Time{},
		needs: map[string][]string{
			"shop-front": {"shop-back"}, "shop-back": {"shop-db"}, "blog-web": {"shop-db"},
			"pix-app-review-pr1-front": {"pix-app-review-pr1-back"}, "pix-app-review-pr1-back": {"pix-app-review-pr1-front"},
		},
	}
	for _, a := range apps {
		m.names = append(m.names, a.Name)
		a.Boot, a.Stopping = m.some(3*time.Second), m.some(3*time.Second)
	}
	m.registry = New(Options{
		Providers: []provider.Provider{m}, Settings: modelSettings(t), Log: slog.New(slog.DiscardHandler),
		Probe: func(context.Context, inventory.Target) error { return nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.registry.Load(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); m.registry.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return m
}

func modelSettings(t *testing.T) inventory.Settings {
	return settingsFor(t, reviewApps+fmt.Sprintf("\n  - {pattern: '.*', max_idle_time: %s, start_timeout: 30s, max_concurrent_starts: 2}", modelIdle))
}

// some is a random time, never quite the same twice.
func (m *model) some(most time.Duration) time.Duration {
	return time.Duration(m.random.Int64N(int64(most))) + 1
}

func (m *model) any() string { return m.names[m.random.IntN(len(m.names))] }

// step does one thing at random.
func (m *model) step() {
	switch name := m.any(); m.random.IntN(18) {
	case 0, 1, 2, 3:
		m.visitors.Go(func() { m.visit(name) })
	case 4:
		m.glance(name)
	case 5:
		m.leave(name)
	case 6:
		m.externalAction(name, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
	case 7:
		m.says(name, time.Time{})
		m.externalAction(name, func(i *inventory.Instance) {
			if i.Status == inventory.Exited {
				*i = inventory.Instance{Name: i.Name, ID: i.ID, Status: inventory.Running, Health: inventory.Healthy, StartedAt: time.Now()}
			}
		})
	case 8:
		m.fault(name, m.random.IntN(4))
	case 9:
		if m.Drop(errors.New("fake: connection lost")) {
			m.mu.Lock()
			clear(m.stopped) // it may have been the engine
			m.mu.Unlock()
		}
	case 10:
		m.registry.Reload(modelSettings(m.t))
	case 11:
		m.send(name, m.random.IntN(2) == 0)
	case 12:
		time.Sleep(time.Nanosecond) // two stops are never at the same time
		stopped := false
		m.externalAction(name, func(i *inventory.Instance) {
			if stopped = i.Status != inventory.Exited; stopped {
				*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143, StoppedManually: time.Now()}
			}
		})
		if stopped {
			m.says(name, time.Now())
		}
	case 13:
		m.wakeManually(name)
	default:
		time.Sleep(m.some(8 * time.Second))
	}
}

// visit is a program: it waits for the app, and its request opens a connection for a
// while.
func (m *model) visit(name string) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	k := m.registry.Named(name)
	for ctx.Err() == nil {
		if m.pass(k) {
			return
		}
		m.registry.Wake(k, false)
		switch state := m.registry.Await(ctx, k); {
		case state == Failed, state == Asleep && m.registry.View(k).HeldDown:
			return
		}
	}
	m.t.Errorf("a visitor of %s waited for ten minutes: its wake was lost (%s)", name, m.registry.View(k).State)
}

// pass lets a request through if the registry does, and checks that it may.
func (m *model) pass(k *Keeper) bool {
	name := k.Name()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !k.Pass(time.Now()) {
		return false
	}
	m.passed[name] = time.Now()
	m.open[name]++
	m.connect(name)
	for _, needed := range m.closure(name) {
		if m.calling[needed] == "stop" {
			m.t.Errorf("a request passed to %s while %s was being stopped", name, needed)
		}
		if !m.runs(needed) && m.Watched() {
			m.t.Errorf("a request passed to %s while %s did not run", name, needed)
		}
	}
	return true
}

// closure is an app and all that it needs.
func (m *model) closure(name string) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, needed := range m.needs[all[i]] {
			if !slices.Contains(all, needed) {
				all = append(all, needed)
			}
		}
	}
	return all
}

// send puts an app to sleep by hand, by force only if nobody has a connection to it.
func (m *model) send(name string, force bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	circle := []string{name}
	for _, needed := range m.needs[name] {
		if slices.Contains(m.needs[needed], name) {
			circle = append(circle, needed)
		}
	}
	for _, member := range circle {
		force = force && m.open[member] == 0
	}
	if m.registry.Sleep(m.registry.Named(name), force) != nil {
		return
	}
	for _, member := range circle {
		m.sent[member] = time.Now()
	}
}

func (m *model) glance(name string) {
	if m.pass(m.registry.Named(name)) {
		m.leave(name)
	}
}

// leave ends a connection.
func (m *model) leave(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open[name] = max(m.open[name]-1, 0)
	m.connect(name)
}

// connect lets the meter see the app's connections. Called with the lock held.
func (m *model) connect(name string) {
	m.fake.mu.Lock()
	defer m.fake.mu.Unlock()
	m.apps[name].connections = m.open[name]
}

// externalAction does something to a container behind Paastis's back; connections to one that
// ends are gone.
func (m *model) externalAction(name string, do func(*inventory.Instance)) {
	m.mu.Lock()
	if m.calling[name] != "" || !m.Watched() {
		m.mu.Unlock()
		return
	}
	m.open[name] = 0
	m.connect(name)
	m.mu.Unlock()
	m.change(name, do)
}

// says notes since when an app is to stay stopped, as its owner says; the zero time: it may
// run.
func (m *model) says(name string, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped[name] = since
}

// wakeManually ends what an owner has said of an app, and of what it needs.
func (m *model) wakeManually(name string) {
	m.mu.Lock()
	for _, needed := range m.closure(name) {
		delete(m.stopped, needed)
	}
	m.mu.Unlock()
	m.registry.WakeManually(m.registry.Named(name), true)
}

// Start checks that nothing else is done to the app, and that what it needs runs.
func (m *model) Start(ctx context.Context, name string) (inventory.App, error) {
	m.enter(name, "start")
	defer m.exit(name)
	m.mu.Lock()
	if at := m.stopped[name]; !at.IsZero() && at.Before(time.Now()) {
		m.t.Errorf("%s was started though its owner has stopped it %s ago", name, time.Since(at))
	}
	m.mu.Unlock()
	for _, needed := range m.needs[name] {
		if !slices.Contains(m.needs[needed], name) && !m.runs(needed) {
			m.t.Errorf("%s was started while %s did not run", name, needed)
		}
	}
	time.Sleep(time.Millisecond)
	return m.fake.Start(ctx, name)
}

// Measure takes its time, so that visitors come during the last look.
func (m *model) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	time.Sleep(400 * time.Millisecond)
	return m.metered.Measure(ctx, name, want)
}

// Stop checks that nothing else is done to the app, and that nobody uses it.
func (m *model) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	m.enter(name, "stop")
	defer m.exit(name)
	m.mu.Lock()
	for _, user := range m.users(name) {
		if idle := time.Since(m.passed[user]); idle < modelIdle && !m.sent[name].After(m.passed[user]) {
			m.t.Errorf("%s was stopped %s after a request to %s", name, idle, user)
		}
		if user != name && m.runs(user) && !slices.Contains(m.needs[name], user) {
			m.t.Errorf("%s was stopped while %s, which needs it, ran", name, user)
		}
	}
	if n := m.open[name]; n > 0 {
		m.t.Errorf("%s was stopped with %d connections open", name, n)
	}
	m.mu.Unlock()
	return m.fake.Stop(ctx, name, method)
}

// users are an app and those that need it.
func (m *model) users(name string) []string {
	users := []string{name}
	for i := 0; i < len(users); i++ {
		for app, needed := range m.needs {
			if slices.Contains(needed, users[i]) && !slices.Contains(users, app) {
				users = append(users, app)
			}
		}
	}
	return users
}

func (m *model) enter(name, call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if other := m.calling[name]; other != "" {
		m.t.Errorf("%s of %s during its %s", call, name, other)
	}
	m.calling[name] = call
}

func (m *model) exit(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calling[name] = ""
}

// heal ends all faults and all connections.
func (m *model) heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, a := range m.apps {
		m.fake.mu.Lock()
		a.Err, a.StopErr, a.Crash = nil, nil, 0
		m.fake.mu.Unlock()
		m.open[name] = 0
		m.connect(name)
	}
}

// finish wants every app to wake and to fall asleep again, now that all is well.
func (m *model) finish() {
	m.visitors.Wait()
	for _, name := range m.names {
		m.wakeManually(name)
	}
	time.Sleep(2 * lastRetry)
	for _, name := range m.names {
		k := m.registry.Named(name)
		m.visit(name)
		if state := m.registry.View(k).State; state != Ready {
			m.t.Errorf("%s is %s, though nothing is wrong any more", name, state)
		}
	}
	m.heal()
	time.Sleep(2 * lastRetry)
	for _, name := range m.names {
		if m.runs(name) {
			m.t.Errorf("%s is still awake: %s", name, m.registry.View(m.registry.Named(name)).State)
		}
	}
}

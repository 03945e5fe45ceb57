package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// Random lives of random stacks: circles, needs outside of circles, links of every
// condition, jobs, replicas, groups; requests, hands on containers, faults, lost watches,
// reloads. LIVES says how many of each kind are played, from SEED on (0).

// TestRandomStacksLiveRight plays them and asks of each: nothing goes round for ever, no wake
// is lost, no two calls overlap, nothing in use is stopped, what is needed runs.
func TestRandomStacksLiveRight(t *testing.T) {
	first, count := numberFrom(t, "SEED", 0), numberFrom(t, "LIVES", 12)
	for _, kind := range []lifeKind{{}, {circles: true}, {direct: true}, {circles: true, direct: true}} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			seed := first
			defer func() {
				if t.Failed() {
					t.Logf("life %d: SEED=%d LIVES=1 plays it alone", seed, seed)
				}
			}()
			for ; seed < first+count; seed++ {
				synctest.Test(t, func(t *testing.T) {
					log := slog.DiscardHandler
					if count == 1 {
						log = slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})
					}
					newLife(t, seed, kind, log).play()
				})
			}
		})
	}
}

func numberFrom(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type lifeKind struct{ circles, direct bool }

func (k lifeKind) String() string {
	return map[bool]string{true: "circles", false: "chains"}[k.circles] + map[bool]string{true: " in direct mode", false: ""}[k.direct]
}

// life is one stack, and what is true of it whatever the registry believes.
type life struct {
	metered
	t        *testing.T
	kind     lifeKind
	random   *rand.Rand
	registry *Registry
	names    []string
	jobs     map[string]bool
	links    map[string][]rules.Link // :: app → what it needs
	visitors sync.WaitGroup

	mu       sync.Mutex
	calling  map[string]string    // :: app → the call that is under way
	passed   map[string]time.Time // :: app → when a request last passed
	sent     map[string]time.Time // :: app → when it was last put to sleep by hand
	open     map[string]int       // :: app → connections that requests opened
	without  map[[2]string]bool   // :: app and what it needs: it was started by hand while that had failed
	stopped  map[string]time.Time // :: app → when its owner stopped it, who wants it to stay so
	disabled bool                 // an app is not managed: others do without it
}

const lifeIdle = 10 * time.Second

func newLife(t *testing.T, seed uint64, kind lifeKind, log slog.Handler) *life {
	l := &life{
		t: t, kind: kind, random: rand.New(rand.NewPCG(seed, 17)), jobs: map[string]bool{}, links: map[string][]rules.Link{},
		calling: map[string]string{}, passed: map[string]time.Time{}, sent: map[string]time.Time{}, open: map[string]int{}, stopped: map[string]time.Time{},
		without: map[[2]string]bool{},
	}
	n := 3 + l.random.IntN(5)
	for i := range n {
		l.names = append(l.names, "s-"+string(rune('a'+i)))
		l.jobs[l.names[i]] = l.random.IntN(5) == 0
	}
	f := newFake()
	for i := range n {
		a := l.newApp(i)
		f.put(a)
	}
	l.metered = metered{f, true}
	var stop func()
	l.registry, stop = begin(t, Options{Providers: []provider.Provider{l}, Settings: l.settings(""), Log: slog.New(wary{log, t}), Audit: 30 * time.Second})
	t.Cleanup(stop)
	for _, name := range l.names {
		_ = log.Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelDebug, fmt.Sprintf("%s job=%t needs %v", name, l.jobs[name], linkTexts(l.links[name])), 0))
	}
	if kind.direct {
		balance(t, l.registry, "10.0.0.2")
	}
	return l
}

// newApp is the app of a number, with links to others: to those after it, and in circles to
// any.
func (l *life) newApp(i int) *fakeApp {
	name := l.names[i]
	var links []string
	for j, other := range l.names {
		if i == j || l.random.IntN(3) != 0 || !l.kind.circles && j < i {
			continue
		}
		links = append(links, other[2:]+l.someCondition(other))
	}
	a := service("s", name[2:], links...).routed(name[2:] + ".test")
	l.links[name] = a.Links
	a.Boot, a.Stopping, a.Ordering = l.some(3*time.Second), l.some(3*time.Second), l.some(500*time.Millisecond)
	a.Job, a.NoHealth = l.jobs[name], l.jobs[name] || l.random.IntN(4) == 0
	for range l.random.IntN(3) {
		a.replicate()
	}
	if l.kind.circles && l.random.IntN(3) == 0 {
		// A circle may be of the provider's own links or of a label.
		a.label("paastis.linked_apps", strings.Join(linkTexts(a.Links), ","))
		a.Links = nil
	}
	return a
}

func linkTexts(links []rules.Link) (texts []string) {
	for _, l := range links {
		texts = append(texts, l.String())
	}
	return texts
}

func (l *life) someCondition(of string) string {
	switch {
	case l.jobs[of] && l.random.IntN(4) > 0:
		return ":completed"
	case l.jobs[of] || l.random.IntN(4) == 0:
		return ":started"
	case l.random.IntN(4) == 0:
		return "?"
	default:
		return ""
	}
}

func (l *life) settings(disabled string) inventory.Settings {
	yml := fmt.Sprintf("rules: [{pattern: '.*', max_idle_time: %s, start_timeout: 40s, job_timeout: 1m, max_concurrent_starts: %d}", lifeIdle, 1+l.random.IntN(3))
	if disabled != "" {
		yml += ", {pattern: '^" + disabled + "$', enable: false}"
	}
	return settingsFor(l.t, yml+"]")
}

// some is a random time, never quite the same twice.
func (l *life) some(most time.Duration) time.Duration {
	return time.Duration(l.random.Int64N(int64(most))) + 1
}

func (l *life) any() string { return l.names[l.random.IntN(len(l.names))] }

func (l *life) play() {
	for range 50 {
		l.step()
		synctest.Wait()
		if l.t.Failed() {
			break
		}
	}
	l.heal()
	l.visitors.Wait()
	l.heal()
	time.Sleep(3 * time.Minute)
	for _, name := range l.names {
		if !l.jobs[name] && !l.t.Failed() {
			l.wantReady(name)
		}
	}
	l.heal()
	time.Sleep(5 * time.Minute)
	for _, name := range l.names {
		if l.runs(name) && !l.t.Failed() {
			d := l.registry.Detail(l.registry.Named(name))
			l.t.Errorf("%s is still awake: %s, %s", name, d.State, d.Reason)
		}
	}
}

// step does one thing at random.
func (l *life) step() {
	switch name := l.any(); l.random.IntN(22) {
	case 0, 1, 2, 3, 4:
		l.visitors.Go(func() { l.visit(name, 10*time.Minute) })
	case 5:
		l.leave(name)
	case 6:
		l.externalAction(name, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
	case 7:
		l.says(name, time.Time{})
		l.externalAction(name, func(i *inventory.Instance) {
			if i.Status == inventory.Exited {
				*i = inventory.Instance{Name: i.Name, ID: i.ID, Status: inventory.Running, Health: inventory.Healthy, StartedAt: time.Now()}
			}
		})
	case 8: // a restart
		l.externalAction(name, func(i *inventory.Instance) {
			if i.Status == inventory.Running {
				i.StartedAt = time.Now()
			}
		})
	case 9:
		l.externalAction(name, func(i *inventory.Instance) {
			switch {
			case i.Health == inventory.Unhealthy:
				i.Health = inventory.Healthy
			case i.Status == inventory.Running && i.Health == inventory.Healthy:
				i.Health = inventory.Unhealthy
			}
		})
	case 10:
		l.externalAction(name, func(i *inventory.Instance) {
			if i.Status == inventory.Running {
				i.Status = inventory.Paused
			}
		})
	case 11:
		l.fault(name, l.random.IntN(4))
	case 12:
		if l.Drop(errors.New("fake: connection lost")) {
			l.mu.Lock()
			clear(l.stopped) // it may have been the engine
			l.mu.Unlock()
		}
	case 13:
		l.reload(name)
	case 14:
		l.send(name, l.random.IntN(2) == 0)
	case 15:
		time.Sleep(time.Nanosecond) // two stops are never at the same time
		stopped := false
		l.externalAction(name, func(i *inventory.Instance) {
			if stopped = i.Status != inventory.Exited; stopped {
				*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143, StoppedManually: time.Now()}
			}
		})
		if stopped {
			l.says(name, time.Now())
		}
	case 16:
		l.wakeManually(name)
	default:
		time.Sleep(l.some(8 * time.Second))
	}
}

// visit is a program: it waits for the app, and its request opens a connection. It returns
// what it got; false if it has waited for too long.
func (l *life) visit(name string, patience time.Duration) (State, bool) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		k := l.registry.Named(name)
		if k == nil || l.pass(k) {
			return Ready, true
		}
		l.registry.Wake(k, false)
		switch state := l.registry.Await(ctx, k); {
		case state == Failed, state == Asleep && l.registry.View(k).HeldDown:
			return state, true
		}
		sleep(ctx, 10*time.Millisecond)
	}
	return Starting, false
}

func (l *life) wantReady(name string) {
	if got, ok := l.visit(name, 5*time.Minute); got != Ready || !ok {
		v := l.registry.View(l.registry.Named(name))
		l.t.Errorf("%s is %s (%s), though nothing is wrong any more", name, v.State, v.Reason)
	}
}

// send puts an app to sleep by hand, by force only if nobody has a connection to it or to
// who shares its sleep.
func (l *life) send(name string, force bool) {
	k := l.registry.Named(name)
	if k == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	circle := slices.DeleteFunc(slices.Clone(l.names), func(other string) bool { return !l.sameCircle(name, other) })
	for _, member := range circle {
		force = force && l.open[member] == 0
	}
	if l.registry.Sleep(k, force) == nil {
		for _, member := range circle {
			l.sent[member] = time.Now()
		}
	}
}

// externalAction does something to a container behind Paastis's back; connections to one that ends
// are gone.
func (l *life) externalAction(name string, do func(*inventory.Instance)) {
	l.mu.Lock()
	if l.calling[name] != "" || !l.Watched() {
		l.mu.Unlock()
		return
	}
	l.open[name] = 0
	l.connect(name)
	l.noteWithout(name)
	l.mu.Unlock()
	l.change(name, do)
}

// noteWithout notes what an app does without from now on, if it is started now: the registry
// may find that out. Called with the lock held.
func (l *life) noteWithout(name string) {
	l.fake.mu.Lock()
	defer l.fake.mu.Unlock()
	for _, n := range l.links[name] {
		for _, i := range l.apps[n.Name].Instances {
			if i.Status != inventory.Running || i.Health == inventory.Unhealthy {
				l.without[[2]string{name, n.Name}] = true
			}
		}
	}
}

// says notes since when an app is to stay stopped, as its owner says; the zero time: it may
// run.
func (l *life) says(name string, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped[name] = since; l.disabled {
		delete(l.stopped, name) // it may not be Paastis's
	}
}

// wakeManually ends what an owner has said of an app, and of what it needs.
func (l *life) wakeManually(name string) {
	k := l.registry.Named(name)
	if k == nil {
		return
	}
	l.mu.Lock()
	for _, needed := range l.closure(name, anyLink) {
		delete(l.stopped, needed)
	}
	l.mu.Unlock()
	l.registry.WakeManually(k, true)
}

// leave ends a connection.
func (l *life) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[name] = max(l.open[name]-1, 0)
	l.connect(name)
}

func (l *life) reload(name string) {
	l.mu.Lock()
	if l.disabled = l.disabled || l.random.IntN(4) == 0; !l.disabled {
		name = ""
	}
	l.mu.Unlock()
	l.registry.Reload(l.settings(name))
}

// heal ends all faults and all connections.
func (l *life) heal() {
	l.mu.Lock()
	for name, a := range l.apps {
		l.fake.mu.Lock()
		a.Err, a.StopErr, a.Crash = nil, nil, 0
		l.fake.mu.Unlock()
		l.open[name] = 0
		l.connect(name)
	}
	l.disabled = false
	l.mu.Unlock()
	l.registry.Reload(l.settings(""))
	for _, name := range l.names {
		if k := l.registry.Named(name); k != nil && l.registry.View(k).HeldDown {
			l.wakeManually(name)
		}
		l.change(name, func(i *inventory.Instance) {
			if i.Health == inventory.Unhealthy {
				i.Health = inventory.Healthy
			}
		})
	}
}

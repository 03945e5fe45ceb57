package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// fake is a provider that runs apps in memory, on the bubble's clock.
type fake struct {
	telling sync.Mutex // calls of report do not overlap
	mu      sync.Mutex
	apps    map[string]*fakeApp
	version uint64
	report  func(provider.Report)
	lost    chan error
	calls   []string // "start shop-db", "stop shop-db", in order
	starts  map[string][]time.Time
}

// fakeApp is an app with what is to happen to it.
type fakeApp struct {
	app      inventory.App
	boot     time.Duration // from its start to healthy
	stopping time.Duration // how long a stop takes
	ordering time.Duration // how long an order to start takes
	noHealth bool          // has no health check
	crash    int           // exit code with which it ends once booted; 0: it runs on
	job      bool          // it ends well once booted
	oom      bool          // it runs out of memory once booted
	restarts bool          // its provider starts it again when it ended by itself
	// maxRestarts is how often it does; 0: always. address is where Paastis reaches it.
	maxRestarts int
	address     netip.Addr
	host        string             // by which it is found, if not by its name
	mapped      *inventory.Mapping // where it is reached at its machine
	startErr    error
	stopErr     error
	// addresses it has while it runs
	addresses []netip.Addr
	// never are the names of instances that run and never become healthy.
	never []string

	// What metered tells of it.
	rate        uint64 // bytes a second that it moves while it runs
	moved       uint64 // bytes so far, beside those of rate
	connections int
	sent        float64       // packets a second that it sends, each of them and its answer without content
	unseen      string        // why its use cannot be seen
	asked       provider.Want // of its last measure
	cpu         float64       // part of a core that it takes, in percent
	measureErr  error
	busy        int // exit code of its busy check
	logs        []string
	memory      uint64 // that it takes, in bytes
	alike       bool   // all of its instances do what the first one does
}

func newFake(apps ...*fakeApp) *fake {
	f := &fake{apps: map[string]*fakeApp{}, lost: make(chan error), starts: map[string][]time.Time{}}
	for _, a := range apps {
		f.apps[a.app.Name] = a
	}
	return f
}

// service is a compose service that is asleep, with a health check and a boot of 1 s.
// Its needs are written as "db", "db:started" or "db?".
func service(stack, name string, needs ...string) *fakeApp {
	full := stack + "-" + name
	a := &fakeApp{
		app: inventory.App{
			Name: full, Stack: stack, Origin: fmt.Sprintf("container %q", full+"-1"),
			Labels:    map[string]string{},
			Instances: []inventory.Instance{{Name: full + "-1", ID: full + "-id1"}},
		},
		boot:     time.Second,
		stopping: 100 * time.Millisecond,
	}
	for _, n := range needs {
		n, condition, _ := strings.Cut(n, ":")
		link := rules.Link{Name: stack + "-" + strings.TrimSuffix(n, "?"), Optional: strings.HasSuffix(n, "?")}
		switch condition {
		case "started":
			link.Condition = rules.Started
		case "completed":
			link.Condition = rules.Completed
		}
		a.app.Links = append(a.app.Links, link)
	}
	return a
}

// routed gives the app a router that asks Paastis, with a static server.
func (a *fakeApp) routed(host string) *fakeApp {
	a.label("traefik.http.routers."+a.app.Name+".rule", "Host(`"+host+"`)")
	a.label("traefik.http.routers."+a.app.Name+".middlewares", "paastis@docker")
	return a.label("traefik.http.services."+a.app.Name+".loadbalancer.server.url", "http://"+a.app.Name+"-1:8080")
}

// replicate gives the app one instance more, which does what the first one does.
func (a *fakeApp) replicate() {
	n := len(a.app.Instances) + 1
	a.alike = true
	a.app.Instances = append(a.app.Instances, inventory.Instance{Name: fmt.Sprintf("%s-%d", a.app.Name, n), ID: fmt.Sprintf("%s-id%d", a.app.Name, n)})
}

// mirror lets the other instances be as the first one is. Called with the lock held.
func (a *fakeApp) mirror() {
	for n := 0; a.alike && n < len(a.app.Instances)-1; n++ {
		i := &a.app.Instances[n+1]
		name, id := i.Name, i.ID
		*i = a.app.Instances[0]
		i.Name, i.ID = name, id
	}
}

func (a *fakeApp) label(key, value string) *fakeApp {
	a.app.Labels[key] = value
	return a
}

func (a *fakeApp) awake() *fakeApp {
	a.app.Instances[0].Status = inventory.Running
	a.app.Instances[0].Health = inventory.Healthy
	return a
}

func (f *fake) ID() string { return "fake" }

func (f *fake) TraefikProvider() string { return "fake" }

func (f *fake) List(context.Context) (provider.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all(), nil
}

func (f *fake) all() provider.Report {
	r := provider.Report{Complete: true, Version: f.version}
	for _, a := range f.apps {
		r.Apps = append(r.Apps, f.snapshot(a))
	}
	return r
}

func (f *fake) snapshot(a *fakeApp) inventory.App {
	f.version++
	a.mirror()
	app := a.app
	app.Instances, app.Labels = slices.Clone(app.Instances), maps.Clone(app.Labels)
	app.Version = f.version
	return app
}

func (f *fake) Watch(ctx context.Context, report func(provider.Report)) error {
	f.mu.Lock()
	f.report = func(r provider.Report) {
		f.telling.Lock()
		defer f.telling.Unlock()
		report(r)
	}
	all, tell := f.all(), f.report
	f.mu.Unlock()
	tell(all)
	defer func() {
		f.telling.Lock()
		defer f.telling.Unlock()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.report = nil
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-f.lost:
		return err
	}
}

func (f *fake) Start(ctx context.Context, name string) (inventory.App, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "start "+name)
	f.starts[name] = append(f.starts[name], time.Now())
	a := f.apps[name]
	if a == nil {
		return inventory.App{}, errors.New("no such app")
	}
	if a.ordering > 0 {
		f.mu.Unlock()
		time.Sleep(a.ordering) // on the bubble's clock
		f.mu.Lock()
	}
	if a.startErr != nil {
		return inventory.App{}, a.startErr
	}
	f.run(a)
	return f.snapshot(a), nil
}

// run lets those instances of an app boot that do not run. Called with the lock held.
func (f *fake) run(a *fakeApp) {
	for n := range a.app.Instances {
		i := &a.app.Instances[n]
		if i.Status == inventory.Paused {
			i.Status = inventory.Running
			f.boot(a, n)
		}
		if i.Status == inventory.Running {
			continue
		}
		*i = inventory.Instance{Name: i.Name, ID: i.ID, Status: inventory.Running, Health: inventory.HealthStarting, StartedAt: time.Now(), Addresses: a.addresses, Address: a.address, Host: a.host, Mapped: a.mapped}
		if n > 0 {
			i.Address, i.Addresses = a.replicaAddress(n), []netip.Addr{a.replicaAddress(n)}
		}
		if a.noHealth {
			i.Health = inventory.NoHealth
		}
		f.boot(a, n)
	}
}

// replicas makes an app one of so many instances, of which each has an address of its own.
func (a *fakeApp) replicas(n int) *fakeApp {
	if a.address = a.replicaAddress(0); a.addresses == nil {
		a.addresses = []netip.Addr{a.address}
	}
	for at := range n {
		if at > 0 {
			name := fmt.Sprintf("%s-%d", a.app.Name, at+1)
			a.app.Instances = append(a.app.Instances, inventory.Instance{Name: name, ID: name})
		}
	}
	return a
}

func (a *fakeApp) replicaAddress(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(7 + n)})
}

// boot lets an instance of an app come up, or end. Called with the lock held.
func (f *fake) boot(a *fakeApp, n int) {
	started := a.app.Instances[n].StartedAt
	time.AfterFunc(a.boot, func() {
		f.changeOne(a.app.Name, n, func(i *inventory.Instance) {
			switch {
			case i.Status != inventory.Running || !i.StartedAt.Equal(started):
			case slices.Contains(a.never, i.Name):
			case a.crash != 0 && a.restarts && (a.maxRestarts == 0 || i.Restarts < a.maxRestarts):
				i.Status, i.Health, i.ExitCode = inventory.Restarting, inventory.NoHealth, a.crash
				time.AfterFunc(100*time.Millisecond, func() { f.restart(a) })
			case a.crash != 0 || a.job || a.oom:
				*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: a.crash, OOMKilled: a.oom, Restarts: i.Restarts}
			case !a.noHealth:
				i.Health = inventory.Healthy
			}
		})
	})
}

// restart starts an app again by itself, unless somebody has stopped it meanwhile.
func (f *fake) restart(a *fakeApp) {
	f.change(a.app.Name, func(i *inventory.Instance) {
		if i.Status != inventory.Restarting {
			return
		}
		i.Status, i.Health, i.StartedAt = inventory.Running, inventory.HealthStarting, time.Now()
		i.Restarts++
		f.starts[a.app.Name] = append(f.starts[a.app.Name], i.StartedAt)
		f.boot(a, 0)
	})
}

func (f *fake) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	f.mu.Lock()
	f.calls = append(f.calls, "stop "+name)
	a := f.apps[name]
	f.mu.Unlock()
	time.Sleep(a.stopping) // on the bubble's clock
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.stopErr != nil {
		return inventory.App{}, a.stopErr
	}
	for n := range a.app.Instances {
		i := &a.app.Instances[n]
		if method == rules.PauseContainer {
			i.Status = inventory.Paused
			continue
		}
		*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143}
	}
	return f.snapshot(a), nil
}

// change does something to an app behind Paastis's back, and reports it.
func (f *fake) change(name string, do func(i *inventory.Instance)) { f.changeOne(name, 0, do) }

// changeOne is change for the instance at a place.
func (f *fake) changeOne(name string, n int, do func(i *inventory.Instance)) {
	f.mu.Lock()
	a := f.apps[name]
	if a == nil {
		f.mu.Unlock()
		return
	}
	do(&a.app.Instances[n])
	app, report := f.snapshot(a), f.report
	f.mu.Unlock()
	if report != nil {
		report(provider.Report{Apps: []inventory.App{app}, Version: app.Version})
	}
}

// takeAway removes an app.
func (f *fake) takeAway(name string) {
	f.mu.Lock()
	delete(f.apps, name)
	f.version++
	version, report := f.version, f.report
	f.mu.Unlock()
	report(provider.Report{Gone: []string{name}, Version: version})
}

// add brings an app in.
func (f *fake) add(a *fakeApp) {
	f.mu.Lock()
	f.apps[a.app.Name] = a
	app, report := f.snapshot(a), f.report
	f.mu.Unlock()
	report(provider.Report{Apps: []inventory.App{app}, Version: app.Version})
}

// took are the calls since the last time somebody asked.
func (f *fake) took() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := strings.Join(f.calls, ", ")
	f.calls = nil
	return calls
}

// world is a running registry over a fake, inside a synctest bubble.
type world struct {
	*Registry
	*fake
	t *testing.T
}

// live runs a registry with rules written in YAML until the test ends. Settings are
// the defaults, with a max_idle_time of 10 minutes.
func live(t *testing.T, yml string, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	return liveOn(t, f, Options{Providers: []provider.Provider{f}, Settings: settingsFor(t, yml)})
}

// liveOn runs a registry with options of the test's own.
func liveOn(t *testing.T, f *fake, o Options) *world {
	t.Helper()
	o.Log = slog.New(wary{slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}), t})
	r, stop := begin(t, o)
	t.Cleanup(stop)
	w := &world{Registry: r, fake: f, t: t}
	t.Cleanup(w.wantFiled)
	return w
}

// Find is the keeper of the app that a request of nobody in particular belongs to.
func (w *world) Find(req *traefik.Request) *Keeper { return w.FindFor(req, netip.Addr{}) }

// runs runs a registry over a provider for as long as do takes.
func runs(t *testing.T, p provider.Provider, o Options, do func(*Registry)) {
	t.Helper()
	o.Providers = []provider.Provider{p}
	r, stop := begin(t, o)
	do(r)
	stop()
}

// begin runs a registry until it is stopped. Unless the options say otherwise, every probe
// passes.
func begin(t *testing.T, o Options) (r *Registry, stop func()) {
	t.Helper()
	if o.Probe == nil {
		o.Probe = func(context.Context, inventory.Target) error { return nil }
	}
	r = New(o)
	ctx, cancel := context.WithCancel(t.Context())
	if err := r.Load(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	synctest.Wait()
	return r, func() { cancel(); <-done }
}

func settingsFor(t *testing.T, yml string) inventory.Settings {
	t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatal(err)
	}
	defaults := rules.Defaults()
	if err := defaults.SetGlobal("max_idle_time", "10m", "test"); err != nil {
		t.Fatal(err)
	}
	return inventory.Settings{Rules: set, Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second}
}

// visit is a request for an app: it wakes the app if need be, waits for it, and
// returns the state that the visitor got.
func (w *world) visit(name string) State {
	w.t.Helper()
	k := w.Named(name)
	if k == nil {
		w.t.Fatalf("%s is no app of ours", name)
	}
	for {
		if k.Pass(time.Now()) {
			return Ready
		}
		w.Wake(k, false)
		if s := w.Await(w.t.Context(), k); s != Ready {
			return s
		}
	}
}

func (w *world) wantState(name string, want State) {
	w.t.Helper()
	if got := w.View(w.keeperOf(name)).State; got != want {
		w.t.Errorf("%s is %s, want %s", name, got, want)
	}
}

func (w *world) keeperOf(name string) *Keeper {
	w.t.Helper()
	e := w.Inventory().Named(name)
	if e == nil {
		w.t.Fatalf("no app is known as %s", name)
	}
	return KeeperOf(e)
}

func (w *world) wantCalls(want string) {
	w.t.Helper()
	if got := w.took(); got != want {
		w.t.Errorf("calls:\n got %s\nwant %s", got, want)
	}
}

// startsOf is when an app was started, by whomever.
func (f *fake) startsOf(name string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.starts[name])
}

// fault lets the provider or an app fail from now on, by one of four kinds: 0 and 1 refuse
// orders, 2 is a crash, and 3 ends them all.
func (f *fake) fault(name string, kind int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.apps[name]
	switch kind {
	case 0:
		a.startErr = errors.New("fake: no start")
	case 1:
		a.stopErr = errors.New("fake: no stop")
	case 2:
		a.crash = 1
	default:
		a.startErr, a.stopErr, a.crash = nil, nil, 0
	}
}

func (f *fake) runs(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.apps[name].app.Instances[0].Status == inventory.Running
}

// unseen tells that nothing is reported at the moment.
func (f *fake) unseen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.report == nil
}

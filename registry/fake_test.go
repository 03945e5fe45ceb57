package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

// fake is a played provider, as the tests in here speak of it.
type fake struct {
	*registrytest.Provider
	mu   sync.Locker // of the provider
	apps map[string]*fakeApp
}

// fakeApp is a played app, and what metered tells of it.
type fakeApp struct {
	registrytest.App

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
}

func newFake(apps ...*fakeApp) *fake {
	p := registrytest.NewProvider().Call("fake", "fake")
	f := &fake{Provider: p, mu: p, apps: map[string]*fakeApp{}}
	for _, a := range apps {
		f.put(a)
	}
	return f
}

// put brings an app in that is not reported. Called with the lock held, once it runs.
func (f *fake) put(a *fakeApp) {
	f.apps[a.Name] = a
	f.Put(&a.App)
}

// service is a compose service that is asleep, with a health check and a boot of 1 s.
// Its needs are written as "db", "db:started" or "db?".
func service(stack, name string, needs ...string) *fakeApp {
	full := stack + "-" + name
	a := &fakeApp{App: registrytest.App{
		App: inventory.App{
			Name: full, Stack: stack, Origin: fmt.Sprintf("container %q", full+"-1"),
			Labels:    map[string]string{},
			Instances: []inventory.Instance{{Name: full + "-1", ID: full + "-id1"}},
		},
		Boot: time.Second, Stopping: 100 * time.Millisecond, AddressOf: replicaAddress,
	}}
	for _, n := range needs {
		n, condition, _ := strings.Cut(n, ":")
		link := rules.Link{Name: stack + "-" + strings.TrimSuffix(n, "?"), Optional: strings.HasSuffix(n, "?")}
		switch condition {
		case "started":
			link.Condition = rules.Started
		case "completed":
			link.Condition = rules.Completed
		}
		a.Links = append(a.Links, link)
	}
	return a
}

// routed gives the app a router that asks Paastis, with a static server.
func (a *fakeApp) routed(host string) *fakeApp {
	a.label("traefik.http.routers."+a.Name+".rule", "Host(`"+host+"`)")
	a.label("traefik.http.routers."+a.Name+".middlewares", "paastis@docker")
	return a.label("traefik.http.services."+a.Name+".loadbalancer.server.url", "http://"+a.Name+"-1:8080")
}

// replicate gives the app one instance more, which does what the first one does.
func (a *fakeApp) replicate() {
	n := len(a.Instances) + 1
	a.Alike = true
	a.Instances = append(a.Instances, inventory.Instance{Name: fmt.Sprintf("%s-%d", a.Name, n), ID: fmt.Sprintf("%s-id%d", a.Name, n)})
}

func (a *fakeApp) label(key, value string) *fakeApp {
	a.Labels[key] = value
	return a
}

func (a *fakeApp) awake() *fakeApp {
	a.Instances[0].Status = inventory.Running
	a.Instances[0].Health = inventory.Healthy
	return a
}

// replicas makes an app one of so many instances, of which each has an address of its own.
func (a *fakeApp) replicas(n int) *fakeApp {
	if a.Address = replicaAddress(0); a.Addresses == nil {
		a.Addresses = []netip.Addr{a.Address}
	}
	for at := range n {
		if at > 0 {
			name := fmt.Sprintf("%s-%d", a.Name, at+1)
			a.Instances = append(a.Instances, inventory.Instance{Name: name, ID: name})
		}
	}
	return a
}

func replicaAddress(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(7 + n)})
}

// change does something to an app behind Paastis's back, and reports it.
func (f *fake) change(name string, do func(i *inventory.Instance)) { f.changeOne(name, 0, do) }

// changeOne is change for the instance at a place.
func (f *fake) changeOne(name string, n int, do func(i *inventory.Instance)) {
	f.Alter(name, n, do)
	f.Told()
}

// takeAway removes an app.
func (f *fake) takeAway(name string) {
	f.Remove(name)
	f.Told()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.apps, name)
}

// add brings an app in.
func (f *fake) add(a *fakeApp) {
	f.mu.Lock()
	f.apps[a.Name] = a
	f.mu.Unlock()
	f.Add(&a.App)
	f.Told()
}

// took are the calls since the last time somebody asked.
func (f *fake) took() string { return strings.TrimPrefix(f.Took(), "-") }

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

// fault lets the provider or an app fail from now on, by one of four kinds: 0 and 1 refuse
// orders, 2 is a crash, and 3 ends them all.
func (f *fake) fault(name string, kind int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.apps[name]
	switch kind {
	case 0:
		a.Err = errors.New("fake: no start")
	case 1:
		a.StopErr = errors.New("fake: no stop")
	case 2:
		a.Crash = 1
	default:
		a.Err, a.StopErr, a.Crash = nil, nil, 0
	}
}

func (f *fake) runs(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.apps[name].Instances[0].Status == inventory.Running
}

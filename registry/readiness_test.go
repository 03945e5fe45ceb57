package registry

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// apartment is an app whose instances answer when the test says so.
type apartment struct {
	mu    sync.Mutex
	fails map[string]error // :: address → what a probe of it finds; none: it answers
	last  []inventory.Target
}

func (a *apartment) probe(ctx context.Context, t inventory.Target) error {
	sleep(ctx, time.Millisecond)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = append(a.last, t)
	return a.fails[t.Address]
}

// become sets what probes of an address find from now on. Nil: it answers.
func (a *apartment) become(address string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails == nil {
		a.fails = map[string]error{}
	}
	a.fails[address] = err
}

// probed is how often the addresses were probed so far.
func (a *apartment) probed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.last)
}

var errRefusal = errors.New("connection refused")

// plain is an app without a health check, which Paastis reaches at 10.0.0.7.
func plain() *fakeApp {
	a := solo()
	a.NoHealth, a.Address = true, netip.MustParseAddr("10.0.0.7")
	return a
}

// checked is an app whose health is looked at so seldom.
func checked(interval time.Duration) *fakeApp {
	a := solo().label("paastis.start_timeout", "45s")
	a.Address, a.Boot = netip.MustParseAddr("10.0.0.7"), interval
	a.HealthCheck = &inventory.HealthCheck{Interval: interval}
	return a
}

// wakes wakes an app, and returns after which time it was open; zero if it was not in time.
func (w *world) wakes(name string, limit time.Duration) time.Duration {
	w.t.Helper()
	began := time.Now()
	k := w.Named(name)
	w.Wake(k, false)
	for time.Since(began) < limit {
		if k.Open() {
			return max(time.Since(began), 1)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return 0
}

func TestOneReplicaThatServesOpensTheApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("traefik.http.services.solo-web.loadbalancer.server.url", "http://web:8080").replicas(3)
		a.Never = []string{"solo-web-2"}
		w := live(t, "", a)
		if took := w.wakes("solo-web", 5*time.Minute); took < time.Second+laggardGrace || took > 2*time.Second+laggardGrace {
			t.Errorf("open after %s, want as soon as the one that is late has had its grace", took)
		}
		time.Sleep(2 * time.Minute)
		w.wantState("solo-web", Ready)
		w.wantCalls("start solo-web") // the late one runs: there is nothing to start
	})
}

func TestAReplicaIsNotWaitedForThatIsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo().replicas(3))
		if took := w.wakes("solo-web", time.Minute); took > 1100*time.Millisecond {
			t.Errorf("open after %s, though all are healthy after 1 s", took)
		}
	})
}

func TestTheReplicaThatAStaticServerNamesHasToServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("paastis.start_timeout", "1m").replicas(2)
		a.Never = []string{"solo-web-1"} // to which the static server leads
		w := live(t, "", a)
		if took := w.wakes("solo-web", 50*time.Second); took != 0 {
			t.Errorf("open after %s by an instance to which Traefik leads nobody", took)
		}
		time.Sleep(15 * time.Second)
		w.wantState("solo-web", Failed)
	})
}

func TestAReplicaThatCannotBeStartedDoesNotKeepTheOtherFromServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().replicas(2)
		a.Instances[1].Status = inventory.Exited
		w := live(t, "", a)
		k := w.Named("solo-web")
		w.Wake(k, false)
		time.Sleep(200 * time.Millisecond)
		w.changeOne("solo-web", 1, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 3} })
		time.Sleep(2 * time.Second)
		if !k.Open() {
			t.Errorf("closed: %s", w.View(k).Reason)
		}
	})
}

func TestAPartThatIsRefusedDoesNotKeepTheRestFromServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(solo().replicas(2))
		w := liveOn(t, f, Options{Providers: []provider.Provider{&refusing{f}}, Settings: settingsFor(t, "")})
		if took := w.wakes("solo-web", time.Minute); took == 0 || took > 2*time.Second {
			t.Errorf("open after %s: %s", took, w.View(w.Named("solo-web")).Reason)
		}
		if f := w.keeperOf("solo-web").failures.last.get(); f.Kind != "" {
			t.Errorf("it failed meanwhile: %s", f.Reason)
		}
	})
}

// refusing is a provider that starts no second instance, and says so.
type refusing struct{ *fake }

func (p *refusing) Start(ctx context.Context, name string) (inventory.App, error) {
	if _, err := p.fake.Start(ctx, name); err != nil {
		return inventory.App{}, err
	}
	p.changeOne(name, 1, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID} })
	return p.Snapshot(name), errors.New("container 2: its port is taken")
}

func TestADeadReplicaOfAnAwakeAppIsStartedAgainAndNoneIsTurnedAway(t *testing.T) {
	for code, want := range map[int]time.Duration{0: mendDelay, 137: mendDelay, 1: crashMendDelay} {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, "", solo().replicas(2))
			w.visit("solo-web")
			w.took()
			w.changeOne("solo-web", 1, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: code} })
			time.Sleep(want - time.Millisecond)
			w.wantCalls("")
			time.Sleep(2 * time.Millisecond)
			w.wantCalls("start solo-web")
			if !w.Named("solo-web").Open() {
				t.Errorf("code %d: the app is closed though one replica serves", code)
			}
			time.Sleep(5 * time.Minute)
			w.wantCalls("")
		})
	}
}

func TestAPausedReplicaOfAnAwakeAppGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo().replicas(2))
		w.visit("solo-web")
		w.took()
		w.changeOne("solo-web", 1, func(i *inventory.Instance) { i.Status = inventory.Paused })
		time.Sleep(mendDelay + time.Second)
		w.wantCalls("start solo-web")
	})
}

func TestAReplicaThatDiesAgainAndAgainIsStartedEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "rules: [{pattern: web, max_idle_time: never}]", solo().replicas(2))
		w.visit("solo-web")
		w.took()
		for range 600 {
			w.changeOne("solo-web", 1, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 1} })
			time.Sleep(time.Second)
		}
		if n := strings.Count(w.took(), "start"); n < 10 || n > 16 {
			t.Errorf("started %d times within ten minutes", n)
		}
		w.wantState("solo-web", Ready)
	})
}

func TestAReplicaThatIsReplacedIsNotStartedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().replicas(2)
		w := live(t, "", a)
		w.visit("solo-web")
		w.took()
		w.changeOne("solo-web", 1, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143} })
		time.Sleep(3 * time.Second)
		w.changeOne("solo-web", 1, func(i *inventory.Instance) {
			*i = inventory.Instance{Name: "solo-web-3", ID: "new", Status: inventory.Running, Health: inventory.Healthy, StartedAt: time.Now()}
		})
		time.Sleep(time.Minute)
		w.wantCalls("")
		w.wantState("solo-web", Ready)
	})
}

func TestAnEmptyServerIsWaitedForAndNotForEver(t *testing.T) {
	replicas := func() *fakeApp { return found().replicas(2) }
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := liveBehind(t, g, replicas())
		g.become(nil, "", "http://10.0.0.7:8080")
		time.AfterFunc(4*time.Second, func() { g.become(nil, "http://10.0.0.7:8080", "http://10.0.0.8:8080") })
		if took := w.wakes("solo-web", time.Minute); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("open after %s, though half of the requests got to an empty server for 4 s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{}
		w := liveBehind(t, g, replicas())
		g.become(nil, "", "http://10.0.0.7:8080")
		if took := w.wakes("solo-web", time.Minute); took < laggardGrace || took > laggardGrace+3*time.Second {
			t.Errorf("open after %s beside a server that never comes", took)
		}
	})
}

func TestTraefikMustHaveAReplicaThatServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, a := &gateway{}, found().replicas(2)
		a.Never = []string{"solo-web-1"}
		w := liveBehind(t, g, a)
		g.become(nil, "http://10.0.0.7:8080")
		if took := w.wakes("solo-web", 30*time.Second); took != 0 {
			t.Errorf("open after %s, while Traefik has only the replica that does not serve", took)
		}
		g.become(nil, "http://10.0.0.7:8080", "http://10.0.0.8:8080")
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestOnlyReplicasThatAnswerGetRequestsInDirectMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var house apartment
		house.become("10.0.0.8:8080", errRefusal)
		a := plain().replicas(2)
		delete(a.Labels, "traefik.http.services.solo-web.loadbalancer.server.url")
		a.label("traefik.http.services.solo-web.loadbalancer.server.port", "8080").label("paastis.max_idle_time", "never")
		w, _ := liveDirect(t, Options{Probe: house.probe}, a)
		w.wakes("solo-web", time.Minute)
		time.Sleep(4 * time.Second)
		if got := strings.Join(w.serversOf(w.Inventory().Routes["solo-web"]), " "); got != "http://10.0.0.7:8080" {
			t.Errorf("led to %s", got)
		}
		before := house.probed()
		time.Sleep(10 * time.Minute)
		if n := house.probed() - before; n > 60 {
			t.Errorf("the late one was probed %d times in ten minutes: that is traffic, and looks like use", n)
		}
		house.become("10.0.0.8:8080", nil)
		time.Sleep(2 * time.Minute)
		if got := strings.Join(w.serversOf(w.Inventory().Routes["solo-web"]), " "); got != "http://10.0.0.7:8080 http://10.0.0.8:8080" {
			t.Errorf("once the late one answers: led to %s", got)
		}
	})
}

func TestAChosenProbeOverrulesASlowHealthCheck(t *testing.T) {
	for _, probe := range []string{"none", "tcp", "tcp:8080", "http:/healthz", "https:/healthz"} {
		for _, health := range []time.Duration{30 * time.Second, time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				w := live(t, "", checked(health).label("paastis.probe", probe))
				if took := w.wakes("solo-web", time.Minute); took == 0 || took > time.Second {
					t.Errorf("%s: open after %s", probe, took)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) { // by a rule as well
		w := live(t, "rules: [{pattern: web, probe: none}]", checked(time.Minute))
		if took := w.wakes("solo-web", time.Minute); took == 0 || took > time.Second {
			t.Errorf("open after %s", took)
		}
	})
}

func TestWhereRunningIsEnoughNobodyComesBeforeTheAppListensIfThatIsSoon(t *testing.T) {
	for _, c := range []struct{ listens, want time.Duration }{{time.Second, time.Second}, {time.Hour, noProbeGrace}} {
		synctest.Test(t, func(t *testing.T) {
			var house apartment
			house.become("10.0.0.7:8080", errRefusal)
			time.AfterFunc(c.listens, func() { house.become("10.0.0.7:8080", nil) })
			w := liveProbed(t, house.probe, plain().label("paastis.probe", "none"))
			if took := w.wakes("solo-web", time.Minute); took < c.want || took > c.want+200*time.Millisecond {
				t.Errorf("it listens after %s, and is open after %s", c.listens, took)
			}
			w.Wake(w.Named("solo-web"), false)
		})
	}
}

func TestAnUnhealthyAppThatAnswersTheChosenProbeIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", checked(time.Minute).label("paastis.probe", "tcp"))
		w.Wake(w.Named("solo-web"), false)
		w.change("solo-web", func(i *inventory.Instance) { i.Health = inventory.Unhealthy })
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestAHealthCheckWhoseVerdictComesTooLateIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a probe of Paastis's own decides
		w := live(t, "", checked(time.Minute))
		if took := w.wakes("solo-web", 2*time.Minute); took == 0 || took > time.Second {
			t.Errorf("open after %s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // nothing can be probed: it has the time that it needs
		a := checked(time.Minute)
		a.Address = netip.Addr{}
		w := live(t, "", a)
		if took := w.wakes("solo-web", 2*time.Minute); took < time.Minute || took > 61*time.Second {
			t.Errorf("open after %s, want as soon as it is healthy", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // Traefik itself goes by it, so no probe helps
		g, a := &gateway{}, found().label("paastis.start_timeout", "45s").label("paastis.probe", "none")
		a.Boot, a.HealthCheck = time.Minute, &inventory.HealthCheck{Interval: time.Minute}
		w := liveBehind(t, g, a)
		time.AfterFunc(time.Minute+2*time.Second, func() { g.become(nil, "http://10.0.0.7:8080") })
		if took := w.wakes("solo-web", 2*time.Minute); took < time.Minute || took > 63*time.Second {
			t.Errorf("open after %s, want once Traefik has its server", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // one that is well in time decides, whatever a port says
		a := checked(time.Second).label("paastis.start_timeout", "10s")
		a.Boot = time.Minute
		w := live(t, "", a)
		if took := w.wakes("solo-web", 9*time.Second); took != 0 {
			t.Errorf("open after %s, against its health check", took)
		}
		time.Sleep(2 * time.Second)
		w.wantState("solo-web", Failed)
	})
}

func TestTheProbeAsksAsAVisitorDoes(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   inventory.Target
	}{
		{nil, inventory.Target{Host: "solo.test", VisitorScheme: "http", Scheme: "http"}},
		{map[string]string{"traefik.http.routers.solo-web.tls": "true"}, inventory.Target{Host: "solo.test", VisitorScheme: "https", Scheme: "http"}},
		{map[string]string{"traefik.http.routers.solo-web.entrypoints": "websecure"}, inventory.Target{Host: "solo.test", VisitorScheme: "https", Scheme: "http"}},
		{map[string]string{"traefik.http.services.solo-web.loadbalancer.server.url": "https://solo-web-1:8080"}, inventory.Target{Host: "solo.test", VisitorScheme: "http", Scheme: "https"}},
		{map[string]string{"traefik.http.services.solo-web.loadbalancer.server.url": "h2c://solo-web-1:8080"}, inventory.Target{Host: "solo.test", VisitorScheme: "http", Scheme: "h2c"}},
		{map[string]string{"paastis.probe": "https:/up"}, inventory.Target{Host: "solo.test", VisitorScheme: "http", Scheme: "https"}},
		{map[string]string{"paastis.probe_host": "inside.test", "paastis.probe_scheme": "https"}, inventory.Target{Host: "inside.test", VisitorScheme: "https", Scheme: "http"}},
		{map[string]string{"traefik.http.routers.solo-web.rule": "PathPrefix(`/up`)"}, inventory.Target{Host: "", VisitorScheme: "http", Scheme: "http"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var house apartment
			a := plain().label("paastis.probe", "http:/up")
			for key, value := range c.labels {
				a.label(key, value)
			}
			w := liveProbed(t, house.probe, a)
			w.visit("solo-web")
			got := house.last[0]
			if got.Host != c.want.Host || got.VisitorScheme != c.want.VisitorScheme || got.Scheme != c.want.Scheme || got.Path != "/up" || !got.Accepts.Has(401) {
				t.Errorf("%v: asked for %+v", c.labels, got)
			}
		})
	}
}

func TestWhatAProbeIsRefusedWithIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var house apartment
		house.become("10.0.0.7:8080", StatusError{404})
		w := liveProbed(t, house.probe, plain().label("paastis.probe", "http:/up").label("paastis.start_timeout", "40s"))
		w.visit("solo-web")
		if got := w.View(w.Named("solo-web")).Reason.String(); got != "It answered its probe with 404 for 40s." {
			t.Errorf("reason: %s", got)
		}
		if n := house.probed(); n > 200 {
			t.Errorf("asked %d times in 40 s: an app may take that for an attack", n)
		}
	})
}

func TestAllPortsOfAnAppAnswerOrHaveHadTheirGrace(t *testing.T) {
	two := func() *fakeApp {
		return plain().label("traefik.http.routers.admin.rule", "Host(`admin.test`)").
			label("traefik.http.routers.admin.service", "admin").label("traefik.http.routers.solo-web.service", "solo-web").
			label("traefik.http.routers.admin.middlewares", "paastis@docker").
			label("traefik.http.services.admin.loadbalancer.server.url", "http://solo-web-1:9090")
	}
	for _, late := range []string{"10.0.0.7:9090", "10.0.0.7:8080"} {
		synctest.Test(t, func(t *testing.T) {
			var house apartment
			house.become(late, errRefusal)
			time.AfterFunc(3*time.Second, func() { house.become(late, nil) })
			w := liveProbed(t, house.probe, two())
			if took := w.wakes("solo-web", time.Minute); took < 3*time.Second || took > 4*time.Second {
				t.Errorf("%s answers after 3 s, and the app is open after %s", late, took)
			}
		})
	}
}

func TestAnAppThatNobodyCanAskHasRunForAWhile(t *testing.T) {
	unseen := func() *fakeApp {
		a := plain()
		a.Address = netip.Addr{}
		return a
	}
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", unseen())
		if took := w.wakes("solo-web", time.Minute); took < unprobedDelay || took > unprobedDelay+time.Second {
			t.Errorf("open after %s, blindly", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // unless its owner says that running is enough
		w := live(t, "", unseen().label("paastis.probe", "none"))
		if took := w.wakes("solo-web", time.Minute); took == 0 || took > 200*time.Millisecond {
			t.Errorf("open after %s", took)
		}
	})
	for _, c := range []struct {
		name     string
		listener func(since time.Duration) (bool, error)
		label    string
		from, to time.Duration
	}{
		{"its provider sees it listen", func(since time.Duration) (bool, error) { return since > 7*time.Second, nil }, "", 7 * time.Second, 9 * time.Second},
		{"its provider sees it listen late", func(since time.Duration) (bool, error) { return since > 40*time.Second, nil }, "", 40 * time.Second, 42 * time.Second},
		{"its provider cannot look", func(time.Duration) (bool, error) { return false, errors.New("no cat") }, "", unprobedDelay, unprobedDelay + time.Second},
		{"it asks for a path", func(since time.Duration) (bool, error) { return since > 7*time.Second, nil }, "http:/up", 7 * time.Second, 9 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := unseen()
			if c.label != "" {
				a.label("paastis.probe", c.label)
			}
			f := newFake(a)
			w := liveOn(t, f, Options{Providers: []provider.Provider{&listening{f, c.listener}}, Settings: settingsFor(t, "")})
			if took := w.wakes("solo-web", 2*time.Minute); took < c.from || took > c.to {
				t.Errorf("%s: open after %s", c.name, took)
			}
		})
	}
}

// listening is a provider that can look into its apps.
type listening struct {
	*fake
	listens func(since time.Duration) (bool, error)
}

func (l *listening) Listens(_ context.Context, instance string, port uint16) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.apps {
		for _, i := range a.Instances {
			if i.ID == instance {
				return l.listens(time.Since(i.StartedAt))
			}
		}
	}
	return false, errors.New("no such instance")
}

func TestWhatRanBeforePaastisIsProbedBeforeItIsReady(t *testing.T) {
	running := func() *fakeApp {
		a := plain()
		a.Instances[0] = inventory.Instance{Name: "solo-web-1", ID: "id", Status: inventory.Running, Address: a.Address, StartedAt: time.Now().Add(-time.Hour)}
		return a
	}
	synctest.Test(t, func(t *testing.T) { // one that serves is open before anybody can ask
		var house apartment
		r := New(Options{Providers: []provider.Provider{newFake(running())}, Settings: settingsFor(t, ""), Log: slog.New(slog.DiscardHandler), Probe: house.probe})
		if err := r.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !r.Named("solo-web").Open() {
			t.Error("closed though it serves")
		}
	})
	synctest.Test(t, func(t *testing.T) { // and stays so
		w := live(t, "", running())
		if !w.Named("solo-web").Open() {
			t.Error("closed though it serves")
		}
		w.wantCalls("")
	})
	synctest.Test(t, func(t *testing.T) {
		var house apartment
		house.become("10.0.0.7:8080", errRefusal)
		w := liveProbed(t, house.probe, running())
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Starting)
		house.become("10.0.0.7:8080", nil)
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
		w.wantCalls("")
	})
	synctest.Test(t, func(t *testing.T) { // a health check that fails is not believed against a probe
		a := running()
		a.Instances[0].Health, a.NoHealth = inventory.Unhealthy, false
		w := live(t, "", a)
		if !w.Named("solo-web").Open() {
			t.Error("closed though it serves")
		}
	})
	synctest.Test(t, func(t *testing.T) { // nor is an app closed that ran long before, and that nobody can ask
		a := running()
		a.Instances[0].Address = netip.Addr{}
		w := live(t, "", a)
		if !w.Named("solo-web").Open() {
			t.Error("closed")
		}
	})
	synctest.Test(t, func(t *testing.T) { // what began with the machine is given to Traefik first
		g, a := &gateway{}, found().awake()
		a.Instances[0].StartedAt, a.Instances[0].Addresses = time.Now().Add(-5*time.Second), a.Addresses
		w := liveBehind(t, g, a)
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Starting)
		g.become(nil, "http://10.0.0.7:8080")
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestAnAppThatIsStartedWithTheEngineIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var house apartment
		house.become("10.0.0.7:8080", errRefusal)
		a := plain()
		w := liveProbed(t, house.probe, a)
		w.change("solo-web", func(i *inventory.Instance) {
			i.Status, i.StartedAt, i.Address = inventory.Running, time.Now(), a.Address
		})
		time.Sleep(10 * time.Second)
		w.wantState("solo-web", Starting)
		house.become("10.0.0.7:8080", nil)
		time.Sleep(time.Second)
		w.wantState("solo-web", Ready)
	})
}

func TestWhatIsFoundRunningWakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := service("shop", "front", "db").routed("shop.test")
		front.NoHealth, front.Address = true, netip.MustParseAddr("10.0.0.7")
		front.Instances[0] = inventory.Instance{Name: "shop-front-1", ID: "id", Status: inventory.Running, Address: front.Address}
		w := live(t, "", front, service("shop", "db"))
		time.Sleep(7 * time.Minute)
		w.wantCalls("")
		if f := w.keeperOf("shop-front").failures.last.get(); f.Kind != "" {
			t.Errorf("it failed for it: %s", f.Reason)
		}
		if w.Named("shop-front").Open() {
			t.Error("open without its database")
		}
		w.visit("shop-front")
		w.wantCalls("start shop-db")
	})
}

func TestASlowAnswerIsGivenEverMoreTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var patience []time.Duration
		w := liveProbed(t, func(ctx context.Context, target inventory.Target) error {
			mu.Lock()
			defer mu.Unlock()
			patience = append(patience, target.Patience)
			if target.Patience < 20*time.Second {
				sleep(ctx, target.Patience)
				return context.DeadlineExceeded
			}
			return nil
		}, plain().label("paastis.probe", "http:/slow"))
		w.visit("solo-web")
		if want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}; !slices.Equal(patience, want) {
			t.Errorf("had %s", patience)
		}
	})
}

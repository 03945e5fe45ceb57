package strangers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
)

// busy is always in use, so that Traefik leads straight to it. Of turning no use is seen: its
// route goes to Paastis and back all the time; that of carried always leads there. Sleepy is
// visited in bursts.
var townsfolk = []string{"busy", "turning", "carried", "sleepy"}

// measured is a provider of apps of which only busy moves anything.
type measured struct{ *registrytest.Provider }

func (m measured) Measure(_ context.Context, name string, _ provider.Want) (idle.Usage, error) {
	var u idle.Usage
	if name == "busy" {
		u.Bytes = uint64(time.Now().UnixMilli()) * 1000
	}
	return u, nil
}

// city is a Traefik that fetches its routes from a Paastis, which begins anew now and then.
type city struct {
	t        *testing.T
	web      string
	listen   string
	provider measured
	store    history.Store // nil: no state is kept
	end      func()        // of the Paastis of now

	// ending is held in the moment in which Paastis ends: who is on the way then may be
	// turned away, for nobody knows whether such a request got there. Down is held until there
	// is another. Then nobody comes to sleepy: whom Paastis holds is told to come again.
	ending, down                  sync.RWMutex
	requests, failures, sentAgain atomic.Int64
}

func TestNoVisitorIsTurnedAwayWhileRoutesTurnMarksAreRenewedAndPaastisRestarts(t *testing.T) {
	c := found(t, registrytest.NewStore())
	marks, turns, restarts := c.live(loadTime(t))
	if marks < 2 || turns < 4 || restarts < 2 {
		t.Error("not enough has happened")
	}
}

func TestWithoutAStateVisitorsAreSentThereAgainAndNobodyIsTurnedAway(t *testing.T) {
	c := found(t, nil)
	if _, _, restarts := c.live(loadTime(t)); restarts < 2 {
		t.Error("not enough has happened")
	}
	if c.sentAgain.Load() == 0 {
		t.Error("nobody came by a mark of before")
	}
}

// loadTime is how long there is load: LOAD, or some seconds.
func loadTime(t *testing.T) time.Duration {
	t.Helper()
	load := 12 * time.Second
	if text := os.Getenv("LOAD"); text != "" {
		var err error
		if load, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	return load
}

// live lets visitors come for a time, in which Paastis restarts now and then, and returns how
// much has happened.
func (c *city) live(load time.Duration) (marks, turns, restarts int) {
	c.t.Helper()
	seen := c.watch(load)
	ctx, cancel := context.WithTimeout(c.t.Context(), load)
	defer cancel()
	var all sync.WaitGroup
	for _, name := range townsfolk {
		for range 2 {
			all.Go(func() { c.visit(ctx, name) })
		}
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(4 * time.Second):
			c.restart()
			restarts++
		}
	}
	all.Wait()
	marks, turns = seen()
	c.t.Logf("%s of load: %d requests, %d failed, %d sent there again; %d restarts, %d sets of marks, %d turns of routes",
		load, c.requests.Load(), c.failures.Load(), c.sentAgain.Load(), restarts, marks, turns)
	return marks, turns, restarts
}

// found starts a city.
func found(t *testing.T, store history.Store) *city {
	t.Helper()
	apps := make([]*registrytest.App, len(townsfolk))
	for i, name := range townsfolk {
		apps[i] = appOf(t, name)
	}
	c := &city{t: t, listen: "127.0.0.1:" + freePort(t), provider: measured{registrytest.NewProvider(apps...)}, store: store}
	c.begin()
	t.Cleanup(func() { c.end() })
	c.web = runTraefik(t, "--providers.http.endpoint=http://"+c.listen+"/traefik/config", "--providers.http.pollinterval=300ms", "--providers.providersthrottleduration=100ms")
	for _, name := range townsfolk {
		await(t, name+" answers", func() bool { code, _, body := visit(t, c.web, name+".test", "/"); return code == 200 && body == name })
	}
	return c
}

// appOf is an app that answers with its name.
func appOf(t *testing.T, name string) *registrytest.App {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.RequestURI, ".paastis") {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, name)
	}))
	t.Cleanup(s.Close)
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	a := registrytest.NewApp(name).Found(name+".test").Label("paastis.port", fmt.Sprint(at.Port()))
	a.Boot, a.Address = 200*time.Millisecond, at.Addr()
	if name == "carried" {
		a.Label("paastis.traffic_floor", "off")
	}
	return a.Label("traefik.http.services."+name+".loadbalancer.server.url", "http://"+at.String())
}

// begin starts a Paastis, whose marks live for two seconds.
func (c *city) begin() {
	c.t.Helper()
	log := slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	defaults := rules.Defaults()
	defaults.MaxIdleTime = 1500 * time.Millisecond
	reg := registry.New(registry.Options{
		Providers: []provider.Provider{c.provider}, Log: log, Store: c.store, MarkLife: 2 * time.Second,
		Settings: inventory.Settings{Defaults: defaults, Middleware: "paastis", Throttle: 100 * time.Millisecond},
	})
	if err := reg.Load(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	classifier, err := server.NewClassifier(server.DefaultNeverWake())
	if err != nil {
		c.t.Fatal(err)
	}
	srv := server.New(server.Options{Registry: reg, Classifier: classifier, Log: log, ConfigSources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	ln, err := net.Listen("tcp", c.listen)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { reg.Run(ctx) })
	parts.Go(func() { _ = srv.Serve(ctx, ln) })
	c.end = func() { cancel(); parts.Wait() }
}

// restart puts another Paastis in the place of the one of now, half a second later. Those
// whom Traefik leads straight to an app do not notice; others wait.
func (c *city) restart() {
	c.down.Lock()
	defer c.down.Unlock()
	c.ending.Lock()
	c.end()
	time.Sleep(50 * time.Millisecond) // until Traefik knows that its connections are closed
	c.ending.Unlock()
	time.Sleep(450 * time.Millisecond)
	c.begin()
}

// visit visits an app until ctx ends; sleepy in bursts, between which it falls asleep.
func (c *city) visit(ctx context.Context, name string) {
	for began := time.Now(); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if name == "sleepy" && time.Since(began)%(5*time.Second) > time.Second {
			continue
		}
		c.request(name)
	}
}

func (c *city) request(name string) {
	if name == "sleepy" {
		c.down.RLock()
		defer c.down.RUnlock()
	}
	if name != "busy" {
		c.ending.RLock()
		defer c.ending.RUnlock()
	}
	c.requests.Add(1)
	began := time.Now()
	code, header, body := visit(c.t, c.web, name+".test", "/")
	for again := 0; c.store == nil && code == 307 && header.Get("Location") == "http://"+name+".test/" && again < 10; again++ {
		c.sentAgain.Add(1)
		code, header, body = visit(c.t, c.web, name+".test", "/")
	}
	if code != 200 || body != name {
		c.failures.Add(1)
		c.t.Errorf("%s after %s: %d %v %s", name, time.Since(began), code, header, body)
	}
}

// watch looks at what is published for a time, and then tells how many sets of marks there
// were, and how often routes turned.
func (c *city) watch(during time.Duration) func() (marks, turns int) {
	sets, turns, last := map[string]bool{}, 0, map[string]string{}
	var done sync.WaitGroup
	done.Go(func() {
		for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			prefix, servers := c.published()
			sets[prefix] = true
			for name, url := range servers {
				if last[name] != "" && last[name] != url {
					turns++
				}
				last[name] = url
			}
		}
	})
	return func() (int, int) {
		done.Wait()
		delete(sets, "")
		return len(sets), turns
	}
}

// published is a mark, if there is one, and where each route leads to.
func (c *city) published() (prefix string, servers map[string]string) {
	r, _ := http.NewRequest(http.MethodGet, "http://"+c.listen+"/traefik/config", nil)
	r.Header.Set("Accept", "*/*") // to look changes nothing
	resp, err := client.Do(r)
	if err != nil {
		return "", nil
	}
	defer resp.Body.Close()
	var config struct {
		HTTP struct {
			Middlewares map[string]struct{ AddPrefix struct{ Prefix string } }
			Services    map[string]struct {
				LoadBalancer struct{ Servers []struct{ URL string } }
			}
		}
	}
	text, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(text, &config)
	servers = map[string]string{}
	for name, s := range config.HTTP.Services {
		servers[name] = s.LoadBalancer.Servers[0].URL
	}
	tag, _, _ := strings.Cut(config.HTTP.Middlewares["paastis-carried"].AddPrefix.Prefix, ".carried")
	return tag, servers
}

package clevercloud_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// reviews is a paastis.yml of review apps, front and back each.
const reviews = `
rules:
  - pattern: '^shop-pr(\d+)-(back|front)$'
    linked_apps: ['shop-pr$1-front', 'shop-pr$1-back']
    max_idle_time: 30m
    start_timeout: 5m
  - pattern: '.*'
    start_timeout: 5m
`

// house is a Paastis over a Clever Cloud, for one or several lives.
type house struct {
	*clevercloudtest.Cloud
	t     *testing.T
	by    clevercloud.Settings
	rules string
	store history.Store
	mu    sync.Mutex
	log   bytes.Buffer // guarded by mu

	*registry.Registry // of the life that goes on
	provider           *clevercloud.Provider
}

func newHouse(t *testing.T) *house {
	return &house{Cloud: clevercloudtest.New(), t: t, by: bearer, rules: reviews, store: registrytest.NewStore()}
}

func (h *house) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

// said is what the log has.
func (h *house) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// lives runs a Paastis for as long as do takes.
func (h *house) lives(do func()) {
	h.t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(h.rules))
	if err != nil {
		h.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(h, nil))
	h.provider = connect(h.t, h.Cloud, h.by, log)
	h.Registry = registry.New(registry.Options{
		Providers: []provider.Provider{h.provider}, Log: log, Store: h.store, Probe: h.probe,
		Settings: inventory.Settings{Rules: set, Defaults: rules.Defaults(), Middleware: "paastis"},
	})
	ctx, end := context.WithCancel(h.t.Context())
	if err := h.Load(ctx); err != nil {
		h.t.Logf("load: %v", err)
	}
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	time.Sleep(2 * time.Second)
	do()
	end()
	<-done
}

// probe asks for an app at its URL, through the load balancer.
func (h *house) probe(ctx context.Context, t inventory.Target) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Scheme+"://"+t.Address+t.Path, nil)
	if err != nil {
		return err
	}
	answer, err := h.Transport().RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 502 && answer.StatusCode <= 504 {
		return registry.StatusError{Status: answer.StatusCode}
	}
	return nil
}

// wake asks for an app.
func (h *house) wake(name string) {
	h.t.Helper()
	k := h.Named(name)
	if k == nil {
		h.t.Fatalf("nobody knows %s", name)
	}
	h.Wake(k, false)
}

// want wants an app to be in a state, as its visitors see it.
func (h *house) want(name string, state registry.State) {
	h.t.Helper()
	k := h.Named(name)
	if k == nil {
		h.t.Fatalf("nobody knows %s", name)
	}
	if v := h.View(k); v.State != state {
		h.t.Errorf("%s is %v, not %v: %s", name, v.State, state, v.Reason)
	}
}

// review makes the apps of a pull request, asleep.
func (h *house) review(n int, owner string) {
	for _, part := range []string{"front", "back"} {
		h.Put(clevercloudtest.App{Name: fmt.Sprintf("shop-pr%d-%s", n, part), Owner: owner, Commit: fmt.Sprintf("pr%d-%s", n, part)})
	}
}

func TestARequestToFrontOrBackWakesBothAndNoOtherPullRequest(t *testing.T) {
	for _, asked := range []string{"front", "back"} {
		t.Run(asked, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				owner := h.AddOwner("Shop Inc")
				h.review(1, owner)
				h.review(2, owner)
				h.review(12, owner)
				h.lives(func() {
					var visitors sync.WaitGroup
					for range 1000 {
						visitors.Go(func() { h.wake("shop-pr1-" + asked) })
					}
					visitors.Wait()
					time.Sleep(time.Minute)
					for _, part := range []string{"front", "back"} {
						h.want("shop-pr1-"+part, registry.Ready)
						h.want("shop-pr2-"+part, registry.Asleep)
						h.want("shop-pr12-"+part, registry.Asleep)
						if n := h.Orders(h.ID("shop-pr1-" + part)); n != 1 {
							t.Errorf("%d orders for %s", n, part)
						}
					}
					if n := h.Calls.Of(orderRoute); n != 2 {
						t.Errorf("%d orders", n)
					}
					time.Sleep(40 * time.Minute)
					for _, part := range []string{"front", "back"} {
						h.want("shop-pr1-"+part, registry.Asleep)
						if s := h.State(h.ID("shop-pr1-" + part)); s != clevercloudtest.ShouldBeDown {
							t.Errorf("%s is %s", part, s)
						}
					}
				})
			})
		})
	}
}

func TestAnAppComesBackAtTheCommitThatRanAlsoIfTheTreeHasAnother(t *testing.T) {
	for what, between := range map[string]func(h *house){
		"by the same Paastis": func(*house) {},
		"with the store lost": func(h *house) { h.store = registrytest.NewStore() },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: true})
				h.Commit(id, "reverted")
				h.lives(func() { time.Sleep(time.Hour) })
				if h.State(id) != clevercloudtest.ShouldBeDown {
					t.Fatal("it does not sleep")
				}
				between(h)
				h.lives(func() {
					h.wake("shop")
					time.Sleep(time.Minute)
					h.want("shop", registry.Ready)
					if got := h.Runs(id); got != "good" {
						t.Errorf("it runs %q", got)
					}
				})
			})
		})
	}
}

func TestAPaastisThatIsKilledAtTheWorstMomentBringsTheSameCommitBackByOneOrder(t *testing.T) {
	for what, fault := range map[string]struct {
		asleep bool // before
		fault  paastest.Fault
		orders int
	}{
		"between store and order to stop":   {false, paastest.Fault{Route: stopRoute, Hang: true}, 0},
		"between order and answer to stop":  {false, paastest.Fault{Route: stopRoute, Late: time.Hour}, 1},
		"between store and order to start":  {true, paastest.Fault{Route: orderRoute, Hang: true}, 1},
		"between order and answer to start": {true, paastest.Fault{Route: orderRoute, Late: time.Hour}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: !fault.asleep})
				h.Commit(id, "reverted")
				remove := h.Faults.Add(fault.fault)
				h.lives(func() {
					if fault.asleep {
						h.wake("shop")
						time.Sleep(time.Second)
						return
					}
					time.Sleep(15*time.Minute + 2*time.Second) // right in the stop
				})
				remove()
				h.lives(func() {
					time.Sleep(time.Minute)
					h.wake("shop")
					time.Sleep(time.Minute)
					h.want("shop", registry.Ready)
					if got := h.Runs(id); got != "good" {
						t.Errorf("it runs %q", got)
					}
					if n := h.Orders(id); n != fault.orders {
						t.Errorf("%d orders, want %d", n, fault.orders)
					}
				})
			})
		})
	}
}

func TestWhatSomebodyDeploysWhileAnAppSleepsIsFollowedAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "old", Awake: true})
		h.lives(func() {
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Push(id, "new")
			time.Sleep(2 * time.Minute)
			h.want("shop", registry.Ready)
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Push(id, "newer")
			time.Sleep(26 * time.Second)
			h.Cloud.Stop(id) // all of it between two looks, as far as Paastis sees
			h.wake("shop")
			time.Sleep(2 * time.Minute)
			if got := h.Runs(id); got != "newer" {
				t.Errorf("it runs %q", got)
			}
		})
	})
}

func TestWhatRanComesBackAlsoIfAYoungerCommitCouldNotBeDeployed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "good", Awake: true, TellsPushed: true})
		h.lives(func() {
			h.Fail(id, true)
			h.Push(id, "broken")
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.Fail(id, false)
			h.wake("shop")
			time.Sleep(time.Minute)
			if got := h.Runs(id); got != "good" {
				t.Errorf("it runs %q", got)
			}
		})
	})
}

// stages are the states that an app went through, in order.
func (h *house) stages(name string) (all []registry.State) {
	for _, e := range h.Events(0, name, 100) {
		if len(all) == 0 || all[len(all)-1] != e.State {
			all = append(all, e.State)
		}
	}
	return all
}

func TestAListingThatHasNotHeardOfAStopDoesNotWakeTheApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true})
		h.lives(func() {
			time.Sleep(15*time.Minute - time.Second)
			h.Faults.Add(paastest.Fault{Route: summaryRoute, Change: paastest.Replace("state", clevercloudtest.ShouldBeUp), For: 50 * time.Second})
			time.Sleep(10 * time.Minute)
			if got := h.stages("shop"); !slices.Equal(got, []registry.State{registry.Starting, registry.Ready, registry.Draining, registry.Stopping, registry.Asleep}) {
				t.Errorf("it went through %v", got)
			}
		})
	})
}

func TestAnOrderThatIsQueuedForLongIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true, Lag: 50 * time.Second})
		h.lives(func() {
			time.Sleep(20 * time.Minute)
			h.want("shop", registry.Asleep)
			h.wake("shop")
			time.Sleep(90 * time.Second)
			h.want("shop", registry.Ready)
			time.Sleep(20 * time.Minute)
			down := []registry.State{registry.Draining, registry.Stopping, registry.Asleep}
			if got, want := h.stages("shop"), slices.Concat([]registry.State{registry.Starting, registry.Ready}, down, []registry.State{registry.Starting, registry.Ready}, down); !slices.Equal(got, want) {
				t.Errorf("it went through %v, not %v", got, want)
			}
			if h.Orders(id) != 1 || h.State(id) != clevercloudtest.ShouldBeDown {
				t.Errorf("%d orders, and it is %s", h.Orders(id), h.State(id))
			}
			if n := h.Calls.Of(stopRoute); n != 2 {
				t.Errorf("it was stopped by %d orders", n)
			}
		})
	})
}

func TestADeploymentThatFailsIsToldAndTriedAgainWhenSomebodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Fails: true, Lag: 8 * time.Second})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(45 * time.Second)
			h.want("shop", registry.Failed)
			if v := h.View(h.Named("shop")); v.Reason.Kind != "operation_failed" {
				t.Errorf("told: %s (%s)", v.Reason, v.Reason.Kind)
			}
			if !strings.Contains(h.said(), "clever logs --app "+id+" --deployment-id deployment_") {
				t.Errorf("the log does not say where it fails:\n%s", h.said())
			}
			h.Fail(id, false)
			time.Sleep(time.Minute)
			h.wake("shop")
			time.Sleep(time.Minute)
			if got, want := h.stages("shop"), []registry.State{registry.Starting, registry.Failed, registry.Starting, registry.Ready}; !slices.Equal(got, want) {
				t.Errorf("it went through %v, not %v", got, want)
			}
		})
	})
}

func TestAStopInTheConsoleEndsAWakeAndTheNextVisitorBeginsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(12 * time.Second)
			h.Cloud.Stop(id)
			time.Sleep(6 * time.Second)
			h.want("shop", registry.Failed)
			if v := h.View(h.Named("shop")); v.Reason.Kind != "operation_failed" || !strings.Contains(h.said(), "stopped at Clever Cloud while it started") {
				t.Errorf("told: %s (%s)", v.Reason, v.Reason.Kind)
			}
			time.Sleep(time.Minute)
			h.wake("shop")
			time.Sleep(time.Minute)
			h.want("shop", registry.Ready)
			h.Cloud.Stop(id)
			time.Sleep(time.Minute)
			h.want("shop", registry.Asleep)
			h.wake("shop")
			time.Sleep(time.Minute)
			h.want("shop", registry.Ready)
		})
	})
}

func TestADeploymentThatTakesLongerThanAWakeMayIsNotOrderedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Boot: 12 * time.Minute})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(6 * time.Minute)
			h.want("shop", registry.Failed)
			for range 7 {
				h.wake("shop")
				time.Sleep(time.Minute)
			}
			h.want("shop", registry.Ready)
			if n := h.Orders(id); n != 1 {
				t.Errorf("%d orders", n)
			}
		})
	})
}

func TestAJobIsNeverTouchedAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.rules = "rules: [{pattern: '.*'}, {pattern: shop, linked_apps: [nightly]}]"
		h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
		asleep := h.Put(clevercloudtest.App{Name: "nightly", Commit: "c1", Lifetime: "TASK"})
		awake := h.Put(clevercloudtest.App{Name: "hourly", Commit: "c1", Lifetime: "TASK", Awake: true})
		h.lives(func() {
			h.wake("shop")
			time.Sleep(2 * time.Hour)
			if h.Orders(asleep) != 0 || h.Runs(awake) != "c1" {
				t.Errorf("%d orders for one, and the other runs %q", h.Orders(asleep), h.Runs(awake))
			}
			if e := h.Inventory().ByName["nightly"]; e.Managed || e.Why.Kind != "platform_job" {
				t.Errorf("managed: %v, %s", e.Managed, e.Why)
			}
			for _, try := range []func(context.Context, string) error{
				func(ctx context.Context, name string) error { _, err := h.provider.Start(ctx, name); return err },
				func(ctx context.Context, name string) error {
					_, err := h.provider.Stop(ctx, name, rules.StopContainer)
					return err
				},
			} {
				if err := try(t.Context(), "hourly"); err == nil || !strings.Contains(err.Error(), "job") {
					t.Errorf("asked for all the same: %v", err)
				}
			}
		})
	})
}

func TestABlockedAppSaysWhyItDoesNotWake(t *testing.T) {
	for state, kind := range map[string]string{clevercloudtest.Moderated: "blocked", clevercloudtest.DefaultOfPayment: "payment_required"} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				id := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1"})
				h.SetState(id, state)
				h.lives(func() {
					h.wake("shop")
					time.Sleep(10 * time.Second)
					h.want("shop", registry.Failed)
					if v := h.View(h.Named("shop")); string(v.Reason.Kind) != kind {
						t.Errorf("told: %s (%s)", v.Reason, v.Reason.Kind)
					}
					if n := h.Orders(id); n != 0 {
						t.Errorf("%d orders", n)
					}
					if problems := h.Health().Problems.String(); !strings.Contains(problems, state) {
						t.Errorf("its owner reads: %s", problems)
					}
					h.SetState(id, clevercloudtest.ShouldBeDown)
					time.Sleep(2 * time.Minute)
					h.wake("shop")
					time.Sleep(time.Minute)
					h.want("shop", registry.Ready)
				})
			})
		})
	}
}

func TestOfSeveralAppsOfOneNameTheOldestHasItAndAllTheirIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		first := h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Owner: h.AddOwner("Shop Inc")})
		h.lives(func() {
			time.Sleep(time.Minute)
			second := h.Put(clevercloudtest.App{Name: "shop", Commit: "c2"})
			time.Sleep(2 * time.Minute)
			h.wake("shop")
			h.wake(second)
			time.Sleep(time.Minute)
			if h.Runs(first) != "c1" || h.Runs(second) != "c2" || h.Named("shop") != h.Named(first) || h.Named(first) == h.Named(second) {
				t.Errorf("they run %q and %q", h.Runs(first), h.Runs(second))
			}
			if n := strings.Count(h.said(), "several apps have one name"); n != 1 {
				t.Errorf("it was told %d times", n)
			}
		})
	})
}

func TestOnlyTheAppsOfChosenOwnersAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		first, second := h.AddOwner("Shop Inc"), h.AddOwner("Blog Inc")
		h.Put(clevercloudtest.App{Name: "shop", Owner: first, Commit: "c1"})
		h.Put(clevercloudtest.App{Name: "blog", Owner: second, Commit: "c1"})
		h.Put(clevercloudtest.App{Name: "mine", Commit: "c1"})
		for owners, want := range map[string]string{
			"":                     "blog mine shop",
			"shop inc":             "shop",
			first + ", Blog Inc":   "blog shop",
			clevercloudtest.User:   "mine",
			"Blog Inc,Nobody Inc,": "blog",
		} {
			h.by.Owners = owners
			h.lives(func() {
				if got := strings.Join(h.Inventory().Names(), " "); got != want {
					t.Errorf("of %q it knows %q, not %q", owners, got, want)
				}
			})
		}
		if n := strings.Count(h.said(), `no such owner`); n != 1 || !strings.Contains(h.said(), `owner="Nobody Inc"`) {
			t.Errorf("it was told %d times: %s", n, h.said())
		}
	})
}

func TestAnAppIsReachedByADomainOfThePlatformAloneWithOneLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for name, hosts := range map[string][]string{
			"plain": nil, "chosen": {"chosen.cleverapps.io/"}, "custom": {"custom.example.com", "Custom-Of-Mine.cleverapps.io"},
			"deep": {"a.deep.cleverapps.io"}, "path": {"path.cleverapps.io/api"}, "worse": {"cleverapps.io", "x.cleverapps.io.example.com"},
		} {
			h.Put(clevercloudtest.App{Name: name, Hosts: hosts, Commit: "c1"})
		}
		h.Put(clevercloudtest.App{Name: "none", Hosts: []string{"none.example.com"}, NoHost: true, Commit: "c1"})
		h.lives(func() {
			for name, want := range map[string]string{
				"plain": "its own", "chosen": "https://chosen.cleverapps.io", "custom": "https://custom-of-mine.cleverapps.io",
				"deep": "its own", "path": "its own", "worse": "its own", "none": "",
			} {
				if want == "its own" {
					want = "https://" + strings.Replace(h.ID(name), "app_", "app-", 1) + ".cleverapps.io"
				}
				if got := h.Inventory().ByName[name].App.URL; got != want {
					t.Errorf("%s is reached at %q, not %q", name, got, want)
				}
			}
			if said := h.said(); strings.Count(said, "no domain by which Paastis could reach it") != 1 || !strings.Contains(said, "clever domain add") {
				t.Errorf("told: %s", said)
			}
		})
	})
}

func TestATokenMayBeInAFileAndBeReplacedThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cloud := clevercloudtest.New()
	open := func() (*clevercloud.Provider, error) {
		return clevercloud.New(clevercloud.Config{Settings: clevercloud.Settings{TokenFile: file}, Transport: cloud.Transport()})
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("a file that is not there: %v", err)
	}
	write(" \n")
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: %v", err)
	}
	write("that-of-last-year\n")
	p, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.List(t.Context()); err == nil || strings.Contains(err.Error(), "last-year") || !strings.Contains(err.Error(), "clever tokens create") {
		t.Errorf("an old token: %v", err)
	}
	before := cloud.Calls.Of()
	write(clevercloudtest.Token + "\n")
	if _, err := p.List(t.Context()); err != nil {
		t.Errorf("its successor: %v", err)
	}
	if n := cloud.Calls.Of() - before; n != 2 {
		t.Errorf("%d calls", n)
	}
}

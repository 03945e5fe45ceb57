package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// platform is a provider whose app forgets its scale, and a store; it writes down what happens.
type platform struct {
	*registrytest.Provider
	*registrytest.Store
	t       *testing.T
	r       *registry.Registry
	without bool          // there is no store
	takes   time.Duration // a capture
	mu      sync.Mutex
	saved   string   // guarded by mu, as is
	events  []string // what has happened
	dies    func()   // what ends Paastis right before the order to stop; nil: nothing does
	unheard int      // how many orders to stop are carried out and told to have failed
}

func newPlatform(t *testing.T) *platform {
	shop := registrytest.NewApp("shop").Label("paastis.max_idle_time", "10m")
	shop.Forgets, shop.Replicas = true, 3
	return &platform{Provider: registrytest.NewProvider(shop.Awake()), Store: registrytest.NewStore(), t: t}
}

func (p *platform) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, fmt.Sprintf(format, args...))
}

func (p *platform) Capture(ctx context.Context, name string) ([]byte, error) {
	kept, err := p.Provider.Capture(ctx, name)
	time.Sleep(p.takes)
	if app := p.Snapshot(name); !app.Alive() {
		kept = nil
	}
	p.note("capture %s", kept)
	return kept, err
}

func (p *platform) Save(ctx context.Context, s history.State) error {
	err := p.Store.Save(ctx, s)
	kept := string(s.Apps["played/shop"].Resume)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && kept != p.saved {
		p.saved = kept
		p.events = append(p.events, "saved "+kept)
	}
	return err
}

func (p *platform) Stop(ctx context.Context, name string, m rules.StopMethod) (inventory.App, error) {
	if p.dies != nil {
		p.dies()
		return inventory.App{}, context.Canceled
	}
	p.note("stop")
	app, err := p.Provider.Stop(ctx, name, m)
	if p.unheard > 0 {
		p.unheard--
		return inventory.App{}, errors.New("its answer cannot be read")
	}
	return app, err
}

func (p *platform) Start(ctx context.Context, name string) (inventory.App, error) {
	p.note("start")
	return p.Provider.Start(ctx, name)
}

func (p *platform) Resume(ctx context.Context, name string, kept []byte) (inventory.App, error) {
	p.note("resume %s", kept)
	return p.Provider.Resume(ctx, name, kept)
}

// lives runs a Paastis for as long as do takes.
func (p *platform) lives(do func()) {
	p.t.Helper()
	o := registry.Options{
		Providers: []provider.Provider{p}, Log: slog.New(slog.DiscardHandler), Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
		Probe: func(context.Context, inventory.Target) error { return nil },
	}
	if !p.without {
		o.Store = p
	}
	p.r = registry.New(o)
	ctx, end := context.WithCancel(p.t.Context())
	if err := p.r.Load(ctx); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); p.r.Run(ctx) }()
	do()
	end()
	<-done
}

// wake wakes the app, and lets it come up.
func (p *platform) wake() {
	p.r.Wake(p.r.Named("shop"), false)
	time.Sleep(time.Minute)
}

// happened is what has happened since the last time.
func (p *platform) happened() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	happened := p.events
	p.events = nil
	return happened
}

// want wants what has happened since the last time.
func (p *platform) want(events ...string) {
	p.t.Helper()
	if happened := p.happened(); !slices.Equal(happened, events) {
		p.t.Errorf("it happened: %q, want %q", happened, events)
	}
}

// wantRunning wants so many instances of the app that run.
func (p *platform) wantRunning(want int) {
	p.t.Helper()
	p.Change("shop", func(a *registrytest.App) {
		if n := len(slices.DeleteFunc(slices.Clone(a.Instances), func(i inventory.Instance) bool { return i.Status != inventory.Running })); n != want {
			p.t.Errorf("%d instances run, want %d", n, want)
		}
	})
}

// scale is what somebody else does to the app while it runs.
func (p *platform) scale(replicas int) {
	p.Change("shop", func(a *registrytest.App) { a.Replicas = replicas })
	p.Become("shop", inventory.Instance{Status: inventory.Running, StartedAt: time.Now()})
}

func TestHowAnAppIsToComeBackIsSavedBeforeItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.want("capture 3", "saved 3", "stop")
			p.wake()
			p.wantRunning(3)
			p.want("resume 3", "saved ")
		})
	})
}

func TestAnOrderToStopThatWasCarriedOutAndToldToHaveFailedLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.unheard = 2
		p.LoseEvents()
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.want("capture 3", "saved 3", "stop", "capture ", "stop", "capture ", "stop")
			p.wake()
			time.Sleep(time.Minute) // a listing tells that it is up
			p.wantRunning(3)
			p.want("resume 3", "saved ")
		})
	})
}

func TestAnAppComesBackAsItWasByTheNextPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() { time.Sleep(15 * time.Minute) })
		p.want("capture 3", "saved 3", "stop")
		p.lives(func() {
			time.Sleep(time.Hour)
			p.wake()
			p.wantRunning(3)
			p.want("resume 3", "saved ")
		})
	})
}

func TestAPaastisThatEndsBeforeTheOrderToStopLosesNothing(t *testing.T) {
	for what, stopped := range map[string]bool{"the platform has not got the order": false, "it stops the app all the same": true} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlatform(t)
				var cut history.State
				p.dies = func() { cut, _ = p.Load(t.Context()) } // what is on the disk right then
				p.lives(func() { time.Sleep(10*time.Minute + time.Second) })
				p.want("capture 3", "saved 3")
				p.dies = nil
				_ = p.Store.Save(t.Context(), cut)
				p.lives(func() {
					time.Sleep(time.Minute)
					if !stopped {
						p.wantRunning(3)
						p.scale(5)
						time.Sleep(15 * time.Minute)
						p.want("resume 3", "capture 5", "saved 5", "stop")
						p.wake()
						p.wantRunning(5)
						return
					}
					p.Change("shop", func(a *registrytest.App) { a.Replicas = 0 })
					p.Become("shop", inventory.Instance{ExitCode: 143})
					time.Sleep(time.Minute)
					p.wake()
					p.wantRunning(3)
				})
			})
		})
	}
}

func TestAnAppThatWasOnItsWayUpAsPaastisEndedIsBroughtBackOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.r.Wake(p.r.Named("shop"), false)
			time.Sleep(time.Millisecond) // the platform has the order, and that is all
		})
		p.want("capture 3", "saved 3", "stop", "resume 3")
		p.lives(func() {
			time.Sleep(time.Minute)
			p.want("resume 3")
			p.wantRunning(3)
		})
	})
}

func TestAnAppOfWhichItIsNotKnownHowItComesBackIsNotStopped(t *testing.T) {
	refuse := func(p *platform, err error) { p.Change("shop", func(a *registrytest.App) { a.CaptureErr = err }) }
	for name, c := range map[string]struct {
		fail  func(p *platform, err error)
		want  reason.Kind
		event []string
	}{
		"it cannot be asked": {refuse, reason.NotCaptured, []string{"capture 3", "saved 3", "stop"}},
		"it cannot be saved": {func(p *platform, err error) { p.Store.Fail(err) }, reason.NotKept, []string{"capture 3", "saved 3", "stop"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlatform(t)
				p.lives(func() {
					c.fail(p, errors.New("no"))
					time.Sleep(30 * time.Minute)
					var told reason.Kind
					for _, e := range p.r.Events(0, "shop", 100) {
						if e.Reason.Kind == reason.StopRefused {
							told = e.Reason.Because.Kind
						}
					}
					p.wantRunning(3)
					if happened := p.happened(); slices.Contains(happened, "stop") || told != c.want {
						t.Errorf("it happened %q, for %q", happened, told)
					}
					c.fail(p, nil)
					time.Sleep(15 * time.Minute)
					p.want(c.event...)
				})
			})
		})
	}
}

func TestAnAppThatSomebodyElseHasStartedIsNotBroughtBackAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.want("capture 3", "saved 3", "stop")
			p.scale(2)
			time.Sleep(5 * time.Minute)
			p.want("saved ")
			time.Sleep(15 * time.Minute)
			p.want("capture 2", "saved 2", "stop")
		})
	})
}

func TestARefusedStartGivesBackWhatIsKeptAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.Change("shop", func(a *registrytest.App) { a.Err = errors.New("no quota") })
			p.want("capture 3", "saved 3", "stop")
			p.r.Wake(p.r.Named("shop"), false)
			time.Sleep(30 * time.Second)
			p.want("resume 3")
			p.Change("shop", func(a *registrytest.App) { a.Err = nil })
			p.wake()
			p.wantRunning(3)
			p.want("resume 3", "saved ")
		})
	})
}

func TestAnAppThatWasBroughtBackInPartIsToBeWhatItWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.Change("shop", func(a *registrytest.App) { a.Err, a.Refusal = errors.New("no quota"), 20*time.Second })
			p.want("capture 3", "saved 3", "stop")
			p.r.Wake(p.r.Named("shop"), false)
			time.Sleep(5 * time.Second)
			p.scale(1)
			time.Sleep(15 * time.Minute)
			p.want("resume 3", "stop")
			p.Change("shop", func(a *registrytest.App) { a.Err = nil })
			p.wake()
			p.wantRunning(3)
			p.want("resume 3", "saved ")
		})
	})
}

func TestWithoutAStoreAnAppComesBackAsItWasWhilePaastisRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.without = true
		p.lives(func() {
			time.Sleep(15 * time.Minute)
			p.wake()
			p.wantRunning(3)
			time.Sleep(15 * time.Minute)
			p.want("capture 3", "stop", "resume 3", "capture 3", "stop")
		})
		p.lives(func() {
			p.wake()
			p.want("start")
		})
	})
}

func TestAnAppThatIsGoneAsItIsToBeStoppedIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.takes = 10 * time.Second
		p.lives(func() {
			time.Sleep(10*time.Minute + 5*time.Second)
			shop := p.Snapshot("shop")
			p.Tell(provider.Report{Gone: []string{"shop"}, Version: shop.Version + 1}) // a listing lacked it
			time.Sleep(time.Minute)
			p.wantRunning(3)
			p.want("capture 3")
			p.Become("shop", inventory.Instance{Status: inventory.Running, StartedAt: time.Now()})
			time.Sleep(15 * time.Minute)
			p.want("capture 3", "saved 3", "stop")
			p.wake()
			p.wantRunning(3)
		})
	})
}

func TestWhatIsKeptOfAnAppIsNotForAnotherOneThatHasItsName(t *testing.T) {
	another := func(p *platform) {
		p.Change("shop", func(a *registrytest.App) { a.Label("paastis.id", "2") })
		p.Become("shop", inventory.Instance{})
	}
	for what, lives := range map[string]func(p *platform, visited func()){
		"at once": func(p *platform, visited func()) {
			p.lives(func() { time.Sleep(15 * time.Minute); another(p); visited() })
		},
		"while Paastis is down": func(p *platform, visited func()) {
			p.lives(func() { time.Sleep(15 * time.Minute) })
			another(p)
			p.lives(visited)
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlatform(t)
				p.Change("shop", func(a *registrytest.App) { a.Label("paastis.id", "1") })
				lives(p, func() {
					time.Sleep(time.Minute)
					p.wake()
				})
				if happened := p.happened(); !slices.Contains(happened, "start") || slices.Contains(happened, "resume 3") {
					t.Errorf("it happened: %q", happened)
				}
			})
		})
	}
}

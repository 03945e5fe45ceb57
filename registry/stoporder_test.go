package registry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
)

var unreached = reason.Reason{Kind: reason.ProviderUnreachable, Pending: true}

// cutOff is a registry of an app that is being stopped in the moment in which its provider hangs,
// or drops the order.
func cutOff(t *testing.T, app *registrytest.App, drops bool) (hanging, *registry.Registry) {
	t.Helper()
	far := newHanging(app.Awake().Label("paastis.max_idle_time", "10m"))
	reg, _ := several(t, far)
	far.hangs.Store(true)
	far.drops.Store(drops)
	time.Sleep(10*time.Minute + time.Second)
	wantView(t, reg, app.Name, registry.Stopping)
	return far, reg
}

// wantUnknown wants an app of which both page and API say that nothing is known of it, or that
// neither does.
func wantUnknown(t *testing.T, reg *registry.Registry, name string, want bool) {
	t.Helper()
	k := reg.Named(name)
	if view, detail := reg.View(k).Reason, reg.Detail(k).Reason; view.Equal(unreached) != want || detail.Equal(unreached) != want {
		t.Errorf("of %s, which is %s, the page says %q, and the API %q", name, reg.View(k).State, view, detail)
	}
}

func TestStopWhoseProviderIsCutOffSaysSoUntilItsOutcomeIsKnown(t *testing.T) {
	again := inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, StartedAt: time.Date(2000, 1, 1, 5, 0, 0, 0, time.UTC)}
	for what, c := range map[string]struct {
		method string
		is     *inventory.Instance // what the app is once its provider answers; nil: as it was
		orders string
		state  registry.State
	}{
		"it has stopped":          {"stop", &inventory.Instance{ExitCode: 143}, "-", registry.Asleep},
		"it was killed":           {"stop", &inventory.Instance{ExitCode: 137}, "-", registry.Asleep},
		"it is paused":            {"pause", &inventory.Instance{Status: inventory.Paused}, "-", registry.Asleep},
		"it runs":                 {"stop", nil, "stop shop", registry.Asleep},
		"it runs, not paused":     {"pause", nil, "stop shop", registry.Asleep},
		"somebody has started it": {"stop", &again, "-", registry.Ready},
	} {
		for how, drops := range map[string]bool{"hangs": false, "is gone": true} {
			t.Run(what+", its provider "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					far, reg := cutOff(t, registrytest.NewApp("shop").Label("paastis.stop_method", c.method), drops)
					wantUnknown(t, reg, "shop", false)
					far.noticed()
					for range 5 {
						synctest.Wait()
						wantView(t, reg, "shop", registry.Stopping)
						wantUnknown(t, reg, "shop", true)
						time.Sleep(10 * time.Minute)
					}
					if c.is != nil {
						far.Become("shop", *c.is)
					}
					far.isBack()
					time.Sleep(20 * time.Second)
					wantView(t, reg, "shop", c.state)
					wantUnknown(t, reg, "shop", false)
					wantOrders(t, far.Provider, c.orders)
				})
			})
		}
	}
}

func TestWhoWaitsForAnAppWhoseStopIsCutOffGetsItOnceItsProviderAnswers(t *testing.T) {
	for what, stopped := range map[string]bool{"it has stopped": true, "it runs": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far, reg := cutOff(t, registrytest.NewApp("shop"), false)
				k := reg.Named("shop")
				reg.Wake(k, false)
				seen := reg.View(k)
				time.AfterFunc(14*time.Second, far.noticed)
				began := time.Now()
				if is, changed := reg.ViewAfter(t.Context(), k, seen); !changed || !is.Reason.Equal(unreached) || time.Since(began) != 14*time.Second {
					t.Errorf("after %s its page says %q", time.Since(began), is.Reason)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				if state := reg.Await(ctx, k); state != registry.Stopping {
					t.Errorf("a program hears that it is %s", state)
				}
				if stopped {
					far.Become("shop", inventory.Instance{ExitCode: 143})
				}
				far.isBack()
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if state := reg.Await(ctx, k); state != registry.Ready {
					t.Errorf("then it is %s", state)
				}
				want := "stop shop, start shop"
				if stopped {
					want = "start shop"
				}
				wantOrders(t, far.Provider, want)
			})
		})
	}
}

func TestWhoNeedsAnAppWhoseStopIsCutOffSeesWhyItIsNotUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newHanging(registrytest.NewApp("db").Awake().Label("paastis.max_idle_time", "10m"))
		near := registrytest.NewProvider(registrytest.NewApp("shop").Label("paastis.linked_apps", "db"))
		reg, _ := several(t, near, far)
		far.hangs.Store(true)
		time.Sleep(10*time.Minute + time.Second)
		far.noticed()
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Starting)
		if steps := reg.View(reg.Named("shop")).Steps; len(steps) != 1 || steps[0].Progress != registry.Queued || !steps[0].Reason.Equal(unreached) {
			t.Errorf("its steps are %+v", steps)
		}
		far.isBack()
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Ready)
		if step := reg.View(reg.Named("shop")).Steps[0]; !step.Reason.IsZero() {
			t.Errorf("then its step is %+v", step)
		}
	})
}

func TestStopWhoseAnswerAloneWasLostIsOrderedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, reg := cutOff(t, registrytest.NewApp("shop"), true)
		far.isBack() // before anybody has noticed
		time.Sleep(10 * time.Second)
		wantView(t, reg, "shop", registry.Asleep)
		wantOrders(t, far.Provider, "stop shop")
	})
}

func TestStopThatIsNeverHeardOfAProviderThatAnswersIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, reg := cutOff(t, registrytest.NewApp("shop"), true)
		time.Sleep(10 * time.Second)
		if d := reg.Detail(reg.Named("shop")); d.State != registry.Ready || d.Reason.Kind != reason.StopFailed {
			t.Errorf("it is %s: %s", d.State, d.Reason)
		}
	})
}

func TestNothingIsPutToSleepWhileItsProviderCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := newHanging(registrytest.NewApp("shop").Awake().Label("paastis.max_idle_time", "10m"))
		reg, _ := several(t, far)
		time.Sleep(5 * time.Minute)
		far.noticed()
		synctest.Wait()
		if d := reg.Detail(reg.Named("shop")); d.Reason.Kind != reason.UsedRecently {
			t.Errorf("first it is awake for %s", d.Reason)
		}
		time.Sleep(time.Hour)
		if d := reg.Detail(reg.Named("shop")); d.State != registry.Ready || !d.Reason.Equal(unreached) || !d.NextStop.IsZero() {
			t.Errorf("then it is %s until %s: %s", d.State, d.NextStop, d.Reason)
		}
		var refused registry.SleepRefusal
		if err := reg.Sleep(reg.Named("shop"), true); !errors.As(err, &refused) || refused.Reason.Kind != reason.ProviderUnreachable || errors.Is(err, registry.ErrUnlessForced) {
			t.Errorf("a person's word ends with %v", err)
		}
		wantOrders(t, far.Provider, "-")
		far.isBack()
		time.Sleep(20 * time.Second)
		wantView(t, reg, "shop", registry.Asleep)
	})
}

func TestStartThatGoesOnWhileItsProviderCannotBeReachedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := registrytest.NewApp("shop")
		app.Boot = 3 * time.Minute
		far := newHanging(app)
		reg, _ := several(t, far)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(30 * time.Second)
		wantUnknown(t, reg, "shop", false)
		far.noticed()
		synctest.Wait()
		wantView(t, reg, "shop", registry.Starting)
		wantUnknown(t, reg, "shop", true)
		far.isBack()
		time.Sleep(20 * time.Second)
		wantView(t, reg, "shop", registry.Starting)
		wantUnknown(t, reg, "shop", false)
		time.Sleep(3 * time.Minute)
		wantView(t, reg, "shop", registry.Ready)
	})
}

func TestJobThatRunsWhileItsProviderCannotBeReachedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		migrate := registrytest.NewApp("migrate").Label("paastis.job_timeout", "30m")
		migrate.Boot, migrate.Job, migrate.NoHealth = 5*time.Minute, true, true
		far := newHanging(migrate)
		shop := registrytest.NewApp("shop").Label("paastis.linked_apps", "migrate:completed")
		reg, _ := several(t, registrytest.NewProvider(shop), far)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(time.Minute)
		far.noticed()
		synctest.Wait()
		if steps := reg.View(reg.Named("shop")).Steps; len(steps) != 1 || !steps[0].Reason.Equal(unreached) {
			t.Errorf("the steps of who waits for it are %+v", steps)
		}
		time.Sleep(30 * time.Minute)
		wantUnreachable(t, reg, "migrate")
		if f, failed := reg.Failure(reg.Named("shop")); !failed || f.Kind != registry.NeedFailed {
			t.Errorf("who waits for it failed: %v, of %+v", failed, f)
		}
		far.isBack()
		time.Sleep(20 * time.Second)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(6 * time.Minute)
		wantView(t, reg, "shop", registry.Ready)
	})
}

// forgetful is a provider that hangs as well when it is asked how an app is to come back.
type forgetful struct{ hanging }

func (f forgetful) Capture(ctx context.Context, name string) ([]byte, error) {
	if f.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.Provider.Capture(ctx, name)
}

func TestAppThatWasNotAskedHowItComesBackRunsOnWhenItsProviderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := registrytest.NewApp("shop").Label("paastis.max_idle_time", "10m")
		shop.Forgets, shop.Replicas = true, 2
		far := forgetful{newHanging(shop.Awake())}
		reg, _ := several(t, provider.Provider(far))
		far.hangs.Store(true)
		time.Sleep(10*time.Minute + time.Second)
		wantView(t, reg, "shop", registry.Stopping)
		far.noticed()
		synctest.Wait()
		wantView(t, reg, "shop", registry.Ready) // no order to stop it was given
		time.Sleep(time.Hour)
		wantView(t, reg, "shop", registry.Ready)
		far.isBack()
		time.Sleep(time.Minute)
		wantView(t, reg, "shop", registry.Asleep)
		wantOrders(t, far.Provider, "capture shop, stop shop")
	})
}

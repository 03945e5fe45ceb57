package clevercloud_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

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

func TestAnAppTellsOfItsSizeAlsoWhileItSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Instances: 2, Flavor: "S"})
		h.lives(func() {
			if got := h.provider.Formation("shop", nil); !slices.Equal(got, []provider.Part{{Size: "S", Amount: 2}}) {
				t.Errorf("it runs %+v", got)
			}
			if got := h.provider.Formation("nobody", nil); got != nil {
				t.Errorf("nobody runs %+v", got)
			}
		})
	})
}

func TestAnAppThatWasNeverDeployedIsAProblemBeforeSomebodyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		id := h.Put(clevercloudtest.App{Name: "shop"})
		h.lives(func() {
			if problems := h.Health().Problems.String(); !strings.Contains(problems, `app "shop" cannot wake: it was never deployed; push a commit to it`) {
				t.Errorf("its owner reads: %s", problems)
			}
			h.wake("shop")
			time.Sleep(5 * time.Second)
			if v := h.View(h.Named("shop")); v.Reason.Kind != "not_deployed" {
				t.Errorf("a visitor reads: %s (%s)", v.Reason, v.Reason.Kind)
			}
			h.Push(id, "c1")
			time.Sleep(time.Minute)
			h.want("shop", registry.Ready)
			time.Sleep(6 * time.Minute)
			if problems := h.Health().Problems.String(); problems != "" {
				t.Errorf("later its owner reads: %s", problems)
			}
		})
	})
}

func TestAnAppThatIsDeletedWhileItIsStoppedOrStartedIsNoApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := clevercloudtest.New()
		p := connect(t, cloud, bearer, nil)
		id := cloud.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true})
		go func() {
			time.Sleep(time.Second)
			cloud.Delete(id)
			_, _ = p.List(t.Context())
		}()
		app, err := p.Stop(t.Context(), "shop", rules.StopContainer)
		if err == nil || !strings.Contains(err.Error(), `"shop": no such app`) {
			t.Errorf("stopped: %v, %+v", err, app)
		}
		time.Sleep(time.Minute)
	})
}

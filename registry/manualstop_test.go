package registry

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// stopByHand stops what runs of an app as its owner would. Called with nothing held.
func (f *fake) stopByHand(name string) {
	f.mu.Lock()
	count := len(f.apps[name].Instances)
	f.mu.Unlock()
	for n := range count {
		f.stopOneByHand(name, n)
	}
}

func (f *fake) stopOneByHand(name string, n int) {
	f.changeOne(name, n, func(i *inventory.Instance) {
		if i.Status != inventory.Exited {
			*i = inventory.Instance{Name: i.Name, ID: i.ID, StartedAt: i.StartedAt, ExitCode: 143, StoppedManually: time.Now()}
		}
	})
}

// startByHand starts what does not run of an app.
func (f *fake) startByHand(name string) {
	f.change(name, func(i *inventory.Instance) {
		if i.Status == inventory.Paused {
			i.Status, i.StoppedManually = inventory.Running, time.Time{}
			return
		}
		*i = inventory.Instance{Name: i.Name, ID: i.ID, Status: inventory.Running, Health: inventory.Healthy, StartedAt: time.Now()}
	})
}

// comes is a program that waits for an app for so long, and returns what it got.
func (w *world) comes(name string, patience time.Duration) State {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	k := w.Named(name)
	w.Wake(k, false)
	return w.Await(ctx, k)
}

// wantStopped wants an app to stay down though somebody comes.
func (w *world) wantStopped(name string) {
	w.t.Helper()
	w.took()
	w.comes(name, time.Minute)
	synctest.Wait()
	w.wantCalls("")
	if v := w.View(w.Named(name)); v.State != Asleep || !v.HeldDown || !strings.HasPrefix(v.Reason.String(), "It was stopped by hand.") {
		w.t.Errorf("%s is %s (%q), want it to stay as its owner has stopped it", name, v.State, v.Reason)
	}
}

func TestWhatItsOwnerStoppedIsNotStartedByARequest(t *testing.T) {
	for how, stop := range map[string]func(*fake){
		"stopped": func(f *fake) { f.stopByHand("shop-web") },
		"killed": func(f *fake) {
			f.change("shop-web", func(i *inventory.Instance) {
				*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 1, StoppedManually: time.Now()}
			})
		},
		"paused": func(f *fake) {
			f.change("shop-web", func(i *inventory.Instance) { i.Status, i.StoppedManually = inventory.Paused, time.Now() })
		},
		"stopped, as is told a moment later": func(f *fake) {
			f.change("shop-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143} })
			f.change("shop-web", func(i *inventory.Instance) { i.StoppedManually = time.Now() })
		},
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := live(t, "", service("shop", "web").routed("shop.test"))
				w.visit("shop-web")
				time.Sleep(time.Minute)
				stop(w.fake)
				w.wantStopped("shop-web")
				time.Sleep(24 * time.Hour)
				w.wantStopped("shop-web")
				if d := w.Detail(w.Named("shop-web")); d.StoppedManually.IsZero() || d.Reason.Kind != reason.HeldDown {
					t.Errorf("its owner is told %q, and since %s", d.Reason, d.StoppedManually)
				}
				if w.Sleeps(w.Named("shop-web"), true) {
					t.Error("a request for it counts as one that wakes it")
				}
				w.WakeManually(w.Named("shop-web"), false)
				if got := w.visit("shop-web"); got != Ready {
					t.Errorf("once somebody wakes it, a visitor gets %s", got)
				}
			})
		})
	}
}

func TestAnAppThatItsOwnerStartsAgainIsOnesOwnAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test"))
		w.visit("shop-web")
		w.stopByHand("shop-web")
		w.wantStopped("shop-web")
		w.startByHand("shop-web")
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor of an app that was started again gets %s", got)
		}
		time.Sleep(11 * time.Minute)
		w.wantState("shop-web", Asleep)
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("once Paastis itself has put it to sleep, a visitor gets %s", got)
		}
	})
}

func TestAManualStopMayBeToldToMeanNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test").label("paastis.manual_stop", "wake"))
		for range 7 { // so often is no crash loop either
			if got := w.visit("shop-web"); got != Ready {
				t.Fatalf("a visitor gets %s: %s", got, w.View(w.Named("shop-web")).Reason)
			}
			time.Sleep(2 * time.Second)
			w.stopByHand("shop-web")
			synctest.Wait()
		}
	})
}

func TestAnAppThatEndsWellOverAndOverIsInNoCrashLoop(t *testing.T) {
	for _, code := range []int{0, 143, 137} {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, "", service("shop", "web").routed("shop.test"))
			for range 7 {
				if got := w.visit("shop-web"); got != Ready {
					t.Fatalf("exit code %d: a visitor gets %s: %s", code, got, w.View(w.Named("shop-web")).Reason)
				}
				w.change("shop-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: code} })
				synctest.Wait()
			}
		})
	}
}

func TestARequestOutlastsARestartByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test"))
		w.visit("shop-web")
		time.Sleep(time.Minute)
		w.took()
		w.stopByHand("shop-web")
		time.AfterFunc(2*time.Second, func() { w.startByHand("shop-web") })
		if got := w.comes("shop-web", 25*time.Second); got != Ready {
			t.Errorf("who comes during a restart gets %s", got)
		}
		w.wantCalls("")
	})
}

func TestWhatItsOwnerStoppedOnItsWayUpStaysDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := service("shop", "web").routed("shop.test")
		a.Boot = 20 * time.Second
		w := live(t, "", a)
		time.AfterFunc(5*time.Second, func() { w.stopByHand("shop-web") })
		if got := w.comes("shop-web", time.Minute); got != Asleep {
			t.Errorf("who waits for it gets %s", got)
		}
		w.wantStopped("shop-web")
	})
}

func TestWhoNeedsAnAppThatItsOwnerStoppedIsToldSo(t *testing.T) {
	for what, awake := range map[string]bool{"while it runs": true, "while it sleeps": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := live(t, "", service("shop", "web", "db").routed("shop.test"), service("shop", "db"))
				w.visit("shop-web")
				if !awake {
					time.Sleep(time.Second)
					if err := w.Sleep(w.Named("shop-web"), true); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
					w.startByHand("shop-db")
					time.Sleep(time.Second)
				}
				w.stopByHand("shop-db")
				w.took()
				got := w.comes("shop-web", time.Minute)
				const want = "shop-db, which it needs, was stopped by hand."
				if v := w.View(w.Named("shop-web")); got != Failed || v.Reason.String() != want {
					t.Errorf("a visitor of the dependent got %s, because %q, want it to say %q", got, v.Reason, want)
				}
				w.wantCalls("")

				w.startByHand("shop-db")
				synctest.Wait()
				if got := w.visit("shop-web"); got != Ready {
					t.Errorf("once the database is back, a visitor gets %s", got)
				}
			})
		})
	}
}

func TestWhoWakesAnAppByHandWakesWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web", "db").routed("shop.test"), service("shop", "db"))
		w.visit("shop-web")
		w.stopByHand("shop-web")
		w.stopByHand("shop-db")
		w.wantStopped("shop-web")
		w.WakeManually(w.Named("shop-web"), false)
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor gets %s", got)
		}
	})
}

func TestOneDoesWithoutAnOptionalNeedThatItsOwnerStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web", "mail?").routed("shop.test"), service("shop", "mail"))
		w.visit("shop-web")
		w.stopByHand("shop-mail")
		w.stopByHand("shop-web")
		w.WakeManually(w.Named("shop-web"), false)
		w.visit("shop-web")
		w.stopByHand("shop-mail")
		w.took()
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor gets %s", got)
		}
		w.wantCalls("")
	})
}

func TestAReplicaIsNotStartedAgainWhileItsOwnerStopsTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test").replicas(2))
		w.visit("shop-web")
		w.took()
		w.changeOne("shop-web", 1, func(i *inventory.Instance) { i.Ending = true })
		w.stopOneByHand("shop-web", 0)
		time.Sleep(9 * time.Second) // as long as the stop of the other one takes
		w.wantCalls("")
		w.stopOneByHand("shop-web", 1)
		w.wantStopped("shop-web")
	})
}

// Traefik goes on asking the server of a replica that is gone.
func TestAReplicaThatItsOwnerStoppedIsStartedAgainWhileTheAppIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test").replicas(2))
		w.visit("shop-web")
		w.took()
		w.stopOneByHand("shop-web", 0)
		time.Sleep(6 * time.Second)
		w.wantCalls("start shop-web")
	})
}

func TestAnAppOfWhichAReplicaWasStoppedSleepsAndWakesAsAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test").replicas(2))
		w.visit("shop-web")
		time.Sleep(10*time.Minute - 2*time.Second)
		w.stopOneByHand("shop-web", 0) // there is no time left to start it again
		time.Sleep(time.Minute)
		w.wantState("shop-web", Asleep)
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor gets %s: %s", got, w.View(w.Named("shop-web")).Reason)
		}
	})
}

func TestAStopByHandOutlivesPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(service("shop", "web").routed("shop.test"), service("shop", "db").routed("db.test"))
		store, settings, log := new(shelf), settingsFor(t, ""), slog.New(slog.DiscardHandler)
		var w *world
		play := func(do func()) {
			runs(t, f, Options{Settings: settings, Store: store, Log: log}, func(r *Registry) {
				w = &world{Registry: r, fake: f, t: t}
				do()
			})
		}
		play(func() {
			w.visit("shop-web")
			w.visit("shop-db")
			w.stopByHand("shop-web")
			time.Sleep(5 * time.Second)
			w.stopByHand("shop-db") // and everything else, Paastis as well: the machine goes down
		})
		for _, name := range []string{"shop-web", "shop-db"} {
			f.mu.Lock()
			f.apps[name].Instances[0].StoppedManually = time.Time{} // who has not seen it cannot tell
			f.mu.Unlock()
		}
		play(func() {
			w.wantStopped("shop-web")
			if got := w.visit("shop-db"); got != Ready {
				t.Errorf("a visitor of an app that went down with the machine gets %s", got)
			}
			w.startByHand("shop-web")
			w.visit("shop-web")
		})
		play(func() {
			time.Sleep(11 * time.Minute)
			if got := w.visit("shop-web"); got != Ready {
				t.Errorf("a visitor of an app that was started again gets %s", got)
			}
		})
	})
}

func TestWhatGoesDownWithItsProviderIsNotHeldDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test"), service("shop", "db").routed("db.test"))
		w.visit("shop-web")
		w.visit("shop-db")
		w.stopByHand("shop-db")
		time.Sleep(time.Minute)
		w.stopByHand("shop-web")
		time.Sleep(10 * time.Second)
		w.set(func() { w.apps["shop-web"].Instances[0].StoppedManually = time.Time{} })
		w.Drop(context.DeadlineExceeded)
		time.Sleep(time.Second)
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor of an app that went down with its engine gets %s", got)
		}
		w.wantStopped("shop-db")
	})
}

func TestAWindowDoesNotWakeWhatItsOwnerStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins at midnight, on a Saturday
		w := live(t, "", service("shop", "web").routed("shop.test").label("paastis.keep_awake", "Mon-Sun 08:00-09:00 UTC wake"))
		w.visit("shop-web")
		w.stopByHand("shop-web")
		w.took()
		time.Sleep(24 * time.Hour)
		w.wantCalls("")
	})
}

func TestAnAppThatIsRemovedIsNotHeldDownWhenItComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "web").routed("shop.test"))
		w.visit("shop-web")
		w.stopByHand("shop-web") // docker compose down
		synctest.Wait()
		w.takeAway("shop-web")
		w.add(service("shop", "web").routed("shop.test")) // docker compose create
		if got := w.visit("shop-web"); got != Ready {
			t.Errorf("a visitor gets %s", got)
		}
	})
}

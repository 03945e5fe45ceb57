package registry

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// cloud is an app and its worker, which has the app's image, and so a port in it on which it
// does not listen.
func cloud() (app, cron *fakeApp) {
	app, cron = service("cloud", "app", "cron").routed("cloud.test"), service("cloud", "cron")
	cron.NoHealth, cron.Address, cron.Ports = true, netip.MustParseAddr("10.0.0.8"), []uint16{80}
	return app, cron
}

// sleeps puts all to sleep.
func (w *world) sleeps(names ...string) {
	w.t.Helper()
	time.Sleep(time.Hour)
	for _, name := range names {
		w.wantState(name, Asleep)
	}
}

func TestAWorkerThatDoesNotListenWhereItsImageSaysKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, cron := cloud()
		var house apartment
		house.become("10.0.0.8:80", errRefusal)
		w := liveProbed(t, house.probe, app, cron)
		if took := w.wakes("cloud-app", 10*time.Minute); took < guessPatience || took > guessPatience+3*time.Second {
			t.Errorf("the first wake takes %s, want as long as the worker had to listen", took)
		}
		for range 3 {
			w.sleeps("cloud-app", "cloud-cron")
			if took := w.wakes("cloud-app", 10*time.Minute); took < noProbeGrace || took > noProbeGrace+3*time.Second {
				t.Errorf("a later wake takes %s, though it is known that it does not listen", took)
			}
		}
	})
}

// TestAWorkerOutOfReachKeepsNobodyWaiting: its provider sees that it does not listen.
func TestAWorkerOutOfReachKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, cron := cloud()
		cron.Address = netip.Addr{}
		f := newFake(app, cron)
		never := func(time.Duration) (bool, error) { return false, nil }
		w := liveOn(t, f, Options{Providers: []provider.Provider{&listening{f, never}}, Settings: settingsFor(t, "")})
		if took := w.wakes("cloud-app", 10*time.Minute); took < guessPatience || took > guessPatience+3*time.Second {
			t.Errorf("the first wake takes %s", took)
		}
		w.sleeps("cloud-app", "cloud-cron")
		if took := w.wakes("cloud-app", 10*time.Minute); took < noProbeGrace || took > noProbeGrace+3*time.Second {
			t.Errorf("a later wake takes %s", took)
		}
	})
}

// TestWhatListensLateIsWaitedForTheNextTime: it was taken for a worker once.
func TestWhatListensLateIsWaitedForTheNextTime(t *testing.T) {
	const boot = 50 * time.Second
	for name, reached := range map[string]bool{"in reach": true, "out of reach": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, cron := cloud()
				var house apartment
				house.become("10.0.0.8:80", errRefusal)
				if !reached {
					cron.Address = netip.Addr{}
				}
				f := newFake(app, cron)
				late := func(since time.Duration) (bool, error) { return since >= boot, nil }
				w := liveOn(t, f, Options{Providers: []provider.Provider{&listening{f, late}}, Settings: settingsFor(t, ""), Probe: house.probe})
				time.AfterFunc(boot, func() { house.become("10.0.0.8:80", nil) })
				w.wakes("cloud-app", 10*time.Minute)
				w.sleeps("cloud-app", "cloud-cron")
				house.become("10.0.0.8:80", errRefusal)
				time.AfterFunc(boot, func() { house.become("10.0.0.8:80", nil) })
				if took := w.wakes("cloud-app", 10*time.Minute); took < boot {
					t.Errorf("open after %s, and it listens after %s as the last time", took, boot)
				}
			})
		})
	}
}

// TestWhoSaysWhereAnAppListensIsBelieved, by its label: then nothing is guessed.
func TestWhoSaysWhereAnAppListensIsBelieved(t *testing.T) {
	for _, label := range []string{"paastis.probe", "paastis.port"} {
		synctest.Test(t, func(t *testing.T) {
			app, cron := cloud()
			value := map[string]string{"paastis.probe": "tcp:80", "paastis.port": "80"}[label]
			var house apartment
			house.become("10.0.0.8:80", errRefusal)
			w := liveProbed(t, house.probe, app, cron.label(label, value))
			if took := w.wakes("cloud-app", 10*time.Minute); took != 0 {
				t.Errorf("%s=%s: open after %s, and it does not listen there", label, value, took)
			}
		})
	}
}

package registry

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// borrower are a VPN and a torrent that lives in its network.
func borrower(link rules.Link) (vpn, torrent *fakeApp) {
	vpn, torrent = service("lab", "vpn"), service("lab", "torrent").routed("torrent.test")
	link.Name, link.Condition = "lab-vpn", rules.Started
	torrent.Links = []rules.Link{link}
	return vpn, torrent
}

// restarted is what `docker restart` does.
func (w *world) restarted(name string) {
	w.change(name, func(i *inventory.Instance) {
		*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143, EndedAt: time.Now()}
	})
	time.Sleep(time.Second)
	w.change(name, func(i *inventory.Instance) {
		i.Status, i.Health, i.StartedAt = inventory.Running, inventory.Healthy, time.Now()
	})
}

func TestAnAppIsRestartedWithTheOneThatLendsItsNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		pause bool // torrent sleeps by being paused
		vpn   func(*fakeApp)
	}{
		"stopped":               {false, func(*fakeApp) {}},
		"that is paused asleep": {true, func(*fakeApp) {}},
		"that nobody manages":   {false, func(a *fakeApp) { a.label("paastis.enable", "false") }},
		"that needs it as well": {false, func(a *fakeApp) { a.label("paastis.linked_apps", "lab-torrent").routed("vpn.test") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vpn, torrent := borrower(rules.Link{Lends: true})
				c.vpn(vpn)
				if c.pause {
					torrent.label("paastis.stop_method", "pause")
				}
				w := live(t, "", vpn, torrent)
				if vpn.Labels["paastis.enable"] == "false" {
					w.restarted("lab-vpn")
				}
				w.visit("lab-torrent")
				w.took()
				w.restarted("lab-vpn")
				time.Sleep(5 * time.Second)
				w.wantCalls("stop lab-torrent, start lab-torrent")
				w.wantState("lab-torrent", Ready)
				time.Sleep(3 * time.Second)
				w.restarted("lab-vpn")
				synctest.Wait()
				if s := w.visit("lab-torrent"); s != Ready || len(w.Started("lab-torrent")) != 3 {
					t.Errorf("torrent is %s, started at %v", s, w.Started("lab-torrent"))
				}
				w.took()
				time.Sleep(time.Hour)
				if calls := w.took(); calls != "stop lab-torrent, stop lab-vpn" && calls != "stop lab-torrent" {
					t.Errorf("at last %s", calls)
				}
			})
		})
	}
}

// TestAnAppThatOnlyNeedsAnotherIsNotRestartedWithIt: nor is one that is to be restarted, when
// its provider or a person has restarted the other one. Compose leaves it alone as well.
func TestAnAppThatOnlyNeedsAnotherIsNotRestartedWithIt(t *testing.T) {
	for name, link := range map[string]rules.Link{"depends_on": {}, "restart: true": {Restart: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := live(t, "")
				vpn, torrent := borrower(link)
				w.add(vpn)
				w.add(torrent)
				w.visit("lab-torrent")
				w.took()
				w.restarted("lab-vpn")
				w.visit("lab-torrent")
				time.Sleep(5 * time.Second)
				w.wantCalls("")
			})
		})
	}
}

// TestAnAppIsRestartedWithOneThatPaastisStartsUnderIt: depends_on with restart: true.
func TestAnAppIsRestartedWithOneThatPaastisStartsUnderIt(t *testing.T) {
	for name, c := range map[string]struct {
		link rules.Link
		want string
	}{
		"restart: true":                  {rules.Link{Restart: true}, "start lab-vpn, stop lab-torrent, start lab-torrent"},
		"restart: true, required: false": {rules.Link{Restart: true, Optional: true}, "start lab-vpn"},
		"restart: false":                 {rules.Link{}, "start lab-vpn"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vpn, torrent := borrower(c.link)
				w := live(t, "", vpn, torrent)
				w.visit("lab-torrent")
				w.took()
				w.change("lab-vpn", func(i *inventory.Instance) {
					*i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 1, EndedAt: time.Now()}
				})
				time.Sleep(2 * time.Minute)
				if s := w.visit("lab-torrent"); s != Ready {
					t.Errorf("torrent is %s", s)
				}
				w.visit("lab-vpn")
				time.Sleep(5 * time.Second)
				w.wantCalls(c.want)
			})
		})
	}
}

// TestARestartThatFailsOrNeverHelpsIsNotTriedForEver.
func TestARestartThatFailsOrNeverHelpsIsNotTriedForEver(t *testing.T) {
	for name, fault := range map[string]func(vpn, torrent *fakeApp){
		"no stop":               func(_, torrent *fakeApp) { torrent.StopErr = errors.New("no") },
		"a lender that crashes": func(vpn, _ *fakeApp) { vpn.Boot, vpn.Crash, vpn.Restarts = 3*time.Second, 1, true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vpn, torrent := borrower(rules.Link{Lends: true})
				w := live(t, "", vpn, torrent)
				w.visit("lab-torrent")
				fault(vpn, torrent)
				w.took()
				w.restarted("lab-vpn")
				time.Sleep(time.Minute)
				if n := len(w.took()); n > 8*len("stop lab-torrent, ") {
					t.Errorf("%d letters of orders within a minute", n)
				}
				if f, failed := w.Failure(w.keeperOf("lab-torrent")); failed && f.Kind == CrashLoop {
					t.Errorf("torrent is blamed: %s", f.Reason)
				}
			})
		})
	}
}

func TestTheLenderIsStoppedAfterWhoLivesInItsNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vpn, torrent := borrower(rules.Link{Lends: true})
		vpn.routed("vpn.test").label("paastis.linked_apps", "lab-torrent")
		w := live(t, "", vpn, torrent)
		w.visit("lab-vpn")
		time.Sleep(time.Hour)
		w.wantCalls("start lab-vpn, start lab-torrent, stop lab-torrent, stop lab-vpn")
	})
}

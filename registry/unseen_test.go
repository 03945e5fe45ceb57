package registry

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const onHost = "it is on the host's network"

func TestAnAppWhoseUseCannotBeSeenStaysAwakeUnlessItsOwnerLetsItSleep(t *testing.T) {
	for unseen, sleeps := range map[string]bool{"": false, "awake": false, "sleep": true} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.unseen = onHost
			if unseen != "" {
				a.Labels["paastis.unseen"] = unseen
			}
			w := liveMetered(t, "", false, a)
			w.visit("solo-web")
			if sleeps {
				time.Sleep(10*time.Minute + 30*time.Second)
				w.wantState("solo-web", Asleep)
				return
			}
			time.Sleep(24 * time.Hour)
			w.wantAwake("solo-web", "its use cannot be seen: "+onHost+", or let it sleep by paastis.unseen=sleep")
		})
	}
}

func TestAnAppOfUnseenUseSleepsOnceItsConnectionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.connections = 1
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "1 open connection")
		w.set(func() { a.connections = 0 })
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestASilentUploadKeepsItsAppAwakeByItsKeepAlivePackets(t *testing.T) {
	for what, c := range map[string]struct {
		note  func(*Keeper)
		label string
		awake time.Duration // at least
		limit time.Duration // asleep by then; 0: it stays awake
	}{
		"a plain request":                {func(*Keeper) {}, "", 0, time.Minute},
		"an upload":                      {(*Keeper).MayLast, "", 9 * time.Minute, 13 * time.Minute},
		"a stream":                       {(*Keeper).Stream, "", 24 * time.Hour, 0},
		"a stream that may be cut short": {(*Keeper).Stream, "sleep", 0, 3 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.Labels["paastis.max_idle_time"] = "20s"
			if c.label != "" {
				a.Labels["paastis.unseen"] = c.label
			}
			a.sent = 1. / 15
			w := liveMetered(t, "", false, a)
			w.visit("solo-web")
			c.note(w.Named("solo-web"))
			time.Sleep(c.awake)
			if c.awake > 0 && w.View(w.keeperOf("solo-web")).State != Ready {
				t.Errorf("%s: stopped within %s", what, c.awake)
			}
			if c.limit > 0 {
				time.Sleep(c.limit - c.awake)
				w.wantState("solo-web", Asleep)
			}
		})
	}
}

func TestAnAppSleepsOnceASilentStreamHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Labels["paastis.max_idle_time"] = "20s"
		a.sent = 1. / 30
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		w.Named("solo-web").Stream()
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "something silent may be open, by the packets it sends, and connections are not counted; give Paastis pid: host, or let it sleep by paastis.unseen=sleep")
		w.set(func() { a.moved, a.sent = 1_000_000, 0 })
		time.Sleep(5 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestKeepAlivePacketsAreNoTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.sent = 10 // of a pool of 150 connections to its database
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		time.Sleep(11 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestASlowStreamKeepsItsAppAwakeByFewBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.rate, a.sent = 1, 1./30 // an event of some bytes each 30 s
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		w.Named("solo-web").Stream()
		time.Sleep(2 * time.Hour)
		w.wantState("solo-web", Ready)
	})
}

func TestConnectionsCountWhereTrafficDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Labels["paastis.traffic_floor"] = "off"
		a.rate, a.connections = 1_000_000, 1
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(time.Hour)
		w.wantAwake("solo-web", "1 open connection")
		w.set(func() { a.connections = 0 })
		time.Sleep(time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestEveryPortOfARouterIsLookedAtAndNoConnectionWithinACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front, back := service("pix-app-review-pr1", "front").replicas(1), service("pix-app-review-pr1", "back").replicas(1)
		for router, port := range map[string]string{"ui": "8080", "hub": "3012"} {
			back.label("traefik.http.routers."+router+".rule", "Host(`"+router+".test`)")
			back.label("traefik.http.routers."+router+".middlewares", "paastis@docker")
			back.label("traefik.http.routers."+router+".service", router)
			back.label("traefik.http.services."+router+".loadbalancer.server.port", port)
		}
		front.Address = replicaAddress(20)
		front.Addresses = []netip.Addr{front.Address}
		w := liveMetered(t, reviewApps, true, front, back)
		w.visit("pix-app-review-pr1-front")
		time.Sleep(11 * time.Minute)
		w.set(func() {
			slices.Sort(back.asked.Ports)
			if !slices.Equal(back.asked.Ports, []uint16{3012, 8080}) {
				t.Errorf("ports %d", back.asked.Ports)
			}
			if !slices.Contains(back.asked.Linked, front.Address) {
				t.Errorf("connections from %s count: only those from %v do not", front.Address, back.asked.Linked)
			}
		})
	})
}

func TestInDirectModeChatterIsToldAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		f := newFake(a)
		a.rate = 500
		log := logOf(t, metered{f, false}, func(r *Registry) {
			go fetchFor(r, 3*time.Hour)
			r.Wake(r.Named("solo-web"), false)
			time.Sleep(3 * time.Hour)
		})
		if got := strings.Count(log, "app stays awake"); got != 1 || !strings.Contains(log, "paastis.traffic_floor=") {
			t.Errorf("told %d times:\n%s", got, log)
		}
	})
}

// Its cure is in the reason: a floor does not count what cannot be seen.
func TestAnAppOfUnseenUseIsToldWithoutAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.unseen = "it is on the host's network, whose traffic is not its own"
		log := logOf(t, metered{newFake(a), false}, func(r *Registry) {
			r.Wake(r.Named("solo-web"), false)
			time.Sleep(time.Hour)
		})
		if !strings.Contains(log, "app stays awake") || strings.Contains(log, "traffic_floor") {
			t.Errorf("told:\n%s", log)
		}
	})
}

// fetchFor is a Traefik that fetches the routes for a time.
func fetchFor(r *Registry, d time.Duration) {
	by := netip.MustParseAddr("10.0.0.2")
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		r.publisher.Fetched(by, "http://paastis:3000", r.publisher.Publish(by, "http://paastis:3000").Version)
	}
}

func TestChatterIsToldOnceWithItsFloorAndTheLabelThatEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		f := newFake(a)
		a.rate = 100
		log := logOf(t, metered{f, false}, func(r *Registry) {
			r.Wake(r.Named("solo-web"), false)
			for range 10 {
				time.Sleep(10 * time.Minute)
				f.mu.Lock()
				a.rate = 190 - a.rate // around the floor
				f.mu.Unlock()
			}
		})
		if got := strings.Count(log, "app stays awake"); got != 1 {
			t.Errorf("told %d times:\n%s", got, log)
		}
		for _, want := range []string{`reason="traffic 90 B/s"`, `floor="66 B/s (1.0 kB in 15s)"`, `paastis.traffic_floor=3.0kB on container \"solo-web-1\"`} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %s:\n%s", want, log)
			}
		}
	})
}

func TestAnAppThatIsUsedAtAPortOfTheMachineIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Published = true
		w := liveMetered(t, "", false, a)
		w.visit("solo-web")
		for range 12 {
			time.Sleep(8 * time.Minute) // somebody reads, and turns a page
			w.set(func() { a.moved += 20_000 })
		}
		w.wantState("solo-web", Ready)
		time.Sleep(12 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestABusyCheckIsAskedOfAnAppThatSleepsThoughNothingElseIsSeen(t *testing.T) {
	for code, sleeps := range map[int]bool{0: false, 1: true} {
		synctest.Test(t, func(t *testing.T) {
			a := solo()
			a.measureErr, a.busy = errors.New("403"), code
			a.Labels["paastis.unseen"], a.Labels["paastis.busy"] = "sleep", "exec:busy"
			w := liveMetered(t, "", true, a)
			w.visit("solo-web")
			time.Sleep(time.Hour)
			if slept := w.View(w.keeperOf("solo-web")).State == Asleep; slept != sleeps {
				t.Errorf("busy check ends with %d: asleep %t", code, slept)
			}
		})
	}
}

func TestAnAppWhoseTrafficDoesNotCountNeedNotBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.measureErr = errors.New("403")
		a.Labels["paastis.traffic_floor"] = "off"
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		time.Sleep(11 * time.Minute)
		w.wantState("solo-web", Asleep)
	})
}

func TestAWorkerWhoseUseCannotBeSeenSleepsWithWhoNeedsIt(t *testing.T) {
	for port, sleeps := range map[string]bool{"": true, "1883": false} {
		synctest.Test(t, func(t *testing.T) {
			front, worker := service("shop", "front", "worker").routed("shop.test"), service("shop", "worker")
			worker.unseen = onHost
			if port != "" {
				worker.Labels["paastis.port"] = port
			}
			w := liveMetered(t, "", false, front, worker)
			w.visit("shop-front")
			time.Sleep(time.Hour)
			w.wantState("shop-front", Asleep)
			if slept := w.View(w.keeperOf("shop-worker")).State == Asleep; slept != sleeps {
				t.Errorf("port %q: asleep %t", port, slept)
			}
		})
	}
}

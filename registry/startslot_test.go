package registry

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

func TestNotMoreAppsThanAllowedStartAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*fakeApp
		for i := range 20 {
			a := service(fmt.Sprintf("s%02d", i), "web").routed(fmt.Sprintf("s%02d.test", i))
			a.Boot = 10 * time.Second
			a.label("paastis.start_timeout", "15s")
			apps = append(apps, a)
		}
		w := live(t, "rules: [{pattern: '.*', max_concurrent_starts: 4}]", apps...)
		for _, a := range apps {
			w.Wake(w.Named(a.Name), false)
		}
		for round := 1; round <= 5; round++ {
			time.Sleep(time.Second)
			if n := strings.Count(w.took(), "start"); n != 4 {
				t.Errorf("round %d: %d starts", round, n)
			}
			if v := w.View(w.Named("s19-web")); round < 5 && v.Reason.String() != fmt.Sprintf("It waits for its turn: number %d in the queue, 4 other apps on the way up.", 20-4*round) {
				t.Errorf("the last in the queue says %q", v.Reason)
			}
			time.Sleep(9*time.Second + time.Millisecond)
		}
		for _, a := range apps {
			w.wantState(a.Name, Ready)
		}
	})
}

func TestAQueueDoesNotKeepAChainOrACircleFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := append(shop(),
			service("pix-app-review-pr1", "front").routed("f1.test"), service("pix-app-review-pr1", "back").routed("b1.test"))
		w := live(t, reviewApps+"\n  - {pattern: '.*', max_concurrent_starts: 1}", apps...)
		w.Wake(w.Named("shop-front"), false)
		w.Wake(w.Named("pix-app-review-pr1-front"), false)
		time.Sleep(10 * time.Second)
		for _, a := range apps {
			w.wantState(a.Name, Ready)
		}
	})
}

func TestOneAppMayWaitUntilNoOtherStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heavy := service("heavy", "web").routed("heavy.test").label("paastis.max_concurrent_starts", "1")
		w := live(t, "", append(shop(), heavy)...)
		w.Wake(w.Named("shop-front"), false)
		time.Sleep(10 * time.Millisecond)
		w.Wake(w.Named("heavy-web"), false)
		time.Sleep(500 * time.Millisecond)
		w.wantCalls("start shop-db")
		if got := w.visit("heavy-web"); got != Ready {
			t.Errorf("visitor got %s", got)
		}
	})
}

// An app that waits for another one must not hold the turn that this one waits for.
func TestAnAppWhoseNeedIsDownGivesItsTurnAway(t *testing.T) {
	for _, need := range []string{"db", "cache"} { // cache needs the db
		t.Run(need, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				web := service("shop", "web", need).routed("shop.test")
				web.Never = []string{"shop-web-1"} // while its database is down
				w := live(t, "rules: [{pattern: '.*', max_concurrent_starts: 1, start_timeout: 1m}]",
					web, service("shop", "cache", "db"), service("shop", "db"))
				w.Wake(w.Named("shop-web"), false)
				time.Sleep(5 * time.Second)
				w.change("shop-db", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 137} })
				time.Sleep(5 * time.Second)
				w.wantState("shop-db", Ready)
				w.change("shop-web", func(i *inventory.Instance) { i.Health = inventory.Healthy })
				time.Sleep(5 * time.Second)
				w.wantState("shop-web", Ready)
			})
		})
	}
}

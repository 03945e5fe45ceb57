package registry

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestOfTwoAppsWithOneRuleTheOneThatRunsHasTheRequests(t *testing.T) {
	for name, c := range map[string]struct {
		green func(*fakeApp)
		want  []string
	}{
		"one rule":            {func(*fakeApp) {}, []string{"shop-green"}},
		"kept by a label":     {allowed, []string{"shop-green"}},
		"another rule":        {func(a *fakeApp) { a.label("traefik.http.routers.shop-green.rule", "Host(`shop.test`) && Path(`/a`)") }, []string{"shop-blue", "shop-green"}},
		"another priority":    {func(a *fakeApp) { a.label("traefik.http.routers.shop-green.priority", "7") }, []string{"shop-blue", "shop-green"}},
		"another entry point": {func(a *fakeApp) { a.label("traefik.http.routers.shop-green.entrypoints", "inner") }, []string{"shop-blue", "shop-green"}},
		"with TLS":            {func(a *fakeApp) { a.label("traefik.http.routers.shop-green.tls", "true") }, []string{"shop-blue", "shop-green"}},
		"a rule of Paastis's": {func(a *fakeApp) {
			clear(a.Labels)
			a.label("paastis.enable", "true").label("paastis.rule", "Host(`shop.test`)").label("paastis.port", "80")
		}, []string{"shop-green"}},
		"a router of two apps": {func(a *fakeApp) { a.label("traefik.http.routers.second.rule", "Host(`shop.test`)") }, []string{"shop-green", "shop-green.second"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				blue, green := service("shop", "blue").routed("shop.test"), service("shop", "green").routed("shop.test").awake()
				c.green(green)
				w := liveFor(t, settingsFor(t, ""), blue, green)
				for range 2 { // once as a stranger, once as a Traefik that has fetched
					w.wantPublished("10.0.0.2", c.want...)
					w.fetch("10.0.0.2")
				}
			})
		})
	}
}

func TestARouteYieldsToTheAppThatWasOpenLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveFor(t, settingsFor(t, ""), service("shop", "blue").routed("shop.test"), service("shop", "green").routed("shop.test").awake())
		w.wantPublished("10.0.0.2", "shop-green")
		for end := time.Now().Add(time.Hour); w.View(w.keeperOf("shop-green")).State != Asleep && time.Now().Before(end); time.Sleep(time.Second) {
			w.fetch("10.0.0.2")
		}
		w.wantState("shop-green", Asleep)
		w.wantPublished("10.0.0.2", "shop-green")
		w.Wake(w.keeperOf("shop-blue"), false) // its owner
		w.Await(t.Context(), w.keeperOf("shop-blue"))
		w.wantPublished("10.0.0.2", "shop-blue")
		w.Wake(w.keeperOf("shop-green"), false)
		w.Await(t.Context(), w.keeperOf("shop-green"))
		w.wantPublished("10.0.0.2", "shop-blue", "shop-green") // as Traefik has them
	})
}

// fetch is what a Traefik does all the time.
func (w *world) fetch(from string) {
	by := netip.MustParseAddr(from)
	w.publisher.Fetched(by, self, w.publisher.Publish(by, self).Version)
}

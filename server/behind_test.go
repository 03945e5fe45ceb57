package server

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/traefik"
)

// stripped is an app below /shop of a host, off whose requests the prefix is cut before
// they get to Paastis.
func stripped() *registrytest.App {
	return registrytest.NewApp("shop").
		Label("traefik.http.routers.shop.rule", "Host(`apps.test`) && PathPrefix(`/shop`)").
		Label("traefik.http.routers.shop.middlewares", "strip-shop@docker,paastis@docker").
		Label("traefik.http.middlewares.strip-shop.stripprefix.prefixes", "/shop").
		Label("paastis.port", "8080")
}

func TestAnAppBehindStripPrefixIsWokenAndItsNeighbourIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, stripped(), service("site").Found("apps.test"))
		w := s.answerTo("https://apps.test/cart?x=1", "method POST", "X-Forwarded-Prefix: /shop")
		if got := gist(w); got != "307 ready" {
			t.Error(got)
		}
		if got := w.Header().Get("Location"); got != "https://apps.test/shop/cart?x=1" {
			t.Errorf("sent to %q", got)
		}
		if got := s.Took(); got != "start shop" {
			t.Errorf("orders %s", got)
		}
	})
}

func TestAnAppThatTheAddressNamesIsLedBackBehindItsPrefixToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, stripped())
		r := ask("https://apps.test/cart", "X-Forwarded-Prefix: /shop")
		r.URL.RawQuery = "app=shop"
		if got := s.answer(r).Header().Get("Location"); got != "https://apps.test/shop/cart" {
			t.Errorf("sent to %q", got)
		}
	})
}

func TestAVisitorOfAPublishedRouteIsLedBackBehindThePrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, stripped().Label("traefik.http.services.shop.loadbalancer.server.url", "http://shop:8080").Awake(), elsewhere())
		s.fetchEach(t, time.Second)
		r := come("shop", "/cart", "method PUT", "X-Forwarded-Prefix: /shop")
		r.Host = "apps.test"
		w := s.answer(r)
		if got := w.Header().Get("Location"); w.Code != http.StatusTemporaryRedirect || got != "https://apps.test/shop/cart" {
			t.Errorf("%d to %q", w.Code, got)
		}
	})
}

func TestTheRetryLinkOfAPageBelowAPrefixIsOneOfAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := stripped().Label("traefik.http.routers.direct.rule", "Host(`shop.test`)")
		shop.Err = errors.New("no")
		s := inStateOf(t, shop, "failed")
		s.answerTo("https://apps.test/", browser, "X-Forwarded-Prefix: /shop", "Referer: https://apps.test/shop/")
		synctest.Wait()
		if got := s.Took(); got != "start shop" {
			t.Errorf("orders %s", got)
		}
	})
}

func TestAnAppIsOursOnceTraefikItselfHasAskedAboutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := registrytest.NewApp("proxy").Awake()
		proxy.Protected = inventory.RunsTraefik
		proxy.Instances[0].Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.2")}
		shop := registrytest.NewApp("shop").At("shop.test").Label("traefik.http.routers.shop.middlewares", "secured@file")
		delete(shop.Labels, "paastis.enable")
		s := live(t, shop, proxy)
		asked := func(from, want string) {
			r := ask("https://shop.test/", browser)
			r.RemoteAddr = from + ":4711"
			if got := gist(s.answer(r)); got != want {
				t.Errorf("asked from %s: %s, want %s", from, got, want)
			}
			time.Sleep(2 * time.Second)
		}
		asked("192.0.2.66", "200") // a stranger
		asked("192.0.2.2", "503 page starting")
	})
}

func TestWhatTraefikAsksAboutIsAnAppThatItWouldHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var apps []*registrytest.App
		for n, zone := range []string{"out", "in"} {
			static, _ := traefik.ReadStatic([]string{"--providers.docker.constraints=Label(`zone`,`" + zone + "`)"}, nil)
			proxy := registrytest.NewApp("proxy-" + zone).Awake()
			proxy.Protected, proxy.Traefik = inventory.RunsTraefik, &static
			proxy.Instances[0].Addresses = []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(n + 2)})}
			apps = append(apps, proxy, service(zone).Found("shop.test").Label("zone", zone).Label("traefik.docker.allownonrunning", "true"))
		}
		s := live(t, apps...)
		for from, want := range map[string]string{"10.0.0.2": "start out", "10.0.0.3": "start in"} {
			r := ask("http://shop.test/", browser)
			r.RemoteAddr = from + ":4711"
			s.answer(r)
			synctest.Wait()
			if got := s.Took(); got != want {
				t.Errorf("%s asks: %q", from, got)
			}
		}
	})
}

package server

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/registry/registrytest"
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
		s := live(t, stripped().Awake())
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

package server

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/registry"
)

func TestMiddlewareMayNameAnAppWithItsProvider(t *testing.T) {
	for _, name := range []string{"played/shop", "played%2Fshop"} {
		synctest.Test(t, func(t *testing.T) {
			s := live(t, service("shop"))
			r := ask("http://nobody.test/", "Accept: text/html")
			r.URL.RawQuery = "app=" + name
			if w := s.answer(r); w.Code != http.StatusServiceUnavailable || s.view("shop").State != registry.Starting {
				t.Errorf("?app=%s: %d, and the app is %s", name, w.Code, s.view("shop").State)
			}
		})
	}
}

package admin

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// openBoth is a room of two providers, of which each has an app called db.
func openBoth(t *testing.T) (r *room, far *registrytest.Provider) {
	t.Helper()
	r = open(t)
	near := registrytest.NewProvider(asleep("db"))
	far = registrytest.NewProvider(asleep("db")).Call("far", "")
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe:     registrytest.Passes,
		Providers: []provider.Provider{near, far}, Log: r.log,
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis", Throttle: 2 * time.Second},
	}))
	synctest.Wait()
	sum, err := SumOf(token)
	if err != nil {
		t.Fatal(err)
	}
	r.Provider, r.Admin = near, New(Options{Registry: reg, Token: sum, Log: r.log, Version: "test", Started: time.Now()})
	return r, far
}

func TestAppOfANameThatTwoProvidersHaveIsAskedForByBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, far := openBoth(t)
		if w := r.order("GET", "/api/v1/apps"); !strings.Contains(w.Body.String(), `"far/db"`) || !strings.Contains(w.Body.String(), `"played/db"`) {
			t.Errorf("the apps are %s", w.Body)
		}
		for _, path := range []string{"far%2Fdb", "far%2fdb"} {
			for _, what := range []string{"", "/history"} {
				if w := r.order("GET", "/api/v1/apps/"+path+what); w.Code != http.StatusOK || what == "" && !strings.Contains(w.Body.String(), `"far/db"`) {
					t.Errorf("%s%s: %d %s", path, what, w.Code, w.Body)
				}
			}
		}
		if w := r.order("POST", "/api/v1/apps/far%2Fdb/wake"); w.Code >= http.StatusBadRequest {
			t.Errorf("its wake: %d %s", w.Code, w.Body)
		}
		if near, far := r.Took(), far.Took(); near != "-" || far != "start db" {
			t.Errorf("the one took %q, the other %q", near, far)
		}
		if w := r.order("GET", "/api/v1/apps/other%2Fdb"); w.Code != http.StatusNotFound {
			t.Errorf("an app of no provider: %d", w.Code)
		}
		if w := r.order("GET", "/api/v1/events?app=far%2Fdb"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"far/db"`) {
			t.Errorf("its events: %d %s", w.Code, w.Body)
		}
	})
}

package scalingo

import (
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry/inventory"
)

func TestTheAppThatPaastisRunsInIsNeverStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		platform := scalingotest.New(scalingotest.Config{})
		for _, name := range []string{"paastis", "shop"} {
			platform.Create("osc-fr1", name)
		}
		within := map[string]string{"APP": "paastis", "CONTAINER": "web-1", "CONTAINER_SIZE": "M", "CONTAINER_VERSION": "c0ffee"}
		p, err := New(Config{Token: platform.Token(), Transport: platform.Transport(), Self: selfOf(func(key string) string { return within[key] })})
		if err != nil {
			t.Fatal(err)
		}
		report, err := p.List(t.Context())
		if err != nil || len(report.Apps) != 2 {
			t.Fatalf("%+v, %v", report, err)
		}
		for _, a := range report.Apps {
			if is := a.Protected == inventory.IsPaastis; is != (a.Name == "paastis") {
				t.Errorf("%s is protected as %q", a.Name, a.Protected)
			}
		}
	})
	if self := selfOf(func(key string) string { return map[string]string{"APP": "shop"}[key] }); self != "" {
		t.Errorf("a variable of somebody else's says that it is %q", self)
	}
}

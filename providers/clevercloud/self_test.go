package clevercloud

import (
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/providers/clevercloud/clevercloudtest"
	"github.com/paastis/paastis/registry/inventory"
)

func TestTheAppThatPaastisRunsInIsNeverStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := clevercloudtest.New()
		own := cloud.Put(clevercloudtest.App{Name: "paastis", Commit: "c1", Awake: true})
		cloud.Put(clevercloudtest.App{Name: "shop", Commit: "c1", Awake: true})
		within := func(string) string { return own }
		p, err := New(Config{Settings: Settings{Token: clevercloudtest.Token}, Transport: cloud.Transport(), Self: selfOf(within)})
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
	if self := selfOf(func(string) string { return "shop" }); self != "" {
		t.Errorf("a variable of somebody else's says that it is %q", self)
	}
}

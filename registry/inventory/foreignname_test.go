package inventory_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
)

func TestNobodyIsCalledAsTheIDOfAnotherApp(t *testing.T) {
	t.Parallel()
	for _, taken := range []string{"docker/shop", "heroku/shop"} {
		container, at := onPlatform("shop"), onPlatform("shop")
		thief := onPlatform(taken)
		inv := inventory.Resolve([]inventory.Reported{
			{Provider: "clevercloud", App: &thief.app}, {Provider: "docker", App: &container.app}, {Provider: "heroku", App: &at.app},
		}, settingsFor(t, hostRule))
		if got := inv.Named(taken); got == nil || got.ID != taken || inv.Named("clevercloud/"+taken).App != &thief.app {
			t.Errorf("%s is %+v", taken, got)
		}
		names := strings.Join(inv.Names(), " ")
		if names != "clevercloud/"+taken+" docker/shop heroku/shop" {
			t.Errorf("they are called %s", names)
		}
	}
}

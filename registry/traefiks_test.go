package registry

import "github.com/paastis/paastis/registry/inventory"

// Helpers

func resolvedWith(s inventory.Settings, apps ...*fakeApp) *inventory.Inventory {
	var reported []inventory.Reported
	for _, a := range apps {
		reported = append(reported, inventory.Reported{Provider: "fake", App: &a.App.App})
	}
	return inventory.Resolve(reported, s)
}

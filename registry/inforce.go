package registry

import (
	"maps"
	"reflect"
	"sync/atomic"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// inForce are the settings in force, and what the apps are by those and their labels.
type inForce struct {
	settings  inventory.Settings                  // guarded by the registry's lock
	inventory atomic.Pointer[inventory.Inventory] // swapped whole; read by every request
	unknown   atomic.Int64                        // requests that belong to no app of ours
}

// begin takes the first settings, by which there is no app.
func (f *inForce) begin(s inventory.Settings) {
	f.settings = s
	f.inventory.Store(inventory.Resolve(nil, s))
}

// reload takes other settings, but for what Traefik's API has told. It is called with r.mu held.
func (f *inForce) reload(s inventory.Settings) {
	was := f.settings
	s.Catalog, s.TraefikVersion, s.Timeouts = was.Catalog, was.TraefikVersion, was.Timeouts
	f.settings = s
}

// hear takes in what Traefik's API tells of its version and its middlewares, and reports whether
// that is new. It is called with r.mu held.
func (f *inForce) hear(version string, catalog traefik.Catalog) bool {
	if version == f.settings.TraefikVersion && reflect.DeepEqual(catalog, f.settings.Catalog) {
		return false
	}
	f.settings.TraefikVersion, f.settings.Catalog = version, catalog
	return true
}

// hearTimeouts takes in those that it tells of its entry points, and reports whether they are
// new. It is called with r.mu held.
func (f *inForce) hearTimeouts(told map[string]traefik.Timeouts) bool {
	if maps.Equal(told, f.settings.Timeouts) {
		return false
	}
	f.settings.Timeouts = told
	return true
}

// swap takes in what the apps are now, and returns what they were. It is called with r.mu held.
func (f *inForce) swap(inv *inventory.Inventory) (before *inventory.Inventory) {
	return f.inventory.Swap(inv)
}

func (f *inForce) managed(e *inventory.Definition) *Keeper {
	if e == nil || !e.Managed {
		f.unknown.Add(1)
		return nil
	}
	return KeeperOf(e)
}

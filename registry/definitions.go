package registry

import (
	"maps"
	"reflect"
	"sync/atomic"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// definitions are what the apps are by their labels and the settings, and those settings.
type definitions struct {
	settings  inventory.Settings                  // guarded by the registry's lock
	inventory atomic.Pointer[inventory.Inventory] // swapped whole; read by every request
	unknown   atomic.Int64                        // requests that belong to no app of ours
}

// begin takes the first settings, by which there is no app.
func (d *definitions) begin(s inventory.Settings) {
	d.settings = s
	d.inventory.Store(inventory.Resolve(nil, s))
}

// reload takes other settings, but for what Traefik's API has told. It is called with r.mu held.
func (d *definitions) reload(s inventory.Settings) {
	was := d.settings
	s.Catalog, s.TraefikVersion, s.Timeouts = was.Catalog, was.TraefikVersion, was.Timeouts
	d.settings = s
}

// hear takes in what Traefik's API tells of its version and its middlewares, and reports whether
// that is new. It is called with r.mu held.
func (d *definitions) hear(version string, catalog traefik.Catalog) bool {
	if version == d.settings.TraefikVersion && reflect.DeepEqual(catalog, d.settings.Catalog) {
		return false
	}
	d.settings.TraefikVersion, d.settings.Catalog = version, catalog
	return true
}

// hearTimeouts takes in those that it tells of its entry points, and reports whether they are
// new. It is called with r.mu held.
func (d *definitions) hearTimeouts(told map[string]traefik.Timeouts) bool {
	if maps.Equal(told, d.settings.Timeouts) {
		return false
	}
	d.settings.Timeouts = told
	return true
}

// swap takes in what the apps are now, and returns what they were. It is called with r.mu held.
func (d *definitions) swap(inv *inventory.Inventory) (before *inventory.Inventory) {
	return d.inventory.Swap(inv)
}

func (d *definitions) managed(e *inventory.Definition) *Keeper {
	if e == nil || !e.Managed {
		d.unknown.Add(1)
		return nil
	}
	return KeeperOf(e)
}

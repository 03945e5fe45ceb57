package registry

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/paastis/paastis/registry/inventory"
)

// Caller is who has an address.
type Caller uint8

const (
	// UnknownCaller: no app that Paastis knows. It may be Traefik, outside all networks or
	// behind the engine's own address.
	UnknownCaller Caller = iota
	// TraefikOrPaastis: one of the two, or what shares the network of one.
	TraefikOrPaastis
	// OtherApp: an app that Paastis does not manage.
	OtherApp
	// ManagedApp: an app that Paastis manages, which is surely no Traefik.
	ManagedApp
)

// callers is who has which address. What a request reads of it is swapped whole; the rest is
// guarded by the registry's lock.
type callers struct {
	is       atomic.Pointer[map[netip.Addr]Caller] // nil: nobody is known
	traefiks atomic.Pointer[map[netip.Addr]string] // :: address → ID of the app that a Traefik runs as
	outdated bool                                  // an app has other addresses than the two say
}

// CallerAt is who has an address now. It neither locks nor allocates. It is good to refuse
// somebody by, not to let somebody in: Traefik carries the requests of strangers.
func (r *Registry) CallerAt(address netip.Addr) Caller { return r.callers.at(address) }

func (c *callers) at(address netip.Addr) Caller {
	is := c.is.Load()
	if is == nil {
		return UnknownCaller
	}
	return (*is)[address]
}

// traefikAt is the ID of the app that a Traefik runs as which has an address; empty: none is
// known to. It neither locks nor allocates.
func (c *callers) traefikAt(address netip.Addr) string {
	traefiks := c.traefiks.Load()
	if traefiks == nil {
		return ""
	}
	return (*traefiks)[address]
}

// move notes that an app has other addresses than before, if it has.
func (c *callers) move(before, now []netip.Addr) {
	c.outdated = c.outdated || !slices.Equal(before, now)
}

// locate notes who has which address. Of several that share one, it is the one that may do
// the most. Nobody calls from an address of the machine itself. Called with the lock held.
func (c *callers) locate(keepers map[string]*Keeper) {
	callers, traefiks := map[netip.Addr]Caller{}, map[netip.Addr]string{}
	for id, k := range keepers {
		is := c.kindOf(k)
		for _, a := range k.app.Addresses() {
			if was := callers[a]; !a.IsLoopback() && (was == UnknownCaller || is < was) {
				callers[a] = is
			}
			if !a.IsLoopback() && k.app.Traefik != nil {
				traefiks[a] = id
			}
		}
	}
	c.is.Store(&callers)
	c.traefiks.Store(&traefiks)
	c.outdated = false
}

// kindOf is which caller an app is.
func (c *callers) kindOf(k *Keeper) Caller {
	e := k.Definition()
	switch {
	case e == nil:
		return OtherApp
	case e.Managed:
		return ManagedApp
	case e.App.Traefik != nil, e.App.Protected != "" && e.App.Protected != inventory.ServesProvider:
		return TraefikOrPaastis
	default:
		return OtherApp
	}
}

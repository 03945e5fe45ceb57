package registry

import (
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// resolver makes what the apps are out of what was last reported of them. Its method is called
// with the registry's lock held.
type resolver struct {
	inForce     *inForce
	keepers     *keeperSet
	supply      *supply
	publisher   *Publisher
	archive     *history.Archive
	callers     *callers
	transitions *transitions
	news        *news
	problems    *problems
}

// resolve makes a new inventory out of the last reports. Called with the lock held.
func (v *resolver) resolve() {
	apps := make([]inventory.Reported, 0, len(v.keepers.byID))
	for _, k := range v.keepers.byID {
		apps = append(apps, ReportedBy(k.provider, k.app, k.learned.asked, k.learned.without))
	}
	inv := inventory.Resolve(apps, v.inForce.settings)
	v.supply.begin()
	var turned []*Keeper // those that are managed from now on, or no longer
	now := time.Now()
	for _, e := range inv.Definitions {
		k := v.keepers.byID[e.ID]
		e.Live = k
		was := k.define(e)
		if was != nil && was.Managed != e.Managed {
			turned = append(turned, k)
		}
		if was == nil || was.Managed != e.Managed {
			k.live(now)
			v.archive.MarkUnsaved()
		}
		if was != nil && len(was.Routes) > 0 && len(e.Routes) == 0 && (k.open.Load() || k.state == Draining) {
			k.routing.unpublish()
		}
		v.publisher.rerouteLocked(k)
	}
	before := v.inForce.swap(inv)
	v.callers.locate(v.keepers.byID)
	v.keepers.fileAll(inv)
	v.publisher.changedLocked()
	v.publisher.redirectLocked()
	for _, k := range turned {
		v.transitions.switchManaged(k)
	}
	v.news.compare(before, inv)
	for _, k := range v.keepers.byID {
		k.notify() // it may need others now
	}
	v.problems.refresh(now)
}

// ReportedBy is an app of a provider, with what is known of it beside its report.
func ReportedBy(p provider.Provider, app *inventory.App, asked string, without []string) inventory.Reported {
	r := inventory.Reported{Provider: p.ID(), App: app, ReadBy: p.TraefikProvider(), Asked: asked, Without: without}
	r.Unread = r.ReadBy == ""
	return r
}

package registry

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// keeperSet is the keepers of all apps that there are. Guarded by the registry's lock, which is
// held whenever it is used.
type keeperSet struct {
	byID    map[string]*Keeper // :: provider/name → keeper
	stepped []*Keeper          // the managed apps that a pass steps, for time or others may move them; by name
	removed []*Keeper          // of apps that were removed a moment ago
	loading bool               // the first reports of a provider come in
}

// add adds that of an app that there is from now on.
func (s *keeperSet) add(k *Keeper) { s.byID[k.id] = k }

// begin notes whether it is a provider's first report that comes in.
func (s *keeperSet) begin(loading bool) { s.loading = loading }

// remove leaves out that of an app that is no more.
func (s *keeperSet) remove(k *Keeper) { delete(s.byID, k.id) }

// expect lets an app that was removed have a successor for a moment.
func (s *keeperSet) expect(k *Keeper) {
	s.removed = append(slices.DeleteFunc(s.removed, func(o *Keeper) bool { return k.removal.at.Sub(o.removal.at) > updateMoment }), k)
}

// suspects are the apps that may be gone by a report: those that it names, or all of the
// provider's if it is complete.
func (s *keeperSet) suspects(p provider.Provider, report provider.Report) []*Keeper {
	var suspects []*Keeper
	if !report.Complete {
		for _, name := range report.Gone {
			if k := s.byID[p.ID()+"/"+name]; k != nil {
				suspects = append(suspects, k)
			}
		}
		return suspects
	}
	for _, k := range s.byID {
		if k.provider == p {
			suspects = append(suspects, k)
		}
	}
	return suspects
}

// rests reports whether nothing but a request or its provider moves an app on. Of many apps
// most are like that: a pass leaves them out.
func (k *Keeper) rests() bool {
	e := k.Definition()
	return !e.Managed || k.state == Asleep && len(e.KeepAwake) == 0
}

// file puts an app among those that are stepped, or takes it out, after its state has changed.
func (s *keeperSet) file(k *Keeper) {
	if k.removal.gone {
		return // another app may have its name by now
	}
	place, filed := slices.BinarySearchFunc(s.stepped, k.Name(), func(m *Keeper, name string) int {
		return cmp.Compare(m.Name(), name)
	})
	switch rests := k.rests(); {
	case filed && rests:
		s.stepped = slices.Delete(s.stepped, place, place+1)
	case !filed && !rests:
		s.stepped = slices.Insert(s.stepped, place, k)
	}
}

// fileAll finds those that are stepped among the apps of a new inventory.
func (s *keeperSet) fileAll(inv *inventory.Inventory) {
	s.stepped = nil
	for _, e := range inv.Definitions {
		if !KeeperOf(e).rests() {
			s.stepped = append(s.stepped, KeeperOf(e))
		}
	}
}

// at is the keeper of the app that has an address; nil if none is known, as for one of
// the machine itself. Of several that share a network, it is that of a Traefik.
func (s *keeperSet) at(address netip.Addr) *Keeper {
	if address.IsLoopback() {
		return nil
	}
	var found *Keeper
	for _, k := range s.byID {
		if !k.app.IsAt(address) {
			continue
		}
		if k.app.Traefik != nil {
			return k
		}
		found = k
	}
	return found
}

// hasTraefik reports whether a Traefik is among the apps.
func (s *keeperSet) hasTraefik() bool {
	for _, k := range s.byID {
		if k.app.Traefik != nil && k.app.Protected == inventory.RunsTraefik && k.app.Up() {
			return true
		}
	}
	return false
}

// onlyOnHost is the keeper of the Traefik on the network of the engine's host, which has no
// address of its own. Nil: there is none, or more than one.
func (s *keeperSet) onlyOnHost() *Keeper {
	var only *Keeper
	for _, k := range s.byID {
		if k.app.Traefik == nil || !slices.Contains(k.app.Networks, "host") || !k.app.Up() {
			continue
		}
		if only != nil {
			return nil
		}
		only = k
	}
	return only
}

// succeed lets who waits for an app that was removed wait for the one that is there by its
// name now, or that is the same one. Called with the lock held.
func (s *keeperSet) succeed(k *Keeper, now time.Time) {
	if s.removed == nil {
		return
	}
	identity := k.app.Identity()
	s.removed = slices.DeleteFunc(s.removed, func(gone *Keeper) bool {
		if gone.id == k.id || gone.provider == k.provider && inventory.IsSame(k.app, identity, gone.app) {
			gone.removal.succeed(k)
			gone.notify()
			return true
		}
		return now.Sub(gone.removal.at) > updateMoment
	})
}

// probesFound reports whether an app that was found running is still being probed.
func (s *keeperSet) probesFound() bool {
	return slices.ContainsFunc(s.stepped, func(k *Keeper) bool {
		return k.attempt.isAdopted() && k.state == Starting && k.attempt.healthyAt.IsZero() && len(k.attempt.ready.probing) > 0
	})
}

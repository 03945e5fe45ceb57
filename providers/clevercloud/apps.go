package clevercloud

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// apps are all that are known, as they were last seen.
type apps struct {
	log  *slog.Logger
	self string // Config.Self

	mu       sync.Mutex
	version  uint64          // of the last look that was begun
	all      map[string]*app // by id
	named    map[string]*app // by the name under which each is told
	reported map[string]inventory.App
	warned   map[string]bool // what was warned of, once each
}

func newApps(self string, log *slog.Logger) *apps {
	return &apps{log: log, self: self, all: map[string]*app{}, named: map[string]*app{}, reported: map[string]inventory.App{}, warned: map[string]bool{}}
}

// nextVersion numbers a look before it is sent.
func (s *apps) nextVersion() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	return s.version
}

// applySummary takes in a look at everything: what is not in it is gone, unless it was seen later.
func (s *apps) applySummary(version uint64, owners []rawOwner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, there := time.Now(), map[string]bool{}
	for _, o := range owners {
		for _, raw := range *o.Applications {
			there[string(raw.ID)] = true
			a := s.ensure(string(raw.ID), o)
			if a.version < version {
				s.applyState(a, raw, version, now)
			}
		}
	}
	maps.DeleteFunc(s.all, func(id string, a *app) bool { return !there[id] && a.version < version })
	s.nameAll()
}

// ensure is the app of an id, which becomes known. Called with s.mu held.
func (s *apps) ensure(id string, o rawOwner) *app {
	a := s.all[id]
	if a == nil {
		a = &app{id: id, self: id == s.self}
		s.all[id] = a
	}
	a.owner, a.ownerName = string(o.ID), string(o.Name)
	return a
}

// applyState takes in a look at an app. Called with s.mu held.
func (s *apps) applyState(a *app, raw rawApp, version uint64, now time.Time) {
	if raw.Name != "" {
		a.name = string(raw.Name)
	}
	a.archived = raw.Archived.value
	a.setState(string(raw.State), now)
	a.version = version
	if a.unknown != "" {
		s.warn("state "+a.unknown, "an app has a state that Paastis does not know; it is left as it is until that is over", "app", a.id, "state", a.unknown)
	}
}

// warn tells something once. Called with s.mu held.
func (s *apps) warn(key, text string, args ...any) {
	if !s.warned[key] {
		s.warned[key] = true
		s.log.Warn(text, args...)
	}
}

// warnOnce is warn without the lock held.
func (s *apps) warnOnce(key, text string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warn(key, text, args...)
}

// applyDetails takes in a look at all apps of an owner. None that is not in it counts as gone: the
// summary says that.
func (s *apps) applyDetails(version uint64, owner string, all []rawApp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, raw := range all {
		if a := s.all[string(raw.ID)]; a != nil {
			s.applyDetail(a, raw, version)
		}
	}
	for _, a := range s.all {
		if a.owner == owner {
			a.detailsAsked = true
		}
	}
	s.nameAll()
}

// applyApp takes in a look at one app, which must be known.
func (s *apps) applyApp(version uint64, id string, raw rawApp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.all[id]; a != nil {
		s.applyDetail(a, raw, version)
		s.nameAll()
	}
}

func (s *apps) applyDetail(a *app, raw rawApp, version uint64) {
	a.setDetails(raw)
	if a.version < version {
		s.applyState(a, raw, version, time.Now())
	}
	if a.url() == "" && a.lifetime != task {
		s.warn("url "+a.id, "an app has no domain by which Paastis could reach it; give it one of cleverapps.io with one label: clever domain add NAME.cleverapps.io",
			"app", a.id, "name", a.name)
	}
}

// applyDeployments takes in a look at the deployments of some apps.
func (s *apps) applyDeployments(version uint64, of map[string]json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, raw := range of {
		a := s.all[id]
		var all []rawDeployment
		if a == nil || !a.needsDeployments() || a.version >= version || json.Unmarshal(raw, &all) != nil {
			continue
		}
		s.applyOutcome(a, all, time.Now())
		a.version = version
	}
}

// nameAll gives the apps their names anew. Called with s.mu held.
func (s *apps) nameAll() {
	s.named = names(s.all)
	for name, a := range s.named {
		if first := s.named[a.name]; name == a.id && first != nil && first != a {
			s.warn("name "+a.id+a.name, "several apps have one name: the oldest is known by it, the others by their ids", "name", a.name, "oldest", first.id, "app", a.id)
		}
	}
}

// forget takes in that an app is no more.
func (s *apps) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
	s.nameAll()
}

// find is a copy of the app of a name, or of an id.
func (s *apps) find(name string) (app, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named[name]
	if a == nil {
		a = s.all[name]
	}
	if a == nil {
		return app{}, false
	}
	return *a, true
}

// change changes an app, of which all that was asked before counts for nothing any more, and
// returns what is told of it then. The zero value: it is gone.
func (s *apps) change(id string, how func(*app)) inventory.App {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.all[id]
	if a == nil {
		return inventory.App{}
	}
	how(a)
	s.version++
	a.version = s.version
	return s.report(a)
}

// report is what is told of an app. Called with s.mu held.
func (s *apps) report(a *app) inventory.App {
	if s.named[a.name] == a {
		return a.report(a.name)
	}
	return a.report(a.id)
}

// everything is a report of all apps, of the look that began it.
func (s *apps) everything(version uint64) provider.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := provider.Report{Complete: true, Version: version}
	clear(s.reported)
	for _, name := range slices.Sorted(maps.Keys(s.named)) {
		told := s.named[name].report(name)
		r.Apps, s.reported[name] = append(r.Apps, told), told
	}
	return r
}

// changes are the apps that are not as they were last told of.
func (s *apps) changes() provider.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := provider.Report{Version: s.version}
	for _, name := range slices.Sorted(maps.Keys(s.named)) {
		now, was := s.named[name].report(name), s.reported[name]
		if was.Name != "" && inventory.SameDefinition(&now, &was) && slices.EqualFunc(now.Instances, was.Instances, inventory.Instance.Equal) {
			continue
		}
		r.Apps, s.reported[name] = append(r.Apps, now), now
	}
	return r
}

// owners are the ids of those who have an app that is so, sorted.
func (s *apps) owners(is func(*app) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]bool{}
	for _, a := range s.all {
		if is(a) {
			found[a.owner] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// formation is that of the app of a name.
func (s *apps) formation(name string) []provider.Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.named[name]; a != nil {
		return a.formation()
	}
	return nil
}

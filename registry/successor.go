package registry

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

const (
	// updateMoment is for how long an app that was removed may be one that is being updated:
	// who waits for it goes on waiting for its successor.
	updateMoment = 10 * time.Second
	// removedSettles is how long after its removal an app that comes back was not removed.
	removedSettles = 3 * time.Second
)

// namesake is another app of the same provider that is this one under another name: they
// have an instance in common, which was renamed, or the same identity. Nil: there is none.
// Called with the lock held.
func (s *keeperSet) namesake(k *Keeper) *Keeper {
	identity := k.app.Identity()
	for _, other := range s.byID {
		if other != k && other.provider == k.provider && inventory.IsSame(k.app, identity, other.app) {
			return other
		}
	}
	return nil
}

// inheritLocked gives an app that is known by no name of its own what is remembered of it under
// another one. Called with the lock held.
func (i *intake) inheritLocked(k *Keeper, now time.Time) {
	if identity, has := i.archive.Has(k.id); has && !k.app.IsAnother(identity) {
		return
	}
	if !i.keepers.loading {
		if other := i.keepers.namesake(k); other != nil {
			i.archive.Add(k.id, other.snapshot(now), now)
			other.avoided.giveAway()
			i.journal.say(slog.LevelInfo, "app has another name", "app", k.app.Name, "was", other.app.Name)
			return
		}
	}
	identity := k.app.Identity()
	if identity == "" {
		return
	}
	if was := i.archive.Rename(k.id, identity); was != "" {
		_, name, _ := strings.Cut(was, "/")
		i.journal.say(slog.LevelInfo, "app has another name", "app", k.app.Name, "was", name)
	}
}

// Successor is the keeper of the app that has come in the place of one that was removed; the
// same keeper if none has.
func (r *Registry) Successor(k *Keeper) *Keeper {
	r.mu.Lock()
	defer r.unlock()
	for k.removal.successor != nil {
		k = k.removal.successor
	}
	return k
}

// warnRemovedLocked tells of an app that was removed while it slept, unless it comes back soon: a
// sleeping container is a stopped one, and whoever tidies up removes those. Called with the
// lock held.
func (i *intake) warnRemovedLocked(k *Keeper) {
	i.tasks.addLocked(func(ctx context.Context) {
		sleep(ctx, removedSettles)
		i.mu.Lock()
		defer i.unlock()
		if ctx.Err() != nil || k.removal.successor != nil || i.keepers.byID[k.id] != nil {
			return
		}
		i.journal.say(slog.LevelWarn, "app was removed while it slept, so nothing can wake it: create it again; if something removes stopped containers (docker container prune, docker system prune), "+RemovedCure,
			"app", k.Name(), "origin", k.Definition().App.Origin)
	})
}

// RemovedCure is what helps against those who remove stopped containers.
const RemovedCure = "set stop_method: pause (label paastis.stop_method=pause), or let it leave out this app"

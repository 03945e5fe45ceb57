package registry

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/rules"
)

// Compose's label of depends_on does not tell `required: false`. But Compose starts an app
// whose need has failed only if it does not require it, and so does Paastis. So an app does
// without a need that had failed when the app was started: for the first time, or a moment
// later. Of other starts nothing follows: a machine that boots starts all that ran before.

// momentAfter is within what time after the failure of a need a start is by who knew of it.
const momentAfter = time.Minute

// learnWithout finds which of its needs an app evidently does without, remembers that, and
// reports whether it is new. rose tells that its start was seen. Called with the lock held.
func (r *Registry) learnWithout(k *Keeper, rose bool) bool {
	if k.attempt.ordered {
		return false // by ourselves
	}
	provider, _, _ := strings.Cut(k.id, "/")
	learned := false
	for _, l := range k.app.Links {
		to := r.keepers.byID[provider+"/"+l.Name]
		if to == nil || l.Optional || slices.Contains(k.learned.without, l.Name) {
			continue
		}
		sick := rose && slices.ContainsFunc(k.app.Instances, Instance.firstRun) && l.Condition == rules.Healthy && to.app.running() && to.app.health() == Unhealthy
		if sick || (k.app.alive() || r.keepers.loading) && k.app.startedWithout(to.app) {
			k.learned.doWithout(l.Name)
			learned = true
			r.journal.say(slog.LevelInfo, "app does without one that it depends on: it was started while that had failed", "app", k.app.Name, "without", l.Name)
		}
	}
	if learned {
		r.archive.MarkUnsaved()
	}
	return learned
}

// StartedWithout are those of its links that an app evidently does without, by what its
// provider reports of all apps now. Nil: there are none, or nothing tells.
func (a App) StartedWithout(all []App) []string {
	var without []string
	for _, l := range a.Links {
		i := slices.IndexFunc(all, func(to App) bool { return to.Name == l.Name })
		if i >= 0 && !l.Optional && a.startedWithout(&all[i]) {
			without = append(without, l.Name)
		}
	}
	return without
}

func (a *App) startedWithout(need *App) bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.startedWithout(need) })
}

// startedWithout reports whether an instance was started although an app that it needs had
// failed, and runs no more.
func (i Instance) startedWithout(need *App) bool {
	return !i.StartedAt.IsZero() && len(need.Instances) > 0 && !slices.ContainsFunc(need.Instances, func(n Instance) bool {
		failed := n.Status == Exited && (n.crashed() || n.OOMKilled) && !n.EndedAt.IsZero() && n.EndedAt.Before(i.StartedAt)
		return !failed || !i.firstRun() && i.StartedAt.Sub(n.EndedAt) > momentAfter
	})
}

// firstRun reports whether an instance runs that never ended.
func (i Instance) firstRun() bool {
	return i.Status == Running && i.EndedAt.IsZero() && i.Restarts == 0
}

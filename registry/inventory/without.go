package inventory

import (
	"slices"
	"time"
)

// momentAfter is within what time after the failure of a need a start is by who knew of it.
const momentAfter = time.Minute

// StartedWithout are those of its links that an app evidently does without, by what its
// provider reports of all apps now. Nil: there are none, or nothing tells.
func (a App) StartedWithout(all []App) []string {
	var without []string
	for _, l := range a.Links {
		i := slices.IndexFunc(all, func(to App) bool { return to.Name == l.Name })
		if i >= 0 && !l.Optional && a.DidWithout(&all[i]) {
			without = append(without, l.Name)
		}
	}
	return without
}

func (a *App) DidWithout(need *App) bool {
	return slices.ContainsFunc(a.Instances, func(i Instance) bool { return i.startedWithout(need) })
}

// startedWithout reports whether an instance was started although an app that it needs had
// failed, and runs no more.
func (i Instance) startedWithout(need *App) bool {
	return !i.StartedAt.IsZero() && len(need.Instances) > 0 && !slices.ContainsFunc(need.Instances, func(n Instance) bool {
		failed := n.Status == Exited && (n.Crashed() || n.OOMKilled) && !n.EndedAt.IsZero() && n.EndedAt.Before(i.StartedAt)
		return !failed || !i.FirstRun() && i.StartedAt.Sub(n.EndedAt) > momentAfter
	})
}

// FirstRun reports whether an instance runs that never ended.
func (i Instance) FirstRun() bool {
	return i.Status == Running && i.EndedAt.IsZero() && i.Restarts == 0
}

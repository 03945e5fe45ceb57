package registry

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// Compose's label of depends_on does not tell `required: false`. But Compose starts an app
// whose need has failed only if it does not require it, and so does Paastis. So an app does
// without a need that had failed when the app was started: for the first time, or a moment
// later. Of other starts nothing follows: a machine that boots starts all that ran before.

// learnWithoutLocked finds which of its needs an app evidently does without, remembers that, and
// reports whether it is new. rose reports whether its start was seen. Called with the lock held.
func (i *intake) learnWithoutLocked(k *Keeper, rose bool) bool {
	if k.attempt.startSent {
		return false // by ourselves
	}
	provider, _, _ := strings.Cut(k.id, "/")
	learned := false
	for _, l := range k.app.Links {
		to := i.keepers.byID[provider+"/"+l.Name]
		if to == nil || l.Optional || slices.Contains(k.learned.without, l.Name) {
			continue
		}
		sick := rose && slices.ContainsFunc(k.app.Instances, inventory.Instance.FirstRun) && l.Condition == rules.Healthy && to.app.Running() && to.app.Health() == inventory.Unhealthy
		if sick || (k.app.Alive() || i.keepers.loading) && k.app.DidWithout(to.app) {
			k.learned.doWithout(l.Name)
			learned = true
			i.journal.say(slog.LevelInfo, "app does without one that it depends on: it was started while that had failed", "app", k.app.Name, "without", l.Name)
		}
	}
	if learned {
		i.archive.MarkUnsaved()
	}
	return learned
}

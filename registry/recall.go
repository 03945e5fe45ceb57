package registry

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// What one of several providers has told the Paastis before is not forgotten because it does not
// answer when the next one begins. Its apps may serve all the while, by routes that a Traefik has,
// and would lose them as soon as another provider answers: what is published is published as a
// whole. So they are known as they were, as those of a provider that is lost later. Where there is
// but one provider Traefik keeps what it has, for it gets nothing. But what it has of a platform leads
// here in every state: nobody would get to an app that serves until the platform answers, and nobody
// would hear why. So they are known as well.

// isOnlyPublished reports whether the routes of a provider's apps are there only as long as Paastis
// publishes them.
func isOnlyPublished(p provider.Provider) bool { return p.TraefikProvider() == "" }

// recall takes in the apps of providers that have not answered, as the Paastis before has known
// them. Their first report is a first one all the same.
func (i *intake) recall(now time.Time) {
	reports := i.archive.TakeReports()
	i.mu.Lock()
	defer i.unlock()
	for _, p := range i.providers {
		apps := reportedBy(p, reports)
		if i.loaded[p] || len(apps) == 0 {
			continue
		}
		i.recalled[p] = true
		i.takeIn(p, provider.Report{Apps: apps}, true, now)
		i.journal.say(slog.LevelWarn, "provider does not answer: its apps are taken for what they were before", "provider", p.ID(), "apps", len(apps))
	}
}

// reportedBy are those of a provider, by name. Each report to come is newer than they are.
func reportedBy(p provider.Provider, reports map[string]*inventory.App) []inventory.App {
	var apps []inventory.App
	for _, id := range slices.Sorted(maps.Keys(reports)) {
		if name, its := strings.CutPrefix(id, p.ID()+"/"); its && name == reports[id].Name {
			app := *reports[id]
			app.Version = 0
			apps = append(apps, app)
		}
	}
	return apps
}

// fateLocked is what becomes of the apps of a provider that does not answer. Called with the lock
// held.
func (i *intake) fateLocked(p provider.Provider) string {
	switch {
	case i.loaded[p]:
		return "so its apps stay as they are"
	case i.recalled[p]:
		return "and has not since Paastis began, so its apps are taken for what they were before"
	default:
		return "and has not since Paastis began, so its apps are not known"
	}
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
)

// lintUnseen tells of apps that stay awake because their use cannot be seen. Their owner may
// have said that they sleep all the same.
func lintUnseen(ctx context.Context, config Loaded, inv *registry.Inventory) []string {
	onHost := slices.ContainsFunc(inv.Entries, func(e *registry.Entry) bool {
		return e.Managed && slices.Contains(e.App.Networks, "host")
	})
	if !onHost { // the use of all others shows in their traffic
		return nil
	}
	limited := limitedProvider(ctx, config)
	if limited == nil {
		return nil
	}
	return unseenWarnings(inv, limited)
}

func unseenWarnings(inv *registry.Inventory, limited registry.Limited) []string {
	var all []string
	for _, e := range inv.Entries {
		if !e.Managed || e.Follows() || e.Unseen == rules.UnseenSleep || e.TrafficFloor == rules.Off {
			continue
		}
		if why := limited.Unseen(e.App.Name, e.VisitedPorts()); why != "" {
			all = append(all, fmt.Sprintf("app %q stays awake, for its use cannot be seen: %s; or let it sleep without regard to what it has open by the label paastis.unseen=sleep (%s)", e.Name, why, e.App.Origin))
		}
	}
	return all
}

// limitedProvider is the provider, once it has looked at its apps, if it can tell what it will
// not see. Nil: it cannot, or it does not answer, which is told elsewhere.
func limitedProvider(ctx context.Context, config Loaded) registry.Limited {
	provider, err := providers.New(config.Provider, config.Docker.Proc, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil
	}
	limited, ok := provider.(registry.Limited)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	if _, err := provider.List(ctx); err != nil {
		return nil
	}
	return limited
}

// unseenText says what the use of an app that cannot be seen means for its sleep. Empty: it
// can be seen.
func unseenText(e *registry.Entry, why string) string {
	switch {
	case why == "":
		return ""
	case e.Unseen == rules.UnseenSleep:
		return "not seen     " + why + "; it sleeps all the same (unseen: sleep)"
	default:
		return "not seen     " + why + "; until then it stays awake (unseen: awake)"
	}
}

package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// lintUnseen tells of apps that stay awake because their use cannot be seen. Their owner may
// have said that they sleep all the same.
func lintUnseen(ctx context.Context, cfg config.Loaded, inv *inventory.Inventory) []string {
	if !slices.ContainsFunc(inv.Definitions, func(e *inventory.Definition) bool { return e.Managed }) {
		return nil
	}
	opened, err := providers.Open(cfg.AllProviders(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil // it is told elsewhere
	}
	var all []string
	for _, p := range opened {
		limited := limitedProvider(ctx, p)
		if limited == nil {
			continue
		}
		its := &inventory.Inventory{Definitions: slices.DeleteFunc(slices.Clone(inv.Definitions), func(e *inventory.Definition) bool { return e.Provider() != p.ID() })}
		all = append(all, unseenWarnings(its, limited)...)
		if meter, ok := limited.(provider.Meter); ok {
			all = append(all, refusedLook(ctx, its, meter)...)
		}
	}
	return all
}

// refusedLook looks at one of the apps that run: if the engine, or a proxy before it, refuses
// that, it does so for all.
func refusedLook(ctx context.Context, inv *inventory.Inventory, meter provider.Meter) []string {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	for _, e := range inv.Definitions {
		if !e.Managed || e.TrafficFloor == rules.Off || e.Unseen == rules.UnseenSleep || !runs(e) {
			continue
		}
		_, err := meter.Measure(ctx, e.App.Name, provider.Want{Ports: e.VisitedPorts()})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, docker.ErrNotRunning), errors.Is(err, docker.ErrUnknownApp):
			continue // it ended meanwhile: that says nothing of who may look
		}
		return []string{fmt.Sprintf("app %q stays awake, and so may others, for its use cannot be looked at: %v; allow the call GET /containers/{id}/stats, or let apps sleep without regard to what they have open by unseen: sleep (%s)", e.Name, err, e.App.Origin)}
	}
	return nil
}

// runs reports whether an instance of the app does.
func runs(e *inventory.Definition) bool {
	return slices.ContainsFunc(e.App.Instances, func(i inventory.Instance) bool { return i.Status == inventory.Running })
}

func unseenWarnings(inv *inventory.Inventory, limited provider.Limited) []string {
	var all []string
	for _, e := range inv.Definitions {
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
func limitedProvider(ctx context.Context, p provider.Provider) provider.Limited {
	limited, ok := p.(provider.Limited)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	if _, err := p.List(ctx); err != nil {
		return nil
	}
	return limited
}

// unseenText says what the use of an app that cannot be seen means for its sleep. Empty: it
// can be seen.
func unseenText(e *inventory.Definition, why string) string {
	switch {
	case why == "":
		return ""
	case e.Unseen == rules.UnseenSleep:
		return "not seen     " + why + "; it sleeps all the same (unseen: sleep)"
	default:
		return "not seen     " + why + "; until then it stays awake (unseen: awake)"
	}
}

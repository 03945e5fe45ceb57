package registry

import (
	"fmt"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// Checkup says how the registry fares.
type Checkup struct {
	// Providers in the order of Options.
	Providers []ProviderHealth
	// Apps is how many managed apps there are in each state.
	Apps map[State]int
	// Problems are the inventory's, those of publishing to each Traefik, and providers that do
	// not answer.
	Problems inventory.Problems
	// Unknown is how many requests belonged to no app of ours.
	Unknown int64
}

// ProviderHealth says whether a provider answers.
type ProviderHealth struct {
	Name      string
	Connected bool
	// Error is the last one, if it is not connected. Empty: it was not tried yet.
	Error string
	// Since is when it was first found not to answer. Zero: it answers, or was not tried yet.
	Since time.Time
	// Why is what the error says to programs, if it is not connected. Empty: nothing.
	Why reason.Kind
	// Calls is how it stands with its calls. Nil: it does not say, for they are not limited.
	Calls *provider.Condition
}

// tell takes in whether the provider answers, err is nil if it does.
func (h *ProviderHealth) tell(err error, now time.Time) {
	if h.Connected = err == nil; h.Connected {
		h.Error, h.Since, h.Why = "", time.Time{}, ""
		return
	}
	h.Why = reason.Of(err).Kind
	if h.Error == "" {
		h.Since = now
	}
	h.Error = err.Error()
}

// problem says that the provider does not answer, and what becomes of its apps. Empty: it does,
// or was not tried yet.
func (h ProviderHealth) problem(what string) string {
	if h.Error == "" {
		return ""
	}
	fares := "does not answer"
	if h.turnsAway() {
		fares = "turns Paastis away"
	}
	return fmt.Sprintf("provider %q %s, %s: %s (since %s)", h.Name, fares, what, h.Error, h.Since.UTC().Format(time.RFC3339))
}

// turnsAway reports whether the provider answers, and does not let Paastis in.
func (h ProviderHealth) turnsAway() bool {
	return slices.Contains([]reason.Kind{reason.TokenRefused, reason.TokenExpired, reason.NotAllowed, reason.PaymentRequired}, h.Why)
}

// Health says how the registry fares now.
func (r *Registry) Health() Checkup {
	inv := r.inForce.inventory.Load()
	c, calls := Checkup{Apps: map[State]int{}, Unknown: r.inForce.unknown.Load()}, r.contacts.conditions()
	r.mu.Lock()
	defer r.unlock()
	c.Problems = r.problems.warnings()
	for _, p := range r.providers {
		health := r.contacts.byProvider[p].health
		health.Calls = calls[p]
		c.Providers = append(c.Providers, health)
		if text := health.problem(r.intake.fateLocked(p)); text != "" {
			c.Problems = append(c.Problems, inventory.Problem{Kind: inventory.ProviderUnreachable, Text: text})
		}
	}
	for _, e := range inv.Definitions {
		if e.Managed {
			c.Apps[KeeperOf(e).state]++
		}
	}
	return c
}

package registry

import (
	"fmt"

	"github.com/paastis/paastis/registry/inventory"
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
}

// Health says how the registry fares now.
func (r *Registry) Health() Checkup {
	inv := r.definitions.inventory.Load()
	c := Checkup{Apps: map[State]int{}, Unknown: r.definitions.unknown.Load()}
	r.mu.Lock()
	defer r.unlock()
	c.Problems = r.problems.warnings()
	for _, p := range r.providers {
		health := r.contacts.byProvider[p].health
		c.Providers = append(c.Providers, health)
		if health.Error != "" {
			c.Problems = append(c.Problems, inventory.Problem{Kind: inventory.ProviderUnreachable, Text: fmt.Sprintf("provider %q does not answer, so its apps stay as they are: %s", health.Name, health.Error)})
		}
	}
	for _, e := range inv.Entries {
		if e.Managed {
			c.Apps[KeeperOf(e).state]++
		}
	}
	return c
}

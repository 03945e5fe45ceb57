package registry

// Checkup says how the registry fares.
type Checkup struct {
	// Providers in the order of Options.
	Providers []ProviderHealth
	// Apps is how many managed apps there are in each state.
	Apps map[State]int
	// Problems are the inventory's, and those of publishing to each Traefik, a line each.
	Problems []string
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
	inv := r.inventory.Load()
	c := Checkup{Apps: map[State]int{}, Unknown: r.Unknown()}
	r.mu.Lock()
	defer r.unlock()
	c.Problems = r.warnings()
	for _, p := range r.providers {
		health := r.contacts[p]
		health.Name = p.Name()
		c.Providers = append(c.Providers, health)
	}
	for _, e := range inv.Entries {
		if e.Managed {
			c.Apps[e.keeper.state]++
		}
	}
	return c
}

// contact notes whether a provider answers; err is nil if it does.
func (r *Registry) contact(p Provider, err error) {
	r.mu.Lock()
	defer r.unlock()
	health := ProviderHealth{Connected: err == nil}
	if err != nil {
		health.Error = err.Error()
	}
	r.contacts[p] = health
}

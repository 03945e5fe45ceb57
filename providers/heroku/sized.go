package heroku

import "github.com/paastis/paastis/registry/provider"

// Formation is what an app runs while it is awake: what is kept of it, else what it was last seen
// to run.
func (p *Provider) Formation(name string, kept []byte) []provider.Part {
	f, err := readKept(kept)
	if err != nil {
		f = p.records.lastRan(name)
	}
	var parts []provider.Part
	for _, one := range f.running() {
		parts = append(parts, provider.Part{Type: one.Type, Size: one.Size, Amount: one.Quantity})
	}
	return parts
}

// lastRan is what an app runs, or ran last. Nil: that is not known.
func (o *records) lastRan(name string) formation {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byName[name]; r != nil {
		return r.formation
	}
	return nil
}

package providertest

import (
	"slices"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// tellsFormation has an app fall asleep, and wants to hear all the while what it runs when it is
// awake: of the provider that has stopped it, and, if something is kept, of another one as well.
func (c *conformance) tellsFormation() {
	if _, ok := c.provider.(provider.Sized); !ok {
		c.t.Skip("the provider does not tell what its apps run")
	}
	name := c.Create(Plain)
	if _, err := c.provider.Start(c.t.Context(), name); err != nil {
		c.t.Fatal(err)
	}
	c.awaitList("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
	var kept []byte
	if r, ok := c.provider.(provider.Resumer); ok {
		var err error
		if kept, err = r.Capture(c.t.Context(), name); err != nil {
			c.t.Fatal(err)
		}
	}
	awake := c.formation(c.provider, name, kept)
	if !slices.ContainsFunc(awake, func(p provider.Part) bool { return p.Amount > 0 }) {
		c.t.Fatalf("while it runs, it is said to run %+v", awake)
	}
	if _, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil {
		c.t.Fatal(err)
	}
	c.awaitList("it does not run", func(r provider.Report) bool { return !runs(app(r, name)) })
	if asleep := c.formation(c.provider, name, kept); !slices.Equal(asleep, awake) {
		c.t.Errorf("while it runs it is said to run %+v, and once it sleeps %+v", awake, asleep)
	}
	c.tellsKeptFormation(name, kept, awake)
	if nobody := c.formation(c.provider, "nobody-has-this-name", nil); len(nobody) > 0 {
		c.t.Errorf("an app that does not exist is said to run %+v", nobody)
	}
}

// tellsKeptFormation wants another provider to tell what an app runs, if something is kept of it.
func (c *conformance) tellsKeptFormation(name string, kept []byte, want []provider.Part) {
	another := c.Connect()
	if _, err := another.List(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	if parts := c.formation(another, name, kept); len(kept) > 0 && !slices.Equal(parts, want) {
		c.t.Errorf("by what is kept it runs %+v, not %+v", parts, want)
	}
}

// formation is what an app is said to run while it is awake.
func (c *conformance) formation(p provider.Provider, name string, kept []byte) []provider.Part {
	given := slices.Clone(kept)
	parts := p.(provider.Sized).Formation(name, given)
	if !slices.Equal(given, kept) {
		c.t.Errorf("what is kept was changed: %q", given)
	}
	return parts
}

package providertest

import (
	"slices"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// resumes has an app in two shapes, one after the other, each of which has to come back: by the
// provider that has captured it, and by another one, which knows nothing but what is kept.
func (c *conformance) resumes() {
	name := c.Create(Plain)
	if _, err := c.provider.Start(c.t.Context(), name); err != nil {
		c.t.Fatal(err)
	}
	c.awaitList("it runs", func(r provider.Report) bool { return runs(app(r, name)) })
	var last []byte
	for range 2 {
		c.Platform.(Forgetful).Reshape(name)
		kept := c.capture(name)
		if slices.Equal(kept, last) {
			c.t.Errorf("it has another shape, and the same is kept: %q", kept)
		}
		last = kept
		c.sleepAndResume(c.resumer(c.provider), name, kept)
		c.sleepAndResume(c.resumer(c.Connect()), name, kept)
	}
	_, err := c.resumer(c.provider).Capture(c.t.Context(), "nobody-has-this-name")
	c.wantNamed(err, "nobody-has-this-name")
}

// sleepAndResume stops an app, and wants it back in the shape that it has.
func (c *conformance) sleepAndResume(by provider.Resumer, name string, kept []byte) {
	c.t.Helper()
	want, given := c.Platform.(Forgetful).Shape(name), slices.Clone(kept)
	if _, err := c.provider.Stop(c.t.Context(), name, rules.StopContainer); err != nil {
		c.t.Fatal(err)
	}
	for range 2 { // a Paastis that has ended meanwhile resumes it again
		if _, err := by.Resume(c.t.Context(), name, given); err != nil {
			c.t.Fatal(err)
		}
		c.awaitList("it runs again", func(r provider.Report) bool { return runs(app(r, name)) })
		if got := c.Platform.(Forgetful).Shape(name); got != want {
			c.t.Errorf("it was %s, and came back as %s", want, got)
		}
	}
	if !slices.Equal(given, kept) {
		c.t.Errorf("what is kept was changed: %q", given)
	}
	if again := c.capture(name); !slices.Equal(again, kept) {
		c.t.Errorf("of the same shape %q is kept, then %q", kept, again)
	}
}

// capture is what is kept of an app that has something to be kept.
func (c *conformance) capture(name string) []byte {
	c.t.Helper()
	kept, err := c.resumer(c.provider).Capture(c.t.Context(), name)
	if err != nil || len(kept) == 0 {
		c.t.Fatalf("capture: %q, %v", kept, err)
	}
	return kept
}

func (c *conformance) resumer(p provider.Provider) provider.Resumer {
	c.t.Helper()
	resumer, ok := p.(provider.Resumer)
	if !ok {
		c.t.Fatal("the platform forgets how an app was, and its provider is no provider.Resumer")
	}
	return resumer
}

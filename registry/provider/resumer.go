package provider

import (
	"context"

	"github.com/paastis/paastis/registry/inventory"
)

// Resumer is a Provider of a platform that forgets how an app was while that sleeps: to how many
// instances it was scaled, say, if it sleeps by being scaled to none. What is captured before a
// stop is given back with the start after it, by this Paastis or by the next one, which reads it
// from its Store. Without a Store the next one does not have it.
type Resumer interface {
	Provider
	// Capture returns all that Resume needs to bring the app back exactly as it is now, in a
	// form that later versions read as well. Nobody but the provider looks into it; it may be
	// read by whoever may read the state file, so it has no secret. Nil or empty: there is
	// nothing to keep, and the app comes back by Start; unless something is kept since an order to stop
	// that was told to have failed, and may have been carried out. It is called right before each Stop,
	// which is not ordered if it fails, and blocks until the provider has answered. It changes
	// nothing. The bytes are the caller's from then on.
	Capture(ctx context.Context, name string) ([]byte, error)
	// Resume is Start of an app for which something is kept: what Capture returned, which it
	// does not change. It is never empty. After an error it is called again with the same, as
	// it is if the app does not come up, or if Paastis ended before the app had: what of it is
	// there already is no error. Start is for an app for which nothing is kept: one that
	// somebody else has stopped, or whose Store was lost.
	Resume(ctx context.Context, name string, kept []byte) (inventory.App, error)
}

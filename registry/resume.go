package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// resume is what an app's provider needs to bring it back as it was. It is kept from before the
// order to stop until the app was brought back and has come up, or somebody else has started it.
// The zero resume: nothing is kept.
type resume struct {
	sparse[resumption]
}

// resumption is what is kept, and what has become of it.
type resumption struct {
	kept    []byte // nobody changes it
	given   bool   // the provider has brought the app back with it
	refused bool   // it would not, or not wholly, the last time
}

// IsZero reports whether nothing is kept.
func (s resumption) IsZero() bool { return len(s.kept) == 0 }

// keep notes what the app's provider needs to bring it back. Empty: nothing.
func (o *resume) keep(kept []byte) { o.set(resumption{kept: kept}) }

// use takes in whether the provider has brought the app back with what is kept. Nil: with nothing. Of
// one that was found running it stays: an order to stop that Paastis gave before it ended may still
// be carried out.
func (o *resume) use(kept []byte, well, found bool) {
	if kept != nil {
		o.set(resumption{kept: kept, given: well && !found, refused: !well})
	}
}

// finish forgets what the app was brought back with, for it has come up.
func (o *resume) finish() {
	if o.get().given {
		o.keep(nil)
	}
}

// startOrResume is how the app's provider is told to start it, and what is given back with that.
// Nil: nothing is. Called with the lock held.
func (k *Keeper) startOrResume() (give func(context.Context) (inventory.App, error), kept []byte) {
	name := k.app.Name
	if p, ok := k.provider.(provider.Resumer); ok && !k.resume.isZero() {
		kept = k.resume.get().kept
		return func(ctx context.Context) (inventory.App, error) { return p.Resume(ctx, name, slices.Clone(kept)) }, kept
	}
	return func(ctx context.Context) (inventory.App, error) { return k.provider.Start(ctx, name) }, nil
}

// captures is what an app's provider is asked before it is told to stop the app. Nil: it is asked
// nothing. Nor is it while it has not brought the app back wholly: what is kept is what the app
// is to be. Called with the lock held.
func (k *Keeper) captures() provider.Resumer {
	if k.resume.get().refused {
		return nil
	}
	p, _ := k.provider.(provider.Resumer)
	return p
}

// capture keeps what an app's provider needs to bring it back, and returns once that outlives
// Paastis, if anything does. While it fails the app must not be stopped.
func (o *orders) capture(ctx context.Context, k *Keeper, p provider.Resumer, name string) error {
	kept, err := p.Capture(ctx, name)
	if err != nil {
		why := reason.Of(err)
		return uncaptured{err, reason.Reason{Kind: reason.NotCaptured, Because: &why}}
	}
	o.mu.Lock()
	if len(kept) == 0 {
		kept = k.resume.get().kept // an order of before was carried out, though it was told to have failed
	}
	gone, changed := k.removal.gone, len(kept) > 0
	k.resume.keep(kept)
	o.unlock()
	if gone { // nothing of it is kept any more, and a listing may have left it out that is there all the same
		return uncaptured{fmt.Errorf("%q is gone", name), reason.Reason{Kind: reason.Removed}}
	}
	if !changed || !o.saver.archive.Outlives() {
		return nil
	}
	if err := o.saver.save(ctx); err != nil {
		return uncaptured{fmt.Errorf("save how %q is to come back: %w", name, err), reason.Reason{Kind: reason.NotKept}}
	}
	return nil
}

// uncaptured is the error of a stop that was not ordered: the app could not come back as it is.
type uncaptured struct {
	error
	why reason.Reason
}

func (e uncaptured) Unwrap() error         { return e.error }
func (e uncaptured) Reason() reason.Reason { return e.why }

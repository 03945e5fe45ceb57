package history

import (
	"context"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// Store keeps what Paastis remembers of the apps while it does not run. Its methods are not
// called at the same time. They may block for I/O.
type Store interface {
	// Load is what was saved last; the zero State if nothing ever was. After an error
	// Paastis starts without, and says so: what could not be read must not be lost by the
	// next Save.
	Load(ctx context.Context) (State, error)
	// Save puts a state in the place of the last one: wholly, or not at all. It keeps
	// nothing of it.
	Save(ctx context.Context, m State) error
}

// State is what outlives Paastis.
type State struct {
	// Saved is when it was taken.
	Saved time.Time
	// Apps by "<provider>/<the provider's own name>".
	Apps map[string]App
	// Marks of the published routes: a secret, not to be read by others.
	Marks Marks
	// Avoided is what the sleep of apps that are not remembered any more has avoided, by the IDs of
	// their providers. Nil: nothing.
	Avoided map[string]Avoided
}

// App is what is remembered of an app.
type App struct {
	// Seen is when Paastis last knew the app.
	Seen time.Time
	// LastActivity is when it was last of use, Pinned until when it is pinned. Zero: never,
	// not at all.
	LastActivity, Pinned time.Time
	// StoppedManually is when somebody else has stopped it, if it was to stay so. Zero: it was
	// not.
	StoppedManually time.Time
	// RemovedAsleep is when it was removed while it slept. Zero: it was not.
	RemovedAsleep time.Time
	// Identity is what stays the same when its name changes. Empty: nothing is known to.
	Identity string
	// Memory that it took when it was last measured, in bytes. Zero: not known.
	Memory uint64
	// Asked is the router that Traefik is known to ask about although no label says so.
	// Empty: none is.
	Asked string
	// Without are the apps that it is known to do without, by its provider's names, although
	// its provider says that it needs them. Nil: none.
	Without []string
	// Resume is what its provider needs to bring it back as it was; see provider.Resumer.
	// Nil: nothing is kept.
	Resume []byte
	// Avoided is for how long its containers did not run while Paastis had it asleep. If that goes
	// on, it does until Seen at least.
	Avoided Avoided
	// Report is what its provider said of it last, but for Traefik's flags: Paastis goes by that
	// while the provider does not answer. It is not changed. Nil: it is not kept.
	Report *inventory.App
	// Wakes and Spans are its last ones, oldest first. The last span ends at Seen.
	Wakes []Wake
	Spans []Span
}

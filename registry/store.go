package registry

import (
	"context"
	"time"
)

// Store keeps what Paastis remembers of the apps while it does not run. Its methods are not
// called at the same time. They may block for I/O.
type Store interface {
	// Load is what was saved last; the zero Memory if nothing ever was. After an error
	// Paastis starts without, and says so: what could not be read must not be lost by the
	// next Save.
	Load(ctx context.Context) (Memory, error)
	// Save puts a memory in the place of the last one: wholly, or not at all. It keeps
	// nothing of it.
	Save(ctx context.Context, m Memory) error
}

// Memory is what outlives Paastis.
type Memory struct {
	// Saved is when it was taken.
	Saved time.Time
	// Apps by "<provider>/<the provider's own name>".
	Apps map[string]AppMemory
}

// AppMemory is what is remembered of an app.
type AppMemory struct {
	// Seen is when Paastis last knew the app.
	Seen time.Time
	// LastActivity is when it was last of use, Pinned until when it is pinned. Zero: never,
	// not at all.
	LastActivity, Pinned time.Time
	// Memory that it took when it was last measured, in bytes. Zero: not known.
	Memory uint64
	// Wakes and Spans are its last ones, oldest first. The last span ends at Seen.
	Wakes []Wake
	Spans []Span
}

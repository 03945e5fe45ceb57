package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// Paastis is to be small where apps sleep. To look at all of them leaves more garbage
// though than what is known of them in the end, and then nothing happens for a minute.

const (
	// tightGC is the garbage collector's percentage while everything is looked at for the
	// first times: what is kept is to lie close together, not strewn over what was only
	// needed for a moment.
	tightGC = 20
	// afterLook is how long after a look at everything its garbage is given back.
	afterLook = 5 * time.Second
)

// giveBack gives memory that is not used back to the system, after each look at everything,
// until ctx ends; after the first, the garbage collector has its usual percentage again. It
// returns nil.
func giveBack(ctx context.Context, everyLook time.Duration, usual int) error {
	for wait := afterLook; ; wait = everyLook {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			runtime.GC() // what is pooled outlives one collection
			debug.FreeOSMemory()
			debug.SetGCPercent(usual)
		}
	}
}

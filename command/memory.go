package command

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// Paastis is to be small where apps sleep. To look at all of them leaves more garbage
// though than what is known of them in the end, and then nothing happens until the next
// look (audit_interval).

const (
	// tightGC is the garbage collector's percentage while everything is looked at for the
	// first times: what is kept is to lie close together, not strewn over what was only
	// needed for a moment.
	tightGC = 20
	// laterGC is the percentage from then on, unless GOGC says another: half of Go's own. A
	// heap so small is gone over in no time.
	laterGC = 50
	// afterLook is how long after a look at everything its garbage is given back.
	afterLook = 5 * time.Second
)

// percentOf is the garbage collector's percentage once all apps are known: laterGC in the
// place of Go's own, and else what GOGC says.
func percentOf(usual int) int {
	const gos = 100
	if usual == gos {
		return laterGC
	}
	return usual
}

// giveBack gives memory that is not used back to the system, after each look at everything,
// until ctx ends; after the first, the garbage collector has another percentage. It returns
// nil.
func giveBack(ctx context.Context, everyLook time.Duration, percent int) error {
	for wait := afterLook; ; wait = everyLook {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			// What is pooled outlives one collection, and FreeOSMemory makes the second. More
			// free nothing: after a million requests with 1,000 apps the heap was 7,649 kB
			// after the first, 7,640 after the second, and the same after eight.
			runtime.GC()
			debug.FreeOSMemory()
			releaseProgram()
			debug.SetGCPercent(percent)
		}
	}
}

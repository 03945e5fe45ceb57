package traefik

import (
	"cmp"
	"time"

	"github.com/traefik/paerser/types"
)

// usualRead is an entry point's readTimeout unless it is set, since Traefik 3 and 2.11.2.
const usualRead = time.Minute

// Timeouts are the respondingTimeouts of an entry point. Zero: not known, or not set. Below
// zero: none.
type Timeouts struct {
	// Read is how long all of a request may take to come in, with its body, from when it has
	// begun. A body that nobody has read by then is cut off.
	Read time.Duration
	// Write is how long the answer may take, from when the head of the request was read.
	Write time.Duration
}

// Limits are the timeouts in force. Zero: there is none.
func (t Timeouts) Limits() Timeouts {
	return Timeouts{Read: max(0, cmp.Or(t.Read, usualRead)), Write: max(0, t.Write)}
}

// Under are the shorter ones of two limits.
func (t Timeouts) Under(o Timeouts) Timeouts {
	return Timeouts{Read: shorter(t.Read, o.Read), Write: shorter(t.Write, o.Write)}
}

// shorter is the shorter of two limits, of which zero is none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// asSet reads a timeout that may be set, as Traefik does: a bare number is seconds.
func asSet(text string) time.Duration {
	var d types.Duration
	if text == "" || d.Set(text) != nil {
		return 0
	}
	return TimeoutOf(d)
}

// TimeoutOf is one of Timeouts as it is set: below zero if it is set to none.
func TimeoutOf(d types.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return time.Duration(d)
}

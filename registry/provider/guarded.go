package provider

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// Guarded is a Provider whose calls are limited, by those who run the platform or by a circuit
// breaker of its own that leaves a platform in peace which fails time after time.
type Guarded interface {
	Provider
	// Condition tells how it stands with its calls now. It does not block.
	Condition() Condition
}

// Condition is how it stands with the calls of a provider. The zero value is that of one that
// may call as it likes.
type Condition struct {
	// Breaker is the state of its circuit breaker. Empty: it has none.
	Breaker Breaker
	// Until is when an open breaker lets a call through to try. Zero: it is not open.
	Until time.Time
	// Why is what opened the breaker, or lets no call through however often it is tried: a
	// token that is refused. Zero: nothing speaks against a call.
	Why reason.Reason
	// Waiting is how many calls wait for the limiter.
	Waiting int
	// Remaining is how many calls may be made at once. -1: that is not known, or not limited.
	Remaining int
}

// Breaker is the state of a circuit breaker. Its texts are stable: the admin API has them.
type Breaker string

const (
	// BreakerClosed: calls are made.
	BreakerClosed Breaker = "closed"
	// BreakerOpen: none is.
	BreakerOpen Breaker = "open"
	// BreakerHalfOpen: one is, and the others wait for what comes of it.
	BreakerHalfOpen Breaker = "half-open"
)

// Bounded is a Provider that can only start so many apps at once: the others wait for their turn
// in the order in which they were asked for, each visitor is told the place, and their time to
// start does not run meanwhile. Apps that need each other start together all the same.
type Bounded interface {
	Provider
	// MaxStarts is how many may be on the way up at once. Zero: any number. It is
	// asked often, does not block, and never changes.
	MaxStarts() int
}

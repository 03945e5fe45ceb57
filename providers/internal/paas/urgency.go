package paas

import "context"

// Urgency is which of several calls that wait for the limiter goes first.
type Urgency int

const (
	// Wake is a call without which an app does not wake: somebody waits for it. A part of the
	// limit is for these alone.
	Wake Urgency = iota
	// Starting is a look at what is on its way up.
	Starting
	// Listing is a look at all apps, and whatever says nothing else.
	Listing
	// Sleep is a call without which an app does not sleep: it costs its owner a moment more.
	Sleep
	// Audit is a look that nothing waits for.
	Audit
)

// String is for the log.
func (u Urgency) String() string {
	return [...]string{"wake", "starting", "listing", "sleep", "audit"}[min(max(u, Wake), Audit)]
}

// urgencyKey is that of an Urgency in a context.
type urgencyKey struct{}

// With says how urgent the calls are that are made with the context.
func With(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

// urgencyOf is how urgent calls with the context are.
func urgencyOf(ctx context.Context) Urgency {
	if u, said := ctx.Value(urgencyKey{}).(Urgency); said {
		return u
	}
	return Listing
}

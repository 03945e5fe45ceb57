package rules

// Link is one app's need of another.
type Link struct {
	// Name of the linked app, by any name that it is known by. Required.
	Name string
	// Condition that the linked app must meet before the app that needs it starts.
	// The zero value is Healthy.
	Condition Condition
	// Optional tells that the app works without the linked one: a failure of it is
	// shown and does not hold up the wake.
	Optional bool
}

// Condition is what a linked app must have reached, as in Compose's depends_on.
type Condition uint8

const (
	// Healthy: it runs, and its health check or its probe passes.
	Healthy Condition = iota
	// Started: it runs.
	Started
	// Completed: it ran and ended with exit code 0.
	Completed
)

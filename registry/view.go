package registry

// View is a picture of one app for people: the waiting page, the API, explain.
// It shares nothing with the registry.
type View struct {
	// Name by which the app is known.
	Name  string
	State State
	// Reason is a sentence that a visitor may read: why it failed, what it waits for.
	// Empty if there is nothing to say.
	Reason string
	// Steps are the linked apps that a wake takes, in start order, without the app
	// itself. Empty if it needs no other.
	Steps []Step
}

// Step is a linked app on another one's way up.
type Step struct {
	Name     string
	Progress Progress
	// Reason why it failed or is skipped, as a sentence. Empty otherwise.
	Reason string
}

// Progress is how far a step is.
type Progress string

const (
	// Queued: it waits for an app that it needs, or for its turn.
	Queued Progress = "queued"
	// Waking: it starts.
	Waking Progress = "starting"
	// Up: it runs and is healthy.
	Up Progress = "healthy"
	// Broken: it failed.
	Broken Progress = "failed"
	// Skipped: it does not exist, nobody enabled it, or it is optional and failed.
	Skipped Progress = "skipped"
)

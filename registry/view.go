package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/rules"
)

// View is a picture of one app for people: the waiting page, the API, explain.
// It shares nothing with the registry.
type View struct {
	// Name by which the app is known.
	Name  string
	State State
	// Reason is a sentence that a visitor may read: why it failed, what it waits for.
	// Empty if there is nothing to say.
	Reason string
	// Began is when the way up began that the app is on. Zero: it is on none.
	Began time.Time
	// Usual is how long its way up usually takes, by its last wakes. Zero: not known.
	Usual time.Duration
	// Logs are the last lines of an app that failed, oldest first, where visitors may
	// read them. Nil otherwise.
	Logs []string
	// Theme draws its page, which looks like Brand.
	Theme string
	Brand rules.Brand
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

// View is the picture of an app as it is now.
func (r *Registry) View(k *Keeper) View {
	r.mu.Lock()
	defer r.mu.Unlock()
	state, reason := k.state, k.reason
	if state == Ready && !k.open.Load() {
		state, reason = Starting, ""
	}
	if state != Failed && !(state == Starting && k.queued) {
		reason = ""
	}
	v := View{Name: k.Name(), State: state, Reason: reason, Usual: k.usualWake()}
	v.Theme, v.Brand = k.Entry().Theme, k.Entry().Brand
	if k.state == Starting {
		v.Began = k.since
	}
	if state == Failed && k.Entry().ShowLogs {
		v.Logs = slices.Clone(k.failure.Logs)
	}
	if k.gone {
		return v
	}
	v.Steps = r.steps(k)
	return v
}

// steps are the linked apps in the order in which they start, and then those that are
// skipped because they do not exist.
func (r *Registry) steps(k *Keeper) []Step {
	inv := r.inventory.Load()
	var steps []Step
	for _, wave := range inv.Graph.StartOrder(k.Name()) {
		for _, name := range wave {
			if name != k.Name() {
				steps = append(steps, r.stepOf(inv.names[name]))
			}
		}
	}
	for _, l := range inv.Graph.Missing(k.Name()) {
		steps = append(steps, Step{Name: l.Name, Progress: Skipped, Reason: "It does not exist."})
	}
	return steps
}

func (r *Registry) stepOf(e *Entry) Step {
	k := e.keeper
	s := Step{Name: e.Name}
	switch {
	case !e.Managed && k.alive(), k.healthy(), k.completed:
		s.Progress = Up
	case !e.Managed:
		s.Progress, s.Reason = Skipped, "Paastis does not manage it."
	case k.state == Failed:
		s.Progress, s.Reason = Broken, k.reason
	case k.state == Starting && k.ordered:
		s.Progress = Waking
	default:
		s.Progress = Queued
	}
	return s
}

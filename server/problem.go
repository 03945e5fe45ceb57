package server

import (
	"net/http"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/server/problem"
)

// appProblem says why an app does not answer a program, whose request has woken it, and when
// it may.
func appProblem(v registry.View) problem.Document {
	p := problem.Document{Status: http.StatusServiceUnavailable, App: v.Name, State: v.State.String(), Retry: page.RetryIn(v, time.Now())}
	switch {
	case v.HeldDown:
		p.Title, p.Detail, p.Reason = "The app was stopped by hand", v.Reason.String(), v.Reason.Kind
	case v.State == registry.Failed:
		p.Title, p.Detail, p.Reason = "The app could not be started", v.Reason.String(), v.Reason.Kind
	case v.Reason.Pending:
		p.Title, p.Detail, p.Reason = "The app is waking up", v.Reason.String(), v.Reason.Kind
	default:
		p.Title, p.Detail = "The app is waking up", "Send the request again in a moment."
	}
	return p
}

// passiveProblem says why an app does not answer who must not wake it.
func passiveProblem(v registry.View) problem.Document {
	p := appProblem(v)
	if v.HeldDown {
		return p
	}
	switch v.State {
	case registry.Asleep, registry.Draining, registry.Stopping:
		p.Title, p.Detail, p.Retry = "The app is "+p.State, "Requests of this kind do not wake it.", page.AsleepPause
	}
	return p
}

// tooManyProblem is for a program whose address has woken too many apps, and may wake one
// more after a while.
func tooManyProblem(v registry.View, wait time.Duration) problem.Document {
	return problem.Document{
		Status: http.StatusTooManyRequests,
		Title:  "Too many apps were woken from this address",
		Detail: "Send the request again in a moment.",
		App:    v.Name,
		State:  v.State.String(),
		Retry:  wait,
	}
}

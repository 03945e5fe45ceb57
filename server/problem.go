package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
)

// Problem is an answer for programs (RFC 9457), without a type of its own: the title
// says as much as the status.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	// Reason is what Detail means, if that is a reason; see docs/reasons.md.
	Reason registry.ReasonKind `json:"reason_code,omitempty"`
	// App and State are empty where no app is concerned.
	App   string `json:"app,omitempty"`
	State string `json:"state,omitempty"`
	// Force tells that what was refused can be had by force.
	Force bool `json:"force,omitempty"`

	retry time.Duration // until it is worth to ask again; a second at least
}

// appProblem says why an app does not answer a program, whose request has woken it, and when
// it may.
func appProblem(v registry.View) Problem {
	p := Problem{Status: http.StatusServiceUnavailable, App: v.Name, State: v.State.String(), retry: retryIn(v, time.Now())}
	switch {
	case v.HeldDown:
		p.Title, p.Detail, p.Reason = "The app was stopped by hand", v.Reason.String(), v.Reason.Kind
	case v.State == registry.Failed:
		p.Title, p.Detail, p.Reason = "The app could not be started", v.Reason.String(), v.Reason.Kind
	default:
		p.Title, p.Detail = "The app is waking up", "Send the request again in a moment."
	}
	return p
}

// onlookerProblem says why an app does not answer who must not wake it.
func onlookerProblem(v registry.View) Problem {
	p := appProblem(v)
	if v.HeldDown {
		return p
	}
	switch v.State {
	case registry.Asleep, registry.Draining, registry.Stopping:
		p.Title, p.Detail, p.retry = "The app is "+p.State, "Requests of this kind do not wake it.", asleepPause
	}
	return p
}

// tooManyProblem is for a program whose address has woken too many apps, and may wake one
// more after a while.
func tooManyProblem(v registry.View, wait time.Duration) Problem {
	return Problem{
		Status: http.StatusTooManyRequests,
		Title:  "Too many apps were woken from this address",
		Detail: "Send the request again in a moment.",
		App:    v.Name,
		State:  v.State.String(),
		retry:  wait,
	}
}

// Mistake is the answer when Paastis itself is at fault.
var Mistake = Problem{
	Status: http.StatusServiceUnavailable,
	Title:  "Paastis failed",
	Detail: "Paastis made a mistake; its log says which.",
}

// ProblemOf says what an error of Echo's own means (no such path, …), and that any other is
// a mistake of Paastis's.
func ProblemOf(err error) Problem {
	status := http.StatusInternalServerError
	var he *echo.HTTPError
	if errors.As(err, &he) {
		status = he.Code
	}
	return Problem{Status: status, Title: http.StatusText(status)}
}

// WriteProblem answers with a problem document, without body to a HEAD. Long texts are
// cut, for the reason that pageLimit has.
func WriteProblem(w http.ResponseWriter, r *http.Request, p Problem) error {
	p.headers(w.Header())
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method == http.MethodHead || r.Header.Get("X-Forwarded-Method") == http.MethodHead {
		return nil
	}
	p.App, p.Detail = cut(p.App, 200), cut(p.Detail, 400)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		return fmt.Errorf("write problem: %w", err)
	}
	return nil
}

// headers are those that a problem has in whatever form.
func (p Problem) headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	if p.State != "" {
		h.Set(stateHeader, p.State)
	}
	if (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", seconds(p.retry))
	}
}

// stateHeader tells the app's state in every answer of Paastis's own.
const stateHeader = "X-Paastis-State"

func setState(w http.ResponseWriter, s registry.State) {
	w.Header().Set(stateHeader, s.String())
	w.Header().Set("Cache-Control", "no-store")
}

package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry/provider"
)

type healthDocument struct {
	Status       string             `json:"status"`
	Version      string             `json:"version"`
	Started      time.Time          `json:"started"`
	Providers    []providerDocument `json:"providers"`
	Apps         map[string]int     `json:"apps"`
	Problems     []string           `json:"problems"`
	ProblemCodes []string           `json:"problem_codes"`
	Unknown      int64              `json:"unknown_requests"`
}

type providerDocument struct {
	Name      string `json:"name"`
	Connected bool   `json:"connected"`
	Error     string `json:"error"`
	// Since is when it was first found not to answer. Nil: it answers.
	Since *time.Time `json:"since"`
	// Calls is how it stands with its calls. Nil: they are not limited.
	Calls *callsDocument `json:"calls"`
}

type callsDocument struct {
	Breaker provider.Breaker `json:"breaker"`
	// Until is when an open breaker lets a call through. Nil: it is not open.
	Until *time.Time `json:"until"`
	// Reason is why no call is let through, or why the breaker is open. Empty: nothing speaks
	// against a call.
	Reason  string `json:"reason"`
	Code    string `json:"reason_code"`
	Waiting int    `json:"waiting"`
	// Remaining is how many calls may be made at once. Nil: it is not known, or not limited.
	Remaining *int `json:"remaining"`
}

// callsOf says how it stands with the calls of a provider. Nil: it does not say.
func callsOf(is *provider.Condition) *callsDocument {
	if is == nil {
		return nil
	}
	d := &callsDocument{Breaker: is.Breaker, Until: when(is.Until), Reason: is.Why.String(), Code: string(is.Why.Kind), Waiting: is.Waiting}
	if is.Remaining >= 0 {
		d.Remaining = &is.Remaining
	}
	return d
}

// health answers with how Paastis fares: degraded while a provider does
// not answer.
func (a *Admin) health(c echo.Context) error {
	h := a.registry.Health()
	d := healthDocument{
		Status: "ok", Version: a.version, Started: a.started.UTC(), Providers: []providerDocument{},
		Apps: map[string]int{}, Problems: list(h.Problems.Texts()), ProblemCodes: []string{}, Unknown: h.Unknown,
	}
	for _, p := range h.Providers {
		d.Providers = append(d.Providers, providerDocument{Name: p.Name, Connected: p.Connected, Error: p.Error, Since: when(p.Since), Calls: callsOf(p.Calls)})
		if !p.Connected {
			d.Status = "degraded"
		}
	}
	for _, p := range h.Problems {
		d.ProblemCodes = append(d.ProblemCodes, string(p.Kind))
	}
	for state, n := range h.Apps {
		d.Apps[state.String()] = n
	}
	return c.JSON(http.StatusOK, d)
}

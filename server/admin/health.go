package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
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
		d.Providers = append(d.Providers, providerDocument{Name: p.Name, Connected: p.Connected, Error: p.Error, Since: when(p.Since)})
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

// Package problem is how Paastis says no to a program: problem documents, the limit of what
// one address may do, and the token that lets in. The front doors and the admin API share it.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
)

// Document is an answer for programs (RFC 9457), without a type of its own: the title
// says as much as the status.
type Document struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	// Reason is what Detail means, if that is a reason; see docs/reasons.md.
	Reason reason.Kind `json:"reason_code,omitempty"`
	// App and State are empty where no app is concerned.
	App   string `json:"app,omitempty"`
	State string `json:"state,omitempty"`
	// Force reports whether what was refused can be had by force.
	Force bool `json:"force,omitempty"`

	// Retry is until it is worth to ask again. Under a second it is one.
	Retry time.Duration `json:"-"`
}

// InternalError is the answer when Paastis itself is at fault.
var InternalError = Document{
	Status: http.StatusServiceUnavailable,
	Title:  "Paastis failed",
	Detail: "Paastis made a mistake; its log says which.",
}

// Of says what an error of Echo's own means (no such path, …), and that any other is
// a mistake of Paastis's.
func Of(err error) Document {
	status := http.StatusInternalServerError
	var he *echo.HTTPError
	if errors.As(err, &he) {
		status = he.Code
	}
	return Document{Status: status, Title: http.StatusText(status)}
}

// Write answers with a problem document, without body to a HEAD. Long texts are cut, so that
// the answer is within the 4,096 bytes that Traefik's maxResponseBodySize may be.
func Write(w http.ResponseWriter, r *http.Request, p Document) error {
	p.SetHeaders(w.Header())
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method == http.MethodHead || r.Header.Get("X-Forwarded-Method") == http.MethodHead {
		return nil
	}
	p.App, p.Detail = Cut(p.App, 200), Cut(p.Detail, detailLetters)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		return fmt.Errorf("write problem: %w", err)
	}
	return nil
}

// Text is the problem in a line, cut as in a document.
func (p Document) Text() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + Cut(p.Detail, detailLetters)
}

// detailLetters is how much of a detail is told.
const detailLetters = 400

// SetHeaders sets those headers that a problem has in whatever form.
func (p Document) SetHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	if p.State != "" {
		h.Set(StateHeader, p.State)
	}
	if (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", Seconds(p.Retry))
	}
}

// StateHeader tells the app's state in every answer of Paastis's own.
const StateHeader = "X-Paastis-State"

// SetState says which state an app is in that an answer of Paastis's own is about. Nobody
// keeps such an answer.
func SetState(w http.ResponseWriter, s registry.State) {
	w.Header().Set(StateHeader, s.String())
	w.Header().Set("Cache-Control", "no-store")
}

// Seconds is a time for Retry-After: whole seconds, one at least.
func Seconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

// Cut shortens a text to so many letters.
func Cut(s string, letters int) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) <= letters {
		return string(r)
	}
	return string(r[:max(letters-1, 0)]) + "…"
}

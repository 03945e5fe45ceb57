package clevercloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/reason"
)

// ErrUnknownApp means that the account has no app of that name or id.
var ErrUnknownApp = errors.New("no such app")

var errJob = errors.New("it is a job (lifetime TASK)")

// refused is an error with what it means for a visitor.
type refused struct {
	error
	kind reason.Kind
}

func (e refused) Unwrap() error         { return e.error }
func (e refused) Reason() reason.Reason { return reason.Reason{Kind: e.kind} }

// isMissing reports whether the API answered that there is no such thing.
func isMissing(err error) bool {
	var said *paas.Error
	return errors.As(err, &said) && said.Status == http.StatusNotFound
}

// longestSkew is by how much the clocks of both sides may differ until that is told.
const longestSkew = 2 * time.Minute

// refusal reads the error of an answer: {message, id|code, type}, of which older parts of the API
// call the first "error" (clever-client.js, handle-http-errors).
func refusal(bearer bool) func(*http.Response, []byte) error {
	return func(answer *http.Response, body []byte) error {
		var said struct {
			Message text            `json:"message"`
			Error   text            `json:"error"`
			ID      json.RawMessage `json:"id"`
			Code    json.RawMessage `json:"code"`
		}
		_ = json.Unmarshal(body, &said) // what is no JSON says nothing
		e := &paas.Error{
			Status: answer.StatusCode, Text: strings.TrimSpace(string(said.Message) + " " + string(said.Error)),
			Code: codeOf(said.Code, said.ID), RequestID: answer.Header.Get("Sozu-Id"),
		}
		switch answer.StatusCode {
		case http.StatusUnauthorized:
			e.Kind = reason.TokenRefused
			if strings.Contains(strings.ToLower(e.Text), "expired") {
				e.Kind = reason.TokenExpired
			}
			e.Text = strings.TrimPrefix(e.Text+"; "+remedy(bearer, answer.Header.Get("Date")), "; ")
		case http.StatusPaymentRequired:
			e.Kind = reason.PaymentRequired
		case http.StatusForbidden:
			e.Kind = reason.NotAllowed
		case http.StatusConflict, http.StatusLocked:
			e.Kind = reason.PlatformBusy
		}
		return e
	}
}

// codeOf is the first of some codes that is there: a number or a text.
func codeOf(codes ...json.RawMessage) string {
	for _, c := range codes {
		if code := strings.Trim(string(c), `"`); code != "" && code != "null" {
			return code
		}
	}
	return ""
}

// remedy is what to do about credentials that are refused, as far as the answer lets that be told.
func remedy(bearer bool, date string) string {
	if bearer {
		return "the API token is wrong, revoked or expired: make another with `clever tokens create`"
	}
	if theirs, err := http.ParseTime(date); err == nil {
		if off := time.Since(theirs).Round(time.Minute); off.Abs() > longestSkew {
			return fmt.Sprintf("the clock here differs from Clever Cloud's by %s, and signatures have a time: set it right", off)
		}
	}
	return "the OAuth texts are wrong or revoked, or the token has expired: it lives for 3 months, or a year if clever-tools made it; an API token (`clever tokens create`) may live longer"
}

package scalingo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/reason"
)

var (
	// errUnknownApp is of an app that the account does not have.
	errUnknownApp = errors.New("no such app")
	// errNotDeployed is of an app that has nothing to run.
	errNotDeployed error = reason.NewError(reason.NotDeployed, "nothing was ever deployed to it")
	// errBusy is of an app that is at another operation for too long.
	errBusy error = reason.NewError(reason.PlatformBusy, "Scalingo is at another operation of it")
	// errMayNot is of an app that the account may see alone.
	errMayNot error = reason.NewError(reason.NotAllowed, "the token's owner may not scale it (limited collaborator)")
)

// unknownStatus is the error of an order for an app whose status nobody knows.
type unknownStatus struct{ status string }

func (e unknownStatus) Error() string {
	return fmt.Sprintf("its status is %q, which Paastis does not know; it is left alone", e.status)
}

func (e unknownStatus) Reason() reason.Reason {
	return reason.Reason{Kind: reason.UnknownState, Text: e.status}
}

// failed is the error of an operation that failed. A visitor does not read what Scalingo says.
type failed struct{ told string }

func (e failed) Error() string         { return "Scalingo could not do it: " + e.told }
func (e failed) Reason() reason.Reason { return reason.Reason{Kind: reason.OperationFailed} }

// refusal is what Scalingo means by an answer (https://developers.scalingo.com, "Errors"):
// 400 {"error","code"}, 402 {"error","name","url"}, 403 {"error","code"}, 404 {"resource","error"},
// 422 {"errors":{"field":["…"]}}, 429 a text, 5xx {"error"} or a page.
func refusal(answer *http.Response, body []byte) error {
	var said struct {
		Error    any `json:"error"`
		Resource any `json:"resource"`
	}
	_ = json.Unmarshal(body, &said) // one that is no JSON says nothing
	text, _ := said.Error.(string)
	e := &paas.Error{}
	switch resource, _ := said.Resource.(string); {
	case answer.StatusCode == http.StatusUnauthorized:
		e.Kind = reason.TokenRefused
		e.Text = "Scalingo does not accept the token; make another one at https://dashboard.scalingo.com/account/tokens"
	case answer.StatusCode == http.StatusNotFound && resource != "":
		e.Code, e.Text = resource, text
	case answer.StatusCode == http.StatusConflict:
		e.Kind = reason.PlatformBusy
	case answer.StatusCode == http.StatusServiceUnavailable && strings.Contains(strings.ToLower(text), "maintenance"):
		e.Kind = reason.InMaintenance
		e.Text = text
	}
	return e
}

// statusOf is that of the answer that an error is; 0: it is none.
func statusOf(err error) int {
	var refused *paas.Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

// isOfType reports whether a scale may have been refused because the Procfile does not have one of
// the types: the documentation has 422 for fields, the vendor's client 404 for this.
func isOfType(err error) bool {
	var refused *paas.Error
	if !errors.As(err, &refused) {
		return false
	}
	return refused.Status == http.StatusUnprocessableEntity || refused.Status == http.StatusBadRequest ||
		refused.Status == http.StatusNotFound && refused.Code != "app"
}

// isOfApp reports whether an app was refused because it is not there.
func isOfApp(err error) bool {
	var refused *paas.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound && refused.Code == "app"
}

// isUnread reports whether events cannot be read, however often it is tried: the token may not, or
// they have another form.
func isUnread(err error) bool {
	return errors.Is(err, paas.ErrForm) || paas.HasStatus(err, http.StatusForbidden, http.StatusNotFound)
}

// mayBeBusy reports whether an order may have been refused because another operation is under way:
// Scalingo does not document how it says that.
func mayBeBusy(err error) bool {
	switch status := statusOf(err); status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return false
	default:
		return status >= 400 && status < 500
	}
}

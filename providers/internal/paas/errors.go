package paas

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// ErrForm is what the error of a call wraps whose answer has another form than it is known to
// have: a field of another type, a page of a proxy. What was ordered is carried out, as far as its
// status tells; of what was asked nothing is known, and apps stay as they were last seen.
var ErrForm error = formError{}

type formError struct{}

func (formError) Error() string { return "the answer has another form than is known" }

// Reason names no call: a visitor may read it.
func (formError) Reason() reason.Reason {
	return reason.Reason{Kind: reason.UnknownState, Text: "the answers of its API have another form"}
}

// Error is an answer of a platform that refuses a call.
type Error struct {
	// Status is that of the answer.
	Status int
	// Code is what the platform calls it, for programs. Empty: it has no name.
	Code string
	// Text is what it says, for people, in one line. Empty: it says nothing.
	Text string
	// RequestID is what the platform's support finds the call by. Empty: it told none.
	RequestID string
	// RetryAfter is when it says that it may be called again. Zero: it does not.
	RetryAfter time.Duration
	// Kind is of what kind the reason is. Empty: what Status usually means.
	Kind reason.Kind
	// Cause is an error that says more. Nil: there is none.
	Cause error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, strings.ToLower(http.StatusText(e.Status)))
	if said := e.said(); said != "" {
		text += ": " + said
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

func (e *Error) said() string {
	switch {
	case e.Text == "":
		return e.Code
	case e.Code == "" || strings.Contains(e.Text, e.Code):
		return e.Text
	default:
		return e.Code + ": " + e.Text
	}
}

func (e *Error) Unwrap() error { return e.Cause }

// Is tells provider.ErrUnreachable from the rest: a platform that fails itself may or may not have
// done what it was asked.
func (e *Error) Is(target error) bool {
	return target == provider.ErrUnreachable && e.kind() == reason.ProviderUnreachable
}

// Reason has none of the platform's words, which are not for visitors.
func (e *Error) Reason() reason.Reason {
	return reason.Reason{Kind: e.kind(), Code: e.Status}
}

func (e *Error) kind() reason.Kind {
	switch {
	case e.Kind != "":
		return e.Kind
	case isBroken(e.Status):
		return reason.ProviderUnreachable
	}
	if kind, known := kindsOf[e.Status]; known {
		return kind
	}
	return reason.ProviderRefused
}

// kindsOf is what statuses usually mean. It is never changed.
var kindsOf = map[int]reason.Kind{
	http.StatusUnauthorized:    reason.TokenRefused,
	http.StatusPaymentRequired: reason.PaymentRequired,
	http.StatusForbidden:       reason.NotAllowed,
	http.StatusConflict:        reason.PlatformBusy,
	http.StatusLocked:          reason.PlatformBusy,
	http.StatusTooManyRequests: reason.RateLimited,
}

// HasStatus reports whether an error is an answer with one of some statuses.
func HasStatus(err error, statuses ...int) bool {
	var refused *Error
	return errors.As(err, &refused) && slices.Contains(statuses, refused.Status)
}

// refusal is the error of an answer that refuses a call.
func (s *shared) refusal(answer *http.Response, body []byte) error {
	e := &Error{}
	if s.config.Refusal != nil {
		if said := s.config.Refusal(answer, body); said != nil && !errors.As(said, &e) {
			e = &Error{Text: said.Error(), Kind: reasonOf(said), Cause: said}
		}
	}
	e.Status, e.RetryAfter = answer.StatusCode, retryAfter(answer.Header)
	e.RequestID = cmp.Or(e.RequestID, requestIDOf(answer.Header))
	if e.Text == "" && e.Code == "" {
		e.Code, e.Text = saidBy(answer.Header, body)
	}
	hidden := secretsOf(answer.Request)
	e.Text, e.Code, e.RequestID = hidden.redact(oneLine(e.Text)), hidden.redact(oneLine(e.Code)), hidden.redact(oneLine(e.RequestID))
	return e
}

// reasonOf is the kind of an error's reason. Empty: it has none.
func reasonOf(err error) reason.Kind {
	var reasoned interface{ Reason() reason.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.Reason().Kind
	}
	return ""
}

// requestIDOf is how the platform calls the call. Empty: it does not say.
func requestIDOf(header http.Header) string {
	if id := header.Get("X-Request-Id"); id != "" {
		return id
	}
	return header.Get("Request-Id")
}

// saidBy is what the usual forms of refusals say: {"error": …}, {"id": …, "message": …},
// {"code": …, "error": …}, {"errors": {"field": ["…"]}}, and a line of text.
func saidBy(header http.Header, body []byte) (code, text string) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	var form struct {
		ID, Code, Error, Message, Errors any
	}
	if json.Unmarshal(body, &form) != nil {
		if kind == "text/plain" {
			return "", string(body[:min(len(body), 300)])
		}
		return "", ""
	}
	code, text = firstText(form.Code, form.ID), firstText(form.Error, form.Message)
	if text == "" {
		text = listed(form.Errors)
	}
	return code, text
}

// firstText is the first that is a text or a figure.
func firstText(values ...any) string {
	for _, value := range values {
		switch v := value.(type) {
		case string:
			if v != "" {
				return v
			}
		case float64:
			return fmt.Sprint(v)
		}
	}
	return ""
}

// listed tells of the fields that something is wrong with.
func listed(errors any) string {
	fields, _ := errors.(map[string]any)
	var all []string
	for field, problems := range fields {
		all = append(all, field+": "+strings.Trim(fmt.Sprint(problems), "[]"))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// oneLine is a text in one line that is not endless.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(Line(text)), " ")
	if runes := []rune(text); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return text
}

// lost is the error of a call that got no answer, or not all of one.
type lost struct {
	host string
	why  string
	// unsent tells that the call did not even get to the platform; final that it is no use to
	// try again.
	unsent, final bool
}

func (e lost) Error() string {
	if e.unsent {
		return fmt.Sprintf("cannot reach %s: %s", e.host, e.why)
	}
	return fmt.Sprintf("no answer of %s: %s", e.host, e.why)
}

func (lost) Is(target error) bool { return target == provider.ErrUnreachable }

// Reason names no host: a visitor may read it.
func (lost) Reason() reason.Reason { return reason.Reason{Kind: reason.ProviderUnreachable} }

// ended is the error of a call whose own context ended.
type ended struct {
	cause error
	took  time.Duration
}

func (e ended) Error() string { return e.cause.Error() }
func (e ended) Unwrap() error { return e.cause }

// explain makes an error of the way to the platform readable. It keeps nothing of it but words:
// those of net/http have URLs in them, of proxies too.
func explain(ctx context.Context, r *http.Request, err error, began time.Time) error {
	if ctx.Err() != nil {
		return ended{cause: ctx.Err(), took: time.Since(began)}
	}
	e := lost{host: r.URL.Host}
	var dns *net.DNSError
	var op *net.OpError
	var unsure *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.why = "no answer in time"
	case errors.As(err, &unsure):
		e.unsent, e.final, e.why = true, true, unsure.Err.Error()
	case errors.As(err, &dns):
		e.unsent, e.why = true, "its name is not known"
		if dns.IsTimeout || dns.IsTemporary {
			e.why = "its name could not be looked up"
		}
	case errors.As(err, &op) && op.Op == "dial":
		e.unsent, e.why = true, wayTrouble(err)
	default:
		e.why = wayTrouble(err)
	}
	e.why = secretsOf(r).redact(oneLine(e.why))
	return e
}

// wayTrouble is the root of a failed connection.
func wayTrouble(err error) string {
	var timeout net.Error
	var wrapped *url.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(err, &wrapped):
		return wayTrouble(wrapped.Err)
	default:
		return err.Error()
	}
}

package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/paastis/paastis/server/problem"
)

// bodyLimit is how long a body may be.
const bodyLimit = 64 << 10

// refusal is a problem that a handler ends with.
type refusal problem.Document

func (p *refusal) Error() string { return p.Title + ": " + p.Detail }

var (
	unauthorized = &refusal{
		Status: http.StatusUnauthorized, Title: "Who are you?",
		Detail: "Send the token as Authorization: Bearer TOKEN, or log in.",
	}
	fromElsewhere = &refusal{
		Status: http.StatusForbidden, Title: "The request comes from another site",
		Detail: "Only the dashboard and programs may change something.",
	}
	forged = &refusal{
		Status: http.StatusForbidden, Title: "The request does not come from the dashboard",
		Detail: "With a session, send the csrf of api/v1/session as " + csrfHeader + ".",
	}
)

// bad is a refusal of what a request says.
func bad(format string, args ...any) error {
	return &refusal{Status: http.StatusBadRequest, Title: "That cannot be done", Detail: fmt.Sprintf(format, args...)}
}

// tooMany is a refusal of a wrong token after many others.
func tooMany(c echo.Context, wait time.Duration) error {
	c.Response().Header().Set(echo.HeaderRetryAfter, problem.Seconds(wait))
	return &refusal{Status: http.StatusTooManyRequests, Title: "Too many wrong tokens", Detail: "This one is wrong too. The right one is let in at any time."}
}

// readJSON reads a body, which may be empty, into a document. What is unknown is refused:
// it is a slip of the pen that would otherwise do something else than was meant.
func readJSON(c echo.Context, into any) error {
	d := json.NewDecoder(limited(c))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == io.EOF {
		return nil
	}
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return nil
		} else if err = more; err == nil {
			return bad("the body has more than one JSON document")
		}
	}
	return badBody(err)
}

// badBody says in a line what is wrong with a body.
func badBody(err error) error {
	var kind *json.UnmarshalTypeError
	var noTime *time.ParseError
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return bad("the body is longer than %d kB", bodyLimit>>10)
	case errors.As(err, &kind) && kind.Field == "":
		return bad("the body is no JSON object")
	case errors.As(err, &kind):
		return bad("%s in the body cannot be a %s", kind.Field, kind.Value)
	case errors.As(err, &noTime):
		return bad("%.40q in the body is no time such as %q", strings.Trim(noTime.Value, `"`), "2027-01-31T18:00:00+01:00")
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return bad("the body has the unknown field %s", strings.TrimPrefix(err.Error(), "json: unknown field "))
	case errors.As(err, new(*json.SyntaxError)), errors.Is(err, io.ErrUnexpectedEOF):
		return bad("the body is no JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	default:
		return bad("the body cannot be read: %v", err)
	}
}

// formValue is a field of a form; empty if there is none, or no form.
func formValue(c echo.Context, name string) string {
	r := c.Request()
	r.Body = limited(c)
	if err := r.ParseForm(); err != nil {
		return ""
	}
	return r.PostForm.Get(name)
}

// limited is the request's body, which must be short and come soon.
func limited(c echo.Context) io.ReadCloser {
	rc := http.NewResponseController(c.Response())
	_ = rc.SetReadDeadline(time.Now().Add(readLimit))
	return &timely{ReadCloser: http.MaxBytesReader(c.Response(), c.Request().Body, bodyLimit), rc: rc}
}

// timely lets go of the time limit when a body has come to its end.
type timely struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (t *timely) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err == io.EOF {
		_ = t.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// when is a time as the API writes it; nil, which is null, for the zero time.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// some is nil, which is null, unless it is known.
func some[T any](v T, known bool) *T {
	if !known {
		return nil
	}
	return &v
}

// list is never null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

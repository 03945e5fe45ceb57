package paas

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request is a call.
type Request struct {
	// Method of it. Empty: GET.
	Method string
	// Path is appended to the base URL, with what is to be escaped escaped. A whole URL, as a
	// header Location has it, must be one of the base URL's host.
	Path string
	// Query is added to it. Nil: none.
	Query url.Values
	// Header is added to that of all calls. Nil: nothing is.
	Header http.Header
	// In is the body, as JSON. Nil: there is none.
	In any
	// Out is where the answer goes: by its JSON, or as it is into a *string or a *[]byte. An
	// answer of 204 leaves it. Nil: it is not wanted.
	Out any
	// Idempotent reports whether the call may be made again although the first one may have been
	// carried out. GET and HEAD always may.
	Idempotent bool
}

// Answer is what a call got beside its body.
type Answer struct {
	Status int
	Header http.Header
}

// Call makes a call, and blocks until it is answered, or ctx ends: it waits for its turn, and
// makes it again where that may help and do no harm. Errors name the call, and have no secret in
// them: *Error if the platform refuses it; what wraps provider.ErrUnreachable if it is not known
// what became of it, or it was not made because the platform cannot be reached; what wraps ErrForm
// if the answer was not understood, which has been carried out. With those of answers the Answer
// is filled in as well. Redirects are not followed: they are refusals.
func (a *Account) Call(ctx context.Context, call Request) (Answer, error) {
	r, err := a.request(ctx, call)
	if err != nil {
		return Answer{}, call.failed(err)
	}
	response, err := a.calls.RoundTrip(r)
	if err != nil {
		a.token.note(err)
		return Answer{}, call.failed(err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header}
	body, err := io.ReadAll(response.Body) // all of it is there
	if err == nil {
		err = a.taken(response, body, call.Out)
	}
	return answer, call.failed(err)
}

// taken takes in an answer.
func (s *shared) taken(response *http.Response, body []byte, out any) error {
	if response.StatusCode >= 300 {
		err := s.refusal(response, body)
		s.token.note(err)
		return err
	}
	s.token.note(nil)
	if out == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	return decode(response.Header, body, out)
}

// Stream makes a call whose answer is read as it comes, and closed by the caller. It waits for its
// turn, but is not made again, and takes as long as ctx lets it.
func (a *Account) Stream(ctx context.Context, call Request) (*http.Response, error) {
	r, err := a.request(ctx, call)
	if err != nil {
		return nil, call.failed(err)
	}
	response, err := a.streams.RoundTrip(r)
	if err != nil {
		a.token.note(err)
		return nil, call.failed(err)
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what of it is there
		response.Request = r
		return nil, call.failed(a.taken(response, body, nil))
	}
	a.token.note(nil)
	return response, nil
}

// Transport carries the calls of the account, as they are: for those of its connections that are
// no calls, such as WebSockets.
func (a *Account) Transport() http.RoundTripper { return a.transport }

// failed names the call that an error is of.
func (c Request) failed(err error) error {
	if err == nil {
		return nil
	}
	path, _, _ := strings.Cut(c.Path, "?")
	if whole, err := url.Parse(path); err == nil {
		path = whole.EscapedPath()
	}
	return fmt.Errorf("%s %s: %w", c.method(), path, err)
}

func (c Request) method() string {
	if c.Method == "" {
		return http.MethodGet
	}
	return c.Method
}

// request is the call as it goes through the chain.
func (a *Account) request(ctx context.Context, call Request) (*http.Request, error) {
	to, err := a.url(call)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if call.In != nil {
		encoded, err := json.Marshal(call.In)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	if call.Idempotent {
		ctx = context.WithValue(ctx, idempotentKey{}, true)
	}
	r, err := http.NewRequestWithContext(ctx, call.method(), to.String(), body)
	if err != nil {
		return nil, errors.New("it is no call") // net/http says the URL
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Paastis")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	put(r.Header, a.config.Header)
	put(r.Header, call.Header)
	return r, nil
}

// put replaces what is in a header by what is in another one, however that spells it.
func put(into, header http.Header) {
	for name, values := range header {
		into[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
}

// url is where a call goes.
func (a *Account) url(call Request) (*url.URL, error) {
	path, err := url.Parse(call.Path)
	if err != nil {
		return nil, errors.New("its path is none")
	}
	to := *path
	if path.Host == "" {
		to = *a.base
		to.Path = strings.TrimSuffix(a.base.Path, "/") + path.Path
		to.RawPath = strings.TrimSuffix(a.base.EscapedPath(), "/") + path.EscapedPath()
		to.RawQuery = path.RawQuery
	}
	if to.Scheme != a.base.Scheme || to.Host != a.base.Host {
		return nil, fmt.Errorf("it leads to %s, which is not %s", to.Host, a.base.Host)
	}
	if len(call.Query) > 0 {
		query := to.Query()
		maps.Copy(query, call.Query)
		to.RawQuery = query.Encode()
	}
	return &to, nil
}

// decode puts an answer where it is wanted. Its error has none of the answer's values in it.
func decode(header http.Header, body []byte, out any) error {
	switch out := out.(type) {
	case *string:
		*out = string(body)
		return nil
	case *[]byte:
		*out = body
		return nil
	}
	err := json.Unmarshal(body, out)
	var mistyped *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mistyped):
		is, _, _ := strings.Cut(mistyped.Value, " ") // of a number, it has that as well
		field := cmp.Or(mistyped.Field, "the whole")
		return fmt.Errorf("%w: %s is of the type %s", ErrForm, field, is)
	case len(body) == 0:
		return fmt.Errorf("%w: it is empty", ErrForm)
	default:
		kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
		return fmt.Errorf("%w: it is no JSON, but %s", ErrForm, cmp.Or(kind, "of no type"))
	}
}

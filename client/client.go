// Package client asks a running Paastis, by its admin API, what its apps do, and tells
// it what they shall do:
//
//	Apps, App              what is
//	Wake, Retry, Sleep     towards another state
//	Pin, Unpin             how long it stays awake at least
//	Events, Follow         what happened, and what happens
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrUnreachable means that nobody answered.
	ErrUnreachable = errors.New("no answer")
	// ErrToken means that the token was refused.
	ErrToken = errors.New("token refused")
	// ErrNoAPI means that what answered is no admin API.
	ErrNoAPI = errors.New("no admin API")
	// ErrBase means that a URL cannot be that of an admin API.
	ErrBase = errors.New("want http://HOST:PORT or https://…, with the path of the dashboard if it has one")
)

// Problem is the API's own word on why it did not do something.
type Problem struct {
	Status int
	Title  Text
	Detail Text // a sentence; may be empty
	Force  bool // what was refused can be had by force
}

func (p *Problem) Error() string {
	if p.Detail != "" {
		return string(p.Detail)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", p.Status, p.Title))
}

const (
	answerLimit = 10 * time.Second // for one answer; a stream's head
	maxAnswer   = 64 << 20         // bytes
)

// Client asks one Paastis; New makes it. Several goroutines may use it at the same time.
// Its methods block until it has answered, for 10 s at most, or ctx has ended. It follows
// no redirect, for the token is meant for one place only. Errors are a *Problem, or wrap
// one of those above, or are ctx's; none tells the token.
type Client struct {
	// Transport carries the questions. Nil is http.DefaultTransport. Set it before the
	// first question.
	Transport http.RoundTripper

	base  string // without a slash at its end
	token string
}

// Reply is what the API answered.
type Reply[T any] struct {
	Value T
	JSON  json.RawMessage // as it came
	At    time.Time       // by the clock of who answered
}

// New makes a client of the API whose dashboard is at a URL. It asks nothing yet.
func New(dashboard, token string) (*Client, error) {
	u, err := url.Parse(dashboard)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrBase // not err, nor the URL: somebody may have put a password into it
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), token: token}, nil
}

// String is the URL that it asks.
func (c *Client) String() string { return c.base }

// Apps are all apps, by stack and name.
func (c *Client) Apps(ctx context.Context) (Reply[List], error) {
	return fetch[List](ctx, c, http.MethodGet, "apps", nil)
}

// App is one app with its last wakes.
func (c *Client) App(ctx context.Context, name string) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodGet, appPath(name, ""), nil)
}

// Wake starts an app and what it needs. It does not wait until it is ready.
func (c *Client) Wake(ctx context.Context, name string) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/wake"), nil)
}

// Retry is Wake, at once even if the app has failed lately.
func (c *Client) Retry(ctx context.Context, name string) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/retry"), nil)
}

// Sleep puts an app to sleep. If it is in use, that is a *Problem with status 409; with
// force only what another app needs, or nobody may touch, is.
func (c *Client) Sleep(ctx context.Context, name string, force bool) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/sleep"), map[string]bool{"force": force})
}

// Pin keeps an app from sleeping until a time.
func (c *Client) Pin(ctx context.Context, name string, until time.Time) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/pin"), map[string]time.Time{"until": until.UTC()})
}

// PinFor keeps an app from sleeping for so long, by the clock of who is asked.
func (c *Client) PinFor(ctx context.Context, name string, d time.Duration) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/pin"), map[string]float64{"for": d.Seconds()})
}

// Unpin takes a pin back.
func (c *Client) Unpin(ctx context.Context, name string) (Reply[App], error) {
	return fetch[App](ctx, c, http.MethodPost, appPath(name, "/unpin"), nil)
}

// Events are the last things that happened, oldest first; of one app, if it is named.
func (c *Client) Events(ctx context.Context, app string) (Reply[Events], error) {
	return fetch[Events](ctx, c, http.MethodGet, "events?"+url.Values{"app": names(app)}.Encode(), nil)
}

func appPath(name, verb string) string { return "apps/" + url.PathEscape(name) + verb }

// names has an app if one is named.
func names(app string) []string {
	if app == "" {
		return nil
	}
	return []string{app}
}

// fetch asks and reads the answer. A nil body is none.
func fetch[T any](ctx context.Context, c *Client, method, path string, body any) (Reply[T], error) {
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	var reply Reply[T]
	req, err := c.request(limited, method, path, body)
	if err != nil {
		return reply, err
	}
	resp, err := c.send(ctx, req)
	if err != nil {
		return reply, err
	}
	defer resp.Body.Close()
	if reply.JSON, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return reply, unreachable(ctx, err)
	}
	if mediaType(resp) != "application/json" || json.Unmarshal(reply.JSON, &reply.Value) != nil {
		return reply, ErrNoAPI
	}
	reply.At = answeredAt(resp, reply.JSON)
	return reply, nil
}

// answeredAt is the answer's own time; of one that has none that of its head, to the second.
func answeredAt(resp *http.Response, answer json.RawMessage) time.Time {
	var clock struct {
		Now time.Time `json:"now"`
	}
	if json.Unmarshal(answer, &clock) == nil && !clock.Now.IsZero() {
		return clock.Now
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1/"+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	return req, nil
}

// send returns a good answer, or says why there is none. ctx is the caller's, which
// tells its end from a limit of ours.
func (c *Client) send(ctx context.Context, req *http.Request) (*http.Response, error) {
	following := http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := following.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// refusal reads an answer that is no good one.
func refusal(resp *http.Response) error {
	if resp.StatusCode == http.StatusUnauthorized {
		return ErrToken
	}
	problem := &Problem{}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch isProblem := mediaType(resp) == "application/problem+json" && json.Unmarshal(data, problem) == nil; {
	case isProblem:
		problem.Status = resp.StatusCode
		return problem
	case resp.StatusCode/100 == 5: // a proxy's, for one
		return fmt.Errorf("%w: %s", ErrUnreachable, statusText(resp))
	default:
		return fmt.Errorf("%w: %s", ErrNoAPI, statusText(resp))
	}
}

// unreachable is what the system said, without the operation and the URL.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) { // a limit of ours
		return fmt.Errorf("%w for too long", ErrUnreachable)
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, Clean(err.Error()))
}

func statusText(resp *http.Response) string {
	return strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
}

func mediaType(resp *http.Response) string {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind
}

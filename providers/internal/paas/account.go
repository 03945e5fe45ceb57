// Package paas makes the calls to the API of a platform: with its token, within its limits, again
// where that is safe, and not at all while it fails time after time.
//
//	Call → request id → token ┬→ again ┬→ limiter → breaker → time-out → the platform
//	                          │        └ 429, 503 with Retry-After, and what may be repeated
//	                          └ once anew after a 401, if the token is got by a call
//
// Every try waits for the limiter anew. All calls of one Account share its token, its limiter and
// its breaker, whatever their base URL is. Nothing here is on the path of a visitor's request.
package paas

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// Config is what an Account is made of. BaseURL is needed, all else has a default.
type Config struct {
	// ID is that of the provider: each line of Log gets it as "provider". Errors do not name it: who
	// calls does.
	ID string
	// BaseURL is what the paths of calls are appended to.
	BaseURL *url.URL
	// Transport carries the calls. Nil: one of its own, as http.DefaultTransport is.
	Transport http.RoundTripper
	// Authorize adds the token to a request. It may block for as long as ctx lets it, and may be
	// called by several at once. Nil: calls have none, or Header has it.
	Authorize func(ctx context.Context, r *http.Request) error
	// Renew is called after a 401, with the header Authorization that was refused, and reports
	// whether Authorize has another one now: then the call is repeated, once. Nil: a 401 is final.
	// See Exchanged, which has both.
	Renew func(ctx context.Context, refused string) (renewed bool, err error)
	// Limit is how often calls are made. The zero one is none.
	Limit Limit
	// Refusal is what a platform's answer of 400 and more means, beside what its status says.
	// Best is an *Error, of which whatever is not set is filled in. It may be nil, and may return
	// nil: then the usual forms of such answers are understood.
	Refusal func(answer *http.Response, body []byte) error
	// Remaining is how many calls the platform says are left, by the header of an answer. Nil:
	// it does not say.
	Remaining func(header http.Header) (calls int, known bool)
	// Timeout is how long one try may take, the body of its answer included, and without the
	// wait for its turn. Zero: 30 s.
	Timeout time.Duration
	// Log, without an ID yet, takes a line of debugging for each try, and one for each change of the condition that
	// its owner should know of. Nil: none.
	Log *slog.Logger
	// Header is added to each call.
	Header http.Header
	// Exchanges is whether its calls get the token of another account. That one tells of a token
	// that is refused.
	Exchanges bool
	// Warn is called with what Log warns of as well: that the breaker opened, or the token is
	// refused. It must not block. Nil: nobody is.
	Warn func(why reason.Reason)
}

// Account is one account at a platform. It may be used by several at once.
type Account struct {
	base *url.URL
	*shared
}

// shared is what all calls of an account have in common.
type shared struct {
	config    Config
	log       *slog.Logger
	limiter   *limiter
	breaker   *breaker
	token     *tokenState
	calls     http.RoundTripper // the whole chain
	streams   http.RoundTripper // the chain for answers that are read as they come
	transport http.RoundTripper // the bottom
}

// defaultTimeout is that of one try.
const defaultTimeout = 30 * time.Second

// NewAccount makes an account. No call is made.
func NewAccount(c Config) *Account {
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	s := &shared{config: c, log: c.Log, transport: c.Transport}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("provider", c.ID)
	if s.transport == nil {
		s.transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	s.limiter = newLimiter(c.Limit)
	s.breaker = newBreaker(s.told)
	s.token = &tokenState{told: s.told}
	if c.Exchanges {
		s.token.told = func(bool, string, reason.Reason, time.Time) {}
	}
	s.calls = s.identified(s.authorized(s.retried(s.limited(s.broken(s.timed(s.transport))))))
	s.streams = s.identified(s.authorized(s.limited(s.broken(s.explained(s.transport)))))
	return &Account{base: c.BaseURL, shared: s}
}

// At is the same account at another base URL: that of another region.
func (a *Account) At(base *url.URL) *Account { return &Account{base: base, shared: a.shared} }

// Base is what the paths of calls are appended to. It must not be changed.
func (a *Account) Base() *url.URL { return a.base }

// told takes in a change of the condition that the owner of the account should know of.
func (s *shared) told(warn bool, text string, why reason.Reason, until time.Time) {
	args := []any{}
	if !until.IsZero() {
		args = append(args, "until", until.Format(time.RFC3339))
	}
	if !warn {
		s.log.Info(text, args...)
		return
	}
	s.log.Warn(text, args...)
	if s.config.Warn != nil {
		s.config.Warn(why)
	}
}

// Condition tells how it stands with the calls of the account now. It does not block.
func (a *Account) Condition() provider.Condition {
	c := provider.Condition{Breaker: provider.BreakerClosed}
	c.Remaining, c.Waiting = a.limiter.standing()
	if held := a.limiter.heldUntil(); !held.IsZero() {
		c.Remaining, c.Why = 0, reason.Reason{Kind: reason.RateLimited, Until: held}
	}
	switch state, until := a.breaker.standing(); state {
	case provider.BreakerOpen:
		c.Breaker, c.Until, c.Remaining = state, until, 0
		c.Why = reason.Reason{Kind: reason.BreakerOpen, Until: until}
	case provider.BreakerHalfOpen:
		c.Breaker = state
	}
	if why := a.token.refusal(); !why.IsZero() {
		c.Why = why
	}
	return c
}

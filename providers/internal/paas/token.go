package paas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// authorized adds the token to a call, and makes it once more with another one if that was refused
// and there is another one.
func (s *shared) authorized(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, refused, err := s.withToken(next, r)
		if err != nil || answer.StatusCode != http.StatusUnauthorized || s.config.Renew == nil {
			return answer, err
		}
		renewed, err := s.config.Renew(r.Context(), refused)
		switch {
		case err != nil:
			answer.Body.Close()
			return nil, err
		case !renewed:
			return answer, nil
		}
		answer.Body.Close()
		answer, _, err = s.withToken(next, r)
		return answer, err
	})
}

// withToken makes the call with the token that there is now, and returns the header that it had.
func (s *shared) withToken(next http.RoundTripper, r *http.Request) (*http.Response, string, error) {
	with, err := again(r)
	if err != nil {
		return nil, "", err
	}
	if s.config.Authorize != nil {
		if err := s.config.Authorize(r.Context(), with); err != nil {
			return nil, "", err
		}
	}
	answer, err := next.RoundTrip(with)
	return answer, with.Header.Get("Authorization"), err
}

// tokenState is whether the platform accepts the token.
type tokenState struct {
	told func(warn bool, text string, why reason.Reason, until time.Time)
	why  atomic.Pointer[reason.Reason] // nil: it does, as far as is known
}

// note takes in how a call ended.
func (t *tokenState) note(err error) {
	var refused *Error
	switch kind := reasonOf(err); {
	case kind == reason.TokenRefused || kind == reason.TokenExpired:
		why := reason.Reason{Kind: kind}
		if was := t.why.Swap(&why); was == nil || was.Kind != kind {
			t.told(true, "the platform does not accept the token", why, time.Time{})
		}
	case err == nil || errors.As(err, &refused) && refused.Status < 500:
		if t.why.Swap(nil) != nil {
			t.told(false, "the platform accepts the token again", reason.Reason{}, time.Time{})
		}
	}
}

// refusal is why the token is not accepted. Zero: it is.
func (t *tokenState) refusal() reason.Reason {
	if why := t.why.Load(); why != nil {
		return *why
	}
	return reason.Reason{}
}

// Token is a token that was got by a call.
type Token struct {
	// Value is what stands behind "Bearer".
	Value string
	// Ends is when it ends, by the clock of whoever made it. Zero: that is not known.
	Ends time.Time
	// Issued is when it was made, by the same clock. Zero: that is not known, and the clock is
	// believed to go as Paastis's does.
	Issued time.Time
}

const (
	// renewsBefore is how long before its end another token is got.
	renewsBefore = 5 * time.Minute
	// leastUse is how long a token is used at least, whatever its end says, and how old it is at
	// least when another one is got because it was refused.
	leastUse = time.Minute
)

// Exchanged is a token that is got by a call and ends after a while. One call is made for all who
// need it. It may be used by several at once.
//
// A call that fails is not repeated at once, however many ask: not for a second at first, and for
// ten minutes at last; not for thirty seconds at first if the platform refuses it.
type Exchanged struct {
	exchange func(ctx context.Context) (Token, error)
	now      atomic.Pointer[held]
	turn     chan struct{} // has room for one: who makes the call

	mu       sync.Mutex
	failed   error // what the last call failed with; nil: it did not
	again    time.Time
	failures int
}

// held is a token that there is.
type held struct {
	value string
	got   time.Time
	renew time.Time // from when on another is to be got; zero: never
	ends  time.Time // zero: not known
}

// NewExchanged is a token that exchange gets. It is not called yet, and never twice at once. Its
// error is that of all who wait.
func NewExchanged(exchange func(ctx context.Context) (Token, error)) *Exchanged {
	return &Exchanged{exchange: exchange, turn: make(chan struct{}, 1)}
}

// Authorize adds the token, as Config.Authorize. It blocks while there is none and one is got.
func (x *Exchanged) Authorize(ctx context.Context, r *http.Request) error {
	token, err := x.token(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token.value)
	return nil
}

// Renew gets another token if the refused one is that of now, as Config.Renew. A token that was
// got a moment ago is as good as another one would be.
func (x *Exchanged) Renew(ctx context.Context, refused string) (bool, error) {
	is := x.now.Load()
	switch {
	case is == nil:
	case refused != "Bearer "+is.value:
		return true, nil
	case time.Since(is.got) < leastUse:
		return false, nil
	default:
		x.now.CompareAndSwap(is, nil)
	}
	_, err := x.token(ctx)
	return err == nil, err
}

// token is one that is valid, as far as is known.
func (x *Exchanged) token(ctx context.Context) (*held, error) {
	is := x.now.Load()
	switch {
	case is.isFresh():
		return is, nil
	case is.isValid() && urgencyOf(ctx) == Wake:
		return is, nil // somebody waits; another call gets the next one
	case is.isValid():
		return x.renewed(ctx, is), nil
	}
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a token: %w", ctx.Err())
	}
	defer func() { <-x.turn }()
	return x.get(ctx)
}

// renewed is the next token, or the one that there is while another call gets the next, or if it
// cannot be got.
func (x *Exchanged) renewed(ctx context.Context, is *held) *held {
	select {
	case x.turn <- struct{}{}:
	default:
		return is
	}
	defer func() { <-x.turn }()
	if next, err := x.get(ctx); err == nil {
		return next
	}
	return is
}

// get makes the call, unless somebody else has meanwhile. It is called by whoever has the turn.
func (x *Exchanged) get(ctx context.Context) (*held, error) {
	if is := x.now.Load(); is.isFresh() {
		return is, nil
	}
	if err := x.pauses(); err != nil {
		return nil, err
	}
	token, err := x.exchange(ctx)
	if err == nil && token.Value == "" {
		err = fmt.Errorf("get a token: %w: it has none", ErrForm)
	}
	if err != nil {
		if ctx.Err() == nil {
			x.fail(err)
		}
		return nil, err
	}
	x.fail(nil)
	is := token.held(time.Now())
	x.now.Store(is)
	return is, nil
}

// pauses is the error of a call that is not made, because it failed a moment ago.
func (x *Exchanged) pauses() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed == nil || !time.Now().Before(x.again) {
		return nil
	}
	return fmt.Errorf("%w; tried again at %s", x.failed, x.again.Format("15:04:05"))
}

// fail notes how the call ended.
func (x *Exchanged) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = err
	if err == nil {
		x.failures = 0
		return
	}
	pause := time.Second
	if kind := reasonOf(err); kind == reason.TokenRefused || kind == reason.TokenExpired {
		pause = 30 * time.Second
	}
	x.again = time.Now().Add(min(pause<<min(x.failures, 10), 10*time.Minute))
	x.failures++
}

// held is the token as it is used from now on.
func (t Token) held(now time.Time) *held {
	h := &held{value: t.Value, got: now, ends: t.Ends}
	if t.Ends.IsZero() {
		return h
	}
	if !t.Issued.IsZero() {
		h.ends = now.Add(t.Ends.Sub(t.Issued))
	}
	if least := now.Add(leastUse); h.ends.Before(least) {
		h.ends = least // its clock goes otherwise; that the platform refuses it will be heard
	}
	life := h.ends.Sub(now)
	h.renew = h.ends.Add(-min(renewsBefore, life/2))
	return h
}

func (h *held) isFresh() bool {
	return h != nil && (h.renew.IsZero() || time.Now().Before(h.renew))
}

func (h *held) isValid() bool {
	return h != nil && (h.ends.IsZero() || time.Now().Before(h.ends))
}

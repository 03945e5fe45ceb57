package paas

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// maxTries is how often a call is made at most.
	maxTries = 4
	// maxRetryAfter is the longest that a platform which is away for a moment is waited for.
	maxRetryAfter = time.Minute
	// maxBody is the largest answer that is read.
	maxBody = 32 << 20
)

// roundTripper is a link of the chain.
type roundTripper func(*http.Request) (*http.Response, error)

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// idempotentKey is in the context of a call that may be repeated whatever became of it.
type idempotentKey struct{}

func isIdempotent(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Context().Value(idempotentKey{}) != nil
}

// identified gives each call an ID, by which it is found in both logs. All its tries have it.
func (s *shared) identified(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if requestIDOf(r.Header) == "" {
			r = r.Clone(r.Context())
			id := rand.Text()
			r.Header.Set("X-Request-Id", id)
			r.Header.Set("Request-Id", id) // Heroku's name of it
		}
		return next.RoundTrip(r)
	})
}

// errAgain tells that an answer is worth another try.
var errAgain = errors.New("try again")

// retried makes a call again that was not carried out, or that may be carried out twice. It returns
// the last answer, whatever it is.
func (s *shared) retried(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		pause := &backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 10 * time.Second}
		try := func() (*http.Response, error) {
			fresh, err := again(r)
			if err != nil {
				return nil, backoff.Permanent(err)
			}
			answer, err := next.RoundTrip(fresh)
			return answer, worthIt(r, answer, err)
		}
		answer, err := backoff.Retry(r.Context(), try, backoff.WithBackOff(pause), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
		if answer != nil && (errors.Is(err, errAgain) || errors.As(err, new(*backoff.RetryAfterError))) {
			return answer, nil
		}
		if cause := context.Cause(r.Context()); cause != nil && err == cause {
			return nil, ended{cause: r.Context().Err()} // while it waited to try again
		}
		return answer, err
	})
}

// again is the request with a body that nobody has read yet.
func again(r *http.Request) (*http.Request, error) {
	fresh := r.Clone(r.Context())
	if r.GetBody == nil {
		return fresh, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, fmt.Errorf("repeat body: %w", err)
	}
	fresh.Body = body
	return fresh, nil
}

// worthIt is an error as backoff wants it: nil if the try is the last because it succeeded, a
// permanent one if it is the last because nothing would become of another.
func worthIt(r *http.Request, answer *http.Response, err error) error {
	if err != nil {
		var way lost
		if errors.As(err, &way) && !way.final && (way.unsent || isIdempotent(r)) {
			return err
		}
		return backoff.Permanent(err)
	}
	after := retryAfter(answer.Header)
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		return &backoff.RetryAfterError{} // the limiter holds it, in the order of urgency
	case answer.StatusCode == http.StatusServiceUnavailable && after > 0:
		if after > maxRetryAfter {
			return nil
		}
		return &backoff.RetryAfterError{Duration: after}
	case isBroken(answer.StatusCode) && isIdempotent(r):
		return errAgain
	}
	return nil
}

// retryAfter is when an answer says that it may be asked again, by the clock of whoever answered.
// Zero: it does not say, or at once.
func retryAfter(header http.Header) time.Duration {
	said := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(said); err == nil {
		return max(0, time.Duration(min(seconds, 86400))*time.Second)
	}
	at, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, at.Sub(now)), 24*time.Hour)
}

// timed makes one try, and returns once all of its answer is there.
func (s *shared) timed(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
		defer cancel()
		began := time.Now()
		answer, err := wholeAnswer(next, r.WithContext(ctx))
		if err != nil && !errors.Is(err, ErrForm) {
			err = explain(r.Context(), r, err, began)
		}
		s.logTry(r, answer, err, began)
		return answer, err
	})
}

// wholeAnswer is an answer with all of its body.
func wholeAnswer(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	answer, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: it is larger than %d MB", ErrForm, maxBody>>20)
	}
	answer.Request = r
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// explained makes one try whose answer is read as it comes.
func (s *shared) explained(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		began := time.Now()
		answer, err := next.RoundTrip(r)
		if err != nil {
			err = explain(r.Context(), r, err, began)
		}
		s.logTry(r, answer, err, began)
		return answer, err
	})
}

// logTry names no query: it may have a secret.
func (s *shared) logTry(r *http.Request, answer *http.Response, err error, began time.Time) {
	ctx := r.Context()
	args := []any{"method", r.Method, "host", r.URL.Host, "path", r.URL.Path, "urgency", urgencyOf(ctx).String(),
		"request", requestIDOf(r.Header), "took", time.Since(began).Round(time.Millisecond)}
	if err != nil {
		s.log.DebugContext(ctx, "call", append(args, "error", err)...)
		return
	}
	s.log.DebugContext(ctx, "call", append(args, "status", answer.StatusCode)...)
}

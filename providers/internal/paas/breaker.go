package paas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// tripsAfter is after how many failures in a row no call is made.
	tripsAfter = 5
	// opensFor is for how long, before one is tried.
	opensFor = 30 * time.Second
	// patience is how long a platform may leave its caller without an answer.
	patience = 5 * time.Second
)

// errFailed counts an answer as a failure.
var errFailed = errors.New("answered as broken")

// breaker leaves a platform in peace that fails time after time.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[*http.Response]
	told    func(warn bool, text string, why reason.Reason, until time.Time)

	mu      sync.Mutex
	until   time.Time         // since it is open, when it lets one through; zero: it is closed
	changes []gobreaker.State // that nobody was told of yet
	down    bool              // whether it was told that calls pause
}

func newBreaker(told func(bool, string, reason.Reason, time.Time)) *breaker {
	b := &breaker{told: told}
	b.circuit = gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Timeout:       opensFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripsAfter },
		IsSuccessful:  isHealthy,
		IsExcluded:    isOfCaller,
		OnStateChange: b.changed,
	})
	return b
}

// isHealthy reports whether the platform answers, whatever it says.
func isHealthy(err error) bool { return err == nil }

// isOfCaller reports whether a call ended because whoever made it did not want to wait, which says
// nothing of the platform.
func isOfCaller(err error) bool {
	var e ended
	return errors.As(err, &e) && (errors.Is(err, context.Canceled) || e.took < patience)
}

// changed is called by the circuit with its lock held.
func (b *breaker) changed(_ string, _, to gobreaker.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch to {
	case gobreaker.StateOpen:
		b.until = time.Now().Add(opensFor)
	case gobreaker.StateClosed:
		b.until = time.Time{}
	}
	b.changes = append(b.changes, to)
}

// tell tells of changes since the last time. A breaker that opens anew, after the one call that it
// let through, has not changed for anybody.
func (b *breaker) tell() {
	b.mu.Lock()
	was, until := b.down, b.until
	for _, state := range b.changes {
		b.down = state == gobreaker.StateOpen || b.down && state == gobreaker.StateHalfOpen
	}
	b.changes = nil
	is := b.down
	b.mu.Unlock()
	switch {
	case is && !was:
		b.told(true, "the platform fails time after time; calls pause", reason.Reason{Kind: reason.BreakerOpen, Until: until}, until)
	case was && !is:
		b.told(false, "the platform answers again", reason.Reason{}, time.Time{})
	}
}

// standing is the state now, and if it is open when it lets a call through.
func (b *breaker) standing() (provider.Breaker, time.Time) {
	state := b.circuit.State()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case gobreaker.StateOpen:
		return provider.BreakerOpen, b.until
	case gobreaker.StateHalfOpen:
		return provider.BreakerHalfOpen, time.Time{}
	default:
		return provider.BreakerClosed, time.Time{}
	}
}

// refuses is the error of a call while the breaker is open; nil if it may be tried.
func (b *breaker) refuses() error {
	if state, until := b.standing(); state == provider.BreakerOpen {
		return isOpen{until}
	}
	return nil
}

// broken makes the call unless the breaker is open, and takes in how it ends.
func (s *shared) broken(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		defer s.breaker.tell()
		answer, err := s.breaker.circuit.Execute(func() (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err == nil && isBroken(answer.StatusCode) {
				err = errFailed
			}
			return answer, err
		})
		switch {
		case errors.Is(err, errFailed):
			return answer, nil
		case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
			_, until := s.breaker.standing()
			return nil, isOpen{until}
		default:
			return answer, err
		}
	})
}

// isBroken reports whether a status tells that the platform itself fails.
func isBroken(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented
}

// isOpen is the error of a call that was not made because the breaker is open.
type isOpen struct{ until time.Time } // zero: one call is tried just now

func (e isOpen) Error() string {
	if e.until.IsZero() {
		return "not called: the platform failed time after time, and one call tries just now whether it is back"
	}
	return fmt.Sprintf("not called: the platform failed time after time, and is left in peace until %s", e.until.Format("15:04:05"))
}

func (isOpen) Is(target error) bool { return target == provider.ErrUnreachable }

func (e isOpen) Reason() reason.Reason {
	return reason.Reason{Kind: reason.BreakerOpen, Until: e.until}
}

package paas

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

func TestBreakerLeavesAPlatformInPeaceThatFails(t *testing.T) {
	var warned []reason.Kind
	bubble(t, func(c *Config) { c.Warn = func(why reason.Reason) { warned = append(warned, why.Kind) } }, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{For: 10 * time.Minute, Down: true})
		end := time.Now().Add(10 * time.Minute)
		for time.Now().Before(end) {
			err := s.list(t.Context())
			if !errors.Is(err, provider.ErrUnreachable) {
				t.Fatalf("%v", err)
			}
			time.Sleep(time.Second)
		}
		if made := s.calls.Of(); made > 5+20 {
			t.Errorf("%d calls in ten minutes", made)
		}
		if c := s.Condition(); c.Breaker == provider.BreakerClosed {
			t.Errorf("%+v", c)
		}
		time.Sleep(31 * time.Second)
		if c := s.Condition(); c.Breaker != provider.BreakerHalfOpen {
			t.Errorf("%+v", c)
		}
		if err := s.list(t.Context()); err != nil {
			t.Errorf("once it is back: %v", err)
		}
		if c := s.Condition(); c.Breaker != provider.BreakerClosed || !c.Why.IsZero() || !c.Until.IsZero() {
			t.Errorf("%+v", c)
		}
		if fmt.Sprint(warned) != "[breaker_open]" || strings.Count(s.log.String(), "level=WARN") != 1 || strings.Count(s.log.String(), "level=INFO") != 1 {
			t.Errorf("warned %v:\n%s", warned, withoutDebug(s.log.String()))
		}
	})
}

func TestOpenBreakerSaysSo(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Hang: true})
		_, _ = s.list(t.Context()), s.list(t.Context())
		c := s.Condition()
		if c.Breaker != provider.BreakerOpen || c.Why.Kind != reason.BreakerOpen || c.Until.IsZero() || c.Remaining != 0 {
			t.Errorf("%+v", c)
		}
		made := s.calls.Of()
		err := s.scale(With(t.Context(), Wake))
		if reason.Of(err).Kind != reason.BreakerOpen || !errors.Is(err, provider.ErrUnreachable) || s.calls.Of() != made {
			t.Errorf("%v", err)
		}
	})
}

func TestRefusalsDoNotOpenTheBreaker(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		for _, status := range []int{400, 401, 402, 403, 404, 409, 422} {
			s.faults.Add(paastest.Fault{Times: 3, Status: status})
			for range 3 {
				if err := s.list(t.Context()); !HasStatus(err, status) || errors.Is(err, provider.ErrUnreachable) {
					t.Errorf("%d: %v", status, err)
				}
			}
		}
		s.faults.Add(paastest.Fault{Hang: true})
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_ = s.list(ctx) // whoever does not wait says nothing of the platform
			cancel()
		}
		if c := s.Condition(); c.Breaker != provider.BreakerClosed {
			t.Errorf("%+v", c)
		}
	})
}

func withoutDebug(log string) string {
	var kept []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "level=DEBUG") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

package paas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

func TestNoMoreCallsThanTheLimitInAnyMinute(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 55, Burst: 10, Wakes: 10} }, func(t *testing.T, s *site) {
		time.Sleep(17 * time.Second)
		began := time.Now()
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() {
				if err := s.list(With(t.Context(), Urgency(i%5))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if peak := s.calls.Peak(); peak > 55 || peak < 50 {
			t.Errorf("%d calls within a minute", peak)
		}
		if took := time.Since(began); took > 11*time.Minute {
			t.Errorf("500 calls took %v", took)
		}
		time.Sleep(10 * time.Minute)
		s.calls.Reset()
		for range 130 {
			if err := s.list(With(t.Context(), Wake)); err != nil {
				t.Error(err)
			}
		}
		if peak := s.calls.Peak(); peak != 55 {
			t.Errorf("%d calls within a minute, after a rest", peak)
		}
	})
}

func TestMoreUrgentCallsGoFirst(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 6} }, func(t *testing.T, s *site) {
		if err := s.list(t.Context()); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, u := range []Urgency{Audit, Sleep, Listing, Starting, Wake, Audit, Wake} {
			all.Go(func() {
				if err := s.list(With(t.Context(), u)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, u.String())
			})
			synctest.Wait()
		}
		if c := s.Condition(); c.Waiting != 7 || c.Remaining != 0 {
			t.Errorf("%+v", c)
		}
		all.Wait()
		if got := strings.Join(order, " "); got != "wake wake starting listing sleep audit audit" {
			t.Errorf("order %s", got)
		}
	})
}

func TestWakesHaveCallsOfTheirOwn(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 30, Burst: 30, Wakes: 10} }, func(t *testing.T, s *site) {
		ctx, cancel := context.WithCancel(t.Context())
		var audits sync.WaitGroup
		for range 100 {
			audits.Go(func() { _ = s.list(With(ctx, Audit)) })
		}
		time.Sleep(time.Second)
		if made := s.calls.Of(); made != 20 {
			t.Errorf("%d audits went at once, of 20 that may", made)
		}
		began := time.Now()
		for range 10 {
			if err := s.scale(With(t.Context(), Wake)); err != nil {
				t.Error(err)
			}
		}
		if waited := time.Since(began); waited > 100*time.Millisecond {
			t.Errorf("ten wakes waited %v", waited)
		}
		cancel()
		audits.Wait()
	})
}

func TestWakesHaveCallsOfEachMinute(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 30, Burst: 2, Wakes: 10} }, func(t *testing.T, s *site) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var audits sync.WaitGroup
		for range 1000 {
			audits.Go(func() { _ = s.list(With(ctx, Audit)) })
		}
		audits.Wait()
		if made := s.calls.Peak(); made != 20 {
			t.Errorf("%d audits within a minute, of 20 that may", made)
		}
	})
}

func TestWaitForATurnEndsWithItsContext(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 1} }, func(t *testing.T, s *site) {
		_ = s.list(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		err := s.list(With(ctx, Wake))
		if !errors.Is(err, context.DeadlineExceeded) || reason.Of(err).Kind != reason.RateLimited || errors.Is(err, provider.ErrUnreachable) {
			t.Errorf("%v: %+v", err, reason.Of(err))
		}
		if time.Since(began) != 3*time.Second || s.Condition().Waiting != 0 || s.calls.Of() != 1 {
			t.Errorf("waited %v, %+v", time.Since(began), s.Condition())
		}
	})
}

func TestStormOf429sIsNoTightLoop(t *testing.T) {
	for _, limit := range []Limit{{}, {PerMinute: 55, Burst: 10, Wakes: 10}} {
		bubble(t, func(c *Config) { c.Limit = limit }, stormOf429s)
	}
}

func stormOf429s(t *testing.T, s *site) {
	time.Sleep(25 * time.Second)
	end := time.Now().Add(10 * time.Minute)
	s.faults.Add(paastest.Fault{For: 10 * time.Minute, Status: 429, Body: "Retry later"})
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			for time.Now().Before(end) {
				if err := s.scale(With(t.Context(), Wake)); err != nil && !HasStatus(err, 429) {
					t.Error(err)
				}
			}
		})
	}
	time.Sleep(time.Second)
	c := s.Condition()
	if c.Why.Kind != reason.RateLimited || c.Why.Until.Before(time.Now().Add(30*time.Second)) || c.Breaker != provider.BreakerClosed {
		t.Errorf("%+v", c)
	}
	callers.Wait()
	made := 0
	for _, call := range s.calls.Log() {
		if call.Status == 429 {
			made++
		}
	}
	if made > 25 {
		t.Errorf("%d calls in the ten minutes of the storm", made)
	}
	if len(s.scaled) == 0 {
		t.Error("no order came through after the storm")
	}
	if log := withoutDebug(s.log.String()); strings.Count(log, "\n") != 2 || !strings.Contains(log, "WARN") {
		t.Errorf("the storm and its end are told once each:\n%s", log)
	}
}

func TestCallThatLeavesInItsTurnHoldsNobody(t *testing.T) {
	for range 30 { // which of two things comes first that come at once is not settled
		bubble(t, nil, func(t *testing.T, s *site) {
			s.limiter.tooMany(10 * time.Second)
			time.Sleep(20 * time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.list(ctx) // may go, and does not want to any more
			began := time.Now()
			if err := s.list(t.Context()); err != nil || time.Since(began) > 10*time.Second {
				t.Errorf("the next one waited %v: %v", time.Since(began), err)
			}
		})
	}
}

func TestFewCallsLeftAreForWakes(t *testing.T) {
	bubble(t, func(c *Config) {
		c.Limit = Limit{PerMinute: 60, Burst: 60, Low: 1000}
		c.Remaining = func(h http.Header) (int, bool) {
			var n int
			_, err := fmt.Sscan(h.Get("RateLimit-Remaining"), &n)
			return n, err == nil
		}
	}, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Status: 200, Body: `{"apps":[{"name":"shop"}]}`, Header: http.Header{"RateLimit-Remaining": {"900"}}})
		_ = s.list(With(t.Context(), Audit))
		began := time.Now()
		for range 3 {
			_ = s.list(With(t.Context(), Audit))
		}
		if took := time.Since(began); took < 2*time.Minute {
			t.Errorf("three audits took %v", took)
		}
		began = time.Now()
		for range 10 {
			_ = s.list(With(t.Context(), Wake))
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("ten wakes took %v", took)
		}
	})
}

func TestEachTryTakesATurn(t *testing.T) {
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 6} }, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Times: 2, Status: 500})
		began := time.Now()
		if err := s.list(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 20*time.Second {
			t.Errorf("three tries took %v, at one each 10s", took)
		}
	})
}

package paas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// site is a platform, and an account there.
type site struct {
	*Account
	faults *paastest.Faults
	calls  *paastest.Calls

	mu     sync.Mutex
	scaled []string // bodies of orders that were carried out, in order
	log    bytes.Buffer
}

// newSite is a platform that answers at once, and an account there as change makes it.
func newSite(change func(*Config)) *site {
	s := &site{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/apps", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"apps":[{"name":"shop","status":"running"}]}`)
	})
	mux.HandleFunc("POST /v1/apps/{app}/scale", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.scaled = append(s.scaled, string(body))
		w.Header().Set("Location", "https://api.example.com/v1/apps/shop/operations/1")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{}`)
	})
	s.faults = paastest.NewFaults(mux)
	s.calls = paastest.NewCalls(s.faults, mux)
	base, _ := url.Parse("https://api.example.com/v1")
	c := Config{ID: "paas", BaseURL: base, Transport: paastest.InProcess(s.calls), Log: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&c)
	}
	s.Account = NewAccount(c)
	return s
}

// list asks for all apps.
func (s *site) list(ctx context.Context) error {
	var out struct {
		Apps []struct {
			Name string `json:"name"`
		} `json:"apps"`
	}
	_, err := s.Call(ctx, Request{Path: "/apps", Out: &out})
	if err == nil && (len(out.Apps) != 1 || out.Apps[0].Name != "shop") {
		return fmt.Errorf("listed %+v", out)
	}
	return err
}

// scale gives an order that must not be given twice.
func (s *site) scale(ctx context.Context) error {
	_, err := s.Call(ctx, Request{Method: "POST", Path: "/apps/shop/scale", In: map[string]int{"web": 2}})
	return err
}

// bubble runs a test of a site.
func bubble(t *testing.T, change func(*Config), test func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newSite(change)) })
}

func TestCallCarriesItsBodyItsTokenAndItsID(t *testing.T) {
	bubble(t, func(c *Config) {
		c.Authorize = func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer secret-token")
			return nil
		}
	}, func(t *testing.T, s *site) {
		answer, err := s.Call(t.Context(), Request{Method: "POST", Path: "/apps/shop/scale", In: map[string]int{"web": 2}})
		if err != nil || answer.Status != 202 || !strings.HasSuffix(answer.Header.Get("Location"), "/operations/1") {
			t.Fatalf("%+v, %v", answer, err)
		}
		if s.scaled[0] != `{"web":2}` || s.calls.Log()[0].ID == "" {
			t.Errorf("body %q, ID %q", s.scaled, s.calls.Log()[0].ID)
		}
		if _, err := s.Call(t.Context(), Request{Path: answer.Header.Get("Location")}); !HasStatus(err, 404) {
			t.Errorf("the operation of a Location: %v", err)
		}
		if _, err := s.Call(t.Context(), Request{Path: "https://elsewhere.example.com/v1/apps"}); err == nil || s.calls.Of() != 2 {
			t.Errorf("a token went elsewhere: %v", err)
		}
	})
}

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
	bubble(t, func(c *Config) { c.Limit = Limit{PerMinute: 55, Burst: 10, Wakes: 10} }, func(t *testing.T, s *site) {
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
	})
}

func TestRetryAfterIsObeyedByTheClockOfWhoeverSaysIt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		began := time.Now()
		header := http.Header{"Retry-After": {began.Add(24*time.Hour + 20*time.Second).UTC().Format(http.TimeFormat)}}
		s.faults.Add(paastest.Fault{Times: 1, Status: 503, Header: header, Skew: 24 * time.Hour})
		if err := s.scale(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("took %v", took)
		}
		s.faults.Add(paastest.Fault{Times: 1, Status: 429, Header: http.Header{"Retry-After": {"90"}}})
		began = time.Now()
		if err := s.scale(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 90*time.Second || took > 96*time.Second {
			t.Errorf("took %v", took)
		}
		if len(s.scaled) != 2 || s.scaled[1] != `{"web":2}` {
			t.Errorf("carried out %q", s.scaled)
		}
	})
}

func TestOrderIsNeverGivenTwice(t *testing.T) {
	for name, fault := range map[string]paastest.Fault{
		"cut":      {Cut: true},
		"lost":     {Lost: true},
		"late":     {Late: time.Hour},
		"gateway":  {Status: 502, Body: "<html>bad gateway</html>"},
		"internal": {Status: 500, Body: `{"error":"internal"}`},
	} {
		bubble(t, nil, func(t *testing.T, s *site) {
			s.faults.Add(fault)
			err := s.scale(t.Context())
			if !errors.Is(err, provider.ErrUnreachable) || reason.Of(err).Kind != reason.ProviderUnreachable || s.calls.Of() != 1 {
				t.Errorf("%s: %v, after %d calls", name, err, s.calls.Of())
			}
			s.faults.Clear()
			s.calls.Reset()
			fault.Times = 2
			s.faults.Add(fault)
			if err := s.list(t.Context()); err != nil || s.calls.Of() != 3 {
				t.Errorf("%s: a look is made again: %v, after %d calls", name, err, s.calls.Of())
			}
		})
	}
}

func TestOrderThatDidNotGetThereIsGivenAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Times: 2, Down: true})
		if err := s.scale(t.Context()); err != nil || s.calls.Of() != 3 {
			t.Errorf("%v, after %d calls", err, s.calls.Of())
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
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 {
			_ = s.list(ctx)
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

func TestRefusalsAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		status int
		kind   string
		body   string
		text   string
		why    reason.Kind
	}{
		{401, "application/json", `{"error":"unauthorized"}`, "unauthorized", reason.TokenRefused},
		{402, "application/json", `{"error":"trial over","name":"payment-required","url":"https://x"}`, "trial over", reason.PaymentRequired},
		{403, "application/json", `{"error":"no","code":"limited"}`, "limited: no", reason.NotAllowed},
		{404, "application/json", `{"resource":"App","error":"not found"}`, "not found", reason.ProviderRefused},
		{409, "application/json", `{"id":"conflict","message":"busy"}`, "conflict: busy", reason.PlatformBusy},
		{422, "application/json", `{"errors":{"web":["is unknown","is gone"]}}`, "web: is unknown is gone", reason.ProviderRefused},
		{400, "text/html", `<html>token=abcdef</html>`, "", reason.ProviderRefused},
		{400, "application/json", `{"error":{"a":1},"errors":[1]}`, "", reason.ProviderRefused},
		{302, "text/plain", ``, "", reason.ProviderRefused},
	} {
		bubble(t, nil, func(t *testing.T, s *site) {
			s.faults.Add(paastest.Fault{Status: c.status, Header: http.Header{"Content-Type": {c.kind}, "X-Request-Id": {"r1"}}, Body: c.body})
			err := s.list(t.Context())
			var refused *Error
			if !errors.As(err, &refused) || refused.said() != c.text || reason.Of(err).Kind != c.why || refused.RequestID != "r1" {
				t.Errorf("%d %s: %v, %+v", c.status, c.body, err, reason.Of(err))
			}
		})
	}
}

func TestVendorSaysWhatARefusalMeans(t *testing.T) {
	bubble(t, func(c *Config) {
		c.Refusal = func(answer *http.Response, body []byte) error {
			if answer.StatusCode == 503 {
				return &Error{Kind: reason.InMaintenance, Text: "maintenance"}
			}
			return reason.NewError(reason.Blocked, "in quarantine")
		}
	}, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Times: 1, Status: 403})
		if err := s.list(t.Context()); reason.Of(err).Kind != reason.Blocked || err.Error() != "GET /apps: 403 forbidden: in quarantine" {
			t.Error(err)
		}
		s.faults.Add(paastest.Fault{Status: 503})
		if err := s.scale(t.Context()); reason.Of(err).Kind != reason.InMaintenance || errors.Is(err, provider.ErrUnreachable) {
			t.Error(err)
		}
	})
}

func TestAnswerOfAnotherFormIsToldWithoutItsValues(t *testing.T) {
	for name, c := range map[string]struct {
		fault paastest.Fault
		want  string
	}{
		"type":  {paastest.Fault{Change: paastest.Retype("name")}, `apps.name is of the type object`},
		"list":  {paastest.Fault{Change: paastest.Retype("apps")}, `apps is of the type string`},
		"proxy": {paastest.Fault{Status: 200, Body: "<html>sign in, key=verysecret</html>"}, `it is no JSON, but text/html`},
		"empty": {paastest.Fault{Status: 200}, "it is empty"},
		"huge":  {paastest.Fault{Status: 200, Body: `{"apps":"` + strings.Repeat("x", 32<<20) + `"}`}, "larger than 32 MB"},
	} {
		bubble(t, nil, func(t *testing.T, s *site) {
			s.faults.Add(c.fault)
			err := s.list(t.Context())
			if !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), c.want) || errors.Is(err, provider.ErrUnreachable) || reason.Of(err).Kind != reason.UnknownState {
				t.Errorf("%s: %v", name, err)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "shop") || s.calls.Of() != 1 {
				t.Errorf("%s: %v, after %d calls", name, err, s.calls.Of())
			}
		})
	}
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Change: paastest.AddFields(map[string]any{"new": 1}), ContentType: "text/plain", Skew: 9 * time.Hour})
		if err := s.list(t.Context()); err != nil {
			t.Errorf("what is new or beside the point: %v", err)
		}
	})
}

func TestCallEndsWithItsContext(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.list(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		began = time.Now()
		err := s.scale(t.Context())
		if !errors.Is(err, provider.ErrUnreachable) || time.Since(began) != defaultTimeout || !strings.Contains(err.Error(), "no answer in time") {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
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

func TestRegionsShareOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		for _, region := range []string{"a", "b"} {
			mock.RegisterResponder("GET", "https://"+region+".example.com/apps", httpmock.NewStringResponder(200, `{}`))
		}
		a, _ := url.Parse("https://a.example.com")
		b, _ := url.Parse("https://b.example.com/")
		account := NewAccount(Config{BaseURL: a, Transport: mock, Limit: Limit{PerMinute: 6}})
		began := time.Now()
		var out json.RawMessage
		for _, one := range []*Account{account, account.At(b), account} {
			if _, err := one.Call(t.Context(), Request{Path: "/apps", Out: &out}); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took < 20*time.Second || mock.GetTotalCallCount() != 3 {
			t.Errorf("%d calls took %v", mock.GetTotalCallCount(), took)
		}
	})
}

func TestStreamIsReadAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("ok") == "" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, "first\n")
			<-r.Context().Done()
		})
		base, _ := url.Parse("http://x")
		account := NewAccount(Config{BaseURL: base, Transport: paastest.InProcess(handler)})
		answer, err := account.Stream(t.Context(), Request{Path: "/logs", Query: url.Values{"ok": {"1"}}})
		if err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 6)
		if _, err := io.ReadFull(answer.Body, line); err != nil || string(line) != "first\n" {
			t.Errorf("%q, %v", line, err)
		}
		answer.Body.Close()
		if _, err := account.Stream(t.Context(), Request{Path: "/logs"}); !HasStatus(err, 403) {
			t.Error(err)
		}
	})
}

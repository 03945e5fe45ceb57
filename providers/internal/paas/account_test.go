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

func TestOrderThatMayBeGivenTwiceIsTheSame(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Times: 2, Lost: true})
		_, err := s.Call(t.Context(), Request{Method: "POST", Path: "/apps/shop/scale", In: map[string]int{"web": 2}, Idempotent: true})
		if err != nil || strings.Join(s.scaled, " ") != `{"web":2} {"web":2} {"web":2}` {
			t.Errorf("%v, carried out %q", err, s.scaled)
		}
	})
}

func TestOrderThatDidNotGetThereIsGivenAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *site) {
		s.faults.Add(paastest.Fault{Times: 2, Down: true})
		if err := s.scale(t.Context()); err != nil || s.calls.Of() != 3 {
			t.Errorf("%v, after %d calls", err, s.calls.Of())
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

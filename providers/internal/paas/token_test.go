package paas

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// issuer is a platform whose tokens are got by a call and end after an hour.
type issuer struct {
	mu      sync.Mutex
	issued  int
	valid   string // the only token that it accepts; empty: none
	revoked bool   // whether it issues none any more
	ahead   time.Duration

	calls, exchanges *paastest.Calls
	faults           *paastest.Faults
	*Account
	tokens *Exchanged
}

const apiToken = "tk-us-verysecret0123456789"

func newIssuer() *issuer {
	i := &issuer{}
	api := http.NewServeMux()
	api.HandleFunc("GET /apps", func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.valid == "" || r.Header.Get("Authorization") != "Bearer "+i.valid {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error":"bad token: %s"}`, r.Header.Get("Authorization"))
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	i.calls = paastest.NewCalls(api, api)
	i.faults = paastest.NewFaults(http.HandlerFunc(i.exchange))
	i.exchanges = paastest.NewCalls(i.faults, nil)
	apiURL, _ := url.Parse("https://api.example.com")
	authURL, _ := url.Parse("https://auth.example.com")
	auth := NewAccount(Config{BaseURL: authURL, Transport: paastest.InProcess(i.exchanges), Authorize: func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth("", apiToken)
		return nil
	}})
	i.tokens = NewExchanged(func(ctx context.Context) (Token, error) {
		var out struct {
			Token       string
			Ends, Began int64
		}
		_, err := auth.Call(ctx, Request{Method: "POST", Path: "/exchange", Out: &out})
		return Token{Value: out.Token, Ends: time.Unix(out.Ends, 0), Issued: time.Unix(out.Began, 0)}, err
	})
	i.Account = NewAccount(Config{BaseURL: apiURL, Transport: paastest.InProcess(i.calls), Authorize: i.tokens.Authorize, Renew: i.tokens.Renew})
	return i
}

func (i *issuer) exchange(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(100 * time.Millisecond)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.revoked {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"no such token `+apiToken+`"}`)
		return
	}
	i.issued++
	i.valid = fmt.Sprintf("jwt-number-%d", i.issued)
	began := time.Now().Add(i.ahead)
	_, _ = fmt.Fprintf(w, `{"token":%q,"began":%d,"ends":%d}`, i.valid, began.Unix(), began.Add(time.Hour).Unix())
}

func (i *issuer) list(ctx context.Context) error {
	_, err := i.Call(ctx, Request{Path: "/apps"})
	return err
}

func (i *issuer) revoke(forGood bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.valid, i.revoked = "", forGood
}

func TestOneExchangeForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if err := i.list(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if i.exchanges.Of() != 1 || i.calls.Of() != 1000 {
			t.Errorf("%d exchanges for %d calls", i.exchanges.Of(), i.calls.Of())
		}
		time.Sleep(2 * time.Minute)
		i.revoke(false)
		for range 1000 {
			all.Go(func() {
				if err := i.list(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if i.exchanges.Of() != 2 {
			t.Errorf("%d exchanges, after one token was refused to a thousand", i.exchanges.Of())
		}
	})
}

func TestExchangeOutlivesTheCallerThatBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if err := i.list(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one that left: %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				if err := i.list(t.Context()); err != nil {
					t.Errorf("one that stayed: %v", err)
				}
			})
		}
		all.Wait()
		if i.exchanges.Of() != 2 {
			t.Errorf("%d exchanges", i.exchanges.Of())
		}
	})
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			i := newIssuer()
			i.ahead = ahead
			for minute := range 10 * 60 {
				if err := i.list(t.Context()); err != nil {
					t.Fatalf("minute %d: %v", minute, err)
				}
				time.Sleep(time.Minute)
			}
			for _, call := range i.calls.Log() {
				if call.Status != 200 {
					t.Errorf("a token was refused: %+v", call)
				}
			}
			if got := i.exchanges.Of(); got < 10 || got > 12 {
				t.Errorf("%d exchanges in ten hours, its clock being %v ahead", got, ahead)
			}
		})
	}
}

func TestTokenOfNowServesWhileTheNextCannotBeGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		_ = i.list(t.Context())
		time.Sleep(56 * time.Minute)
		i.faults.Add(paastest.Fault{Hang: true})
		began := time.Now()
		if err := i.list(With(t.Context(), Wake)); err != nil || time.Since(began) > 0 {
			t.Errorf("a wake waited %v: %v", time.Since(began), err)
		}
		if err := i.list(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Minute)
		if err := i.list(t.Context()); !errors.Is(err, provider.ErrUnreachable) {
			t.Errorf("once it ended: %v", err)
		}
		i.faults.Clear()
		time.Sleep(10 * time.Minute)
		if err := i.list(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRevokedTokenIsToldAndNotAskedForOverAndOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		_ = i.list(t.Context())
		time.Sleep(2 * time.Minute)
		i.revoke(true)
		end := time.Now().Add(time.Hour)
		for time.Now().Before(end) {
			err := i.list(t.Context())
			if reason.Of(err).Kind != reason.TokenRefused || errors.Is(err, provider.ErrUnreachable) || strings.Contains(err.Error(), "verysecret") {
				t.Fatalf("%v: %+v", err, reason.Of(err))
			}
			time.Sleep(time.Second)
		}
		if made := i.exchanges.Of(); made > 16 {
			t.Errorf("%d exchanges in an hour", made)
		}
		if c := i.Condition(); c.Why.Kind != reason.TokenRefused {
			t.Errorf("%+v", c)
		}
		i.mu.Lock()
		i.revoked = false
		i.mu.Unlock()
		time.Sleep(11 * time.Minute)
		if err := i.list(t.Context()); err != nil || !i.Condition().Why.IsZero() {
			t.Errorf("once it is accepted again: %v, %+v", err, i.Condition())
		}
	})
}

func TestFreshTokenThatIsRefusedIsNotExchangedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer()
		_ = i.list(t.Context())
		for range 100 {
			i.revoke(false) // whatever it issues, it refuses
			err := i.list(t.Context())
			if !HasStatus(err, 401) || reason.Of(err).Kind != reason.TokenRefused {
				t.Fatal(err)
			}
		}
		if i.exchanges.Of() != 1 {
			t.Errorf("%d exchanges", i.exchanges.Of())
		}
	})
}

func TestNoSecretIsInAnyError(t *testing.T) {
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
	oauth := `OAuth oauth_consumer_key="ckey-12345678", oauth_token="otoken-12345678", oauth_signature="c2lnbmF0dXJl%2Fb64%3D"`
	for _, authorization := range []string{"Bearer " + jwt, "Bearer plain-secret-0123", oauth, "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+apiToken))} {
		bubble(t, func(c *Config) {
			c.Authorize = func(_ context.Context, r *http.Request) error {
				r.Header.Set("Authorization", authorization)
				return nil
			}
		}, func(t *testing.T, s *site) {
			hidden := append(secretsOf(&http.Request{Header: http.Header{"Authorization": {authorization}}}), "query-secret", "userinfo-secret",
				jwt, "plain-secret-0123", "otoken-12345678", "c2lnbmF0dXJl", "verysecret")
			echo := fmt.Sprintf(`{"error":"refused %s and %s, see https://u:userinfo-secret@h/x?token=query-secret, token=query-secret %s %s"}`,
				strings.ReplaceAll(authorization, `"`, `\"`), hidden[0], jwt, apiToken)
			var told strings.Builder
			for _, fault := range []paastest.Fault{
				{Status: 401, Body: echo}, {Status: 422, Body: echo, Header: http.Header{"X-Request-Id": {hidden[0]}}}, {Status: 400, Header: http.Header{"Content-Type": {"text/plain"}}, Body: echo},
				{Status: 503, Body: echo}, {Status: 200, Body: echo + echo}, {Cut: true}, {Down: true}, {Hang: true},
			} {
				remove := s.faults.Add(fault)
				_, err := s.Call(t.Context(), Request{Method: "POST", Path: "/apps/shop/scale", Query: url.Values{"token": {"query-secret"}}, In: 1, Out: &struct{}{}})
				remove()
				if err == nil {
					t.Errorf("%+v: no error", fault)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					fmt.Fprintf(&told, "%v %+v\n", e, reason.Of(e))
				}
			}
			for _, secret := range hidden {
				if strings.Contains(told.String(), secret) {
					t.Errorf("%q is in the errors:\n%s", secret, told.String())
				}
				if strings.Contains(s.log.String(), secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		})
	}
}

func TestNoSecretIsInAnErrorOfTheWay(t *testing.T) {
	r, _ := http.NewRequest("GET", "https://u:userinfo-secret@api.example.com/x?token=query-secret", nil)
	for _, err := range []error{
		&url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("proxyconnect to http://u:userinfo-secret@proxy:8080 failed")},
		fmt.Errorf("Get %q: odd", r.URL.String()),
	} {
		if text := explain(t.Context(), r, err, time.Now()).Error(); strings.Contains(text, "-secret") || !strings.HasPrefix(text, "no answer of api.example.com: ") {
			t.Error(text)
		}
	}
}

package paas

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

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

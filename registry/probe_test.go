package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// at is where a server listens.
func at(s *httptest.Server) netip.AddrPort {
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func TestAProbeTakesSignsOfLifeAndNothingElse(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(status)
	}))
	defer s.Close()
	for code, want := range map[int]bool{200: true, 204: true, 302: true, 401: true, 403: true, 400: false, 404: false, 500: false, 502: false, 503: false} {
		status = code
		err := Answers(t.Context(), inventory.Target{Address: at(s).String(), Path: "/", Accepts: rules.Defaults().ProbeStatus})
		if (err == nil) != want {
			t.Errorf("%d: %v", code, err)
		}
		if fault := (StatusError{}); !want && (!errors.As(err, &fault) || fault.Status != code) {
			t.Errorf("%d: %v is no error that says so", code, err)
		}
	}
}

func TestAProbeComesWithTheHostAndTheSchemeOfAVisitor(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.test" || r.Header.Get("X-Forwarded-Host") != "shop.test" || r.Header.Get("X-Forwarded-Proto") != "https" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	target := inventory.Target{Address: at(s).String(), Path: "/", Host: "shop.test", VisitorScheme: "https"}
	if err := Answers(t.Context(), target); err != nil {
		t.Error(err)
	}
}

func TestAProbeSpeaksWhatTheAppSpeaks(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 && r.TLS == nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	tls := httptest.NewTLSServer(ok)
	defer tls.Close()
	if err := Answers(t.Context(), inventory.Target{Address: at(tls).String(), Path: "/", Scheme: "https"}); err != nil {
		t.Errorf("by TLS, with a certificate that nobody has signed: %v", err)
	}
	h2c := httptest.NewUnstartedServer(ok)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	defer h2c.Close()
	if err := Answers(t.Context(), inventory.Target{Address: at(h2c).String(), Path: "/", Scheme: "h2c"}); err != nil {
		t.Errorf("by HTTP/2 without TLS: %v", err)
	}
}

func TestAnAppThatIsSlowToAnswerHasItsTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	err := Answers(t.Context(), inventory.Target{Address: at(s).String(), Path: "/", Patience: time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "answered") {
		t.Errorf("%v", err)
	}
}

func TestABusyCheckAsksAsAVisitorDoes(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "solo.test" || r.Header.Get("X-Forwarded-Proto") != "https" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	a := solo().label("traefik.http.routers.solo-web.tls", "true").label("paastis.busy", "http:"+strconv.Itoa(int(at(s).Port()))+"/busy")
	e := inventory.Resolve([]inventory.Reported{{Provider: "fake", App: &a.App.App}}, settingsFor(t, "")).Named("solo-web")
	if busy, err := busyByURL(t.Context(), e, &inventory.App{Instances: []inventory.Instance{{Status: inventory.Running, Address: at(s).Addr()}}}); !busy || err != nil {
		t.Errorf("busy %t, %v", busy, err)
	}
}

func TestABusyCheckOfAnAppOfAURLAsksThere(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() || r.URL.Path != "/busy" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	a := solo().label("paastis.busy", "http:/busy")
	a.URL = s.URL
	e := inventory.Resolve([]inventory.Reported{{Provider: "fake", App: &a.App.App}}, settingsFor(t, "")).Named("solo-web")
	if busy, err := busyByURL(t.Context(), e, &inventory.App{Instances: []inventory.Instance{{Status: inventory.Running}}}); !busy || err != nil {
		t.Errorf("busy %t, %v", busy, err)
	}
}

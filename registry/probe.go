package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

const (
	// A TCP SYN that is sent in the moment of a container's start is lost and repeated a
	// second later; so each knock is short, and there are many.
	knockLimit = 250 * time.Millisecond
	// httpLimit is how long an app may take to answer the first request of a probe; each
	// further one has twice the time of the one before, as long as slowestAnswer.
	httpLimit     = 5 * time.Second
	slowestAnswer = time.Minute
)

// StatusError is what a probe finds of an app that answers, and not as it should.
type StatusError struct{ Status int }

func (e StatusError) Error() string { return fmt.Sprintf("answered %d", e.Status) }

// Answers is the default probe: nil if the target accepts a connection or, by HTTP,
// answers with a status that it is to have, else a StatusError. It does not follow redirects.
// At the URL of an app it is a *tls.CertificateVerificationError if that has a certificate which
// is not trusted.
func Answers(ctx context.Context, t inventory.Target) error {
	if t.Path != "" {
		return answersHTTP(ctx, t)
	}
	ctx, cancel := context.WithTimeout(ctx, knockLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// probeClients speak HTTP/1.1 or, to who asks for that, HTTP/2 without TLS. urlClient is for URLs of
// apps: those are found by DNS, on any network, and have a certificate that others have signed.
var (
	probeClient    = newProbeClient(false, knockLimit, &tls.Config{InsecureSkipVerify: true})
	probeClientH2C = newProbeClient(true, knockLimit, nil) // without TLS
	urlClient      = newProbeClient(false, httpLimit, nil)
)

func newProbeClient(h2c bool, dialLimit time.Duration, security *tls.Config) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(!h2c)
	protocols.SetUnencryptedHTTP2(h2c)
	return &http.Client{
		Transport: &http.Transport{
			Protocols:           &protocols,
			DialContext:         (&net.Dialer{Timeout: dialLimit}).DialContext,
			TLSClientConfig:     security,
			TLSHandshakeTimeout: httpLimit,
			DisableKeepAlives:   true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func answersHTTP(ctx context.Context, t inventory.Target) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(t.Patience, httpLimit))
	defer cancel()
	status, err := statusOf(ctx, t)
	switch {
	case err != nil:
		return err
	case !accepts(t, status):
		return StatusError{status}
	}
	return nil
}

// accepts reports whether a status is one by which an app is known to serve.
func accepts(t inventory.Target, status int) bool {
	switch {
	case t.Accepts != nil:
		return t.Accepts.Has(status)
	case t.ByURL:
		return status != http.StatusBadGateway && status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout
	default:
		return status < http.StatusBadRequest
	}
}

// statusOf is the status with which a target answers a GET.
func statusOf(ctx context.Context, t inventory.Target) (int, error) {
	client, scheme := probeClient, cmp.Or(t.Scheme, "http")
	switch {
	case t.ByURL:
		client = urlClient
	case scheme == "h2c":
		client, scheme = probeClientH2C, "http"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+t.Address+t.Path, nil)
	if err != nil {
		return 0, err
	}
	if t.Host != "" {
		req.Host = t.Host
		req.Header.Set("X-Forwarded-Host", t.Host)
	}
	if t.ByURL {
		req.Header.Set("User-Agent", "Paastis") // in logs that its owner did not choose
	}
	if t.VisitorScheme != "" {
		req.Header.Set("X-Forwarded-Proto", t.VisitorScheme)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

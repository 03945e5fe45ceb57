package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
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

// Target is what a probe looks at.
type Target struct {
	// Address is the host, by name or address, and the port of what is probed.
	Address string
	// Path to ask for by HTTP. Empty: connecting is enough.
	Path string
	// Scheme by which it is spoken to: http, https or h2c. Empty: http. A certificate is not
	// checked: one on a network of one's own is signed by nobody else.
	Scheme string
	// Host to ask for. Empty: the address.
	Host string
	// VisitorScheme is by what a visitor comes to the app, as a proxy tells it. Empty: it is
	// not told.
	VisitorScheme string
	// Accepts are the statuses of an app that serves. Nil: all below 400.
	Accepts rules.Statuses
	// Patience is how long an answer by HTTP may take. Zero: 5 s.
	Patience time.Duration
}

// StatusError is what a probe finds of an app that answers, and not as it should.
type StatusError struct{ Status int }

func (e StatusError) Error() string { return fmt.Sprintf("answered %d", e.Status) }

// Answers is the default probe: nil if the target accepts a connection or, by HTTP,
// answers with a status that it is to have, else a StatusError. It does not follow redirects.
func Answers(ctx context.Context, t Target) error {
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

// probeClients speak HTTP/1.1 or, to who asks for that, HTTP/2 without TLS.
var probeClient, probeClientH2C = newProbeClient(false), newProbeClient(true)

func newProbeClient(h2c bool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(!h2c)
	protocols.SetUnencryptedHTTP2(h2c)
	return &http.Client{
		Transport: &http.Transport{
			Protocols:           &protocols,
			DialContext:         (&net.Dialer{Timeout: knockLimit}).DialContext,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
			TLSHandshakeTimeout: httpLimit,
			DisableKeepAlives:   true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func answersHTTP(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(t.Patience, httpLimit))
	defer cancel()
	status, err := statusOf(ctx, t)
	switch {
	case err != nil:
		return err
	case t.Accepts == nil && status >= http.StatusBadRequest, t.Accepts != nil && !t.Accepts.Has(status):
		return StatusError{status}
	}
	return nil
}

// statusOf is the status with which a target answers a GET.
func statusOf(ctx context.Context, t Target) (int, error) {
	client, scheme := probeClient, cmp.Or(t.Scheme, "http")
	if scheme == "h2c" {
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
	if t.VisitorScheme != "" {
		req.Header.Set("X-Forwarded-Proto", t.VisitorScheme)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// request is what is to be asked by HTTP, at an address, of a port of the app: as its visitors
// ask.
func (e *Entry) request(address string, port uint16, path string) Target {
	t := Target{
		Address: address, Path: path,
		Host: e.ProbeHost, VisitorScheme: e.ProbeScheme, Accepts: e.ProbeStatus,
	}
	r := e.visitedBy(port)
	if r == nil {
		return t
	}
	if r.Port == port {
		t.Scheme = e.labels.Scheme(r.Router)
	}
	if hosts := r.Match.Hosts(); t.Host == "" && len(hosts) > 0 {
		t.Host = hosts[0]
	}
	if t.VisitorScheme == "" {
		t.VisitorScheme = r.visitorScheme()
	}
	return t
}

// visitedBy returns the router by which visitors get to a port of the app, or else its
// first one. Nil: it has none.
func (e *Entry) visitedBy(port uint16) *Router {
	for i := range e.Routers {
		if e.Routers[i].Port == port {
			return &e.Routers[i]
		}
	}
	if len(e.Routers) > 0 {
		return &e.Routers[0]
	}
	return nil
}

// visitorScheme is by what visitors come to the router.
func (r *Router) visitorScheme() string {
	if r.TLS || len(r.ways) > 0 && r.ways[0].TLS || r.ways == nil && r.Secure() {
		return "https"
	}
	return "http"
}

// target is what is to be probed of an instance at a port. Its address is empty if Paastis does
// not reach that.
func (e *Entry) target(i inventory.Instance, port uint16) Target {
	if e.Probe.Kind != rules.HTTPProbe {
		return Target{Address: i.Reach(port)}
	}
	t := e.request(i.Reach(port), port, e.Probe.Path)
	if e.Probe.TLS {
		t.Scheme = "https"
	}
	return t
}

// probePorts are the ports at which the app is probed, the one first that speaks for it.
// None: it is not known where it listens.
func (e *Entry) probePorts() []uint16 {
	if e.Probe.Port != 0 {
		return []uint16{e.Probe.Port}
	}
	var ports []uint16
	for _, r := range e.Routers {
		if r.Port != 0 && !slices.Contains(ports, r.Port) {
			ports = append(ports, r.Port)
		}
	}
	if port := e.Port(); port != 0 && len(ports) == 0 {
		return []uint16{port}
	}
	if e.Probe.Kind == rules.HTTPProbe && len(ports) > 1 {
		return ports[:1] // its path is that of one of them
	}
	return ports
}
